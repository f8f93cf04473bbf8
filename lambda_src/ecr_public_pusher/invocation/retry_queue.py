"""The SQS queue on which clusters wait for a retry or, with FanOut, for their first try."""

import functools
from collections.abc import Mapping
from itertools import batched
from typing import Any

from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import QueueError

ENTRIES_AT_ONCE = 10  # SQS, SendMessageBatch

_REMEDY = (
    "The execution role needs sqs:SendMessage on the retry queue (and permission to use its KMS"
    " key); from a VPC, SQS must be reachable."
)


async def send(
    clients: AwsClients,
    blocking: BlockingCalls,
    deadline: Deadline,
    url: str,
    bodies: Mapping[str, str],
    *,
    delay_seconds: int | None = None,
) -> None:
    """Send one message per cluster id, after `delay_seconds` or, without it, the queue's own delay.

    Raise QueueError unless all of them were accepted, and DeadlineReached. Nothing is sent after
    the deadline.
    """
    timing = {} if delay_seconds is None else {"DelaySeconds": delay_seconds}
    for part in batched(bodies.items(), ENTRIES_AT_ONCE, strict=False):
        entries = [
            {"Id": str(number), "MessageBody": text, **timing}
            for number, (_, text) in enumerate(part)
        ]
        clusters = ", ".join(cluster for cluster, _ in part)
        accept = functools.partial(_accepted, clients, url, entries, clusters, deadline)
        call = blocking.run(accept)
        accepted = await deadline.wait_for(call, what="putting clusters on the queue")
        if lost := [
            cluster for number, (cluster, _) in enumerate(part) if str(number) not in accepted
        ]:
            raise QueueError(
                f"the retry queue refused the message for {', '.join(lost)}", remedy=_REMEDY
            )


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
