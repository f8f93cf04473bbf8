"""A shared budget of connections for all clusters of an invocation.

Clusters that hang take few, and release them.
"""

import asyncio
import contextlib
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.connection_budget import ConnectionBudget
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from tests.support.bad_server import BadServer, Exchange, serving
from tests.support.recorded_answers import nothing_listed, secret_applied

PATIENT = RetryPolicy(request_seconds=60, write_seconds=60, attempts=1, stalled_seconds=0.1)
LISTED = nothing_listed()
APPLIED = secret_applied("a").renamed({"ecr-public-token": "s"})


class Served:
    """A cluster that lists at once and answers no write until it is `well`.

    It counts the connections it has `now`, and all its writes.
    """

    def __init__(self, *, well: bool, pause: float = 0.0) -> None:
        self.well = threading.Event()
        if well:
            self.well.set()
        self.now = self.writes = 0
        self._pause = pause
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> None:
        with self._counted():
            while request := exchange.request():
                if request.startswith(b"GET"):
                    LISTED.send(exchange)
                    continue
                self.well.wait(60)
                time.sleep(self._pause)
                with self._lock:
                    self.writes += 1
                APPLIED.send(exchange)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.now += 1
        try:
            yield
        finally:
            with self._lock:
                self.now -= 1


class Clusters:
    """Clients of several clusters over one budget."""

    def __init__(self, budget: ConnectionBudget, *, policy: RetryPolicy = PATIENT) -> None:
        self.budget = budget
        self._policy = policy
        self._sockets = Sockets(budget)
        self._blocking = BlockingCalls()
        self._apis: list[KubernetesApi] = []
        self._tasks: list[asyncio.Task[object]] = []

    async def __aenter__(self) -> "Clusters":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for api in self._apis:
            await api.__aexit__()
        self._sockets.__exit__()
        await self._blocking.__aexit__()

    def api(self, server: BadServer, *, deadline: Deadline | None = None) -> KubernetesApi:
        async def credential() -> Credential:
            return Credential("token")

        access = ClusterAccess(server.url, server.certificate.ca_pem, credential, "")
        made = KubernetesApi(
            access,
            field_manager="m",
            deadline=deadline or Deadline.of_invocation(60),
            blocking=self._blocking,
            sockets=self._sockets,
            retry_policy=self._policy,
        )
        self._apis.append(made)
        return made

    def write(self, api: KubernetesApi, count: int) -> list[asyncio.Task[object]]:
        """Start this many writes at once."""
        made: list[asyncio.Task[object]] = [
            asyncio.create_task(api.apply_secret("a", "s", b"{}")) for _ in range(count)
        ]
        self._tasks += made
        return made


async def until(what: object, *, seconds: float = 10) -> None:
    """Wait for a condition, which is a callable."""
    assert callable(what)
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.01)


async def all_of(tasks: list[asyncio.Task[object]], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        await asyncio.gather(*tasks)


def test_never_more_than_there_are_however_much_is_asked_for() -> None:
    async def run() -> None:
        async with Clusters(ConnectionBudget(4)) as clusters:
            await all_of(clusters.write(clusters.api(one), 40))
            assert clusters.budget.held == 4

    server = Served(well=True)
    with serving(server) as one:
        asyncio.run(run())
        assert one.connections == 4
    assert server.writes == 40


def test_a_cluster_that_answers_does_not_wait_for_those_that_hang() -> None:
    async def run() -> None:
        async with Clusters(ConnectionBudget(6, taken_by_hung=3)) as clusters:
            for server in (one, two, three):
                clusters.write(clusters.api(server), 20)
            await until(lambda: clusters.budget.held == 6)  # before it can be known that they hang
            await all_of(clusters.write(clusters.api(good), 30))
            assert clusters.budget.held <= 6

    hung = [Served(well=False) for _ in range(3)]
    well = Served(well=True)
    with (
        serving(hung[0]) as one,
        serving(hung[1]) as two,
        serving(hung[2]) as three,
        serving(well) as good,
    ):
        asyncio.run(run())
        assert [server.writes for server in hung] == [0, 0, 0]
        for server in hung:
            server.well.set()
    assert well.writes == 30


def test_a_cluster_that_hangs_gets_no_more_once_its_part_is_taken() -> None:
    async def run() -> int:
        async with Clusters(ConnectionBudget(20, taken_by_hung=3)) as clusters:
            api = clusters.api(one)
            for _ in range(10):
                clusters.write(api, 1)
                await asyncio.sleep(0.15)
            return clusters.budget.held

    server = Served(well=False)
    with serving(server) as one:
        held = asyncio.run(run())
        server.well.set()
    assert held == 3


def test_what_gave_way_is_sent_again_when_there_is_room() -> None:
    async def run() -> None:
        async with Clusters(ConnectionBudget(2)) as clusters:
            slow = clusters.write(clusters.api(one), 2)
            await until(lambda: hung.now == 2)
            await all_of(clusters.write(clusters.api(good), 5))
            hung.well.set()
            await all_of(slow)

    hung = Served(well=False)
    well = Served(well=True)
    with serving(hung) as one, serving(well) as good:
        asyncio.run(run())
        assert len(one.requests) > 2  # the one that released its connection came back
    assert well.writes == 5


def test_of_two_that_answer_none_keeps_all_for_itself() -> None:
    """The cluster that has many releases them one by one, at the end of a request."""

    async def run() -> None:
        async with Clusters(ConnectionBudget(4)) as clusters:
            much = clusters.write(clusters.api(one), 400)
            await until(lambda: first.writes > 4)
            await all_of(clusters.write(clusters.api(two), 8))
            assert not all(task.done() for task in much)
            assert two.connections == 2

    first = Served(well=True, pause=0.02)
    second = Served(well=True, pause=0.02)
    with serving(first) as one, serving(second) as two:
        asyncio.run(run())
    assert second.writes == 8


def test_a_connection_that_nobody_uses_is_left_to_who_waits() -> None:
    async def run() -> None:
        async with Clusters(ConnectionBudget(1)) as clusters:
            idle = clusters.api(one)
            await idle.namespaces()
            await all_of(clusters.write(clusters.api(two), 2))
            await idle.namespaces()

    first = Served(well=True)
    second = Served(well=True)
    with serving(first) as one, serving(second) as two:
        asyncio.run(run())
        assert (one.connections, two.connections) == (2, 1)


def test_what_fails_before_there_is_a_connection_gives_its_place_back() -> None:
    async def run() -> None:
        async with Clusters(
            ConnectionBudget(1), policy=replace(PATIENT, connect_attempts=1)
        ) as clusters:
            for _ in range(3):
                with pytest.raises(PusherError):
                    await clusters.api(closed).apply_secret("a", "s", b"{}")
            await all_of(clusters.write(clusters.api(good), 2))
            assert clusters.budget.held == 1

    with serving(Served(well=True)) as closed, serving(Served(well=True)) as good:
        closed.close()
        asyncio.run(run())


def test_who_waits_for_a_connection_and_is_cancelled_takes_none() -> None:
    async def run() -> None:
        async with Clusters(ConnectionBudget(1)) as clusters:
            api = clusters.api(one)
            hung = clusters.write(api, 1)
            await until(lambda: server.now == 1)
            for task in clusters.write(clusters.api(one), 3):
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            server.well.set()
            await all_of(hung)
            await all_of(clusters.write(clusters.api(one), 3))

    server = Served(well=False)
    with serving(server) as one:
        asyncio.run(run())
    assert server.writes == 4


def test_a_connection_that_the_server_closes_no_longer_counts() -> None:
    def once(exchange: Exchange) -> None:
        exchange.request()
        LISTED.send(exchange)

    async def run() -> None:
        async with Clusters(ConnectionBudget(1)) as clusters:
            await clusters.api(one).namespaces()
            await until(lambda: clusters.budget.held == 0)

    with serving(once) as one:
        asyncio.run(run())


def test_a_share_that_has_ended_is_forgotten() -> None:
    budget = ConnectionBudget()
    share = budget.share(stalled_after=1, close=lambda connection: None)
    kept = weakref.ref(share)
    budget.end(share)
    del share
    assert kept() is None


def test_every_socket_counts_from_its_opening_to_its_closing() -> None:
    """One that no request uses counts too: it may still be closing."""
    budget = ConnectionBudget()
    share = budget.share(stalled_after=1, close=lambda connection: None)
    held = []
    for happens in (share.opened, share.opened, share.closed, share.closed, share.opened):
        happens()
        held.append(budget.held)
    assert held == [1, 2, 1, 0, 1]
