"""The least life left of any selected namespace's Secret: measured by each run, and emitted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.aws import Answer
from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.recorded_answers import recorded
from tests.support.secrets import aged, without_looking
from tests.support.world import World

HOUR = 3600


def left(world: World, event: dict[str, Any] | None = None) -> float | None:
    """Return the hours left by the report, to a tenth."""
    (found,) = world.invoke(event)["clusters"]
    return round(found["secondsLeft"] / HOUR, 1) if "secondsLeft" in found else None


@pytest.fixture
def prod(world: World) -> World:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: [a, b]", embedded=True)
    assert left(world) == 12.0
    return world


def refuse(world: World, namespace: str) -> None:
    cluster = world.clusters["prod"]
    assert isinstance(cluster, EmbeddedCluster)

    def answer(request: SeenRequest) -> Response | None:
        return (
            recorded("webhook-http-500").response
            if request.method == "PATCH" and f"/{namespace}/" in request.path
            else None
        )

    cluster.intercept = answer


def test_the_least_counts_of_those_that_were_not_renewed(prod: World) -> None:
    aged(prod, "prod", "b", hours_left=5)
    refuse(prod, "b")
    assert left(prod) == 5.0


def test_a_sweep_measures_too(prod: World) -> None:
    aged(prod, "prod", "b", hours_left=5)
    assert left(prod, {"action": "sweep"}) == 5.0
    aged(prod, "prod", "b", hours_left=1)
    refuse(prod, "b")
    assert left(prod, {"action": "sweep"}) == 1.0


def test_one_that_lacks_its_secret_has_nothing_left(prod: World) -> None:
    prod.clusters["prod"].admin("DELETE", "/api/v1/namespaces/b/secrets/ecr-public-token")
    refuse(prod, "b")
    assert left(prod) == 0.0


def test_a_namespace_that_is_not_there_and_a_secret_that_is_anothers_lack_nothing(
    prod: World,
) -> None:
    prod.add_namespace("prod", "c")
    prod.foreign_secret("prod", "c")
    prod.document("prod", "namespaces: [a, b, c, gone]")
    assert left(prod) == 12.0


def meanwhile(world: World, change: Callable[[], object]) -> None:
    """Have `change` happen in the namespace b between the next look at it and the write."""
    cluster = world.clusters["prod"]
    assert isinstance(cluster, EmbeddedCluster)
    left_to_do = [change]

    def answer(request: SeenRequest) -> Response | None:
        if request.method == "PATCH" and "/b/" in request.path and left_to_do:
            left_to_do.pop()()
        return None

    cluster.intercept = answer


@pytest.mark.parametrize("event", [{}, {"action": "sweep"}])
def test_one_that_another_owner_writes_meanwhile_lacks_nothing(
    prod: World, event: dict[str, str]
) -> None:
    prod.clusters["prod"].admin("DELETE", "/api/v1/namespaces/b/secrets/ecr-public-token")
    meanwhile(prod, lambda: prod.foreign_secret("prod", "b"))
    assert left(prod, event) == 12.0


def test_one_that_a_push_writes_during_a_sweep_has_its_life(prod: World) -> None:
    prod.clusters["prod"].admin("DELETE", "/api/v1/namespaces/b/secrets/ecr-public-token")
    meanwhile(prod, prod.invoke)
    assert left(prod, {"action": "sweep"}) == 12.0


def test_one_that_is_deleted_meanwhile_and_cannot_be_written_has_nothing_left(prod: World) -> None:
    cluster = prod.clusters["prod"]
    assert isinstance(cluster, EmbeddedCluster)

    def answer(request: SeenRequest) -> Response | None:
        if request.method != "PATCH" or "/b/" not in request.path:
            return None
        if prod.secret("prod", "b") is None:
            return recorded("webhook-http-500").response
        cluster.admin("DELETE", "/api/v1/namespaces/b/secrets/ecr-public-token")
        return None

    cluster.intercept = answer
    assert left(prod) == 0.0


@pytest.mark.parametrize(("event", "hours"), [({}, 5), ({"action": "sweep"}, 1)])
def test_a_secret_of_ours_counts_although_others_hold_a_label_that_keeps_it_from_being_renewed(
    prod: World, event: dict[str, str], hours: int
) -> None:
    prod.document("prod", "{namespaces: [a, b], labels: {team: a}}")
    assert left(prod) == 12.0
    aged(prod, "prod", "b", hours_left=hours)
    labelled = {"metadata": {"labels": {"team": "b"}}}
    status, _ = prod.clusters["prod"].admin(
        "PATCH",
        "/api/v1/namespaces/b/secrets/ecr-public-token?fieldManager=kubectl-label",
        labelled,
        content_type="application/merge-patch+json",
    )
    assert status == 200
    (found,) = prod.invoke(event)["clusters"]
    assert [problem["outcome"] for problem in found["problems"]] == ["conflict"]
    assert round(found["secondsLeft"] / HOUR, 1) == hours


def test_where_the_function_may_not_look_only_what_it_wrote_is_known(prod: World) -> None:
    without_looking(prod, "prod")
    assert left(prod) == 12.0
    assert left(prod, {"action": "sweep"}) is None


@pytest.mark.parametrize("event", [{"action": "plan"}, {"action": "check"}])
def test_a_dry_run_measures_nothing(prod: World, event: dict[str, str]) -> None:
    assert left(prod, event) is None


@pytest.mark.parametrize(("event", "hours"), [({}, 5), ({"action": "sweep"}, 1)])
def test_it_is_a_metric_of_each_cluster_and_of_all(
    prod: World, event: dict[str, str], hours: int, capsys: pytest.CaptureFixture[str]
) -> None:
    aged(prod, "prod", "b", hours_left=hours)
    refuse(prod, "b")
    capsys.readouterr()
    prod.invoke(event)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = {line.get("cluster"): line["SecondsLeft"][0] for line in lines if "SecondsLeft" in line}
    assert said.keys() == {None, "prod"}
    assert all(abs(seconds - hours * HOUR) < 60 for seconds in said.values())


@pytest.mark.parametrize(
    ("hours", "clusters"), [(2.9, {None, "prod"}), (3.1, {None}), (11.0, {None})]
)
def test_a_sweep_that_has_nothing_new_to_say_of_a_cluster_emits_none_for_it(
    prod: World, hours: float, clusters: set[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudWatch bills a series by the hours in which it is sent.

    An invalid document keeps the Secret, so that nothing renews it.
    """
    aged(prod, "prod", "b", hours_left=hours)
    prod.document("prod", "{namespaces: [a, b], prune: maybe}")
    prod.document("second", "{cluster: prod, namespaces: [b]}")
    capsys.readouterr()
    assert prod.invoke({"action": "sweep", "clusters": ["second"]})["ok"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = {line.get("cluster") for line in lines if "SecondsLeft" in line}
    assert said == {None if one is None else "second" for one in clusters}


def test_the_seconds_left_are_measured_without_a_token(
    prod: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Just then it is what the alarm must know."""
    aged(prod, "prod", "b", hours_left=1)
    prod.aws.script(
        "ecr-public", "GetAuthorizationToken", Answer(400, b'{"__type": "AccessDeniedException"}')
    )
    capsys.readouterr()
    assert not prod.invoke({"action": "sweep"})["ok"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = {line.get("cluster"): line["SecondsLeft"][0] for line in lines if "SecondsLeft" in line}
    assert abs(said["prod"] - HOUR) < 60
