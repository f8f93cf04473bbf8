"""Run every planned cluster concurrently, under one deadline.

Every planned namespace comes to an outcome, whatever fails.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import (
    ApiError,
    ConnectionFailed,
    DeadlineReached,
    InternalError,
    NoAnswerError,
    NotThereError,
    PusherError,
    SignInError,
    UnreachableError,
)
from ecr_public_pusher.jobs.decision import Intent
from ecr_public_pusher.jobs.lateness import LoopLag
from ecr_public_pusher.jobs.ledger import Ledger
from ecr_public_pusher.jobs.push import Push
from ecr_public_pusher.jobs.remove import Remove
from ecr_public_pusher.jobs.targets import Plan, PlannedCluster
from ecr_public_pusher.kubernetes_api.access import ClusterAccess
from ecr_public_pusher.kubernetes_api.connection_budget import CONNECTIONS_IN_ALL
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.registries.token_provider import TokenProvider
from ecr_public_pusher.results import (
    Choice,
    ClusterResult,
    Namespace,
    NamespaceOutcome,
    Outcome,
)
from ecr_public_pusher.sign_in.factory import SignIns
from ecr_public_pusher.sign_in.kind import SignIn

CLUSTERS_AT_ONCE = 100
# A cluster that takes this long may hang: others are started beside it, up to the maximum.
SLOW_CLUSTER_SECONDS = 5.0
MOST_CLUSTERS_AT_ONCE = 256
REPOSITORIES_AT_ONCE = 4
# Errors that every further request to the cluster would meet too.
_OF_THE_CLUSTER = (SignInError, UnreachableError, ConnectionFailed, NoAnswerError, DeadlineReached)
# Errors that a cluster being deleted may cause.
_MAY_BE_GONE = (NotThereError, UnreachableError, SignInError, ApiError)


@dataclass(frozen=True)
class Workplace:
    """Resources of one invocation that all work on clusters shares."""

    sign_ins: SignIns
    deadline: Deadline
    blocking: BlockingCalls
    sockets: Sockets
    stack: Stack
    tokens: TokenProvider
    retry_policy: RetryPolicy

    def api(self, access: ClusterAccess) -> KubernetesApi:
        """Return the API of one cluster, over connections of its own."""
        return KubernetesApi(
            access,
            field_manager=self.stack.field_manager,
            deadline=self.deadline,
            blocking=self.blocking,
            sockets=self.sockets,
            retry_policy=self.retry_policy,
        )


async def run_in_clusters(plan: Plan, intent: Intent, workplace: Workplace) -> list[ClusterResult]:
    """Return one result per planned cluster, in order of id, also of those that crashed or hung.

    Never raise for a cluster.
    """
    share = CONNECTIONS_IN_ALL // max(1, min(CLUSTERS_AT_ONCE, len(plan.clusters)))
    async with LoopLag() as lag:
        runs = [
            _ClusterRun(planned, intent, workplace, most_connections=share, lag=lag)
            for planned in plan.clusters
        ]
        await run_until(workplace.deadline, runs, _ClusterRun.run)
    return with_others([run.result() for run in runs], plan)


async def run_until[I](
    deadline: Deadline, clusters: Sequence[I], work: Callable[[I], Awaitable[None]]
) -> None:
    """Await `work` on all clusters concurrently, and cancel what is not done at the deadline.

    What is cancelled must record that itself.
    """

    async def in_time(cluster: I) -> None:
        # A cluster is not started while others are being cancelled.
        if not deadline.passed:
            await work(cluster)

    try:
        async with deadline.scope():
            await run_concurrently(
                clusters,
                in_time,
                width=CLUSTERS_AT_ONCE,
                most=MOST_CLUSTERS_AT_ONCE,
                stalled_after=SLOW_CLUSTER_SECONDS,
            )
    except TimeoutError:
        pass


def with_others(results: Sequence[ClusterResult], plan: Plan) -> list[ClusterResult]:
    """Return the results and those of the plan's invalid and disabled documents, in order of id."""
    failed = [
        ClusterResult(document_id, error=error) for document_id, error in plan.invalid.items()
    ]
    skipped = [ClusterResult(planned.config.id, skipped="disabled") for planned in plan.disabled]
    return sorted([*results, *failed, *skipped], key=lambda result: result.id)


type _Job = Push | Remove


class _State(Enum):
    """Progress of a cluster's run."""

    WAITING = "not started"
    STARTED = "in progress"
    ENDED = "done or failed"


class _ClusterRun:
    """One cluster's run in progress.

    `result` is complete at any moment: a run that was cancelled at the deadline says so.
    """

    def __init__(
        self,
        planned: PlannedCluster,
        intent: Intent,
        workplace: Workplace,
        *,
        most_connections: int,
        lag: LoopLag,
    ) -> None:
        self._config = planned.config
        self._workplace = workplace
        self._clock = workplace.deadline.clock
        self._explains = intent.dry_run and intent.kind == "push"
        self._most_connections = most_connections

        def job(of: PlannedCluster) -> _Job:
            if intent.kind == "remove":
                return Remove(of, intent, workplace.deadline, most_connections)
            return Push(of, intent, workplace.tokens, workplace.deadline, most_connections, lag)

        self._new_job = job
        self._job = job(planned)
        # One for each of Argo CD's repositories, in the namespaces that the request is about.
        self._others = [
            job(one)
            for one in planned.repositories
            if one.config.within and intent.scope.holds(Namespace(one.config.within))
        ]
        self._cleans_up = intent.cleans_up or intent.kind == "remove"
        self._failures: list[PusherError] = []
        self._sign_in: SignIn | None = None
        self._left_out: str | None = None
        self._state = _State.WAITING
        self._error: PusherError | None = None
        self._began = 0.0
        self._seconds: float | None = None

    @property
    def _ledger(self) -> Ledger:
        return self._job.ledger

    async def run(self) -> None:
        """Sign in and do the job. An error that fails the whole cluster is in the result."""
        self._began = self._clock.monotonic()
        self._state = _State.STARTED
        try:
            await self._run()
        except DeadlineReached:
            return  # as when cancelled: the result follows from the state
        except PusherError as error:
            self._error = error
            self._left_out = await self._why_left_out(error)
        except Exception as error:  # noqa: BLE001 - a bug of ours fails only this cluster
            # from_exception: the error's own text may contain a credential
            self._error = InternalError.from_exception(error)
        finally:
            self._seconds = self._clock.monotonic() - self._began
        self._state = _State.ENDED

    def result(self) -> ClusterResult:
        """Return the result so far.

        A namespace without an outcome failed with the cluster, or ran out of time.
        """
        if self._left_out is not None:
            return ClusterResult(
                self._config.id, skipped=self._left_out, seconds=self._seconds or 0.0
            )
        ledger = self._ledger
        error = self._error or ledger.error
        if error is None and self._state is not _State.ENDED and not ledger.observed:
            error = DeadlineReached(
                _OUT_OF_TIME if self._state is _State.STARTED else _NO_TURN, remedy=_TIME
            )
        planned, others, outcomes = self._outcomes(ledger, error)
        found = set(planned)
        lives = [ledger.seconds_left]
        for job in self._others:
            names, _, its = self._outcomes(job.ledger, error)
            secret = job.planned.config.secret_name
            outcomes += [outcome._replace(secret=secret, replaces=False) for outcome in its]
            found.update(names)
            lives.append(job.ledger.seconds_left)
        return ClusterResult(
            self._config.id,
            tuple(outcomes),
            error=error,
            seconds=self._seconds if self._seconds is not None else 0.0,
            attempted=self._state is not _State.WAITING,
            found=frozenset(found),
            seconds_left=min((life for life in lives if life is not None), default=None),
            empty_globs=ledger.empty_globs,
            selection=self._selection(planned, others) if self._explains else (),
            credential_expires_at=self._credential_expires_at,
        )

    def _outcomes(
        self, ledger: Ledger, error: PusherError | None
    ) -> tuple[list[str], list[str], list[NamespaceOutcome]]:
        """Return the planned namespaces, others with outcomes, and the outcomes, in that order."""
        outcomes = dict(ledger.outcomes)
        for target in ledger.targets:
            if target.name not in outcomes:
                outcomes[target.name] = self._left_over(target.name, error, ledger)
        planned = [target.name for target in ledger.targets]
        others = sorted(outcomes.keys() - set(planned))
        found = (outcomes[name] for name in [*planned, *others])
        return planned, others, [outcome for outcome in found if outcome is not None]

    @property
    def _credential_expires_at(self) -> datetime | None:
        end = self._sign_in.credential_end if self._sign_in else None
        return end.at if end else None

    def _selection(self, selected: Sequence[str], others: Sequence[str]) -> tuple[Choice, ...]:
        """Return why namespaces are selected, and why others with our Secret are not."""
        selection = self._config.selection
        return (
            *(Choice(name, True, selection.reason(name)) for name in selected),
            *(Choice(name, False, selection.reason_against(name)) for name in others),
        )

    async def _run(self) -> None:
        """Use the cached endpoint; if it is unreachable, ask again and retry once if it changed."""
        sign_in = self._sign_in = self._workplace.sign_ins.of(self._config)
        remembered = sign_in.remembered()
        try:
            await self._work(sign_in.access(remembered or await sign_in.described()))
        except UnreachableError:
            sign_in.forget()
            if (
                remembered is None
                or self._ledger.observed
                or (described := await sign_in.described()) == remembered
            ):
                raise
            self._ledger.restart()
            await self._work(sign_in.access(described))

    async def _why_left_out(self, error: PusherError) -> str | None:
        """Return why `error` is no failure of the cluster; None if it is one.

        A cluster found by tag is left out once EKS is deleting it, or has it no more.
        """
        if (
            self._sign_in is None
            or not self._config.discovered
            or not isinstance(error, _MAY_BE_GONE)
        ):
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
        self._failures.clear()
        async with self._workplace.api(access) as api:
            await self._one(self._job, api)
            if self._cleans_up:
                self._others += map(self._new_job, self._ledger.dropped)
            await run_concurrently(
                self._others,
                lambda job: self._one(job, api),
                width=min(REPOSITORIES_AT_ONCE, self._most_connections),
            )
        if self._failures:
            raise self._failures[0]

    async def _one(self, job: _Job, api: KubernetesApi) -> None:
        """Do the job of one Secret; its failure is no other's unless it is the whole cluster's."""
        if any(isinstance(failure, _OF_THE_CLUSTER) for failure in self._failures):
            return
        try:
            await job.run(api)
        except PusherError as error:
            self._failures.append(error)
        except Exception as error:  # noqa: BLE001 - a bug of ours fails only this Secret
            self._failures.append(InternalError.from_exception(error))
        else:
            if job.ledger.error is not None:
                self._failures.append(job.ledger.error)

    def _left_over(self, name: str, error: PusherError | None, ledger: Ledger) -> NamespaceOutcome:
        if error is not None and not isinstance(error, DeadlineReached):
            return NamespaceOutcome(
                name,
                Outcome.FAILED,
                "the cluster failed as a whole",
                "See the cluster's error.",
                with_cluster=True,
            )
        if name in ledger.started:
            return NamespaceOutcome(name, Outcome.FAILED, _OUT_OF_TIME, _TIME)
        return NamespaceOutcome(name, Outcome.NOT_ATTEMPTED, _NO_TURN, _TIME)


_OUT_OF_TIME = "no response before the function ran out of time"
_NO_TURN = "the function ran out of time before this was started"
_TIME = "Raise the function's timeout, or find out which cluster is slow to respond."
