"""The sweep: namespaces that were created lately, and next to nothing where there are none."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.aws import Answer
from infra.local.kube import EmbeddedCluster
from infra.local.kube.kinds import NAMESPACES
from tests.support.world import SECRET, World

SWEEP = {"action": "sweep", "windowMinutes": 20}


def created(world: World, cluster: str, namespace: str, *, minutes_ago: float | None) -> None:
    """Has a namespace say that it was created then, or (None) not say when. Only the embedded server lets that be set."""
    embedded = world.clusters[cluster]
    assert isinstance(embedded, EmbeddedCluster)
    found = embedded.store.get(NAMESPACES, "", namespace)
    assert found is not None
    moment = datetime.now(UTC) - timedelta(minutes=minutes_ago) if minutes_ago is not None else None
    stamp = {"creationTimestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None}
    embedded.store.put(NAMESPACES, {**found, "metadata": {**found["metadata"], **stamp}})


def emitted(printed: str) -> list[str]:
    """The names of the metrics in what the function printed, by cluster."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return sorted(
        f"{line.get('cluster', '-')}:{metric['Name']}"
        for line in lines
        if "_aws" in line
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    )


def test_a_new_namespace_gets_its_secret_and_an_old_one_is_left_alone(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-old", "team-new"), document="namespaces: ['team-*']", embedded=True)
    created(world, "prod", "team-old", minutes_ago=25)
    created(world, "prod", "team-new", minutes_ago=15)
    report = world.invoke(SWEEP)
    assert (report["action"], report["ok"], report["totals"]["created"]) == ("sweep", True, 1)
    assert world.token("prod", "team-new") == world.aws.ecr_public.issued[-1]
    assert world.secret("prod", "team-old") is None


def test_where_nothing_is_new_it_lists_once_and_asks_for_no_token(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.add_cluster("prod", namespaces=("team-old",), document="namespaces: ['team-*']", embedded=True)
    created(world, "prod", "team-old", minutes_ago=60)
    capsys.readouterr()
    assert world.invoke(SWEEP)["ok"]
    assert [line.split("?")[0] for line in world.asked("prod")] == ["GET /api/v1/namespaces"]
    assert world.aws.called("ecr-public") == []
    assert emitted(capsys.readouterr().out) == []


def test_in_a_warm_sandbox_it_costs_the_configuration_and_one_list(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-old",), document="namespaces: ['team-*']", embedded=True)
    world.invoke()
    created(world, "prod", "team-old", minutes_ago=60)
    calls, requests = len(world.aws.calls), len(world.asked("prod"))
    assert world.invoke(SWEEP)["ok"]
    assert [call.action for call in world.aws.calls[calls:]] == ["GetParametersByPath"]
    assert [line.split("?")[0] for line in world.asked("prod")[requests:]] == ["GET /api/v1/namespaces"]


def test_a_cluster_whose_namespaces_are_named_is_not_asked_at_all(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    report = world.invoke(SWEEP)
    assert (report["ok"], report["clusters"]) == (True, [])
    assert world.asked("prod") == []
    assert world.aws.called("eks") == []


def test_a_named_namespace_that_is_new_counts_where_a_list_shows_it(world: World) -> None:
    world.add_cluster("prod", namespaces=("named", "team-a"), document="namespaces: [named, gone, 'team-*']")
    assert world.invoke(SWEEP)["totals"]["created"] == 2


def test_one_token_serves_all_clusters_with_something_new(world: World) -> None:
    for name in ("one", "two", "three"):
        world.add_cluster(name, namespaces=("team-a", "team-b"), document="namespaces: ['team-*']", embedded=True)
    assert world.invoke(SWEEP)["totals"]["created"] == 6
    assert len(world.aws.ecr_public.issued) == 1


def test_it_speaks_only_of_clusters_it_wrote_to_or_that_failed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.add_cluster("new", namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True)
    world.add_cluster("old", namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True)
    world.add_cluster("shut", namespaces=("team-a",), document="namespaces: ['team-*']", rbac=None, embedded=True)
    created(world, "old", "team-a", minutes_ago=60)
    capsys.readouterr()
    assert not world.invoke(SWEEP)["ok"]
    logged = emitted(capsys.readouterr().out)
    assert "-:FullPushCompleted" not in logged
    assert {line.split(":")[0] for line in logged} == {"-", "new", "shut"}
    assert [line for line in logged if line.startswith("-")] == ["-:ClustersFailed", "-:TokenSecondsAtIssue"]


def test_a_failed_cluster_is_reported_but_neither_raised_nor_queued(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", world.queue.url)
    world.add_cluster("shut", namespaces=("team-a",), document="namespaces: ['team-*']", rbac=None)
    report = world.invoke({**SWEEP, "raise": True})
    assert (report["ok"], report["totals"]["clustersFailed"]) == (False, 1)
    assert world.queue.waiting == []


def test_without_a_token_nothing_is_written_and_the_sweep_has_failed(world: World) -> None:
    for name in ("one", "two"):
        world.add_cluster(name, namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True)
    world.aws.script("ecr-public", "GetAuthorizationToken", Answer(400, b'{"__type": "AccessDeniedException"}'))
    report = world.invoke(SWEEP)
    assert report["error"]["type"] == "TokenError"
    assert world.applies("one") + world.applies("two") == []
    assert len(world.aws.called("ecr-public", "GetAuthorizationToken")) == 2  # one for each of its regions, and not for each cluster


def test_an_unconfigured_deployment_sweeps_in_silence(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    report = world.invoke(SWEEP)
    assert (report["ok"], report["unconfigured"]) == (True, True)
    assert emitted(capsys.readouterr().out) == []


def test_a_sweep_leaves_disabled_and_bad_documents_to_the_push(world: World) -> None:
    world.document("off", "enabled: false\nnamespaces: ['*']")
    world.document("bad", "namespaces: {}")
    report = world.invoke(SWEEP)
    assert (report["ok"], report["clusters"]) == (True, [])


def test_a_terminating_namespace_is_skipped_without_a_token(world: World) -> None:
    cluster = world.add_cluster("prod", document="namespaces: ['team-*']", embedded=True)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-gone"}, "spec": {"finalizers": ["example.com/held"]}}
    cluster.admin("POST", "/api/v1/namespaces", body)
    cluster.admin("DELETE", "/api/v1/namespaces/team-gone")
    assert world.invoke(SWEEP)["totals"]["skipped"] == 1
    assert world.aws.ecr_public.issued == []


def test_a_clusters_answer_without_times_means_nothing_is_new(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True)
    created(world, "prod", "team-a", minutes_ago=None)
    assert world.invoke(SWEEP)["ok"]
    assert world.secret("prod", "team-a", SECRET) is None
