"""Copies of our Secrets that a backup tool restores are ours.

There is no conflict that advises to stop a writer that does not exist.
"""

import copy
from typing import Any

import pytest

from tests.support.secrets import annotate
from tests.support.world import SECRET, World

PATH = f"/api/v1/namespaces/a/secrets/{SECRET}"


@pytest.fixture
def prod(world: World) -> World:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    assert world.invoke()["ok"]
    return world


def cleared(world: World) -> None:
    """Return what `kubectl replace` of a cleaned manifest, or a clearing restore, leaves."""
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]
    status, _ = world.clusters["prod"].admin(
        "PATCH", f"{PATH}?fieldManager=restorer", patch, content_type="application/json-patch+json"
    )
    assert status == 200


def restored(world: World, manager: str = "velero-server", **labels: str) -> None:
    """Restore as Velero does.

    It creates the saved object, without its uid and managed fields, with Velero's labels.
    """
    saved: dict[str, Any] = copy.deepcopy(world.secret("prod", "a") or {})
    metadata = {name: saved["metadata"][name] for name in ("name", "labels", "annotations")}
    metadata["labels"] |= labels or {
        "velero.io/restore-name": "friday",
        "velero.io/backup-name": "thursday",
    }
    world.clusters["prod"].admin("DELETE", PATH)
    body = {**saved, "metadata": metadata}
    status, answer = world.clusters["prod"].admin(
        "POST", f"/api/v1/namespaces/a/secrets?fieldManager={manager}", body
    )
    assert status == 201, answer


@pytest.mark.parametrize("happens", [cleared, restored])
@pytest.mark.parametrize("event", [{}, {"action": "sweep"}])
def test_it_is_taken_back_without_take_ownership(
    prod: World, happens: Any, event: dict[str, str]
) -> None:
    happens(prod)
    report = prod.invoke(event)
    assert (report["ok"], report["clusters"][0]["counts"]) == (True, {"adopted": 1})
    assert prod.token("prod", "a") == prod.aws.ecr_public.issued[-1]
    assert prod.invoke()["clusters"][0]["counts"] == {"updated": 1}


@pytest.mark.parametrize("happens", [cleared, restored])
def test_a_removal_deletes_a_restored_secret(prod: World, happens: Any) -> None:
    prod.apply("prod", "prune.yaml")
    happens(prod)
    assert prod.invoke({"action": "remove", "clusters": ["prod"]})["clusters"][0]["counts"] == {
        "removed": 1
    }


def test_a_copy_that_another_tool_made_is_somebody_elses(prod: World) -> None:
    restored(prod, "a-copy-tool", **{"example.com/copied": "yes"})
    (problem,) = prod.invoke()["clusters"][0]["problems"]
    assert (problem["outcome"], "a-copy-tool" in problem["message"]) == ("conflict", True)


def test_one_that_is_being_deleted_is_never_said_to_be_updated(prod: World) -> None:
    annotate(prod, "prod", "a", finalizers=["example.com/held"])
    prod.clusters["prod"].admin("DELETE", PATH)
    (problem,) = prod.invoke()["clusters"][0]["problems"]
    assert problem["outcome"] == "failed"
    assert "waits for finalizers set by others: example.com/held" in problem["message"]
    assert prod.invoke({"action": "sweep"})["ok"]


def test_one_whose_mark_somebody_took_off_is_a_conflict_though_nobody_else_holds_it(
    prod: World,
) -> None:
    annotate(prod, "prod", "a", labels={"app.kubernetes.io/managed-by": None})
    before = prod.token("prod", "a")
    (problem,) = prod.invoke()["clusters"][0]["problems"]
    assert problem["outcome"] == "conflict"
    assert problem["message"] == f"the Secret {SECRET} is managed by another field manager"
    assert prod.token("prod", "a") == before
