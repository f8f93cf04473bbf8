"""The number of connections, which grows with the work.

A small cluster gets one or two, whatever hangs gives its place to another, and there is a maximum
for all.
"""

import contextlib
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest

from ecr_public_pusher.jobs.cluster_runner import CLUSTERS_AT_ONCE
from ecr_public_pusher.jobs.connections import MOST_AT_ONCE, connections_for
from ecr_public_pusher.kubernetes_api.connection_budget import CONNECTIONS_IN_ALL, ConnectionBudget
from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.bad_server import Exchange, serving
from tests.support.described import Described
from tests.support.recorded_answers import namespaces_listed, nothing_listed
from tests.support.world import ACCOUNT, IMPATIENT, World


@pytest.mark.parametrize(
    ("namespaces", "connections"), [(1, 1), (8, 1), (10, 2), (20, 3), (30, 4), (200, 8), (5000, 8)]
)
def test_a_small_cluster_is_worth_few_and_a_large_one_more(
    namespaces: int, connections: int
) -> None:
    assert connections_for(namespaces, most=CONNECTIONS_IN_ALL) == connections


@pytest.mark.parametrize(
    ("requests", "late", "most", "connections"),
    [
        (20, 0.2, 200, 20),
        (1000, 0.05, 200, 64),
        (1000, 0.005, 200, 8),  # the processor's own jitter
        (100, 0.02, 200, 32),
        (20, 0.2, 4, 4),
        (1, 5.0, 200, 1),
    ],
)
def test_where_answers_are_late_more_are_worth_their_handshakes(
    requests: int, late: float, most: int, connections: int
) -> None:
    assert connections_for(requests, late=late, most=most) == connections


def test_of_many_clusters_each_gets_its_share() -> None:
    assert connections_for(5000, most=CONNECTIONS_IN_ALL // CLUSTERS_AT_ONCE) == 2


def test_clusters_whose_writes_hang_take_no_more_connections_than_there_are(world: World) -> None:
    patience = replace(
        IMPATIENT,
        connect_seconds=3,
        request_seconds=8,
        write_seconds=8,
        first_try_seconds=8,
        stalled_seconds=0.5,
    )
    names = tuple(f"n{number:02}" for number in range(20))
    world.add_cluster("well", namespaces=names, document="namespaces: ['n*']", embedded=True)
    listed = namespaces_listed(*names)
    lock = threading.Lock()
    ended = threading.Event()
    now: list[Exchange] = []
    most: list[int] = []

    def hang(exchange: Exchange) -> None:
        with lock:
            now.append(exchange)
            most.append(len(now))
        with contextlib.suppress(OSError):
            while (request := exchange.request()) and not ended.is_set():
                if request.startswith(b"GET"):
                    (listed if b"/namespaces?" in request else nothing_listed()).send(exchange)
        with lock:
            now.remove(exchange)

    with serving(hang) as server:
        for number in range(8):
            name = f"hangs-{number:02}"
            its = Described(name, server.url, server.certificate.ca_pem)
            world.aws.put_cluster(ACCOUNT, "us-east-1", its)
            world.document(name, "namespaces: ['n*']")
        report = world.run(
            seconds=10, retry_policy=patience, budget=ConnectionBudget(20, taken_by_hung=10)
        )
        ended.set()
    assert report["totals"]["created"] == 20
    assert 10 <= max(most) <= 20


class AtOnce:
    """Counts the writes that a cluster has under way; each takes `seconds`."""

    def __init__(self, cluster: EmbeddedCluster, seconds: float) -> None:
        self.most = 0
        self._seconds = seconds
        self._now = 0
        self._lock = threading.Lock()
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
        (10, 0.005, 1, 10),
        (
            40,
            0.2,
            MOST_AT_ONCE,
            40,
        ),  # slower than an impatient run waits for: other requests start beside them
    ],
)
def test_so_many_writes_are_under_way_at_once(
    world: World, count: int, seconds: float, fewest: int, most: int
) -> None:
    names = tuple(f"n{number:02}" for number in range(count))
    cluster = world.add_cluster(
        "prod", namespaces=names, document="namespaces: ['n*']", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    at_once = AtOnce(cluster, seconds)
    assert world.run()["totals"]["created"] == count
    assert fewest <= at_once.most <= most
    assert set(Counter(world.applies("prod")).values()) == {1}
