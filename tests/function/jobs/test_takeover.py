"""Takeover: without force first, seen each time, and only where it was asked for."""

import base64
import json
from typing import Any

import pytest

from tests.support.world import SECRET, World

TAKE = "{namespaces: [a], takeOwnership: true}"
LEAVE = "{namespaces: [a]}"


def write(world: World, manager: str, method: str = "PUT") -> None:
    """Another tool writes its own credential into the Secret: a PUT of the whole, or its own server-side apply with force."""
    data = {".dockerconfigjson": base64.b64encode(b'{"auths": {"somewhere": {}}}').decode()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "type": "kubernetes.io/dockerconfigjson", "data": data}
    path = f"/api/v1/namespaces/a/secrets/{SECRET}?fieldManager={manager}"
    cluster = world.clusters["prod"]
    if method == "PUT":
        status, _ = cluster.admin("PUT", path, body)
    else:
        status, _ = cluster.admin("PATCH", f"{path}&force=true", body, content_type="application/apply-patch+yaml")
    assert status == 200, status


def recreate(world: World) -> None:
    """What the archived CronJob does: kubectl delete, kubectl create."""
    world.clusters["prod"].admin("DELETE", f"/api/v1/namespaces/a/secrets/{SECRET}")
    world.foreign_secret("prod", "a", manager="kubectl-create")


@pytest.fixture
def prod(world: World) -> World:
    world.add_cluster("prod", namespaces=("a",), document=TAKE)
    return world


def adopted(report: dict[str, Any]) -> list[dict[str, Any]]:
    return list(report["clusters"][0].get("adopted", []))


@pytest.mark.parametrize("manager", ["kubectl-create", "kubectl-client-side-apply", "external-secrets"])
def test_the_manager_it_was_taken_from_is_named(prod: World, manager: str) -> None:
    prod.foreign_secret("prod", "a", manager=manager)
    report = prod.invoke()
    assert (report["ok"], report["totals"]["adopted"]) == (True, 1)
    assert adopted(report) == [{"namespace": "a", "from": [manager]}]
    assert prod.token("prod", "a") == prod.aws.ecr_public.issued[-1]


def test_it_is_tried_without_force_first(prod: World) -> None:
    prod.foreign_secret("prod", "a")
    prod.invoke()
    assert ["force=true" in path for path in prod.applies("prod")] == [False, True]


def test_after_it_the_secret_is_ours_alone_and_only_updated(prod: World) -> None:
    prod.foreign_secret("prod", "a")
    before = prod.secret("prod", "a")
    prod.invoke()
    report = prod.invoke()
    after = prod.secret("prod", "a")
    assert before is not None
    assert after is not None
    assert report["totals"]["updated"] == 1
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.parametrize("method", ["PUT", "APPLY"])
def test_a_tug_of_war_shows_run_after_run(prod: World, method: str, capsys: pytest.CaptureFixture[str]) -> None:
    prod.invoke()
    capsys.readouterr()
    for _ in range(3):
        write(prod, "external-secrets", method)
        assert adopted(prod.invoke()) == [{"namespace": "a", "from": ["external-secrets"]}]
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"SecretsAdopted"' in line]
    assert [line["SecretsAdopted"] for line in logged] == [[1.0]] * 3


def test_a_cronjob_that_was_not_stopped_shows_too(prod: World) -> None:
    for _ in range(2):
        recreate(prod)
        assert adopted(prod.invoke()) == [{"namespace": "a", "from": ["kubectl-create"]}]


def test_a_secret_taken_from_us_is_a_conflict_once_takeownership_is_gone(prod: World) -> None:
    prod.invoke()
    prod.document("prod", LEAVE)
    write(prod, "external-secrets")
    (problem,) = prod.invoke()["clusters"][0]["problems"]
    assert (problem["outcome"], "external-secrets" in problem["message"]) == ("conflict", True)
    assert json.loads(base64.b64decode(prod.secret("prod", "a")["data"][".dockerconfigjson"]))["auths"] == {"somewhere": {}}  # type: ignore[index]


def test_a_plan_shows_what_would_be_taken_and_takes_nothing(prod: World) -> None:
    prod.foreign_secret("prod", "a")
    before = prod.secret("prod", "a")
    assert adopted(prod.invoke({"action": "plan"})) == [{"namespace": "a", "from": ["kubectl-create"]}]
    assert prod.secret("prod", "a") == before


def test_an_adopted_secret_is_ours_to_prune(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="{namespaces: [a, b], takeOwnership: true, prune: true}")
    world.apply("prod", "prune.yaml")
    world.foreign_secret("prod", "a")
    world.invoke()
    world.document("prod", "{namespaces: [b], prune: true}")
    assert world.invoke()["totals"]["pruned"] == 1
    assert world.secret("prod", "a") is None
