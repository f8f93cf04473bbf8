"""One run, straight through: configuration, plan, token, push. What fails the run as a whole is raised."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ecr_public_pusher import config, messages, registry, retry_queue
from ecr_public_pusher.aws import Aws
from ecr_public_pusher.check import check_clusters
from ecr_public_pusher.clusters import Job, work_on
from ecr_public_pusher.errors import PusherError, RequestError, TokenError
from ecr_public_pusher.lease import Lease, within
from ecr_public_pusher.model import ClusterResult, RegistryToken
from ecr_public_pusher.namespaces import Scope
from ecr_public_pusher.parameters import read_parameters
from ecr_public_pusher.patterns import matches
from ecr_public_pusher.plan import Plan, PlannedCluster, make_plan
from ecr_public_pusher.push import Delivery, Push
from ecr_public_pusher.removal import Remove
from ecr_public_pusher.report import Run
from ecr_public_pusher.request import Request
from ecr_public_pusher.settings import Settings
from ecr_public_pusher.transport import Patience

TOKEN_LIFE = timedelta(hours=12)


@dataclass
class Runner:
    """What a run works with: all of it passed in, none of it kept for the next."""

    settings: Settings
    aws: Aws
    lease: Lease
    request_id: str
    patience: Patience = field(default_factory=Patience)

    def run(self, request: Request) -> Run:
        """Does what `request` asks for, and never raises for a failure: it is in the Run."""
        began = self.lease.clock.monotonic()
        progress = _Progress()
        error: PusherError | None = None
        try:
            self._work(request, progress)
        except PusherError as failure:
            error = failure
        return Run(
            request,
            self.request_id,
            self.lease.clock.monotonic() - began,
            progress.results,
            progress.token,
            error or progress.error,
            progress.unconfigured,
            progress.unknown,
            progress.dispatched,
        )

    def _work(self, request: Request, progress: "_Progress") -> None:
        if request.stray is not None:
            progress.unknown = (request.stray,)
            return
        plan = self._plan(request, progress)
        if plan is None:
            return
        if self.settings.fan_out and request.pushes_all and plan.ids:
            self._dispatch(plan, progress)
            return
        deliver = _Once(self, request, progress)
        if request.action == "check":
            job = self._job(request, self._rehearsal)  # no cluster waits for ECR
            progress.results = check_clusters(plan, job, aws=self.aws, lease=self.lease, patience=self.patience)
            deliver()
            self._check_narrowing(request, progress.results)
            return
        if request.action != "sweep" and not request.removes and plan.clusters:
            deliver()  # without a token there is nothing to sign in for
        progress.results = work_on(plan, self._job(request, deliver), aws=self.aws, lease=self.lease, patience=self.patience)
        progress.error = progress.error or deliver.failure
        self._check_narrowing(request, progress.results)

    def _job(self, request: Request, deliver: Callable[[], Delivery]) -> Callable[[PlannedCluster], Job]:
        if request.removes:
            return lambda planned: Remove(planned.config, stack=self.settings.stack, dry_run=request.dry_run, lease=self.lease)
        scope = self._scope(request)
        return lambda planned: Push(planned, deliver, scope, self.lease)

    def _plan(self, request: Request, progress: "_Progress") -> Plan | None:
        """None when there is no configuration yet."""
        settings = self.settings
        parameters = within(self.lease, lambda: read_parameters(self.aws.client("ssm"), settings.root), what="reading the configuration")
        configuration = config.build(parameters, root=settings.root, region=settings.region, account=settings.account)
        progress.unconfigured = configuration.unconfigured
        if request.action != "sweep":
            progress.unknown = configuration.unknown
        if request.deleted is None and configuration.unconfigured and not request.clusters:
            return None
        return make_plan(request, configuration)

    def _dispatch(self, plan: Plan, progress: "_Progress") -> None:
        """Deals the push out, one message per cluster, for workers to take at once."""
        url = self.settings.retry_queue_url
        assert url is not None
        bodies = {identity: messages.body(identity, dispatched_at=self._now()) for identity in plan.ids}
        within(self.lease, lambda: retry_queue.send(self.aws.client("sqs"), url, bodies, delay_seconds=0), what="putting clusters on the queue")
        progress.dispatched = len(bodies)

    def deliver(self, request: Request, progress: "_Progress") -> Delivery:
        """The token, as it is delivered. A plan goes on without one, since what it sends is a placeholder anyway."""
        try:
            progress.token = within(self.lease, self._token, what="asking ECR Public for a token")
        except TokenError as failure:
            if not request.dry_run:
                raise
            progress.error = failure
        if request.dry_run:
            return self._rehearsal()
        assert progress.token is not None
        return Delivery(registry.docker_config(progress.token.authorization), progress.token.expires_at, self.settings.stack)

    def _rehearsal(self) -> Delivery:
        """A placeholder, which can only be delivered by dry run."""
        return Delivery(registry.docker_config(registry.PLACEHOLDER), self._now() + TOKEN_LIFE, self.settings.stack, dry_run=True)

    def _token(self) -> RegistryToken:
        clients = (self.aws.client("ecr-public", region=region) for region in registry.API_REGIONS)
        return registry.fetch_public_token(clients, self._now())

    def _scope(self, request: Request) -> Scope:
        if request.action != "sweep":
            return Scope(request.namespaces)
        return Scope(created_since=(request.asked_at or self._now()) - timedelta(minutes=request.window_minutes))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.lease.clock.wall(), UTC)

    @staticmethod
    def _check_narrowing(request: Request, results: Sequence[ClusterResult]) -> None:
        """A namespace asked for that no cluster selects is a mistake, unless a cluster that failed might have had it, or the message is old."""
        if request.tolerant or any(result.error or not all(finding.ok for finding in result.findings) for result in results):
            return
        found = {name for result in results for name in result.found}
        if lost := [pattern for pattern in request.namespaces if not any(matches(pattern, name) for name in found)]:
            raise RequestError(
                f"no cluster asked for selects a namespace that matches {', '.join(lost[:10])[:300]}",
                remedy="Name a namespace that the configuration selects; the others were pushed.",
            )


@dataclass
class _Progress:
    """What is known so far, for the report, however the run ends."""

    results: Sequence[ClusterResult] = ()
    token: RegistryToken | None = None
    error: PusherError | None = None
    unconfigured: bool | None = None
    unknown: tuple[str, ...] = ()
    dispatched: int | None = None


class _Once:
    """One token for a run, asked for when it is first needed; who comes later gets the same, or the same failure."""

    def __init__(self, runner: Runner, request: Request, progress: _Progress) -> None:
        self.failure: PusherError | None = None
        self._runner, self._request, self._progress = runner, request, progress
        self._delivery: Delivery | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Delivery:
        with self._lock:
            if self.failure is not None:
                raise self.failure
            if self._delivery is None:
                try:
                    self._delivery = self._runner.deliver(self._request, self._progress)
                except PusherError as failure:
                    self.failure = failure
                    raise
            return self._delivery
