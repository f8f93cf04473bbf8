"""Lambda's entry point: deadline, event loop, parse, call, return."""

# ruff: noqa: E402 - the garbage collector pauses before the first import

import gc

# Nothing that is imported is garbage: collecting takes a fifteenth of the import's time, and 70 ms
# each time that a large push triggers it.
gc.disable()

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import InternalError, PusherError, PushFailed
from ecr_public_pusher.events.parser import asked_action, parse, raises
from ecr_public_pusher.events.queue_message import is_sqs_batch
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.invocation.sandbox import Sandbox
from ecr_public_pusher.invocation.service import Service
from ecr_public_pusher.invocation.settings import Settings
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.reporting.emit import Emitter
from ecr_public_pusher.reporting.report import summary

gc.freeze()
# What requests and pages leave behind is freed by its reference count; few objects are in cycles.
# By default the collector looks every 2,000 objects, and took an eighth of a large sweep's
# processor time.
gc.set_threshold(20_000)
gc.enable()

# Outlives an invocation: clients of the function's own role, and EKS's answers about endpoints.
# Empty until the first invocation.
_SANDBOX = Sandbox()


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Do what `event` asks for, and return the report.

    Raise PushFailed when the whole event is to be retried. For a batch from the queue, return the
    messages to keep and never raise.
    """
    return invoke(event, context, sandbox=_SANDBOX, environ=os.environ)


def invoke(
    event: Any, context: Any, *, sandbox: Sandbox, environ: Mapping[str, str]
) -> dict[str, Any]:
    """Do the same with the caller's sandbox and environment."""
    deadline = Deadline.of_invocation(context.get_remaining_time_in_millis() / 1000)
    settings = Settings.from_env(environ, function_arn=context.invoked_function_arn)
    # One loop per invocation: at its end every task is cancelled and every socket closed, so that
    # nothing is sent after a thaw.
    with Sockets() as sockets, asyncio.Runner() as runner:
        return runner.run(_serve(event, context, settings, deadline, sandbox, sockets))


async def _serve(
    event: Any,
    context: Any,
    settings: Settings,
    deadline: Deadline,
    sandbox: Sandbox,
    sockets: Sockets,
) -> dict[str, Any]:
    emitter = Emitter(settings.stack, level=settings.log_level)
    asyncio.get_running_loop().set_exception_handler(
        lambda _, problem: emitter.loop_error(problem.get("exception"))
    )
    async with BlockingCalls() as blocking:

        def remaining() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000

        service = Service(
            settings,
            deadline,
            sandbox,
            blocking,
            sockets,
            context.aws_request_id,
            emitter,
            remaining,
        )
        if is_sqs_batch(event):
            # Powertools Batch: 60 ms of import that only the queue's invocations need.
            from ecr_public_pusher.invocation.sqs_batch import serve_batch

            return await serve_batch(event["Records"], service)
        try:
            request = parse(event, root=settings.root)
        except Exception as error:  # noqa: BLE001 - reduced: its text may repeat the event
            refusal = (
                error if isinstance(error, PusherError) else InternalError.from_exception(error)
            )
            published = service.publish(
                service.failed(Request(raises=raises(event)), refusal, asked=asked_action(event))
            )
        else:
            published = await service.run(request)
    if published.run.raises:
        raise PushFailed(summary(published.run)) from None
    return published.report
