"""Lambda's entry: parse, build, call, report."""

import os
from typing import Any

from ecr_public_pusher import messages
from ecr_public_pusher import report as reporting
from ecr_public_pusher import request as requests
from ecr_public_pusher.errors import PusherError, PushFailed
from ecr_public_pusher.invocation import Invocation
from ecr_public_pusher.lease import Lease
from ecr_public_pusher.report import Run
from ecr_public_pusher.request import Request
from ecr_public_pusher.settings import Settings
from ecr_public_pusher.telemetry import Telemetry


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Does what `event` asks for and returns the report. Raises PushFailed when it is to be tried again as a whole.

    A batch from the queue is answered with the messages to keep, and never raises.
    """
    lease = Lease.of_invocation(context.get_remaining_time_in_millis() / 1000)
    try:
        settings = Settings.from_env(os.environ, function_arn=context.invoked_function_arn)
        invocation = Invocation(
            settings, lease, context.aws_request_id, Telemetry(settings.stack), lambda: float(context.get_remaining_time_in_millis()) / 1000
        )
        if messages.is_batch(event):
            from ecr_public_pusher.batch import serve_batch  # Powertools Batch: 60 ms of import that only the queue's invocations need

            return serve_batch(event["Records"], invocation)
        run = _serve(event, invocation)
    finally:
        lease.end()  # whatever still hangs must not write in a later invocation
    if run.raises:
        raise PushFailed(reporting.summary(run)) from None
    return reporting.report(run)


def _serve(event: Any, invocation: Invocation) -> Run:
    try:
        request = requests.parse(event, root=invocation.settings.root)
    except PusherError as error:
        return invocation.told(invocation.failed(Request(raises=requests.raises(event)), error))
    return invocation.serve(request)
