"""One run, straight through: configuration, plan, token, clusters.

A failure of the run as a whole is in its result.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.configuration.loader import Configuration, load
from ecr_public_pusher.configuration.names import matches
from ecr_public_pusher.configuration.namespace_selector import Scope
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import PusherError, RequestError, TokenError
from ecr_public_pusher.events.queue_message import body
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.invocation import retry_queue
from ecr_public_pusher.invocation.sandbox import Sandbox
from ecr_public_pusher.invocation.settings import Settings
from ecr_public_pusher.jobs.cluster_runner import Workplace, run_in_clusters
from ecr_public_pusher.jobs.decision import Intent
from ecr_public_pusher.jobs.targets import Plan, make_plan
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.registries.token_provider import TokenProvider
from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.results import ClusterResult
from ecr_public_pusher.sign_in.factory import SignIns
from ecr_public_pusher.sign_in.network import Network
from ecr_public_pusher.sources.parameter_store import Pace, read_parameters
from ecr_public_pusher.timestamps import from_epoch


@dataclass
class Runner:
    """The dependencies of a run: all are passed in, none is kept for the next run.

    `readers`: how many runs may read the configuration at the same time.
    """

    settings: Settings
    sandbox: Sandbox
    deadline: Deadline
    blocking: BlockingCalls
    sockets: Sockets
    request_id: str
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    readers: int = 1

    async def run(self, request: Request) -> RunResult:
        """Do what `request` asks for. Never raise for a failure: the result holds it."""
        began = self.deadline.clock.monotonic()
        run = _Run(self, request)
        error: PusherError | None = None
        try:
            await run.work()
        except PusherError as failure:
            error = failure
        return RunResult(
            request,
            self.request_id,
            self.deadline.clock.monotonic() - began,
            run.results,
            run.tokens.issued,
            error or run.token_failure,
            run.unconfigured,
            run.unknown,
            run.dispatched,
            gone=run.gone,
            left_to_documents=run.left_to_documents,
        )

    def clients(self) -> AwsClients:
        """Return the sandbox's clients."""
        return self.sandbox.clients(self.settings.region)


class _Run:
    """One request on its way, with what is known so far, for the result however it ends."""

    def __init__(self, runner: Runner, request: Request) -> None:
        self._runner = runner
        self._request = request
        self._settings = runner.settings
        self._deadline = runner.deadline
        self._blocking = runner.blocking
        role = self._settings.execution_role
        self._callers = Callers(runner.clients(), runner.blocking, execution_role=role)
        self.tokens = TokenProvider(self._callers, runner.deadline, execution_role=role)
        self._all_need_public = True
        self._read_at = from_epoch(runner.deadline.clock.wall())
        self.results: Sequence[ClusterResult] = ()
        self.unconfigured: bool | None = None
        self.unknown: tuple[str, ...] = ()
        self.dispatched: int | None = None
        self.gone: tuple[str, ...] = ()
        self.left_to_documents: tuple[str, ...] = ()

    @property
    def token_failure(self) -> PusherError | None:
        """The reason why ECR Public's token is missing, where no cluster's result says so.

        That is where the run went on without the token: in a dry run no cluster needs it.
        """
        return (
            self.tokens.public_failure if self._all_need_public or self._request.dry_run else None
        )

    async def work(self) -> None:
        request = self._request
        if request.nothing:
            return
        if request.unknown_parameter is not None:
            self.unknown = (request.unknown_parameter,)
            return
        plan = await self._plan()
        if plan is None:
            return
        self.gone = plan.gone
        if self._settings.fan_out and request.pushes_all and plan.ids:
            await self._dispatch(plan)
            return
        self._all_need_public = all(planned.config.public_registry for planned in plan.clusters)
        sign_ins = SignIns(
            self._callers,
            self._runner.sandbox.endpoints,
            Network(
                self._deadline,
                self._blocking,
                self._runner.sockets,
                self._runner.retry_policy,
                self._settings.google,
            ),
            allowed_endpoints=self._settings.allowed_endpoints,
        )
        workplace = Workplace(
            sign_ins,
            self._deadline,
            self._blocking,
            self._runner.sockets,
            self._settings.identity,
            self.tokens,
            self._runner.retry_policy,
        )
        if request.action == "check":
            # Imported here: only people ask for checks, and pushes and sweeps start faster.
            from ecr_public_pusher.jobs.check import check_clusters

            self.results = await check_clusters(plan, self._intent(), workplace)
            await self._try_token(plan)
        else:
            if request.action != "sweep" and not request.removes and plan.clusters:
                # Without a token there is no reason to sign in, except for documents that need
                # only other registries' tokens.
                await (
                    self.tokens.public()
                    if self._all_need_public and not request.dry_run
                    else self._try_token(plan)
                )
            self.results = await run_in_clusters(plan, self._intent(), workplace)
        self._check_narrowing()

    def _intent(self) -> Intent:
        """Return the request's intent, the same for every cluster."""
        request = self._request
        asked_at = request.asked_at or from_epoch(self._deadline.clock.wall())
        return Intent(
            "remove" if request.removes else "sweep" if request.action == "sweep" else "push",
            self._settings.identity,
            self._read_at,
            Scope(request.namespaces),
            (
                asked_at - timedelta(minutes=request.window_minutes)
                if request.action == "sweep"
                else None
            ),
            dry_run=request.dry_run,
            prune_all=request.prune_all,
            own_role=self._callers.principal(None),
        )

    async def _plan(self) -> Plan | None:
        """Return the plan; None when there is no configuration yet."""
        settings = self._settings
        request = self._request
        clients = self._runner.clients()
        self._read_at = from_epoch(self._deadline.clock.wall())
        pace = Pace(self._runner.readers)
        reading = self._blocking.run(
            lambda: read_parameters(clients.client("ssm"), settings.root, pace=pace)
        )
        parameters = await self._deadline.wait_for(reading, what="reading the configuration")
        configuration = load(
            parameters,
            root=settings.root,
            region=settings.region,
            account=settings.account,
            allowed_endpoints=settings.allowed_endpoints,
            regions=clients.regions(),
            allowed_roles=settings.allowed_roles,
        )
        self.unconfigured = configuration.unconfigured
        configuration = await self._find_clusters(configuration)
        if request.action != "sweep":
            self.unknown = configuration.unknown
            self.left_to_documents = configuration.left_to_documents
        if request.deleted is None and configuration.unconfigured and not request.clusters:
            return None
        return make_plan(request, configuration)

    async def _find_clusters(self, configuration: Configuration) -> Configuration:
        """Return `configuration` with the clusters found by tag, where the request may mean any."""
        request = self._request
        if request.deleted is not None or not (
            configuration.discoveries or any("/" in pattern for pattern in request.clusters)
        ):
            return configuration
        # Imported here: a stack without discoveries never needs it.
        from ecr_public_pusher.sources.discovery import find_clusters

        return await find_clusters(
            configuration,
            request,
            callers=self._callers,
            endpoints=self._runner.sandbox.endpoints,
            deadline=self._deadline,
        )

    async def _dispatch(self, plan: Plan) -> None:
        """Split the push into messages, which workers receive at once.

        There are no more messages than fill every worker's batch: each worker reads the whole
        configuration, so their number must not grow with the fleet.
        """
        url = self._settings.retry_queue_url
        assert url is not None
        now = from_epoch(self._deadline.clock.wall())
        most = self._settings.workers.messages_at_once
        bodies = {
            _named(part): body(*part, dispatched_at=now)
            for part in retry_queue.deal(plan.ids, most=most)
        }
        await retry_queue.send(
            self._runner.clients(), self._blocking, self._deadline, url, bodies, delay_seconds=0
        )
        self.dispatched = len(bodies)

    async def _try_token(self, plan: Plan) -> None:
        """Get ECR Public's token; go on without it on failure, which the result holds.

        A dry run sends a placeholder anyway, and otherwise only the documents that need the token
        fail.
        """
        if any(planned.config.public_registry for planned in plan.clusters) or (
            not plan.clusters and self.tokens.has_public
        ):
            with contextlib.suppress(TokenError):
                await self.tokens.public()

    def _check_narrowing(self) -> None:
        """Raise RequestError when no cluster selects a namespace that the request names.

        Do nothing where a cluster that failed might have had it, and for an old message.
        """
        request = self._request
        results = self.results
        if request.ignore_missing or any(
            result.error or not all(finding.ok for finding in result.findings) for result in results
        ):
            return
        found = {name for result in results for name in result.found}
        if lost := [
            pattern
            for pattern in request.namespaces
            if not any(matches(pattern, name) for name in found)
        ]:
            raise RequestError(
                "none of the requested clusters selects a namespace that matches"
                f" {', '.join(lost[:10])[:300]}",
                remedy=(
                    "Name a namespace that the configuration selects. The other namespaces are not"
                    " affected."
                ),
            )


def _named(clusters: Sequence[str]) -> str:
    """Return a short name for a message's clusters."""
    others = len(clusters) - 1
    return f"{clusters[0]} and {others} more" if others else clusters[0]
