"""Every verb that infra/rbac grants is needed.

Without it, something fails that works with it.
"""

import copy
import threading
import time
from typing import Any

import pytest
import yaml

from ecr_public_pusher.jobs.rbac_version import MARK_GROUP
from tests.support.secrets import without_looking
from tests.support.world import RBAC, SECRET, World

FILES = ("cluster.yaml", "service-accounts.yaml", "prune.yaml")
FIRST = "{namespaces: ['team-*'], prune: true, serviceAccounts: [default, 'build-*']}"
SECOND = (
    "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true, serviceAccounts: [default,"
    " 'build-*']}"
)


def granted() -> list[tuple[str, str, str]]:
    """Return (file, resource, verb) of everything that is granted."""
    return [
        (file, rule["resources"][0], verb)
        for file in FILES
        for document in yaml.safe_load_all((RBAC / file).read_text())
        for rule in document.get("rules", [])
        if rule["apiGroups"] != [MARK_GROUP]  # which permits nothing
        for verb in rule["verbs"]
    ]


def without(file: str, resource: str, verb: str) -> list[dict[str, Any]]:
    """Return a file's objects without one verb."""
    found = []
    for document in yaml.safe_load_all((RBAC / file).read_text()):
        changed = copy.deepcopy(document)
        for rule in changed.get("rules", []):
            if rule["resources"] == [resource]:
                rule["verbs"] = [one for one in rule["verbs"] if one != verb]
        if "rules" in changed:
            changed["rules"] = [rule for rule in changed["rules"] if rule["verbs"]]
        found.append(changed)
    return found


# Rights that are needed only where Secrets may not be listed.
INSTEAD_OF_A_LOOK = ("prune.yaml", "secrets", "get")


def a_life(world: World, missing: tuple[str, str, str] | None) -> bool:
    """Return whether all of it worked.

    A push, a sweep after a Secret was deleted, and another push that prunes. An account comes late.
    """
    cluster = world.add_cluster("prod", namespaces=("team-a", "team-b"), rbac=None, document=FIRST)
    for namespace in ("team-a", "team-b"):
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        cluster.admin("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    for file in FILES:
        documents = (
            without(*missing)
            if missing and missing[0] == file
            else list(yaml.safe_load_all((RBAC / file).read_text()))
        )
        cluster.apply(*documents)
    if missing == INSTEAD_OF_A_LOOK:
        without_looking(world, "prod")
    # `default` of one namespace comes a moment after the list, as a controller makes it.
    cluster.admin("DELETE", "/api/v1/namespaces/team-a/serviceaccounts/default")
    default = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}

    def appear() -> None:
        for _ in range(200):
            if any("/serviceaccounts" in line for line in world.asked("prod")):
                break
            time.sleep(0.05)
        time.sleep(0.5)
        cluster.admin("POST", "/api/v1/namespaces/team-a/serviceaccounts", default)

    appears = threading.Thread(target=appear)
    appears.start()
    first = world.invoke()
    cluster.admin("DELETE", f"/api/v1/namespaces/team-a/secrets/{SECRET}")
    healed = [world.invoke({"action": "sweep"})["clusters"][0]["counts"] for _ in range(2)]
    world.document("prod", SECOND)
    second = world.invoke()
    appears.join()
    heals = healed == [{"created": 1, "current": 1}, {"current": 2}] or missing == INSTEAD_OF_A_LOOK
    return bool(first["ok"] and heals and second["ok"] and second["totals"].get("pruned") == 1)


def test_with_all_of_it_everything_works(world: World) -> None:
    assert a_life(world, None)


@pytest.mark.parametrize("missing", granted(), ids=" ".join)
def test_without_one_verb_something_does_not(world: World, missing: tuple[str, str, str]) -> None:
    assert not a_life(world, missing)
