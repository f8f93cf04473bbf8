"""One invocation of the function: runs what is asked for, puts what failed on the queue, and tells of it in metrics and log."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from ecr_public_pusher import messages, report, retry_queue
from ecr_public_pusher.aws import Aws
from ecr_public_pusher.errors import Crash, PusherError
from ecr_public_pusher.lease import Lease, within
from ecr_public_pusher.report import Run
from ecr_public_pusher.request import Request
from ecr_public_pusher.run import Runner
from ecr_public_pusher.settings import Settings
from ecr_public_pusher.telemetry import Telemetry


@dataclass
class Invocation:
    """What an invocation works with. `remaining`: the seconds that Lambda leaves it, the lease's reserve included."""

    settings: Settings
    lease: Lease
    request_id: str
    telemetry: Telemetry
    remaining: Callable[[], float]

    def serve(self, request: Request, *, held: Collection[str] = ()) -> Run:
        """Runs `request` to its end, whatever happens. `held`: ids of clusters whose own messages come back by themselves when they fail."""
        try:
            run = Runner(self.settings, Aws(self.settings.region), self.lease, self.request_id).run(request)
        except Exception as error:  # noqa: BLE001 - reduced to type and place: its text may carry a credential
            run = self.failed(request, Crash.from_exception(error))
        return self.told(self._queue(run, held))

    def failed(self, request: Request, error: PusherError) -> Run:
        """A run that came to nothing."""
        return Run(request, self.request_id, 0.0, error=error)

    def told(self, run: Run) -> Run:
        """The same run, after its metrics and its report are out."""
        life = run.token.expires_at.timestamp() - self.lease.clock.wall() if run.token else None
        self.telemetry.metrics(report.metrics(run, token_seconds=life))
        self.telemetry.report(report.report(run))
        return run

    def _queue(self, run: Run, held: Collection[str]) -> Run:
        """The run, with each cluster that failed on the queue once. A run that failed as a whole is tried again as a whole."""
        url = self.settings.retry_queue_url
        if url is None or run.error is not None or run.request.action != "push":
            return run
        failed = [result.id for result in run.failed]
        bodies = {identity: messages.body(identity, namespaces=run.request.namespaces) for identity in failed if identity not in held}
        if not bodies:
            return replace(run, queued=tuple(failed))
        reserve = Lease.of_invocation(self.remaining(), self.lease.clock)  # the run may have used up its own time
        aws = Aws(self.settings.region)
        try:
            within(reserve, lambda: retry_queue.send(aws.client("sqs"), url, bodies), what="putting failed clusters on the retry queue")
        except PusherError as error:
            return replace(run, queue_error=error)
        except Exception as error:  # noqa: BLE001 - as above
            return replace(run, queue_error=Crash.from_exception(error))
        finally:
            reserve.end()
        return replace(run, queued=tuple(failed))
