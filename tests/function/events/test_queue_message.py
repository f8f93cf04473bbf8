"""The messages on the queue, and the requests of a batch."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_public_pusher.events import queue_message as messages
from ecr_public_pusher.events.queue_message import Message
from ecr_public_pusher.events.request import Request

ROOT = "/ecr-public-pusher"
NOW = datetime(2026, 1, 1, 8, tzinfo=UTC)


def record(body: Any, *, receives: int = 1, identity: str = "m") -> dict[str, Any]:
    """Return a record as Lambda's poller delivers it."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "messageId": identity,
        "eventSource": "aws:sqs",
        "body": text,
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def read(body: Any, **more: Any) -> Message:
    return messages.read(record(body, **more), root=ROOT, now=NOW)


def test_a_body_comes_back_as_a_push_of_its_cluster() -> None:
    message = read(messages.body("prod"), receives=3)
    assert message == Message(
        "m",
        3,
        Request(clusters=("prod",), raises=False, ignore_missing=True),
        text=messages.body("prod"),
        asked="push",
    )
    assert message.cluster == "prod"


@pytest.mark.parametrize("count", ["", "many", "-3", "9" * 5000, "\u0663", None])
def test_a_count_that_is_no_small_number_is_taken_for_the_first_receive(count: Any) -> None:
    given = record({}) | {"attributes": {"ApproximateReceiveCount": count}}
    assert messages.read(given, root=ROOT, now=NOW).receives == 1


def test_a_narrowed_push_stays_narrowed() -> None:
    request = read(messages.body("prod", namespaces=("team-*",))).request
    assert request is not None
    assert request.namespaces == ("team-*",)


@pytest.mark.parametrize(
    ("age", "counts"),
    [(timedelta(), True), (timedelta(minutes=59), True), (timedelta(minutes=61), False)],
)
def test_a_part_of_a_full_push_counts_as_one_only_while_its_first_tries_go_on(
    age: timedelta, counts: bool
) -> None:
    request = read(messages.body("prod", dispatched_at=NOW - age)).request
    assert request is not None
    assert request.of_full_push is counts


@pytest.mark.parametrize("dispatched", ["yesterday", 5, None, "2026-01-01T08:00:00"])
def test_a_mark_that_is_no_time_marks_nothing(dispatched: Any) -> None:
    request = read({"action": "push", "clusters": ["prod"], "dispatchedAt": dispatched}).request
    assert request is not None
    assert request.of_full_push is False


@pytest.mark.parametrize("form", ["[", '{"clusters": ', '{"requestPayload": '])
@pytest.mark.parametrize("depth", [500, 5_000, 200_000])
def test_a_body_that_is_deep_is_an_error_and_not_raised(form: str, depth: int) -> None:
    close = "]" if form == "[" else "}"
    for body in (form * depth, f"{form * depth}1{close * depth}"):
        assert read(body).error is not None


@pytest.mark.parametrize("body", ["{", "null", '"push"', '{"action": "explode"}'])
def test_what_is_not_understood_is_an_error_and_not_raised(body: str) -> None:
    message = read(body)
    assert (message.request, message.cluster) == (None, None)
    assert message.error is not None


@pytest.mark.parametrize(
    "body",
    [
        {"action": "push"},
        {"clusters": ["eu-*"]},
        {"clusters": ["a", "b"]},
        {"action": "plan", "clusters": ["a"]},
        {"requestContext": {}, "requestPayload": {"action": "push"}},
    ],
)
def test_only_a_push_of_one_cluster_is_tried_again_itself(body: Any) -> None:
    assert read(body).cluster is None


def test_pushes_of_single_clusters_become_one_request() -> None:
    one = read(messages.body("a"), identity="1")
    two = read(messages.body("b", dispatched_at=NOW), identity="2")
    again = read(messages.body("a"), identity="3")
    ((request, group),) = messages.merge([one, two, again])
    assert request.clusters == ("a", "b")
    assert request.of_full_push
    assert group == [one, two, again]


def test_a_push_of_everything_takes_the_others_with_it() -> None:
    ((request, group),) = messages.merge(
        [read(messages.body("a"), identity="1"), read({}, identity="2")]
    )
    assert request.clusters == ()
    assert len(group) == 2


def test_what_is_asked_differently_stays_apart() -> None:
    bodies = [
        messages.body("a"),
        messages.body("a", namespaces=("x",)),
        '{"action": "plan"}',
        '{"action": "sweep"}',
    ]
    assert len(messages.merge(read(body) for body in bodies)) == 4


def test_sweeps_that_failed_become_one_that_reaches_back_to_the_first() -> None:
    def failed(at: str, minutes: int) -> dict[str, Any]:
        return {
            "requestContext": {},
            "timestamp": at,
            "requestPayload": {"action": "sweep", "windowMinutes": minutes},
        }

    ((request, _),) = messages.merge(
        [read(failed("2026-01-01T07:40:00Z", 20)), read(failed("2026-01-01T07:30:00Z", 30))]
    )
    assert (request.window_minutes, request.asked_at) == (
        30,
        datetime(2026, 1, 1, 7, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("event", "batch"),
    [
        ({"Records": [record({})]}, True),
        ({"Records": []}, False),
        ({"Records": [{"eventSource": "aws:s3", "messageId": "1"}]}, False),
        ({"Records": "aws:sqs"}, False),
        ({"action": "push"}, False),
        (None, False),
    ],
)
def test_a_batch_is_known_by_its_records(event: Any, batch: bool) -> None:
    assert messages.is_sqs_batch(event) is batch
