"""The principal that signs in, and the message where AWS does not reveal it."""

import pytest

from infra.local.aws import Answer, AwsRequest
from tests.support.world import SPOKE_ACCOUNT, SPOKE_ROLE, World

CALLS = [("sts", "AssumeRole", "STS"), ("eks", "DescribeCluster", "EKS in us-east-1")]


@pytest.fixture
def spoke(world: World) -> World:
    document = f"{{namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: an-external-id}}"
    world.add_cluster(
        "prod", namespaces=("a",), account=SPOKE_ACCOUNT, principal=SPOKE_ROLE, document=document
    )
    return world


@pytest.mark.parametrize(("service", "action", "name"), CALLS)
def test_without_an_answer_no_permission_is_blamed(
    spoke: World, service: str, action: str, name: str
) -> None:
    spoke.aws.script(service, action, Answer(0, b""))
    (entry,) = spoke.invoke()["clusters"]
    assert entry["error"]["message"].endswith("ConnectionClosedError")
    endpoint = f"com.amazonaws.us-east-1.{service}"
    said = (
        f"{name} did not respond. From a VPC, it is reached through a NAT gateway or the endpoint"
        f" {endpoint}."
    )
    assert entry["error"]["remedy"] == said


@pytest.mark.parametrize(("service", "action", "name"), CALLS)
def test_where_aws_is_unwell_no_permission_is_blamed(
    spoke: World, service: str, action: str, name: str
) -> None:
    def unwell(request: AwsRequest) -> Answer:
        return Answer.refusal(request, "ServiceUnavailable", "", status=503)

    spoke.aws.script(service, action, unwell)
    (entry,) = spoke.invoke()["clusters"]
    assert entry["error"]["remedy"].startswith(f"{name} is unavailable or throttling")
