"""EKS's token for clusters that run aws-iam-authenticator themselves.

The authenticator's id is signed, and nobody else's.
"""

import pytest

from infra.local.kube import EmbeddedCluster
from infra.local.kube.cluster import Response, SeenRequest
from tests.support.recorded_answers import recorded
from tests.support.reports import cluster_of, findings
from tests.support.world import EXECUTION_ROLE, World

pytestmark = pytest.mark.usefixtures("loopback_allowed")

DOCUMENT = "{namespaces: [a], signIn: {type: iamAuthenticator, clusterId: edge.example.com}}"
CLUSTER_ID = "edge.example.com"
MAPPING = (
    f"- rolearn: {EXECUTION_ROLE}\n  username: ecr-public-pusher\n  groups:\n  - ecr-public-pushers"
)


def test_a_push_signs_in_by_the_authenticator(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT, cluster_id=CLUSTER_ID)
    assert world.run()["ok"]
    assert world.token("edge", "a")


def test_a_plan_signs_in_by_the_authenticator(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT, cluster_id=CLUSTER_ID)
    assert cluster_of(world.run({"action": "plan"}))["counts"] == {"created": 1}


def test_a_check_passes_and_shows_the_id(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT, cluster_id=CLUSTER_ID)
    report = world.run({"action": "check"})
    assert report["ok"]
    assert findings(report)["token"]["message"].endswith(
        f"of at most 4096 bytes, for the cluster id {CLUSTER_ID}"
    )


def test_it_asks_neither_eks_nor_sts(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT, cluster_id=CLUSTER_ID)
    assert world.run()["ok"]
    assert [
        (call.service, call.action)
        for call in world.aws.calls
        if call.service in ("eks", "sts") and call.action != "GetServiceBearerToken"
    ] == []


def test_an_id_of_another_cluster_is_refused_with_what_to_map(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT, cluster_id="another.example.com")
    error = cluster_of(world.run())["error"]
    assert error["type"] == "SignInError"
    assert f"Its clusterID must be {CLUSTER_ID}" in error["remedy"]


def test_check_of_a_role_that_is_not_mapped_says_what_to_map(world: World) -> None:
    world.add_elsewhere(
        "edge",
        document=DOCUMENT,
        cluster_id=CLUSTER_ID,
        principal="arn:aws:iam::111122223333:role/another",
    )
    found = findings(world.run({"action": "check"}))["sign-in"]
    assert found["remedy"].endswith(f"\n{MAPPING}")


def test_a_push_of_a_role_that_is_not_mapped_names_it_too(world: World) -> None:
    world.add_elsewhere(
        "edge",
        document=DOCUMENT,
        cluster_id=CLUSTER_ID,
        principal="arn:aws:iam::111122223333:role/another",
    )
    assert cluster_of(world.run())["error"]["remedy"].endswith(f"\n{MAPPING}")


@pytest.mark.parametrize("action", ["push", "check"])
def test_a_refusal_names_the_possible_throttle(world: World, action: str) -> None:
    other = "arn:aws:iam::111122223333:role/another"
    world.add_elsewhere("edge", document=DOCUMENT, cluster_id=CLUSTER_ID, principal=other)
    report = world.run({"action": action})
    found = findings(report)["sign-in"] if action == "check" else cluster_of(report)["error"]
    said = (
        f"does not admit {EXECUTION_ROLE}, or STS throttled the authenticator behind it, which"
        " is temporary"
    )
    assert found["message"].endswith(said)


def test_after_a_refusal_it_signs_again_once(world: World) -> None:
    cluster = world.add_elsewhere("edge", document=DOCUMENT, cluster_id=CLUSTER_ID, embedded=True)
    tries: list[int] = []

    def refuse(request: SeenRequest) -> Response | None:
        if request.method != "PATCH":
            return None
        tries.append(1)
        return recorded("bad-token").response

    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = refuse
    assert cluster_of(world.run())["error"]["type"] == "SignInError"
    assert len(tries) == 2


@pytest.mark.parametrize(
    "other",
    [
        "namespaces: [a]",
        "{namespaces: [a], enabled: false}",
        "{namespaces: 7}",
        "cluster: [",
        "{namespaces: [a], region: eu-west-1}",
    ],
    ids=["enabled", "disabled", "invalid", "not YAML", "another region"],
)
def test_an_id_that_is_an_eks_clusters_name_is_refused(world: World, other: str) -> None:
    """The token would sign in there, too.

    Also where that document is disabled or broken for now.
    """
    document = DOCUMENT.replace(CLUSTER_ID, "prod")
    cluster = world.add_elsewhere("edge", document=document, cluster_id="prod")
    world.document("prod", other)
    before = len(cluster.requests)
    error = cluster_of(world.run())["error"]
    assert (error["type"], len(cluster.requests)) == ("InvalidDocument", before)
    assert (
        "signIn.clusterId: prod is the name of an EKS cluster of another document"
        in error["message"]
    )
    assert "one with a dot never is" in error["remedy"]


def test_an_id_that_a_broken_document_names_as_its_cluster_is_refused(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT.replace(CLUSTER_ID, "main"), cluster_id="main")
    world.document("other", "{cluster: main, namespaces: 7}")
    assert cluster_of(world.run())["error"]["type"] == "InvalidDocument"


def test_an_id_may_be_that_of_a_document_that_is_not_of_eks(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT.replace(CLUSTER_ID, "shore"), cluster_id="shore")
    world.add_elsewhere("shore", document="{namespaces: [a], signIn: {type: webIdentity}}")
    assert cluster_of(world.run())["ok"]
