"""Which release asks is seen by everybody who is asked."""

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
