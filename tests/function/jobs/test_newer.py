"""An older run undoes nothing newer.

A late write meets another version, or a Secret that was written since its run read its
configuration.
"""

import json
from collections.abc import Callable

import pytest

from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.secrets import annotate
from tests.support.world import SECRET, World


def meanwhile(world: World, cluster: str, happens: Callable[[], object], *, before: str) -> None:
    """Run something right before the function's first such request to that cluster is answered."""
    embedded = world.clusters[cluster]
    assert isinstance(embedded, EmbeddedCluster)
    done: list[str] = []

    def meddle(request: SeenRequest) -> Response | None:
        if f"{request.method} {request.path}".startswith(before) and not done:
            done.append(request.path)
            happens()
        return None

    embedded.intercept = meddle


@pytest.fixture
def prod(world: World) -> World:
    world.add_cluster(
        "prod", namespaces=("a", "b"), document="{namespaces: [a], prune: true}", embedded=True
    )
    world.apply("prod", "prune.yaml")
    assert world.invoke()["ok"]
    return world


def newer(world: World, document: str) -> Callable[[], None]:
    """Return another run, by a document that was edited since."""

    def push() -> None:
        world.document("prod", document)
        assert world.run()["ok"]

    return push


@pytest.mark.parametrize("before", ["GET /api/v1/namespaces", "GET /api/v1/secrets"])
def test_what_a_newer_document_selects_is_not_pruned(prod: World, before: str) -> None:
    meanwhile(prod, "prod", newer(prod, "{namespaces: [a, b], prune: true}"), before=before)
    report = prod.run()
    assert report["ok"], report
    assert prod.secret("prod", "b") is not None


def test_what_a_newer_run_wrote_before_the_look_is_current(prod: World) -> None:
    meanwhile(
        prod,
        "prod",
        newer(prod, "{namespaces: [a], labels: {of: newer}, prune: true}"),
        before="GET /api/v1/secrets",
    )
    report = prod.run()
    assert report["clusters"][0]["counts"] == {"current": 1}
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert secret["metadata"]["labels"]["of"] == "newer"
    assert prod.token("prod", "a") == prod.aws.ecr_public.issued[-1]


def test_what_a_newer_run_wrote_after_the_look_is_not_overwritten(prod: World) -> None:
    meanwhile(
        prod,
        "prod",
        newer(prod, "{namespaces: [a], labels: {of: newer}, prune: true}"),
        before="PATCH",
    )
    report = prod.run()
    assert report["clusters"][0]["counts"] == {"current": 1}
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert secret["metadata"]["labels"]["of"] == "newer"


def test_what_was_removed_since_the_look_is_decided_again(prod: World) -> None:
    path = f"/api/v1/namespaces/a/secrets/{SECRET}"
    meanwhile(prod, "prod", lambda: prod.clusters["prod"].admin("DELETE", path), before="PATCH")
    assert prod.run()["clusters"][0]["counts"] == {"created": 1}


def test_what_somebody_else_took_since_the_look_is_a_conflict(prod: World) -> None:
    def take() -> None:
        prod.clusters["prod"].admin("DELETE", f"/api/v1/namespaces/a/secrets/{SECRET}")
        prod.foreign_secret("prod", "a", manager="helm")

    meanwhile(prod, "prod", take, before="PATCH")
    (problem,) = prod.run()["clusters"][0]["problems"]
    assert (problem["outcome"], "managed by helm" in problem["message"]) == ("conflict", True)


def test_what_is_written_to_again_and_again_is_given_up_after_five_looks(prod: World) -> None:
    embedded = prod.clusters["prod"]
    assert isinstance(embedded, EmbeddedCluster)
    writes: list[int] = []

    def write_first(request: SeenRequest) -> Response | None:
        if request.method == "PATCH":
            writes.append(1)
            annotate(prod, "prod", "a", annotations={"example.com/written": str(len(writes))})
        return None

    embedded.intercept = write_first
    (problem,) = prod.run()["clusters"][0]["problems"]
    assert (problem["outcome"], "keeps changing" in problem["message"]) == ("failed", True)
    assert len(writes) == 5


def test_an_apply_that_came_through_although_its_answer_did_not_is_a_success(prod: World) -> None:
    """A load balancer loses the response once: the retry meets the version of the first try."""
    embedded = prod.clusters["prod"]
    assert isinstance(embedded, EmbeddedCluster)
    lost: list[str] = []

    def lose(request: SeenRequest) -> Response | None:
        if request.method != "PATCH" or lost:
            return None
        lost.append(request.path)
        embedded.admin(
            "PATCH",
            request.path + "&force=true",
            json.loads(request.body),
            content_type="application/apply-patch+yaml",
        )
        return Response(503, b"<html>no healthy upstream</html>")

    embedded.intercept = lose
    assert prod.run()["clusters"][0]["counts"] == {"updated": 1}
    assert lost
