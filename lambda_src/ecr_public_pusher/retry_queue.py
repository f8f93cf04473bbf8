"""The SQS queue on which clusters wait to be tried again, or, with FanOut, for their first try."""

from collections.abc import Mapping
from itertools import batched
from typing import Any

from ecr_public_pusher.aws import AWS_ERRORS, called, reason
from ecr_public_pusher.errors import QueueError

ENTRIES_AT_ONCE = 10  # SQS, SendMessageBatch

_REMEDY = "The execution role needs sqs:SendMessage on the retry queue (and the use of its KMS key); from a VPC, SQS must be reachable."


def send(sqs: Any, url: str, bodies: Mapping[str, str], *, delay_seconds: int | None = None) -> None:
    """Sends one message per cluster id, after `delay_seconds` or, without it, the queue's own delay.

    Raises QueueError unless every one is safely there.
    """
    timing = {} if delay_seconds is None else {"DelaySeconds": delay_seconds}
    for part in batched(bodies.items(), ENTRIES_AT_ONCE, strict=False):
        entries = [{"Id": str(number), "MessageBody": text, **timing} for number, (_, text) in enumerate(part)]
        taken = _taken(sqs, url, entries, said=", ".join(identity for identity, _ in part))
        if lost := [identity for number, (identity, _) in enumerate(part) if str(number) not in taken]:
            raise QueueError(f"the retry queue refused the message for {', '.join(lost)}", remedy=_REMEDY)


def _taken(sqs: Any, url: str, entries: list[dict[str, Any]], *, said: str) -> set[str]:
    """The ids of the entries that the queue took: a batch may be taken in part."""
    try:
        return called(lambda: {str(one["Id"]) for one in sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Successful", [])})
    except AWS_ERRORS as error:
        raise QueueError(f"the retry queue took no message for {said} and those after: {reason(error)}", remedy=_REMEDY) from None
