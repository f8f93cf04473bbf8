"""An older run undoes nothing newer.

A late write meets another version, or a Secret that was written since its run read its
configuration.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.secrets import annotate
from tests.support.world import SECRET, STACK, World


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


def lose_first_apply(world: World, cluster: str, change: Callable[[Any], None]) -> list[str]:
    """Have the first apply come through, changed, and its answer get lost; the paths of such."""
    embedded = world.clusters[cluster]
    assert isinstance(embedded, EmbeddedCluster)
    lost: list[str] = []

    def lose(request: SeenRequest) -> Response | None:
        if request.method != "PATCH" or lost:
            return None
        lost.append(request.path)
        body = json.loads(request.body)
        change(body)
        path = request.path + "&force=true"
        apply = "application/apply-patch+yaml"
        assert embedded.admin("PATCH", path, body, content_type=apply)[0] == 200
        return Response(503, b"{}")  # a load balancer's

    embedded.intercept = lose
    return lost


def test_what_another_document_wrote_in_the_same_second_is_not_taken_for_this_runs(
    prod: World,
) -> None:
    def by_another(body: Any) -> None:
        annotations = body["metadata"]["annotations"]
        annotations["ecr-public-pusher/owner"] = STACK.owner("renamed")

    assert lose_first_apply(prod, "prod", by_another) == []
    assert prod.run()["clusters"][0]["counts"] == {"adopted": 1}
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert secret["metadata"]["annotations"]["ecr-public-pusher/owner"] == STACK.owner("prod")


def test_what_somebody_wrote_over_a_lost_apply_is_not_taken_for_this_runs(prod: World) -> None:
    """The annotations are still this run's; the data is not."""
    lost = lose_first_apply(prod, "prod", lambda body: None)
    embedded = prod.clusters["prod"]
    assert isinstance(embedded, EmbeddedCluster)
    lose = embedded.intercept
    assert lose is not None
    written: list[int] = []

    def lose_and_write(request: SeenRequest) -> Response | None:
        answer = lose(request)
        if answer is not None:
            path = f"/api/v1/namespaces/a/secrets/{SECRET}"
            _, found = embedded.admin("GET", path)
            found["data"][".dockerconfigjson"] = base64.b64encode(b'{"auths": {}}').decode()
            written.append(embedded.admin("PUT", f"{path}?fieldManager=helm", found)[0])
        return answer

    embedded.intercept = lose_and_write
    (problem,) = prod.run()["clusters"][0]["problems"]
    assert (problem["outcome"], "managed by helm" in problem["message"]) == ("conflict", True)
    assert (len(lost), written) == (1, [200])


@pytest.mark.parametrize("name", ["pushed-at", "expires-at"])
def test_a_moment_without_a_time_zone_is_not_known_and_the_secret_is_renewed(
    prod: World, name: str
) -> None:
    prod.document("prod", "{namespaces: [a], takeOwnership: true}")
    moment = {f"ecr-public-pusher/{name}": "2999-01-01T12:00:00"}
    annotate(prod, "prod", "a", annotations=moment)
    report = prod.run()
    assert (report["ok"], report["clusters"][0]["counts"]) == (True, {"adopted": 1})
    assert prod.token("prod", "a") == prod.aws.ecr_public.issued[-1]
