"""Pushes clusters, and namespaces within a cluster, side by side under one lease, and answers for every planned namespace."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ecr_public_pusher import eks, manifest, namespaces
from ecr_public_pusher.answers import Refused
from ecr_public_pusher.aws import Aws
from ecr_public_pusher.errors import ApiError, Crash, DeadlineReached, LeaseEnded, NoAnswerError, PusherError, SignInError, UnreachableError
from ecr_public_pusher.explanation import explained
from ecr_public_pusher.kube import Session
from ecr_public_pusher.lease import Lease, side_by_side
from ecr_public_pusher.model import ClusterResult, Namespace, NamespaceOutcome, Outcome
from ecr_public_pusher.namespaces import EVERYTHING, Scope
from ecr_public_pusher.plan import Plan, PlannedCluster
from ecr_public_pusher.transport import Patience

# Lambda allows 1,024 threads and descriptors: 64 clusters of 8 connections, and one thread to lead each, stay well below.
CLUSTERS_AT_ONCE = 64
NAMESPACES_AT_ONCE = 8


@dataclass(frozen=True)
class Delivery:
    """What is pushed: the docker config, and what its Secret's annotations say."""

    docker_config: bytes
    expires_at: datetime
    stack: str
    dry_run: bool = False


def push_clusters(
    plan: Plan, deliver: Callable[[], Delivery], *, aws: Aws, lease: Lease, scope: Scope = EVERYTHING, patience: Patience | None = None
) -> list[ClusterResult]:
    """One result per planned cluster, in the plan's order, crashes and hung ones included. Never raises for a cluster.

    `deliver` is asked, from several threads, by each cluster that has a namespace to push to; what it raises fails that cluster.
    """
    runs = [_ClusterRun(planned, deliver, scope, aws, lease, patience or Patience()) for planned in plan.clusters]
    for run, crash in side_by_side(runs, _ClusterRun.push, width=CLUSTERS_AT_ONCE, lease=lease):
        if isinstance(crash, BaseException):
            run.fail(crash if isinstance(crash, PusherError) else Crash.from_exception(crash))
    results = [run.result() for run in runs]
    for run in runs:
        run.close()
    failed = [ClusterResult(identity, error=error) for identity, error in plan.bad.items()]
    skipped = [ClusterResult(identity, skipped="disabled") for identity in plan.disabled]
    return sorted([*results, *failed, *skipped], key=lambda result: result.id)


class _ClusterRun:
    """One cluster's push as it goes. Others may ask for its result at any moment: after the deadline its threads are left alone."""

    def __init__(self, planned: PlannedCluster, deliver: Callable[[], Delivery], scope: Scope, aws: Aws, lease: Lease, patience: Patience) -> None:
        self._planned, self._deliver, self._scope, self._aws, self._lease, self._patience = planned, deliver, scope, aws, lease, patience
        self._lock = threading.Lock()
        self._outcomes: dict[str, NamespaceOutcome] = {}
        self._targets: tuple[Namespace, ...] = namespaces.select(planned.config.selection, None, scope=scope)
        self._begun: set[str] = set()
        self._error: PusherError | None = None
        self._started: float | None = None
        self._seconds: float | None = None
        self._session: Session | None = None
        self._answered = False
        self._unanswered: list[NoAnswerError] = []

    def push(self) -> None:
        """Signs in, selects, applies. Raises what fails the cluster as a whole."""
        self._started = self._lease.clock.monotonic()
        try:
            self._session = session = self._sign_in()
            self._targets = self._select(session)
            self._apply_all(session)
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
        left = [target.name for target in targets if target.name not in outcomes]
        ended = isinstance(error, LeaseEnded) or self._seconds is None
        if isinstance(error, LeaseEnded):
            error = None
        if error is None and not self._answered and (ended or left or self._unanswered):
            error = self._out_of_time()  # not one answer: the cluster as a whole
        outcomes |= {name: self._left_over(name, error) for name in left}
        seconds = self._seconds if self._seconds is not None else (self._lease.clock.monotonic() - self._started if self._started else 0.0)
        return ClusterResult(
            self._planned.config.id,
            tuple(outcomes[target.name] for target in targets),
            error=error,
            seconds=seconds,
            attempted=self._started is not None,
            matched=frozenset(pattern for pattern in self._scope.only if any(namespaces.matches(pattern, target.name) for target in targets)),
        )

    def _sign_in(self) -> Session:
        config = self._planned.config
        account = self._aws.account(config.role_arn, config.external_id)
        endpoint = eks.describe(self._aws.client("eks", region=config.region, account=account), config.cluster)
        signing = self._aws.signing_client(region=config.region, account=account)
        return Session(
            endpoint,
            lambda: eks.presign(signing, config.cluster),
            lease=self._lease,
            connections=NAMESPACES_AT_ONCE,
            patience=self._patience,
        )

    def _select(self, session: Session) -> tuple[Namespace, ...]:
        selection = self._planned.config.selection
        if not self._planned.needs_list:
            return namespaces.select(selection, None, scope=self._scope)
        try:
            listed = session.namespaces(selection.selector)
        except Refused as error:
            if error.status != 403:
                raise
            raise ApiError(
                "signed in, but not allowed to list namespaces, which a glob or a selector needs",
                remedy="Apply infra/rbac/cluster.yaml (ClusterRole ecr-public-pusher: list on namespaces), or name the namespaces outright.",
            ) from None
        self._answered = True
        return namespaces.select(selection, listed, scope=self._scope)

    def _apply_all(self, session: Session) -> None:
        waiting: list[Namespace] = []
        for target in self._targets:
            if settled := self._settled_beforehand(target):
                self._record(settled)
            else:
                waiting.append(target)
        if not waiting:
            return
        delivery = self._deliver()
        body = self._body(delivery)
        for target, crash in side_by_side(
            waiting, lambda one: self._apply_one(session, one, body, delivery.dry_run), width=NAMESPACES_AT_ONCE, lease=self._lease
        ):
            if isinstance(crash, BaseException) and not isinstance(crash, LeaseEnded):
                problem = Crash.from_exception(crash)
                self._record(NamespaceOutcome(target.name, Outcome.FAILED, problem.message, problem.remedy))

    def _body(self, delivery: Delivery) -> bytes:
        pushed_at = datetime.fromtimestamp(self._lease.clock.wall(), UTC)
        secret = manifest.secret(
            self._planned.config, delivery.docker_config, stack=delivery.stack, expires_at=delivery.expires_at, pushed_at=pushed_at
        )
        return json.dumps(secret, separators=(",", ":")).encode()

    def _settled_beforehand(self, target: Namespace) -> NamespaceOutcome | None:
        if holder := self._planned.holder(target):
            return NamespaceOutcome(
                target.name,
                Outcome.CONFLICT,
                f"the document {holder} selects this namespace of the same cluster, with the same Secret name, too",
                f"Exclude it from one of {holder} and {self._planned.config.id}, or give one another secretName.",
            )
        if target.terminating:
            return NamespaceOutcome(target.name, Outcome.SKIPPED, "the namespace is being deleted")
        return None

    def _apply_one(self, session: Session, target: Namespace, body: bytes, dry_run: bool) -> None:
        if self._error is not None:
            return
        with self._lock:
            self._begun.add(target.name)
        config = self._planned.config
        try:
            outcome = _apply(session, target.name, body, config.secret_name, config.take_ownership, dry_run)
        except LeaseEnded:
            return
        except NoAnswerError as error:
            self._record(self._no_answer(target.name, error))
            return
        except (SignInError, UnreachableError) as error:
            self.fail(error)
            return
        except Refused as error:
            outcome = explained(
                error, target.name, config.secret_name, listed=self._planned.needs_list and not config.selection.named_outright(target.name)
            )
        except ApiError as error:
            outcome = NamespaceOutcome(target.name, Outcome.FAILED, error.message, error.remedy)
        self._answered = True
        self._record(outcome)

    def _no_answer(self, name: str, error: NoAnswerError) -> NamespaceOutcome:
        """One namespace's request may hang by itself (a webhook); when as many as run at once all do, it is the cluster."""
        self._unanswered.append(error)
        if not self._answered and len(self._unanswered) >= NAMESPACES_AT_ONCE:
            self.fail(error)
        return NamespaceOutcome(name, Outcome.FAILED, error.message, error.remedy)

    def _record(self, outcome: NamespaceOutcome) -> None:
        with self._lock:
            self._outcomes[outcome.namespace] = outcome

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


def _apply(session: Session, namespace: str, body: bytes, name: str, take_ownership: bool, dry_run: bool) -> NamespaceOutcome:
    """Without force first, always: a takeover must be seen, and named."""
    try:
        created = session.apply_secret(namespace, name, body, dry_run=dry_run)
        return NamespaceOutcome(namespace, Outcome.CREATED if created else Outcome.UPDATED)
    except Refused as error:
        if error.conflict is None or not take_ownership or ".type" in error.conflict.fields:
            raise
        session.apply_secret(namespace, name, body, force=True, dry_run=dry_run)
        return NamespaceOutcome(namespace, Outcome.ADOPTED, taken_from=error.conflict.managers or ("unknown",))
