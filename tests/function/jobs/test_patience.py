"""The healthy do not wait for the sick: everyone has a first try before anyone has a second."""

import threading
import time
from dataclasses import replace

from ecr_public_pusher.jobs.connections import REQUESTS_PER_CONNECTION
from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.recorded_answers import recorded
from tests.support.world import IMPATIENT, World

HUNG = tuple(f"hung-{number:02}" for number in range(60))
WELL = ("alpha", "web", "zeta")


def hang(world: World, prefix: str, seconds: float, method: str = "PATCH") -> None:
    """Have writes to some namespaces hang until the test's end, as behind an admission webhook."""
    cluster = world.clusters["prod"]
    assert isinstance(cluster, EmbeddedCluster)
    done = threading.Event()

    def slow(request: SeenRequest) -> Response | None:
        if request.method == method and f"/namespaces/{prefix}" in request.path:
            done.wait(seconds)
            return recorded("webhook-hangs").response
        return None

    cluster.intercept = slow


def test_namespaces_that_are_well_are_served_however_many_hang(world: World) -> None:
    world.add_cluster(
        "prod", namespaces=(*HUNG, *WELL), document="namespaces: ['*']", embedded=True
    )
    hang(world, "hung-", 30)
    policy = replace(IMPATIENT, first_try_seconds=0.1, write_seconds=5.0, stalled_seconds=0.05)
    report = world.run(seconds=8, retry_policy=policy)
    assert all(world.secret("prod", name) is not None for name in WELL)
    assert report["clusters"][0]["counts"].get("not-attempted") is None


def test_a_removal_does_not_wait_for_those_that_hang_either(world: World) -> None:
    world.add_cluster(
        "prod", namespaces=(*HUNG, *WELL), document="namespaces: ['*']", embedded=True
    )
    world.apply("prod", "prune.yaml")
    world.invoke()
    hang(world, "hung-", 30, method="DELETE")
    policy = replace(IMPATIENT, first_try_seconds=0.1, write_seconds=5.0, stalled_seconds=0.05)
    event = {"action": "remove", "clusters": ["prod"]}
    report = world.run(event, seconds=8, retry_policy=policy)
    assert all(world.secret("prod", name) is None for name in WELL)
    assert report["clusters"][0]["counts"].get("not-attempted") is None


def test_a_webhook_that_takes_its_time_is_waited_for(world: World) -> None:
    """Longer than a first try has, where others wait; shorter than a webhook may take."""
    world.add_cluster(
        "prod", namespaces=("slow", "web"), document="namespaces: [slow, web]", embedded=True
    )
    cluster = world.clusters["prod"]
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: (
        time.sleep(0.5) if request.method == "PATCH" and "/slow/" in request.path else None
    )
    policy = replace(IMPATIENT, first_try_seconds=0.1, write_seconds=5.0, connect_seconds=0.1)
    report = world.run(retry_policy=policy)
    assert report["ok"], report
    assert world.secret("prod", "slow") is not None


def test_missing_first_then_the_least_life_left(world: World) -> None:
    """Use as many as one connection serves: over several, a later request may arrive first."""
    names = tuple(f"n{number:02}" for number in range(REQUESTS_PER_CONNECTION))
    world.add_cluster("prod", namespaces=names, document="namespaces: ['n*']", embedded=True)
    world.invoke()
    for name in ("n03", "n06"):
        world.clusters["prod"].admin(
            "DELETE", f"/api/v1/namespaces/{name}/secrets/ecr-public-token"
        )
    seen = len(world.applies("prod"))
    world.invoke()
    first = [
        path.split("/namespaces/")[1].split("/")[0]
        for path in world.applies("prod")[seen : seen + 2]
    ]
    assert set(first) == {"n03", "n06"}


def test_a_quota_that_several_creations_race_for_is_tried_again(world: World) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    refused: list[str] = []

    def race(request: SeenRequest) -> Response | None:
        if request.method == "PATCH" and len(refused) < 2:
            refused.append(request.path)
            return recorded("a-quota-that-others-race-for").response
        return None

    cluster.intercept = race
    assert world.run()["clusters"][0]["counts"] == {"created": 1}
