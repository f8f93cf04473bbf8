"""A batch of messages from the queue: few runs for all of them, and one answer that names the messages to keep."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from ecr_public_pusher import messages
from ecr_public_pusher.invocation import Invocation
from ecr_public_pusher.messages import Message
from ecr_public_pusher.report import Run
from ecr_public_pusher.request import Request


class MessageFailed(Exception):
    """Tells Powertools that a message is to come back. The reason is in the run's report."""


def serve_batch(records: Sequence[Mapping[str, Any]], invocation: Invocation) -> dict[str, Any]:
    """Does what the messages ask for. Returns Lambda's partial batch response and never raises: the queue keeps what failed."""
    now = datetime.fromtimestamp(invocation.lease.clock.wall(), UTC)
    received = [messages.read(record, root=invocation.settings.root, now=now) for record in records]
    keep: set[str] = set()
    for message in received:
        if message.error is not None:
            invocation.told(invocation.failed(Request(raises=False), message.error))
            keep.add(message.id)
    for request, group in messages.gathered(received):
        held = {message.cluster for message in group if message.cluster}
        keep |= _kept(invocation.serve(request, held=held), group)

    def settle(record: SQSRecord) -> None:
        if record.message_id in keep:
            raise MessageFailed

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response({"Records": list(records)}, settle, processor))


def _kept(run: Run, group: Sequence[Message]) -> set[str]:
    """The ids of the messages that must come back: of several for one cluster only the one that has waited longest.

    A sweep is not tried more than this once: the schedule sends the next one within minutes.
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
        elif message.cluster in failed and (message.cluster not in oldest or message.receives > oldest[message.cluster].receives):
            oldest[message.cluster] = message
    return kept | {message.id for message in oldest.values()}
