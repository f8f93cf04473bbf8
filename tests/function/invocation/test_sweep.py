"""The sweep.

It writes Secrets that are missing or about to expire; a cluster where all is well receives lists
only.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.aws import Answer
from tests.support.secrets import aged, annotate, without_looking
from tests.support.world import SECRET, World

SWEEP = {"action": "sweep", "windowMinutes": 20}
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}


def emitted(printed: str) -> list[str]:
    """Return the names of the metrics in the function's output, by cluster."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return sorted(
        f"{line.get('cluster', '-')}:{metric['Name']}"
        for line in lines
        if "_aws" in line
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    )


def label(world: World, namespace: str, labels: dict[str, str]) -> None:
    cluster = world.clusters["prod"]
    _, found = cluster.admin("GET", f"/api/v1/namespaces/{namespace}")
    found["metadata"]["labels"] = {**found["metadata"].get("labels", {}), **labels}
    assert cluster.admin("PUT", f"/api/v1/namespaces/{namespace}", found)[0] == 200


def delete(world: World, namespace: str) -> None:
    assert (
        world.clusters["prod"].admin("DELETE", f"/api/v1/namespaces/{namespace}/secrets/{SECRET}")[
            0
        ]
        == 200
    )


def entries(world: World, namespace: str) -> list[str]:
    _, found = world.clusters["prod"].admin(
        "GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    )
    return [entry["name"] for entry in found.get("imagePullSecrets", [])]


# Changes between two pushes are corrected.


def test_a_label_that_comes_late_is_seen(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces={"a": {"pull": "yes"}, "late": {}},
        document="namespaces: {selector: pull=yes}",
    )
    world.invoke()
    label(world, "late", {"pull": "yes"})
    report = world.invoke(SWEEP)
    assert (report["ok"], report["clusters"][0]["counts"]) == (True, {"created": 1, "current": 1})
    assert world.secret("prod", "late") is not None


@pytest.mark.parametrize("document", ["namespaces: [a, b]", "namespaces: ['[ab]']"])
def test_a_secret_that_somebody_deleted_comes_back(world: World, document: str) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document=document)
    world.invoke()
    delete(world, "b")
    assert world.invoke(SWEEP)["clusters"][0]["counts"] == {"created": 1, "current": 1}
    assert world.token("prod", "b") == world.aws.ecr_public.issued[-1]


@pytest.mark.parametrize(("hours", "counts"), [(3.5, {"updated": 1}), (3.7, {"current": 1})])
def test_a_secret_that_is_about_to_end_is_renewed(
    world: World, hours: float, counts: dict[str, int]
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.invoke()
    aged(world, "prod", "a", hours_left=hours)
    assert world.invoke(SWEEP)["clusters"][0]["counts"] == counts


def test_an_account_that_is_made_later_gets_the_name(world: World) -> None:
    cluster = world.add_cluster(
        "prod",
        namespaces=("a",),
        document="{namespaces: [a], serviceAccounts: ['d*']}",
        embedded=True,
    )
    world.apply("prod", "service-accounts.yaml")
    world.invoke()
    cluster.admin("POST", "/api/v1/namespaces/a/serviceaccounts", ACCOUNT)
    calls = len(world.aws.called("ecr-public"))
    report = world.invoke(SWEEP)
    assert (report["ok"], report["clusters"][0]["serviceAccountsChanged"]) == (True, 1)
    assert entries(world, "a") == [SECRET]
    assert len(world.aws.called("ecr-public")) == calls  # the Secret needs nothing, so no token


@pytest.mark.parametrize("reset", [[], [{"name": "regcred"}]])
def test_an_accounts_list_that_a_deployment_tool_reset_is_corrected(
    world: World, reset: list[dict[str, str]]
) -> None:
    cluster = world.add_cluster(
        "prod",
        namespaces=("a",),
        document="{namespaces: [a], serviceAccounts: [default]}",
        embedded=True,
    )
    world.apply("prod", "service-accounts.yaml")
    cluster.admin("POST", "/api/v1/namespaces/a/serviceaccounts", ACCOUNT)
    world.invoke()
    _, found = cluster.admin("GET", "/api/v1/namespaces/a/serviceaccounts/default")
    assert (
        cluster.admin(
            "PUT",
            "/api/v1/namespaces/a/serviceaccounts/default",
            {**found, "imagePullSecrets": reset},
        )[0]
        == 200
    )
    assert world.invoke(SWEEP)["ok"]
    assert entries(world, "a") == [*(one["name"] for one in reset), SECRET]


def test_with_nothing_to_correct_it_sends_only_lists_and_requests_no_token(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    document = "{namespaces: ['team-*'], serviceAccounts: [default], prune: true}"
    cluster = world.add_cluster(
        "prod", namespaces=("team-a", "team-b"), document=document, embedded=True
    )
    for file in ("service-accounts.yaml", "prune.yaml"):
        world.apply("prod", file)
    for namespace in ("team-a", "team-b"):
        cluster.admin("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", ACCOUNT)
    assert world.invoke()["ok"]
    calls = len(world.aws.calls)
    requests = len(world.asked("prod"))
    issued = len(world.aws.ecr_public.issued)
    capsys.readouterr()
    assert world.invoke(SWEEP)["clusters"][0]["counts"] == {"current": 2}
    assert sorted(line.split("?")[0] for line in world.asked("prod")[requests:]) == [
        "GET /api/v1/namespaces",
        "GET /api/v1/secrets",
        "GET /api/v1/serviceaccounts",
    ]
    assert [call.action for call in world.aws.calls[calls:]] == ["GetParametersByPath"]
    assert len(world.aws.ecr_public.issued) == issued
    assert emitted(capsys.readouterr().out) == ["-:SecondsLeft"]


def test_a_name_of_no_namespace_is_not_written_to_again_and_again(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a, gone]")
    world.invoke()
    requests = len(world.asked("prod"))
    issued = len(world.aws.ecr_public.issued)
    report = world.invoke(SWEEP)
    assert (report["ok"], report["clusters"][0]["counts"]) == (True, {"current": 1})
    assert len(world.asked("prod")) - requests <= 4
    assert all(line.startswith("GET") for line in world.asked("prod")[requests:])
    assert len(world.aws.ecr_public.issued) == issued


def mine(world: World) -> None:
    world.document("another", "{cluster: prod, namespaces: [a]}")


def foreign(world: World) -> None:
    delete(world, "a")
    world.foreign_secret("prod", "a")


def held(world: World) -> None:
    annotate(world, "prod", "a", finalizers=["example.com/held"])
    delete(world, "a")


@pytest.mark.parametrize("happens", [mine, foreign, held])
def test_what_is_not_its_own_to_correct_is_left_to_the_push(
    world: World, happens: Callable[[World], None]
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]", embedded=True)
    world.invoke()
    happens(world)
    before = world.secret("prod", "a")
    requests = len(world.applies("prod"))
    assert world.invoke({**SWEEP, "clusters": ["prod"]})["ok"]
    assert len(world.applies("prod")) == requests
    assert world.secret("prod", "a") == before


# Where the function may not look, only new namespaces are served, as before.


def test_without_the_right_to_look_only_a_new_namespace_gets_its_secret(
    world: World,
) -> None:
    world.add_cluster(
        "prod",
        namespaces=("team-old", "team-new"),
        document="namespaces: ['team-*']",
        embedded=True,
    )
    without_looking(world, "prod")
    world.set_created("prod", "team-old", minutes_ago=25)
    world.set_created("prod", "team-new", minutes_ago=15)
    report = world.invoke(SWEEP)
    assert (report["action"], report["ok"], report["totals"]["created"]) == ("sweep", True, 1)
    assert world.token("prod", "team-new") == world.aws.ecr_public.issued[-1]
    assert world.secret("prod", "team-old") is None


def test_without_the_right_to_look_it_asks_for_no_token_where_nothing_is_new(world: World) -> None:
    world.add_cluster(
        "prod", namespaces=("team-old",), document="namespaces: ['team-*']", embedded=True
    )
    without_looking(world, "prod")
    world.set_created("prod", "team-old", minutes_ago=60)
    assert world.invoke(SWEEP)["ok"]
    assert world.aws.called("ecr-public") == []


def test_without_the_right_to_look_names_are_left_to_the_push(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    without_looking(world, "prod")
    report = world.invoke(SWEEP)
    assert (report["ok"], report["clusters"][0]["counts"]) == (True, {})
    assert world.applies("prod") == []


def test_a_clusters_answer_without_times_means_nothing_is_new(world: World) -> None:
    world.add_cluster(
        "prod", namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True
    )
    without_looking(world, "prod")
    world.set_created("prod", "team-a", minutes_ago=None)
    assert world.invoke(SWEEP)["ok"]
    assert world.secret("prod", "team-a", SECRET) is None


# The run as a whole.


def test_one_token_serves_all_clusters_with_something_new(world: World) -> None:
    for name in ("one", "two", "three"):
        world.add_cluster(
            name, namespaces=("team-a", "team-b"), document="namespaces: ['team-*']", embedded=True
        )
    assert world.invoke(SWEEP)["totals"]["created"] == 6
    assert len(world.aws.ecr_public.issued) == 1


def test_it_counts_only_in_clusters_it_wrote_to_or_that_failed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add_cluster(
        "new", namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True
    )
    world.add_cluster(
        "old", namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True
    )
    world.add_cluster(
        "shut", namespaces=("team-a",), document="namespaces: ['team-*']", rbac=None, embedded=True
    )
    world.invoke({"clusters": ["old"]})
    capsys.readouterr()
    assert not world.invoke(SWEEP)["ok"]
    logged = emitted(capsys.readouterr().out)
    assert "-:FullPushCompleted" not in logged
    assert {line.split(":")[0] for line in logged} == {"-", "new", "shut"}
    assert {"new:SecondsLeft", "new:ClusterFailed", "shut:ClusterFailed"} <= set(logged)
    assert [line for line in logged if line.startswith("-")] == [
        "-:ClustersFailed",
        "-:SecondsLeft",
        "-:TokenSecondsAtIssue",
    ]


def test_a_failed_cluster_is_reported_but_neither_raised_nor_queued(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", world.queue.url)
    world.add_cluster("shut", namespaces=("team-a",), document="namespaces: ['team-*']", rbac=None)
    report = world.invoke({**SWEEP, "raise": True})
    assert (report["ok"], report["totals"]["clustersFailed"]) == (False, 1)
    assert world.queue.waiting == []


def test_without_a_token_nothing_is_written_and_the_sweep_has_failed(world: World) -> None:
    for name in ("one", "two"):
        world.add_cluster(
            name, namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True
        )
    world.aws.script(
        "ecr-public", "GetAuthorizationToken", Answer(400, b'{"__type": "AccessDeniedException"}')
    )
    report = world.invoke(SWEEP)
    assert report["error"]["type"] == "TokenError"
    assert world.applies("one") + world.applies("two") == []
    assert (
        len(world.aws.called("ecr-public", "GetAuthorizationToken")) == 2
    )  # one for each of its regions, and not for each cluster


def test_an_unconfigured_deployment_sweeps_in_silence(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    report = world.invoke(SWEEP)
    assert (report["ok"], report["unconfigured"]) == (True, True)
    assert emitted(capsys.readouterr().out) == []


def test_a_sweep_leaves_disabled_and_bad_documents_to_the_push(world: World) -> None:
    world.document("off", "enabled: false\nnamespaces: ['*']")
    world.document("bad", "namespaces: {}")
    report = world.invoke(SWEEP)
    assert (report["ok"], report["clusters"]) == (True, [])


def test_a_terminating_namespace_needs_no_token(world: World) -> None:
    cluster = world.add_cluster("prod", document="namespaces: ['team-*']", embedded=True)
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "team-gone"},
    }
    cluster.admin(
        "POST", "/api/v1/namespaces", {**body, "spec": {"finalizers": ["example.com/held"]}}
    )
    cluster.admin("DELETE", "/api/v1/namespaces/team-gone")
    assert world.invoke(SWEEP)["ok"]
    assert world.aws.ecr_public.issued == []
