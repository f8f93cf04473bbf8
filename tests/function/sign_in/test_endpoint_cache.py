"""The cache of endpoints that EKS described.

It lasts as long as the sandbox, until an endpoint turns out wrong or is an hour old.
"""

import gc
import threading
import weakref

import pytest

from ecr_public_pusher.deadline import Clock
from ecr_public_pusher.sign_in.eks import ENDPOINT_LIFE_SECONDS, EndpointCache
from ecr_public_pusher.sign_in.kind import Endpoint
from infra.local.identity import AccessEntry
from infra.local.kube import EmbeddedCluster
from infra.local.kube.certificates import issue
from tests.support.bad_server import Exchange, serving
from tests.support.described import Described
from tests.support.recorded_answers import nothing_listed, secret_applied
from tests.support.world import ACCOUNT, EXECUTION_ROLE, GROUP, SPOKE_ACCOUNT, SPOKE_ROLE, World

# For the tests of the cache itself.
KEY = (None, None, "us-east-1", "prod")
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/another"


def described(world: World) -> int:
    return len(world.aws.called("eks", "DescribeCluster"))


def test_a_warm_push_asks_eks_nothing(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    for _ in range(3):
        assert world.invoke()["ok"]
    assert described(world) == 1


def start(world: World, *, port: int = 0) -> EmbeddedCluster:
    """Start a cluster `prod` that EKS describes, with an authority of its own."""
    cluster = EmbeddedCluster(
        "prod",
        credentials=world.aws.find_credential,
        access_entries=[AccessEntry(EXECUTION_ROLE, (GROUP,))],
        port=port,
    )
    world.clusters["prod"] = cluster
    world.aws.put_cluster(ACCOUNT, "us-east-1", cluster)
    world.apply("prod", "cluster.yaml")
    world.add_namespace("prod", "a")
    return cluster


@pytest.fixture
def remembered(world: World) -> EmbeddedCluster:
    """Return a cluster whose endpoint EKS was asked for once."""
    cluster = start(world)
    world.document("prod", "namespaces: [a]")
    assert world.run()["ok"]
    assert described(world) == 1
    return cluster


def test_where_nobody_listens_any_more_eks_is_asked_anew_and_the_push_succeeds(
    world: World, remembered: EmbeddedCluster
) -> None:
    remembered.close()
    start(world)
    report = world.run()
    assert (report["ok"], report["totals"]["created"]) == (True, 1)
    assert described(world) == 2


def test_what_eks_said_a_moment_ago_is_not_asked_again(world: World) -> None:
    with serving(lambda exchange: None) as gone:
        its = Described("prod", gone.url, gone.certificate.ca_pem)
        world.aws.put_cluster(ACCOUNT, "us-east-1", its)
        world.document("prod", "namespaces: [a]")
        gone.close()
        assert world.run()["clusters"][0]["error"]["type"] == "UnreachableError"
    assert described(world) == 1


def test_where_another_authority_answers_eks_is_asked_anew_and_the_push_succeeds(
    world: World, remembered: EmbeddedCluster
) -> None:
    remembered.close()
    start(world, port=int(remembered.endpoint.rpartition(":")[2]))
    report = world.run()
    assert (report["ok"], report["totals"]["created"]) == (True, 1)
    assert described(world) == 2


def test_what_eks_says_again_is_final(world: World, remembered: EmbeddedCluster) -> None:
    imposed = Described("prod", remembered.endpoint, issue("another").ca_pem)
    remembered.close()
    start(world, port=int(remembered.endpoint.rpartition(":")[2]))
    world.aws.put_cluster(ACCOUNT, "us-east-1", imposed)
    (entry,) = world.run()["clusters"]
    assert "is not the cluster's" in entry["error"]["message"]
    assert described(world) == 2


def test_one_failure_of_a_cluster_that_answers_does_not_start_it_over(world: World) -> None:
    """A connection that breaks off after the cluster has answered is that namespace's own."""
    breaking = threading.Event()

    def script(exchange: Exchange) -> None:
        while request := exchange.request():
            if request.startswith(b"GET"):
                nothing_listed().send(exchange)
                continue
            namespace = request.split(b"/namespaces/")[1].split(b"/")[0].decode()
            if namespace == "b" and breaking.is_set():
                return
            secret_applied(namespace).send(exchange)

    with serving(script) as server:
        world.aws.put_cluster(
            ACCOUNT, "us-east-1", Described("prod", server.url, server.certificate.ca_pem)
        )
        world.document("prod", "namespaces: [a, b]")
        assert world.run()["ok"]
        breaking.set()
        before = len(server.requests)
        (entry,) = world.run()["clusters"]
    assert entry["counts"] == {"created": 1, "failed": 1}
    assert sum(b"/namespaces/a/" in request for request in server.requests[before:]) == 1
    assert described(world) == 1


def test_what_is_an_hour_old_is_asked_for_again() -> None:
    now = [1_000.0]
    cache = EndpointCache(Clock(wall=lambda: now[0]))
    endpoint = Endpoint("https://x.eks.amazonaws.com", "PEM")
    cache.put(KEY, endpoint)
    now[0] += ENDPOINT_LIFE_SECONDS - 1
    assert cache.get(KEY) == endpoint
    now[0] += 1
    assert cache.get(KEY) is None


def test_what_nobody_asks_for_any_more_does_not_pile_up() -> None:
    now = [1_000.0]
    cache = EndpointCache(Clock(wall=lambda: now[0]))
    cache.put(KEY, Endpoint("https://x.eks.amazonaws.com", "PEM"))
    kept = weakref.ref(cache.get(KEY))
    now[0] += ENDPOINT_LIFE_SECONDS
    cache.put((*KEY[:3], "another"), Endpoint("https://y.eks.amazonaws.com", "PEM"))
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("status", ["CREATING", "DELETING", "FAILED"])
def test_the_endpoint_of_a_cluster_that_is_not_ready_is_not_remembered(
    world: World, status: str
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.put_cluster(ACCOUNT, "us-east-1", world.clusters["prod"], status=status)
    for _ in range(2):
        assert world.invoke()["ok"] is (status != "DELETING")
    assert described(world) == 2


@pytest.mark.parametrize(
    ("more", "asks"),
    [
        (f"cluster: prod, roleArn: '{SPOKE_ROLE}', externalId: an-external-id", SPOKE_ACCOUNT),
        (f"cluster: prod, roleArn: '{OTHER_ROLE}'", ACCOUNT),
        ("cluster: prod, region: eu-west-1", ACCOUNT),
        ("cluster: other", ACCOUNT),
    ],
)
def test_what_one_role_region_or_cluster_was_answered_is_not_shown_to_another(
    world: World, remembered: EmbeddedCluster, more: str, asks: str
) -> None:
    """Each document has EKS asked by its own means, warm sandbox or not."""
    world.aws.put_role(OTHER_ROLE, trusted=EXECUTION_ROLE, session_name="ecr-public-pusher-sign-in")
    world.document("twin", f"{{namespaces: [b], {more}}}")
    world.run({"clusters": ["twin"]})
    assert [call.account for call in world.aws.called("eks", "DescribeCluster")] == [ACCOUNT, asks]


def test_what_a_role_was_answered_is_of_no_use_with_another_external_id(world: World) -> None:
    spoke = (
        f"{{cluster: prod, namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: an-external-id}}"
    )
    cluster = world.add_cluster(
        "prod", namespaces=("a",), account=SPOKE_ACCOUNT, principal=SPOKE_ROLE, document=spoke
    )
    assert world.run()["ok"]
    before = len(cluster.requests)
    world.document("twin", spoke.replace("an-external-id", "another"))
    (entry,) = world.run({"clusters": ["twin"]})["clusters"]
    assert (entry["error"]["type"], len(cluster.requests)) == ("RoleError", before)


def test_each_call_is_signed_by_the_role_that_its_document_names(world: World) -> None:
    """Clients are the function's own, whoever signs.

    A mistake here would show one account to another.
    """
    world.add_cluster("own", namespaces=("a",), document="namespaces: [a]")
    other = f"{{namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: an-external-id}}"
    world.add_cluster(
        "spoke", namespaces=("a",), account=SPOKE_ACCOUNT, principal=SPOKE_ROLE, document=other
    )
    assert world.invoke()["ok"]
    signers = {
        call.path.rpartition("/")[2]: call.account
        for call in world.aws.called("eks", "DescribeCluster")
    }
    assert signers == {"own": ACCOUNT, "spoke": SPOKE_ACCOUNT}
    own = {call.account for call in world.aws.calls if call.service in ("ssm", "ecr-public", "sts")}
    assert own == {ACCOUNT}
