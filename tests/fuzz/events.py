"""Targets: events and queue messages."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from ecr_public_pusher.configuration.parameter_names import pushed_by
from ecr_public_pusher.errors import InternalError, RequestError
from ecr_public_pusher.events.parser import asked_action, parse, raises
from ecr_public_pusher.events.queue_message import is_sqs_batch, merge, read
from ecr_public_pusher.events.request import Request
from tests.fuzz.target import Target, check, text

ROOT = "/ecr-public-pusher"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event(data: bytes) -> None:
    asked = _json(data)
    raises(asked)
    check(asked_action(asked).isprintable(), "an action that cannot be shown")
    try:
        _check(parse(asked, root=ROOT))
    except RequestError as error:
        check(len(error.message) < 2000, "a message that repeats the event")


def batch(data: bytes) -> None:
    """Read a batch of the queue, or one message whose body is the input."""
    asked = _json(data)
    if not is_sqs_batch(asked):
        asked = {"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": text(data)}]}
    messages = [read(record, root=ROOT, now=NOW) for record in asked["Records"]]
    for message in messages:
        check(not isinstance(message.error, InternalError), f"{message.error}")
        check(message.receives >= 0, "received less than never")
        check(message.request is None or not message.request.removes or message.request.dry_run, "")
        message.cluster, message.parked, message.pushes_clusters  # noqa: B018 - none may raise
    for request, _ in merge(messages):
        check(not request.prune_all and request.ignore_missing, "more than a retry may do")
        _check(request)


def parameter_name(data: bytes) -> None:
    found = pushed_by(text(data), root=ROOT)
    check(found is None or found.isascii(), "an id of other characters")


def _check(request: Request) -> None:
    """Derive what a run derives from the request."""
    (request.asked_at or NOW) - timedelta(minutes=request.window_minutes)
    request.narrowed, request.pushes_all, request.dry_run  # noqa: B018 - none may raise


def _json(data: bytes) -> Any:
    """Return the event as Lambda's runtime client reads it; the text itself if it is not JSON."""
    try:
        return json.loads(text(data))
    except (ValueError, RecursionError):
        return text(data)


EVENTS: tuple[dict[str, Any], ...] = (
    {},
    {"action": "push", "clusters": ["prod", "eu-*"], "prune": "all"},
    {"action": "push", "namespaces": ["team-[a-c]"], "raise": False},
    {"action": "plan", "remove": True, "clusters": ["*"]},
    {"action": "sweep", "windowMinutes": 20},
    {"action": "check", "includeDisabled": True},
    {"action": "forget", "clusters": ["gone/*"]},
    {
        "source": "aws.ssm",
        "detail-type": "Parameter Store Change",
        "detail": {"name": f"{ROOT}/discover/fleet", "operation": "Delete"},
    },
    {
        "requestContext": {},
        "timestamp": "2026-01-01T11:00:00.123Z",
        "requestPayload": {"action": "sweep"},
    },
)
BATCH = {
    "Records": [
        {
            "eventSource": "aws:sqs",
            "messageId": "1",
            "attributes": {"ApproximateReceiveCount": "3"},
            "body": json.dumps(
                {
                    "action": "push",
                    "clusters": ["prod"],
                    "namespaces": ["a"],
                    "dispatchedAt": "2026-01-01T11:30:00Z",
                }
            ),
        },
        {"eventSource": "aws:sqs", "messageId": "2", "body": '{"action": "remove"}'},
    ]
}
_SEEDS = tuple(json.dumps(one).encode() for one in EVENTS)
TARGETS = (
    Target("event", event, _SEEDS),
    Target("queue-batch", batch, (json.dumps(BATCH).encode(), *_SEEDS[1:4])),
    Target(
        "parameter-name",
        parameter_name,
        (f"{ROOT}/clusters/prod.1".encode(), f"{ROOT}/discover/fleet".encode()),
    ),
)
