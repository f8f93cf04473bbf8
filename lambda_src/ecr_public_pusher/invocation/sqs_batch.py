"""A batch of queue messages: few runs for all, and one response with the messages to keep."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from ecr_public_pusher.events.queue_message import Message, merge, read
from ecr_public_pusher.events.request import Action, Request
from ecr_public_pusher.invocation.service import Service
from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.timestamps import from_epoch


class MessageFailed(Exception):
    """The sign to Powertools that a message must return to the queue.

    The run's report has the reason.
    """


async def serve_batch(records: Sequence[Mapping[str, Any]], service: Service) -> dict[str, Any]:
    """Do what the messages ask for.

    Return Lambda's partial batch response and never raise: the queue keeps what failed.
    """
    now = from_epoch(service.deadline.clock.wall())
    received = [read(record, root=service.settings.root, now=now) for record in records]
    keep: set[str] = set()
    for message in received:
        if message.error is None:
            continue
        action: Action = "remove" if message.parked else "push"
        service.publish(
            service.failed(Request(action, raises=False), message.error, asked=message.asked)
        )
        if not (message.parked and await service.park(message.text)):
            keep.add(message.id)

    async def serve(request: Request, group: Sequence[Message]) -> set[str]:
        receives = service.settings.retry_receives
        held = {message.cluster for message in group if message.cluster}
        last = {message.cluster for message in group if _is_last(message, receives)}
        published = await service.run(
            request,
            held=held,
            let_go=held & last,
            readers=service.settings.workers.concurrency,
        )
        return _kept(published.run, group, receives)

    # Concurrently: one that hangs must not use up the time, and so the last receive, of the others.
    for kept in await asyncio.gather(
        *(serve(request, group) for request, group in merge(received))
    ):
        keep |= kept

    def answer(record: SQSRecord) -> None:
        if record.message_id in keep:
            raise MessageFailed

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response({"Records": list(records)}, answer, processor))


def _kept(run: RunResult, group: Sequence[Message], receives: int | None) -> set[str]:
    """Return the ids of the messages that must return to the queue.

    Messages for clusters do not become dead letters when received for the last time: the next push
    of everything includes their clusters, and the alarm on failed clusters covers them.
    """
    let_go = {message.id for message in group if _is_last(message, receives)}
    return _failed(run, group) - let_go


def _is_last(message: Message, receives: int | None) -> bool:
    """Return whether a message for clusters was received for the last of `receives` times."""
    return message.pushes_clusters and receives is not None and message.receives >= receives


def _failed(run: RunResult, group: Sequence[Message]) -> set[str]:
    """Return the ids of the messages that are not done.

    Of several for one cluster, only the one that has waited longest. A sweep is not retried: the
    schedule sends the next one within minutes.
    """
    if run.request.action == "sweep":
        return set()
    if run.error is not None:
        return {message.id for message in group}
    failed = {result.id for result in run.failed}
    oldest: dict[str, Message] = {}
    kept: set[str] = set()
    for message in group:
        if message.cluster is None:
            if run.queue_error is not None:
                kept.add(message.id)
        elif message.cluster in failed and (
            message.cluster not in oldest or message.receives > oldest[message.cluster].receives
        ):
            oldest[message.cluster] = message
    return kept | {message.id for message in oldest.values()}
