"""Runs a job in every planned cluster side by side, under one deadline, and answers for every planned namespace."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import (
    ApiError,
    ApiStatusError,
    ClusterAborted,
    DeadlineReached,
    InternalError,
    NoAnswerError,
    NotThereError,
    PusherError,
    SignInError,
    UnreachableError,
)
from ecr_public_pusher.jobs.job import Job
from ecr_public_pusher.jobs.targets import Plan, PlannedCluster
from ecr_public_pusher.kubernetes_api.access import ClusterAccess
from ecr_public_pusher.kubernetes_api.connection_budget import CONNECTIONS_IN_ALL
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.results import ClusterResult, Namespace, NamespaceOutcome, Outcome
from ecr_public_pusher.sign_in.factory import SignIns
from ecr_public_pusher.sign_in.kind import SignIn

CLUSTERS_AT_ONCE = 100
# Clusters that have taken this long may hang: others take their turn beside them.
SLOW_CLUSTER_SECONDS, MOST_CLUSTERS_AT_ONCE = 5.0, 256
# A connection costs several requests' worth of work: a small cluster gets few, a large one more. In each cluster, a request that hangs gives
# its place to another, up to the most, within the budget of all.
MOST_CONNECTIONS = 8
NAMESPACES_PER_CONNECTION = 8


@dataclass(frozen=True)
class Workplace:
    """What working on clusters takes, of one invocation."""

    sign_ins: SignIns
    deadline: Deadline
    blocking: BlockingCalls
    sockets: Sockets
    stack: Stack
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)

    def api(self, access: ClusterAccess) -> KubernetesApi:
        """Connections to that cluster, of their own."""
        return KubernetesApi(
            access,
            field_manager=self.stack.field_manager,
            deadline=self.deadline,
            blocking=self.blocking,
            sockets=self.sockets,
            retry_policy=self.retry_policy,
        )


async def run_in_clusters(plan: Plan, make_job: Callable[[PlannedCluster], Job], workplace: Workplace) -> list[ClusterResult]:
    """One result per planned cluster, in order of id, defects and hung ones included. Never raises for a cluster."""
    share = CONNECTIONS_IN_ALL // max(1, min(CLUSTERS_AT_ONCE, len(plan.clusters)))
    runs = [_ClusterRun(planned.config, make_job(planned), workplace, most_connections=share) for planned in plan.clusters]
    await run_until(workplace.deadline, runs, _ClusterRun.run)
    return with_others([run.result() for run in runs], plan)


async def run_until[I](deadline: Deadline, clusters: Sequence[I], work: Callable[[I], Awaitable[None]]) -> None:
    """`work` on all clusters side by side; what is not done at the deadline is cancelled, and knows so by itself."""
    try:
        async with deadline.scope():
            await run_concurrently(clusters, work, width=CLUSTERS_AT_ONCE, most=MOST_CLUSTERS_AT_ONCE, stalled_after=SLOW_CLUSTER_SECONDS)
    except TimeoutError:
        pass


def with_others(results: Sequence[ClusterResult], plan: Plan) -> list[ClusterResult]:
    """The results, with those of the plan's clusters that nothing was to be done in."""
    failed = [ClusterResult(document_id, error=error) for document_id, error in plan.invalid.items()]
    skipped = [ClusterResult(document_id, skipped="disabled") for document_id in plan.disabled]
    return sorted([*results, *failed, *skipped], key=lambda result: result.id)


def connections_for(namespaces: int, *, most: int) -> int:
    """How many connections that many namespaces are worth."""
    return max(1, min(most, MOST_CONNECTIONS, -(-namespaces // NAMESPACES_PER_CONNECTION)))


# A step of a Job in one namespace.
type _Work = Callable[[KubernetesApi, Namespace], Awaitable[NamespaceOutcome | None]]


# How a cluster that is being deleted shows.
_MAY_BE_GONE = (NotThereError, UnreachableError, SignInError, ApiError)


class _State(Enum):
    """How far a cluster's run has come."""

    WAITING = "its turn has not come"
    CONNECTING = "it was asked, and has not answered yet"
    WORKING = "it has answered"
    ENDED = "all of it is done, or failed"


class _ClusterRun:
    """One cluster's work as it goes. `result` is whole at any moment: what was cancelled at the deadline says so."""

    def __init__(self, config: ClusterConfig, job: Job, workplace: Workplace, *, most_connections: int) -> None:
        self._config, self._job, self._workplace, self._most_connections = config, job, workplace, most_connections
        self._clock = workplace.deadline.clock
        self._state = _State.WAITING
        self._sign_in: SignIn | None = None
        self._error: PusherError | None = None
        self._left_out: str | None = None
        self._targets: tuple[Namespace, ...] = job.known()
        self._outcomes: dict[str, NamespaceOutcome | None] = {}
        self._started: set[str] = set()
        self._unanswered = 0
        self._began = 0.0
        self._seconds: float | None = None

    async def run(self) -> None:
        """Signs in, finds the namespaces, works on them. What fails the cluster as a whole is in the result."""
        self._began = self._clock.monotonic()
        self._state = _State.CONNECTING
        try:
            await self._run()
        except DeadlineReached:
            return  # as when it is cancelled: the state says in the result what was done
        except PusherError as error:
            self._error = error
            self._left_out = await self._why_left_out(error)
        except Exception as error:  # noqa: BLE001 - a defect of ours is this cluster's alone, and its text may carry a credential
            self._error = InternalError.from_exception(error)
        finally:
            self._seconds = self._clock.monotonic() - self._began
        self._state = _State.ENDED

    def result(self) -> ClusterResult:
        """What is known now; what has no outcome by now failed with the cluster, or ran out of time."""
        if self._left_out is not None:
            return ClusterResult(self._config.id, skipped=self._left_out, seconds=self._seconds or 0.0)
        error = self._error
        if error is None and self._state in (_State.WAITING, _State.CONNECTING):
            error = DeadlineReached(_OUT_OF_TIME if self._state is _State.CONNECTING else _NO_TURN, remedy=_TIME)
        outcomes = dict(self._outcomes)
        for target in self._targets:
            if target.name not in outcomes and not (error is not None and self._job.is_cleanup(target)):
                outcomes[target.name] = self._left_over(target.name, error)
        return ClusterResult(
            self._config.id,
            tuple(outcome for target in self._targets if (outcome := outcomes.get(target.name))),
            error=error,
            seconds=self._seconds if self._seconds is not None else 0.0,
            attempted=self._state is not _State.WAITING,
            found=frozenset(target.name for target in self._targets),
        )

    async def _run(self) -> None:
        """With what EKS said earlier of the endpoint; once more with what it says now, when nothing answers there any more."""
        sign_in = self._sign_in = self._workplace.sign_ins.of(self._config)
        remembered = sign_in.remembered()
        try:
            await self._work(sign_in.access(remembered or await sign_in.described()))
        except UnreachableError:
            sign_in.forget()
            if remembered is None or self._state is _State.WORKING or (described := await sign_in.described()) == remembered:
                raise
            self._outcomes.clear()
            self._error, self._unanswered = None, 0
            await self._work(sign_in.access(described))

    async def _why_left_out(self, error: PusherError) -> str | None:
        """Why it is no failure: the cluster was found by tag, and since then EKS has begun to delete it, or has it no more."""
        if self._sign_in is None or not self._config.discovered or not isinstance(error, _MAY_BE_GONE):
            return None
        try:
            if not isinstance(error, NotThereError):
                await self._sign_in.described()
        except NotThereError as gone:
            error = gone
        except PusherError:
            return None
        return error.message if isinstance(error, NotThereError) else None

    async def _work(self, access: ClusterAccess) -> None:
        async with self._workplace.api(access) as api:
            if (found := await self._job.find(api)) is not None:
                self._targets, self._state = found, _State.WORKING
            waiting: list[Namespace] = []
            for target in self._targets:
                if outcome := self._job.precheck(target):
                    self._outcomes[target.name] = outcome
                else:
                    waiting.append(target)
            if any(not self._job.is_cleanup(target) for target in waiting):
                await self._job.prepare()
            cleanup = [target for target in waiting if self._job.is_cleanup(target)]
            await self._side_by_side([target for target in waiting if not self._job.is_cleanup(target)], api, self._job.reconcile)
            await self._side_by_side(cleanup, api, self._job.look)
            if self._error is None and (objection := self._job.objection()):
                self._outcomes |= {target.name: outcome for target in cleanup if (outcome := self._job.after_look(target))}
                self._error = objection
            await self._side_by_side([target for target in cleanup if self._job.has_cleanup(target)], api, self._job.reconcile)
        if self._error is not None:
            raise self._error

    async def _side_by_side(self, targets: Sequence[Namespace], api: KubernetesApi, work: _Work) -> None:
        if targets:
            width = connections_for(len(targets), most=self._most_connections)
            stalled_after = self._workplace.retry_policy.stalled_seconds
            await run_concurrently(
                targets, lambda target: self._do(work, api, target), width=width, most=MOST_CONNECTIONS, stalled_after=stalled_after
            )

    async def _do(self, work: _Work, api: KubernetesApi, target: Namespace) -> None:
        if self._error is not None:
            return  # the cluster has failed as a whole
        self._started.add(target.name)
        try:
            outcome = await self._outcome(work, api, target)
            if outcome is not None or not self._job.has_cleanup(target):  # else the look was only the first step
                self._outcomes[target.name] = outcome
        except DeadlineReached:
            return
        except (SignInError, UnreachableError, ClusterAborted) as error:
            self._error = self._error or error
        finally:
            if api.answered:
                self._state = _State.WORKING

    async def _outcome(self, work: _Work, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        """Raises what fails the cluster as a whole, and DeadlineReached."""
        problem: PusherError
        try:
            return await work(api, target)
        except NoAnswerError as error:
            self._unanswered += 1
            # One namespace's request may hang by itself (a webhook); when as many as may run at once all do, or every one, it is the cluster.
            if not api.answered and self._unanswered >= min(MOST_CONNECTIONS, len(self._targets)):
                self._error = self._error or error
            problem = error
        except ClusterAborted:
            raise
        except ApiStatusError as error:
            return self._job.explain(error, target)
        except ApiError as error:
            problem = error
        except PusherError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of ours is this namespace's alone
            problem = InternalError.from_exception(error)
        return NamespaceOutcome(target.name, Outcome.FAILED, problem.message, problem.remedy)

    def _left_over(self, name: str, error: PusherError | None) -> NamespaceOutcome:
        if error is not None and not isinstance(error, DeadlineReached):
            return NamespaceOutcome(name, Outcome.FAILED, "the cluster failed as a whole", "See the cluster's error.", with_cluster=True)
        if name in self._started:
            return NamespaceOutcome(name, Outcome.FAILED, _OUT_OF_TIME, _TIME)
        return NamespaceOutcome(name, Outcome.NOT_ATTEMPTED, _NO_TURN, _TIME)


_OUT_OF_TIME = "no answer before the function ran out of time"
_NO_TURN = "the function ran out of time before this was started"
_TIME = "Raise the function's time-out, or see which cluster is slow to answer."
