"""Works on clusters, and on namespaces within a cluster, side by side under one lease, and answers for every planned namespace."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from ecr_public_pusher import eks
from ecr_public_pusher.answers import Refused
from ecr_public_pusher.aws import Aws
from ecr_public_pusher.config import ClusterConfig
from ecr_public_pusher.errors import ApiError, Crash, DeadlineReached, LeaseEnded, NoAnswerError, PusherError, SignInError, UnreachableError
from ecr_public_pusher.kube import Session
from ecr_public_pusher.lease import Lease, side_by_side
from ecr_public_pusher.model import ClusterResult, Namespace, NamespaceOutcome, Outcome
from ecr_public_pusher.plan import Plan, PlannedCluster
from ecr_public_pusher.transport import Patience

# Lambda allows 1,024 threads and descriptors: 64 clusters of 8 connections, and one thread to lead each, stay well below.
CLUSTERS_AT_ONCE = 64
NAMESPACES_AT_ONCE = 8


class Job(Protocol):
    """What is done in one cluster. Told from several threads what to do where."""

    def known(self) -> tuple[Namespace, ...]:
        """The namespaces that are planned whatever the cluster says."""

    def find(self, session: Session) -> tuple[Namespace, ...] | None:
        """All namespaces to work on, as the cluster tells; None when it need not be asked. Raises what fails the cluster as a whole."""

    def by_the_way(self, target: Namespace) -> bool:
        """Whether the namespace is only looked at, after the others: where there is nothing to do, nothing is said of it."""

    def settle(self, target: Namespace) -> NamespaceOutcome | None:
        """The outcome of a namespace that needs no request."""

    def begin(self) -> None:
        """Called before the first namespace that needs one. Raises what fails the cluster as a whole."""

    def do(self, session: Session, target: Namespace) -> NamespaceOutcome | None:
        """The work itself. None: there was nothing to do. A Refused goes to `explain`, a GivesUp fails the cluster."""

    def explain(self, error: Refused, target: Namespace) -> NamespaceOutcome:
        """The outcome that a refusal means."""


class GivesUp(ApiError):
    """One namespace's refusal that all others would get too."""

    code = "ApiError"


def work_on(plan: Plan, job: Callable[[PlannedCluster], Job], *, aws: Aws, lease: Lease, patience: Patience | None = None) -> list[ClusterResult]:
    """One result per planned cluster, in order of id, crashes and hung ones included. Never raises for a cluster."""
    runs = [_ClusterRun(planned.config, job(planned), aws, lease, patience or Patience()) for planned in plan.clusters]
    for run, crash in side_by_side(runs, _ClusterRun.run, width=CLUSTERS_AT_ONCE, lease=lease):
        if isinstance(crash, BaseException):
            run.fail(crash if isinstance(crash, PusherError) else Crash.from_exception(crash))
    results = [run.result() for run in runs]
    for run in runs:
        run.close()
    return with_others(results, plan)


def with_others(results: Sequence[ClusterResult], plan: Plan) -> list[ClusterResult]:
    """The results, with those of the plan's clusters that nothing was to be done in."""
    failed = [ClusterResult(identity, error=error) for identity, error in plan.bad.items()]
    skipped = [ClusterResult(identity, skipped="disabled") for identity in plan.disabled]
    return sorted([*results, *failed, *skipped], key=lambda result: result.id)


def sign_in(config: ClusterConfig, *, aws: Aws, lease: Lease, patience: Patience) -> Session:
    """A session with the cluster, by the execution role or the one that its document names. Raises RoleError, EksError, SignInError."""
    account = aws.account(config.role_arn, config.external_id)
    endpoint = eks.describe(aws.client("eks", region=config.region, account=account), config.cluster)
    signing = aws.signing_client(region=config.region, account=account)
    return Session(endpoint, lambda: eks.presign(signing, config.cluster), lease=lease, connections=NAMESPACES_AT_ONCE, patience=patience)


class _ClusterRun:
    """One cluster's work as it goes. Others may ask for its result at any moment: after the deadline its threads are left alone."""

    def __init__(self, config: ClusterConfig, job: Job, aws: Aws, lease: Lease, patience: Patience) -> None:
        self._config, self._job, self._aws, self._lease, self._patience = config, job, aws, lease, patience
        self._lock = threading.Lock()
        self._outcomes: dict[str, NamespaceOutcome | None] = {}
        self._targets: tuple[Namespace, ...] = job.known()
        self._begun: set[str] = set()
        self._error: PusherError | None = None
        self._started: float | None = None
        self._seconds: float | None = None
        self._session: Session | None = None
        self._answered = False
        self._unanswered: list[NoAnswerError] = []

    def run(self) -> None:
        """Signs in, finds the namespaces, works on them. Raises what fails the cluster as a whole."""
        self._started = self._lease.clock.monotonic()
        try:
            self._session = session = sign_in(self._config, aws=self._aws, lease=self._lease, patience=self._patience)
            if (found := self._job.find(session)) is not None:
                self._targets, self._answered = found, True
            self._work(session)
            if self._unanswered and not self._answered:
                raise self._unanswered[-1]
        finally:
            self.close()
            self._seconds = self._lease.clock.monotonic() - self._started

    def close(self) -> None:
        """Cuts the cluster's connections, also under threads that hang in them."""
        if self._session is not None:
            self._session.close()

    def fail(self, error: PusherError) -> None:
        with self._lock:
            self._error = self._error or error

    def result(self) -> ClusterResult:
        """What is known now; what has no outcome by now failed with the cluster, or ran out of time."""
        with self._lock:
            targets, outcomes, error = self._targets, dict(self._outcomes), self._error
        left = [target for target in targets if target.name not in outcomes]
        ended = isinstance(error, LeaseEnded) or self._seconds is None
        if isinstance(error, LeaseEnded):
            error = None
        if error is None and not self._answered and (ended or left or self._unanswered):
            error = self._out_of_time()  # not one answer: the cluster as a whole
        for target in left:
            outcomes[target.name] = None if error is not None and self._job.by_the_way(target) else self._left_over(target.name, error)
        seconds = self._seconds if self._seconds is not None else (self._lease.clock.monotonic() - self._started if self._started else 0.0)
        return ClusterResult(
            self._config.id,
            tuple(outcome for target in targets if (outcome := outcomes[target.name])),
            error=error,
            seconds=seconds,
            attempted=self._started is not None,
            found=frozenset(target.name for target in targets),
        )

    def _work(self, session: Session) -> None:
        waiting: list[Namespace] = []
        for target in self._targets:
            if settled := self._job.settle(target):
                self._record(target, settled)
            else:
                waiting.append(target)
        if not waiting:
            return
        self._job.begin()
        for phase in (False, True):
            targets = [target for target in waiting if self._job.by_the_way(target) is phase]
            for target, crash in side_by_side(targets, lambda one: self._do(session, one), width=NAMESPACES_AT_ONCE, lease=self._lease):
                if isinstance(crash, BaseException) and not isinstance(crash, LeaseEnded):
                    problem = Crash.from_exception(crash)
                    self._record(target, NamespaceOutcome(target.name, Outcome.FAILED, problem.message, problem.remedy))

    def _do(self, session: Session, target: Namespace) -> None:
        if self._error is not None:
            return
        with self._lock:
            self._begun.add(target.name)
        try:
            outcome = self._job.do(session, target)
        except LeaseEnded:
            return
        except NoAnswerError as error:
            self._record(target, self._no_answer(target.name, error))
            return
        except (SignInError, UnreachableError, GivesUp) as error:
            self._answered = self._answered or isinstance(error, GivesUp)
            self.fail(error)
            return
        except Refused as error:
            outcome = self._job.explain(error, target)
        except ApiError as error:
            outcome = NamespaceOutcome(target.name, Outcome.FAILED, error.message, error.remedy)
        self._answered = True
        self._record(target, outcome)

    def _no_answer(self, name: str, error: NoAnswerError) -> NamespaceOutcome:
        """One namespace's request may hang by itself (a webhook); when as many as run at once all do, it is the cluster."""
        self._unanswered.append(error)
        if not self._answered and len(self._unanswered) >= NAMESPACES_AT_ONCE:
            self.fail(error)
        return NamespaceOutcome(name, Outcome.FAILED, error.message, error.remedy)

    def _record(self, target: Namespace, outcome: NamespaceOutcome | None) -> None:
        with self._lock:
            self._outcomes[target.name] = outcome

    def _left_over(self, name: str, error: PusherError | None) -> NamespaceOutcome:
        if error is not None and not isinstance(error, DeadlineReached):
            return NamespaceOutcome(name, Outcome.FAILED, "the cluster failed as a whole", "See the cluster's error.")
        if name in self._begun:
            return NamespaceOutcome(name, Outcome.FAILED, "no answer before the function's time was up", _TIME)
        return NamespaceOutcome(name, Outcome.NOT_ATTEMPTED, "the function's time was up before its turn", _TIME)

    def _out_of_time(self) -> DeadlineReached:
        what = "no answer before the function's time was up" if self._started else "the function's time was up before its turn"
        return DeadlineReached(what, remedy=_TIME)


_TIME = "Raise the function's time-out, or see which cluster is slow to answer."
