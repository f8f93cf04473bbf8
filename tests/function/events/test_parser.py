"""Every shape of event, and what is made of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_public_pusher.errors import RequestError
from ecr_public_pusher.events.parser import parse
from ecr_public_pusher.events.request import Request

ROOT = "/ecr-public-pusher"
FAILED_AT = datetime(2026, 1, 1, 8, microsecond=250000, tzinfo=UTC)


def change(name: str, operation: str = "Update") -> dict[str, Any]:
    """Return an EventBridge event, as Parameter Store sends it."""
    return {
        "version": "0",
        "source": "aws.ssm",
        "detail-type": "Parameter Store Change",
        "region": "us-east-1",
        "resources": [f"arn:aws:ssm:us-east-1:111122223333:parameter{name}"],
        "detail": {"operation": operation, "name": name, "type": "String", "description": ""},
    }


def record(payload: Any) -> dict[str, Any]:
    """Return a failure record, as Lambda sends it to an on-failure destination."""
    return {
        "version": "1.0",
        "timestamp": "2026-01-01T08:00:00.250Z",
        "requestContext": {
            "requestId": "r",
            "functionArn": "arn",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": payload,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": {"errorMessage": "no", "errorType": "PushFailed"},
    }


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({}, Request()),
        ({"action": "push"}, Request()),
        ({"action": "push", "clusters": ["prod", "eu-*"]}, Request(clusters=("prod", "eu-*"))),
        ({"namespaces": ["a", "team-*"]}, Request(namespaces=("a", "team-*"))),
        ({"action": "plan", "raise": False}, Request("plan", raises=False)),
        ({"action": "check", "includeDisabled": True}, Request("check", includes_disabled=True)),
        (change(f"{ROOT}/clusters/prod"), Request(clusters=("prod",), ignore_missing=True)),
        (
            change(f"{ROOT}/clusters/prod", "Create"),
            Request(clusters=("prod",), ignore_missing=True),
        ),
        (change(f"{ROOT}/defaults"), Request()),
        (change(f"{ROOT}/clusters/prod", "Delete"), Request(clusters=("prod",), deleted="prod")),
        (change(f"{ROOT}/cluster/prod"), Request(unknown_parameter=f"{ROOT}/cluster/prod")),
        ({"action": "sweep"}, Request("sweep", window_minutes=20)),
        (
            {"action": "sweep", "windowMinutes": 45, "clusters": ["eu-*"]},
            Request("sweep", ("eu-*",), window_minutes=45),
        ),
        ({"action": "check", "clusters": ["prod"]}, Request("check", ("prod",))),
        ({"action": "remove", "clusters": ["*"]}, Request("remove", ("*",), removes=True)),
        (
            {"action": "plan", "remove": True, "clusters": ["prod"]},
            Request("plan", ("prod",), removes=True),
        ),
        ({"action": "plan", "remove": False}, Request("plan")),
        (record({"action": "plan"}), Request("plan", asked_at=FAILED_AT)),
        # Hours later, it is unknown whether the brake should still be released.
        (
            record({"action": "push", "clusters": ["*"], "prune": "all"}),
            Request(clusters=("*",), asked_at=FAILED_AT),
        ),
        (record({}) | {"timestamp": "never"}, Request()),
        # no sweep can look back from there
        (record({"action": "sweep"}) | {"timestamp": "0001-01-01T00:00:00Z"}, Request("sweep")),
        (
            record(change(f"{ROOT}/clusters/prod")),
            Request(clusters=("prod",), asked_at=FAILED_AT, ignore_missing=True),
        ),
    ],
)
def test_accepted(event: Any, request_: Request) -> None:
    assert parse(event, root=ROOT) == request_


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "push",
        {"action": "delete"},
        {"action": ["push"]},
        {"actions": "push"},
        {"clusters": []},
        {"clusters": "prod"},
        {"clusters": [1]},
        {"clusters": json.loads("[" * 5_000 + "]" * 5_000)},
        {"action": json.loads("[" * 5_000 + "]" * 5_000)},
        {"clusters": ["prod", "x*" * 1025]},
        {"namespaces": [""]},
        {"namespaces": ["Bad_Name"]},
        {"raise": "no"},
        {"windowMinutes": 20},
        {"action": "sweep", "windowMinutes": 0},
        {"action": "sweep", "windowMinutes": True},
        {"action": "sweep", "windowMinutes": "20"},
        {"action": "sweep", "windowMinutes": 1441},
        {"action": "sweep", "namespaces": ["a"]},
        {"action": "remove"},
        {"action": "remove", "clusters": ["a"], "namespaces": ["b"]},
        {"action": "remove", "clusters": ["a"], "dryRun": True},
        {"action": "plan", "remove": True},
        {"action": "plan", "remove": "yes", "clusters": ["a"]},
        {"action": "plan", "remove": True, "clusters": ["a"], "namespaces": ["b"]},
        {"action": "push", "remove": True, "clusters": ["a"]},
        {"action": "check", "windowMinutes": 5},
        record("push"),
        record(record({})),
        {"source": "aws.ssm"},
        {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": {}},
        {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification"},
    ],
)
def test_anything_else_is_refused_and_shown_the_accepted_shapes(event: Any) -> None:
    with pytest.raises(RequestError) as caught:
        parse(event, root=ROOT)
    assert '{"action": "push"}' in caught.value.remedy


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"action": "pusj"}, 'unknown action "pusj" (did you mean push?)'),
        ({"action": "xyz"}, 'unknown action "xyz"'),
        ({"cluster": ["a"]}, "unknown field cluster of push (did you mean clusters?)"),
        ({"xyz": 1, "abc": 1}, "unknown field abc, xyz of push"),
    ],
)
def test_what_is_unknown_is_named_with_what_may_be_meant(event: Any, why: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(event, root=ROOT)
    assert caught.value.message == f"this event is not understood: {why}"


@pytest.mark.parametrize(
    ("event", "everything"),
    [
        ({}, True),
        ({"clusters": ["prod"]}, False),
        ({"namespaces": ["a"]}, False),
        ({"action": "sweep"}, False),
        ({"action": "plan"}, False),
        (change(f"{ROOT}/clusters/prod"), False),
        (change(f"{ROOT}/defaults"), True),
    ],
)
def test_only_a_push_that_nothing_narrows_is_one_of_everything(
    event: Any, everything: bool
) -> None:
    assert parse(event, root=ROOT).pushes_all is everything


def test_to_forget_clusters_names_them_and_does_nothing() -> None:
    request = parse({"action": "forget", "clusters": ["gone", "fleet/*"]}, root=ROOT)
    assert (request.action, request.clusters, request.nothing) == (
        "forget",
        ("gone", "fleet/*"),
        True,
    )
    with pytest.raises(RequestError, match="clusters"):
        parse({"action": "forget"}, root=ROOT)
