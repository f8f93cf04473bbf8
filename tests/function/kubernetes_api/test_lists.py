"""Lists, page by page: expired pages, pages that are too long, and ends that hold nothing."""

from dataclasses import replace

import pytest

from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.recorded_answers import nothing_listed, recorded
from tests.support.world import SECRET, World

MANY = tuple(f"n{number:04}" for number in range(1100))
GONE = recorded("page-2-of-namespaces-has-expired").response


@pytest.fixture
def prod(world: World) -> EmbeddedCluster:
    cluster = world.add_cluster(
        "prod", namespaces=MANY, document="{namespaces: [n0000, n1099]}", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    world.apply("prod", "prune.yaml")
    world.document("prod", "{namespaces: ['n*'], allowEmpty: true}")
    return cluster


def lists(world: World) -> list[str]:
    return [line for line in world.asked("prod") if line.startswith("GET /api/v1/namespaces?")]


def selects(world: World) -> int:
    """Return how many namespaces a plan finds."""
    report = world.run({"action": "plan", "namespaces": ["n00*"]})
    assert report["ok"], report
    return sum(report["clusters"][0]["counts"].values())


def test_a_page_that_has_expired_begins_the_list_again(world: World, prod: EmbeddedCluster) -> None:
    expired: list[str] = []

    def expire(request: SeenRequest) -> Response | None:
        if (
            request.path.startswith("/api/v1/namespaces?")
            and "continue=" in request.path
            and len(expired) < 2
        ):
            expired.append(request.path)
            return GONE
        return None

    prod.intercept = expire
    assert selects(world) == 100
    assert ["continue=" in line for line in lists(world)] == [
        False,
        True,
        False,
        True,
        False,
        True,
        True,
    ]


def test_a_list_that_expires_again_and_again_is_given_up(
    world: World, prod: EmbeddedCluster
) -> None:
    prod.intercept = lambda request: GONE if "continue=" in request.path else None
    report = world.run({"action": "plan"})
    assert "410" in report["clusters"][0]["error"]["message"]
    assert len(lists(world)) == 6


def test_a_page_that_is_too_long_is_asked_for_again_with_fewer_objects(
    world: World, prod: EmbeddedCluster
) -> None:
    """Objects may have a quarter of a megabyte of annotations each."""

    def long(request: SeenRequest) -> Response | None:
        is_list = request.path.startswith("/api/v1/namespaces?") and "limit=500" in request.path
        return Response(200, b" " * (17 * 1024 * 1024)) if is_list else None

    prod.intercept = long
    assert selects(world) == 100
    limits = [line.split("limit=")[1].split("&")[0] for line in lists(world)]
    assert limits == ["500", *["50"] * 23]


def test_a_page_of_too_many_values_is_asked_for_again_down_to_one_object(
    world: World, prod: EmbeddedCluster
) -> None:
    """Single objects may hold lists of a hundred thousand short names.

    That fails one namespace, not the cluster.
    """

    def full(request: SeenRequest) -> Response | None:
        is_list = request.path.startswith("/api/v1/secrets?") and "limit=1&" not in request.path
        values = b'{"kind": "PartialObjectMetadataList", "items": [' + b"0," * 600_000 + b"0]}"
        return Response(200, values) if is_list else None

    prod.intercept = full
    world.document("prod", "namespaces: [n0000]")
    assert world.run()["clusters"][0]["counts"] == {"created": 1}
    asked = [line for line in world.asked("prod") if line.startswith("GET /api/v1/secrets?")]
    limits = [line.split("limit=")[1].split("&")[0] for line in asked]
    assert limits == ["500", "50", "5", "1"]


def test_one_object_that_is_too_long_fails_the_list(world: World, prod: EmbeddedCluster) -> None:
    prod.intercept = lambda request: (
        Response(200, b" " * (17 * 1024 * 1024)) if "/api/v1/secrets?" in request.path else None
    )
    world.document("prod", "namespaces: [n0000]")
    report = world.run()
    assert "more than 16 MiB" in report["clusters"][0]["error"]["message"]


def test_a_last_page_that_holds_nothing_is_an_end(world: World, prod: EmbeddedCluster) -> None:
    """A server may say "continue" to a selector though nothing follows.

    A metadata-only list then has null for items.
    """
    last = nothing_listed()
    more = {**last.answer["metadata"], "continue": "a-token"}
    first = replace(last, answer={**last.answer, "metadata": more, "items": []})

    def answer(request: SeenRequest) -> Response | None:
        if not request.path.startswith("/api/v1/secrets?"):
            return None
        return (last if "continue=" in request.path else first).response

    prod.intercept = answer
    world.document("prod", "namespaces: [n0000]")
    assert world.run()["clusters"][0]["counts"] == {"created": 1}
    assert world.secret("prod", "n0000", SECRET) is not None
