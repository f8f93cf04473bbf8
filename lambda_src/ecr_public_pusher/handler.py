"""Lambda's entry: parse, build, call, report."""

import os
from typing import Any

from ecr_public_pusher import report as reporting
from ecr_public_pusher import request as requests
from ecr_public_pusher.aws import Aws
from ecr_public_pusher.errors import Crash, PusherError, PushFailed
from ecr_public_pusher.lease import Lease
from ecr_public_pusher.report import Run
from ecr_public_pusher.run import Runner
from ecr_public_pusher.settings import Settings
from ecr_public_pusher.telemetry import Telemetry


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Does what `event` asks for and returns the report. Raises PushFailed when the run, or a cluster of a push, failed."""
    lease = Lease.of_invocation(context.get_remaining_time_in_millis() / 1000)
    try:
        settings = Settings.from_env(os.environ, function_arn=context.invoked_function_arn)
        run = _run(event, settings, lease, context.aws_request_id)
        answer = reporting.report(run)
        telemetry = Telemetry(settings.stack)
        telemetry.metrics(reporting.metrics(run, token_seconds=_life(run, lease)))
        telemetry.report(answer)
    finally:
        lease.end()  # whatever still hangs must not write in a later invocation
    if _raises(run):
        raise PushFailed(reporting.summary(run)) from None
    return answer


def _run(event: Any, settings: Settings, lease: Lease, request_id: str) -> Run:
    request = requests.Request(raises=requests.raises(event))
    try:
        request = requests.parse(event, root=settings.root)
        return Runner(settings, Aws(settings.region), lease, request_id).run(request)
    except PusherError as error:
        return Run(request, request_id, 0.0, error=error)
    except Exception as error:  # noqa: BLE001 - reduced to type and place: its text may carry a credential
        return Run(request, request_id, 0.0, error=Crash.from_exception(error))


def _raises(run: Run) -> bool:
    """A plan fails only as a whole; `"raise": false` always gets its report, even with an event that is not understood."""
    if run.ok or not run.request.raises:
        return False
    return run.error is not None or not run.request.dry_run


def _life(run: Run, lease: Lease) -> float | None:
    return run.token.expires_at.timestamp() - lease.clock.wall() if run.token else None
