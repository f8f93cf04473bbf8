"""The steps of an invocation: run the request, queue what failed, publish the result."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import InternalError, PusherError
from ecr_public_pusher.events.queue_message import body
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.invocation import retry_queue
from ecr_public_pusher.invocation.runner import Runner
from ecr_public_pusher.invocation.sandbox import Sandbox
from ecr_public_pusher.invocation.settings import Settings
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.reporting.emit import Emitter
from ecr_public_pusher.reporting.metrics import metrics
from ecr_public_pusher.reporting.report import report
from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.timestamps import from_epoch


@dataclass(frozen=True)
class Published:
    """A run's result, and its report as it was logged."""

    run: RunResult
    report: dict[str, Any]


@dataclass
class Service:
    """The dependencies of an invocation."""

    settings: Settings
    deadline: Deadline
    sandbox: Sandbox
    blocking: BlockingCalls
    sockets: Sockets
    request_id: str
    emitter: Emitter
    remaining: Callable[[], float]

    async def run(
        self,
        request: Request,
        *,
        held: Collection[str] = (),
        let_go: Collection[str] = (),
        readers: int = 1,
    ) -> Published:
        """Run `request` to its end, whatever happens.

        `held`: ids of clusters whose own messages return to the queue when they fail. `let_go`:
        those of them whose messages were received for the last time, and do not. `readers`: how
        many such runs may read the configuration at the same time.
        """
        try:
            runner = Runner(
                self.settings,
                self.sandbox,
                self.deadline,
                self.blocking,
                self.sockets,
                self.request_id,
                readers=readers,
            )
            run = await runner.run(request)
        except Exception as error:  # noqa: BLE001 - reduced: its text may carry a credential
            run = self.failed(request, InternalError.from_exception(error))
        return self.publish(await self._queue(run, held, let_go))

    def failed(
        self, request: Request, error: PusherError, *, asked: str | None = None
    ) -> RunResult:
        """Return a run that failed as a whole. `asked`: the action of the refused event."""
        return RunResult(request, self.request_id, 0.0, error=error, asked=asked)

    def publish(self, run: RunResult) -> Published:
        """Emit the run's metrics and its report, and return both run and report."""
        now = from_epoch(self.deadline.clock.wall())
        of_clusters = self.settings.cluster_metrics
        self.emitter.metrics(metrics(run, now=now, of_clusters=of_clusters))
        published = Published(run, report(run))
        self.emitter.report(published.report)
        return published

    async def park(self, text: str) -> bool:
        """Put a message on the dead-letter queue, and return whether it was accepted."""
        url = self.settings.dead_letter_queue_url
        if url is None:
            return False
        try:
            await self._send(url, {"a message that is not retried": text}, delay_seconds=0)
        except Exception as error:  # noqa: BLE001 - the message returns, and is parked then
            self.emitter.loop_error(error)
            return False
        return True

    async def _send(
        self, url: str, bodies: Mapping[str, str], *, delay_seconds: int | None = None
    ) -> None:
        # The run may have used up its own time.
        reserve = Deadline.of_invocation(self.remaining())
        await retry_queue.send(
            self.sandbox.clients(self.settings.region),
            self.blocking,
            reserve,
            url,
            bodies,
            delay_seconds=delay_seconds,
        )

    async def _queue(
        self, run: RunResult, held: Collection[str], let_go: Collection[str]
    ) -> RunResult:
        """Put each failed cluster on the queue once; return the run with the queued clusters.

        A run that failed as a whole is retried as a whole.
        """
        url = self.settings.retry_queue_url
        if url is None or run.error is not None or run.request.action != "push":
            return run
        failed = [result.id for result in run.failed]
        bodies = {
            cluster: body(cluster, namespaces=run.request.namespaces)
            for cluster in failed
            if cluster not in held
        }
        queued = tuple(cluster for cluster in failed if cluster not in let_go)
        if not bodies:
            return replace(run, queued=queued)
        try:
            await self._send(url, bodies)
        except PusherError as error:
            return replace(run, queue_error=error)
        except Exception as error:  # noqa: BLE001 - as above
            return replace(run, queue_error=InternalError.from_exception(error))
        return replace(run, queued=queued)
