"""The release is shown to everything that the function calls."""

import boto3

from ecr_public_pusher.version import VERSION
from infra.local.kube.http.client import USER_AGENT
from tests.support.world import World

AGENT = f"ecr-public-pusher/{VERSION}"


def test_aws_and_kubernetes_see_the_release_in_the_user_agent(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.invoke()
    assert world.aws.calls
    assert [call.action for call in world.aws.calls if AGENT not in call.user_agent.split()] == []
    seen = {one.headers["user-agent"] for one in world.clusters["prod"].requests}
    assert seen - {USER_AGENT} == {AGENT}


def test_aws_is_called_with_boto3(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.invoke()
    agent = f"Boto3/{boto3.__version__}"
    assert {call.user_agent.split()[0] for call in world.aws.calls} == {agent}
