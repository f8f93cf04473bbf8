"""Secrets that nothing renews are named before they block pulls.

Whatever a document wrote stays its own.
"""

import re
from typing import Any

import pytest

from tests.support.reports import entry
from tests.support.secrets import aged
from tests.support.world import SECRET, STACK, World


def owner(world: World, namespace: str) -> str | None:
    found = world.secret("prod", namespace)
    return found["metadata"]["annotations"]["ecr-public-pusher/owner"] if found else None


@pytest.fixture
def prod(world: World) -> World:
    world.add_cluster(
        "prod", namespaces=("team-a", "team-b", "web"), document="namespaces: ['team-*', web]"
    )
    assert world.invoke()["ok"]
    return world


def test_a_typo_in_one_of_several_globs_is_reported_with_the_hours_that_are_left(
    prod: World,
) -> None:
    aged(prod, "prod", "team-a", hours_left=2)
    prod.document("prod", "namespaces: ['teem-*', web]")
    report = prod.invoke()
    found = entry(report)
    assert report["ok"] is False
    assert found["counts"] == {"updated": 1, "left": 2}
    assert found["emptyGlobs"] == ["teem-*"]
    messages = {problem["namespace"]: problem["message"] for problem in found["problems"]}
    assert "expires in 2.0 hours" in messages["team-a"]
    assert "expires in 12.0 hours" in messages["team-b"]


def test_namespaces_of_which_the_same_is_reported_share_one_command(prod: World) -> None:
    aged(prod, "prod", "web", hours_left=2)
    prod.add_namespace("prod", "last")
    prod.document("prod", "namespaces: [last]")
    problems = {one["namespace"]: one for one in entry(prod.invoke())["problems"]}
    one = problems["team-a"]
    other = problems["team-b"]
    web = problems["web"]
    assert (one["message"], one["remedy"]) == (other["message"], other["remedy"])
    assert re.search(
        rf"or delete it: `for namespace in team-a team-b; do kubectl --context \S+ -n \$namespace"
        rf" delete secret {SECRET}; done`\.$",
        one["remedy"],
    )
    assert re.search(
        rf"or delete it: `kubectl --context \S+ -n web delete secret {SECRET}`\.$", web["remedy"]
    )


def test_a_restored_copy_is_left_too(prod: World) -> None:
    """No manager holds its fields; the label says that it is ours."""
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]
    status, _ = prod.clusters["prod"].admin(
        "PATCH",
        f"/api/v1/namespaces/team-a/secrets/{SECRET}?fieldManager=restorer",
        patch,
        content_type="application/json-patch+json",
    )
    assert status == 200
    prod.document("prod", "namespaces: [team-b, web]")
    (problem,) = entry(prod.invoke())["problems"]
    assert (problem["namespace"], problem["outcome"]) == ("team-a", "left")


def test_one_whose_token_has_expired_blocks_pulls_now(prod: World) -> None:
    aged(prod, "prod", "team-a", hours_left=-1)
    prod.document("prod", "namespaces: ['team-b', web]")
    (problem,) = entry(prod.invoke())["problems"]
    assert "its token has expired, and blocks pulls" in problem["message"]


def test_a_document_under_another_id_adopts_what_the_old_one_wrote_and_removes_nothing(
    prod: World,
) -> None:
    before = prod.secret("prod", "web")
    prod.aws.delete_parameter("/ecr-public-pusher/clusters/prod")
    prod.document("production", "{cluster: prod, namespaces: ['team-*', web], prune: true}")
    prod.apply("prod", "prune.yaml")
    report = prod.invoke()
    assert (report["ok"], entry(report, "production")["counts"]) == (True, {"adopted": 3})
    assert {one["from"][0] for one in entry(report, "production")["adopted"]} == {"document prod"}
    after = prod.secret("prod", "web")
    assert before is not None
    assert after is not None
    assert (owner(prod, "web"), after["metadata"]["uid"]) == (
        STACK.owner("production"),
        before["metadata"]["uid"],
    )
    assert entry(prod.invoke(), "production")["counts"] == {"updated": 3}


def test_a_sweep_adopts_too(prod: World) -> None:
    prod.aws.delete_parameter("/ecr-public-pusher/clusters/prod")
    prod.document("production", "{cluster: prod, namespaces: ['team-*', web]}")
    assert entry(prod.invoke({"action": "sweep"}), "production")["counts"] == {"adopted": 3}


def test_what_a_disabled_document_wrote_is_reported_by_the_one_that_is_there(prod: World) -> None:
    prod.document("prod", "{namespaces: ['team-*', web], enabled: false}")
    prod.document("second", "{cluster: prod, namespaces: [web]}")
    found = entry(prod.invoke(), "second")
    assert found["counts"] == {"adopted": 1, "left": 2}
    assert "written by prod, which is disabled or deleted" in found["problems"][0]["message"]


@pytest.mark.parametrize("broken", ["namespaces: [*]", "{namespaces: ['team-*'], prune: maybe}"])
def test_an_invalid_document_keeps_its_secrets_from_a_second_one_that_selects_them(
    prod: World, broken: str
) -> None:
    before = prod.secret("prod", "team-a")
    prod.document("prod", broken)
    prod.document("second", "{cluster: prod, namespaces: ['team-*'], takeOwnership: true}")
    found = entry(prod.invoke(), "second")
    assert found["counts"] == {"conflict": 2}
    assert "belongs to the document prod, which is invalid" in found["problems"][0]["message"]
    assert prod.secret("prod", "team-a") == before
    assert entry(prod.invoke({"action": "sweep", "clusters": ["second"]}), "second")["ok"]


@pytest.mark.parametrize("event", [{"action": "sweep"}, {"namespaces": ["web"]}])
def test_only_a_whole_push_reports_what_is_left(prod: World, event: dict[str, Any]) -> None:
    prod.document("prod", "namespaces: [web]")
    assert prod.invoke(event)["ok"]


def test_another_stacks_or_somebody_elses_is_nobody_of_ours(prod: World) -> None:
    prod.clusters["prod"].admin("DELETE", f"/api/v1/namespaces/team-a/secrets/{SECRET}")
    prod.foreign_secret("prod", "team-a")
    prod.document("prod", "namespaces: [team-b, web]")
    assert prod.invoke()["ok"]
