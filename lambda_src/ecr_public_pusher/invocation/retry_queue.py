"""The SQS queue on which clusters wait for a retry or, with FanOut, for their first try."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import QueueError

# SendMessageBatch takes ten messages, of 1 MiB in all; 256 KiB before August 2025.
ENTRIES_AT_ONCE = 10
BYTES_AT_ONCE = 256 * 1024
# A parameter's name, and so an id, has at most 1,011 characters, a discovered cluster's about a
# hundred more: so many fit into one message.
MOST_CLUSTERS_A_MESSAGE = 200

_REMEDY = (
    "The execution role needs sqs:SendMessage on the retry queue (and permission to use its KMS"
    " key); from a VPC, SQS must be reachable."
)


def deal(clusters: Sequence[str], *, most: int) -> list[Sequence[str]]:
    """Return the ids of each message for these clusters: `most` messages, fewer for few clusters.

    Neighbours go to different messages. They often share a region or an account, which may be slow.
    """
    fewest = -(-len(clusters) // MOST_CLUSTERS_A_MESSAGE)
    messages = max(min(most, len(clusters)), fewest)
    return [clusters[place::messages] for place in range(messages)]


async def send(
    clients: AwsClients,
    blocking: BlockingCalls,
    deadline: Deadline,
    url: str,
    bodies: Mapping[str, str],
    *,
    delay_seconds: int | None = None,
) -> None:
    """Send the messages, by name, after `delay_seconds` or, without it, the queue's own delay.

    Raise QueueError unless all of them were accepted, and DeadlineReached. Nothing is sent after
    the deadline.
    """
    timing = {} if delay_seconds is None else {"DelaySeconds": delay_seconds}
    for part in _batches(bodies):
        entries = [
            {"Id": str(number), "MessageBody": text, **timing}
            for number, text in enumerate(part.values())
        ]
        clusters = ", ".join(part)
        accept = functools.partial(_accepted, clients, url, entries, clusters, deadline)
        call = blocking.run(accept)
        accepted = await deadline.wait_for(call, what="putting clusters on the queue")
        if lost := [cluster for number, cluster in enumerate(part) if str(number) not in accepted]:
            raise QueueError(
                f"the retry queue refused the message for {', '.join(lost)}", remedy=_REMEDY
            )


def _batches(bodies: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the messages in parts that one request may send."""
    part: dict[str, str] = {}
    room = BYTES_AT_ONCE
    for name, text in bodies.items():
        size = len(text.encode())
        if part and (len(part) == ENTRIES_AT_ONCE or size > room):
            yield part
            part, room = {}, BYTES_AT_ONCE
        part[name] = text
        room -= size
    if part:
        yield part


def _accepted(
    clients: AwsClients, url: str, entries: list[dict[str, Any]], clusters: str, deadline: Deadline
) -> set[str]:
    """Return the ids of the entries that the queue accepted: a batch may be accepted in part."""
    sqs = clients.client("sqs")
    deadline.check()
    try:
        return call_aws(
            lambda: {
                str(one["Id"])
                for one in sqs.send_message_batch(QueueUrl=url, Entries=entries).get(
                    "Successful", []
                )
            }
        )
    except AWS_ERRORS as error:
        raise QueueError(
            f"the retry queue accepted no message for {clusters} and later ones:"
            f" {error_code(error)}",
            remedy=_REMEDY,
        ) from None
