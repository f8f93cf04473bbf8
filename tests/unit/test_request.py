"""Every shape of event, and what is made of it."""

from typing import Any

import pytest

from ecr_public_pusher.errors import RequestError
from ecr_public_pusher.request import Request, parse

ROOT = "/ecr-public-pusher"


def change(name: str, operation: str = "Update") -> dict[str, Any]:
    """An EventBridge event, as Parameter Store sends it."""
    return {
        "version": "0",
        "source": "aws.ssm",
        "detail-type": "Parameter Store Change",
        "region": "us-east-1",
        "resources": [f"arn:aws:ssm:us-east-1:111122223333:parameter{name}"],
        "detail": {"operation": operation, "name": name, "type": "String", "description": ""},
    }


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({}, Request()),
        ({"action": "push"}, Request()),
        ({"action": "push", "clusters": ["prod", "eu-*"]}, Request(clusters=("prod", "eu-*"))),
        ({"namespaces": ["a", "team-*"]}, Request(namespaces=("a", "team-*"))),
        ({"action": "plan", "raise": False}, Request("plan", raises=False)),
        (change(f"{ROOT}/clusters/prod"), Request(clusters=("prod",))),
        (change(f"{ROOT}/clusters/prod", "Create"), Request(clusters=("prod",))),
        (change(f"{ROOT}/defaults"), Request()),
        (change(f"{ROOT}/clusters/prod", "Delete"), Request(clusters=("prod",), deleted="prod")),
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
        {"namespaces": [""]},
        {"namespaces": ["Bad_Name"]},
        {"raise": "no"},
        {"source": "aws.ssm"},
        {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": {}},
        {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification"},
    ],
)
def test_anything_else_is_refused_and_shown_the_accepted_shapes(event: Any) -> None:
    with pytest.raises(RequestError) as caught:
        parse(event, root=ROOT)
    assert '{"action": "push"}' in caught.value.remedy


def test_a_parameter_that_is_no_document_is_named() -> None:
    with pytest.raises(RequestError, match="/ecr-public-pusher/cluster/prod is neither"):
        parse(change(f"{ROOT}/cluster/prod"), root=ROOT)
