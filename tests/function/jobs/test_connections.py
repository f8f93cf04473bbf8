"""Connections grow with the work: a small cluster gets one or two, what hangs gives its place to another, and there is a most of all."""

import threading
import time
from collections import Counter

import pytest

from ecr_public_pusher.jobs.cluster_runner import CLUSTERS_AT_ONCE, CONNECTIONS_IN_ALL, MOST_CONNECTIONS, connections_for
from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.world import World


@pytest.mark.parametrize(("namespaces", "connections"), [(1, 1), (8, 1), (10, 2), (20, 3), (30, 4), (200, 8), (5000, 8)])
def test_a_small_cluster_is_worth_few_and_a_large_one_more(namespaces: int, connections: int) -> None:
    assert connections_for(namespaces, most=CONNECTIONS_IN_ALL) == connections


def test_of_many_clusters_each_gets_its_share() -> None:
    assert connections_for(5000, most=CONNECTIONS_IN_ALL // CLUSTERS_AT_ONCE) == 2


class AtOnce:
    """Counts the writes that a cluster has under way; each takes `seconds`."""

    def __init__(self, cluster: EmbeddedCluster, seconds: float) -> None:
        self.most = 0
        self._seconds, self._now, self._lock = seconds, 0, threading.Lock()
        cluster.intercept = self

    def __call__(self, request: SeenRequest) -> Response | None:
        if request.method == "PATCH":
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            time.sleep(self._seconds)
            with self._lock:
                self._now -= 1
        return None


@pytest.mark.parametrize(
    ("count", "seconds", "fewest", "most"),
    [
        (10, 0.005, 1, 2),
        (40, 0.2, MOST_CONNECTIONS, MOST_CONNECTIONS),  # slower than an impatient run waits for: others take their turn beside them
    ],
)
def test_so_many_writes_are_under_way_at_once(world: World, count: int, seconds: float, fewest: int, most: int) -> None:
    names = tuple(f"n{number:02}" for number in range(count))
    cluster = world.add_cluster("prod", namespaces=names, document="namespaces: ['n*']", embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    at_once = AtOnce(cluster, seconds)
    assert world.run()["totals"]["created"] == count
    assert fewest <= at_once.most <= most
    assert set(Counter(world.applies("prod")).values()) == {1}
