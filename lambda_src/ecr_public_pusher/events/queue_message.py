"""The messages of the retry queue, and the requests that a batch of them makes. Pure.

A message names only clusters and namespaces: it never contains a token or credential.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ecr_public_pusher.configuration.names import is_glob
from ecr_public_pusher.errors import InternalError, PusherError, RemovalNotRepeated, RequestError
from ecr_public_pusher.events.parser import asked_action, parse
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.timestamps import rfc3339

# A push of everything that was split into messages counts as done during its first tries. Later
# ones are retries of single clusters, which must not keep the dead man's switch quiet.
FULL_PUSH_COUNTS_FOR = timedelta(hours=1)
_COUNT = re.compile("[0-9]{1,9}")


@dataclass(frozen=True)
class Message:
    """One received message: the request it makes, or the error that keeps it from being done.

    `receives`: how often it has been received.
    `text`: its body.
    `asked`: the action in it.
    `parked`: it must not be retried, but kept for a person to look at.
    """

    id: str
    receives: int
    request: Request | None = None
    error: PusherError | None = None
    text: str = field(default="", repr=False)
    asked: str | None = None

    @property
    def pushes_clusters(self) -> bool:
        """Return whether it pushes clusters by name, as every push of everything does too."""
        return (
            self.request is not None
            and self.request.action == "push"
            and bool(self.request.clusters)
        )

    @property
    def parked(self) -> bool:
        """Return whether it must go to the dead-letter queue instead of being retried."""
        return isinstance(self.error, RemovalNotRepeated)

    @property
    def cluster(self) -> str | None:
        """The id of the one cluster, or of the one discovery (`<id>/*`), that it pushes; else None.

        Such a message is itself retried. A part of a push of everything is not, even for one
        cluster: its retries must not count as such a push.
        """
        request = self.request
        if (
            request is None
            or request.action != "push"
            or request.of_full_push
            or request.deleted
            or len(request.clusters) != 1
        ):
            return None
        (pattern,) = request.clusters
        return None if is_glob(pattern.removesuffix("/*")) else pattern


def body(
    *clusters: str, namespaces: Sequence[str] = (), dispatched_at: datetime | None = None
) -> str:
    """Return the message that asks for a push of `clusters`.

    `dispatched_at` marks it as a part of a push of everything.
    """
    asked: dict[str, Any] = {"action": "push", "clusters": list(clusters)}
    if namespaces:
        asked["namespaces"] = list(namespaces)
    if dispatched_at is not None:
        asked["dispatchedAt"] = rfc3339(dispatched_at)
    return json.dumps(asked)


def is_sqs_batch(event: Any) -> bool:
    """Return whether the event is a batch from Lambda's SQS poller."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(
            isinstance(record, Mapping)
            and record.get("eventSource") == "aws:sqs"
            and "messageId" in record
            for record in records
        )
    )


def read(record: Mapping[str, Any], *, root: str, now: datetime) -> Message:
    """Return the message in one record of a batch.

    A failure of its request is never raised, and its clusters may have been removed meanwhile.
    """
    attributes = record.get("attributes")
    receives = (
        str(attributes.get("ApproximateReceiveCount", ""))
        if isinstance(attributes, Mapping)
        else ""
    )
    known: dict[str, Any] = {
        "id": str(record["messageId"]),
        "receives": int(receives) if _COUNT.fullmatch(receives) else 1,
    }
    text = str(record.get("body"))
    known["text"] = text
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        return Message(
            **known,
            error=RequestError(
                "the message is not JSON",
                remedy="Delete it from the queue; ecr-public-pusher did not send it.",
            ),
        )
    known["asked"] = asked_action(asked)
    dispatched = asked.pop("dispatchedAt", None) if isinstance(asked, dict) else None
    try:
        request = parse(asked, root=root)
        if request.action == "remove":
            raise RemovalNotRepeated
        request = replace(
            request,
            raises=False,
            ignore_missing=True,
            prune_all=False,
            of_full_push=_recent(dispatched, now),
        )
    except PusherError as error:
        return Message(**known, error=error)
    except Exception as error:  # noqa: BLE001 - a bug must fail its own message only
        return Message(**known, error=InternalError.from_exception(error))
    return Message(**known, request=request)


def merge(messages: Iterable[Message]) -> list[tuple[Request, list[Message]]]:
    """Return the messages' requests, merged into as few as possible, each with its messages.

    So there is one token for all, and the clusters are pushed concurrently.
    """
    groups: dict[Any, list[Message]] = {}
    for message in messages:
        if request := message.request:
            groups.setdefault(
                (
                    request.action,
                    request.namespaces,
                    request.deleted,
                    request.unknown_parameter,
                    request.nothing,
                ),
                [],
            ).append(message)
    return [
        (_merged_request([message.request for message in group if message.request]), group)
        for group in groups.values()
    ]


def _merged_request(requests: Sequence[Request]) -> Request:
    everything = not all(request.clusters for request in requests)
    asked = [request.asked_at for request in requests if request.asked_at]
    return replace(
        requests[0],
        clusters=(
            ()
            if everything
            else tuple(
                dict.fromkeys(pattern for request in requests for pattern in request.clusters)
            )
        ),
        of_full_push=any(request.of_full_push for request in requests),
        window_minutes=max(request.window_minutes for request in requests),
        asked_at=min(asked, default=None),
    )


def _recent(dispatched: Any, now: datetime) -> bool:
    try:
        return now - datetime.fromisoformat(str(dispatched)) <= FULL_PUSH_COUNTS_FOR
    except (ValueError, TypeError):
        return False
