"""The uninstall: our Secrets are deleted from the named clusters, and a plan shows it first."""

from typing import Any

import pytest

from ecr_public_pusher.errors import PushFailed
from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.secrets import annotate, without_looking
from tests.support.world import SECRET, World

REMOVE = {"action": "remove", "clusters": ["prod"]}
PLAN = {"action": "plan", "remove": True, "clusters": ["prod"]}


@pytest.fixture
def prod(world: World) -> World:
    """Return a cluster that was pushed to."""
    world.add_cluster(
        "prod", namespaces=("team-a", "team-b", "other"), document="namespaces: ['team-*']"
    )
    world.apply("prod", "prune.yaml")
    assert world.invoke()["ok"]
    return world


def left(world: World, cluster: str = "prod") -> list[str]:
    return [
        name for name in ("team-a", "team-b", "other") if world.secret(cluster, name) is not None
    ]


def counts(report: dict[str, Any]) -> dict[str, int]:
    return dict(report["clusters"][0]["counts"])


def test_all_that_was_written_is_deleted_without_a_token(prod: World) -> None:
    issued = len(prod.aws.ecr_public.issued)
    report = prod.invoke(REMOVE)
    assert (report["action"], report["ok"], counts(report), report["tokens"]) == (
        "remove",
        True,
        {"removed": 2},
        [],
    )
    assert left(prod) == []
    assert len(prod.aws.ecr_public.issued) == issued


def test_a_plan_of_it_changes_nothing(prod: World) -> None:
    report = prod.invoke(PLAN)
    assert (report["action"], report["dryRun"], counts(report)) == ("plan", True, {"removed": 2})
    assert left(prod) == ["team-a", "team-b"]
    assert {line.partition("?")[2] for line in prod.asked("prod") if line.startswith("DELETE")} == {
        "dryRun=All"
    }


def test_a_second_time_there_is_nothing_to_do(prod: World) -> None:
    prod.invoke(REMOVE)
    report = prod.invoke(REMOVE)
    assert (report["ok"], counts(report)) == (True, {})


def test_somebody_elses_secret_stays(prod: World) -> None:
    prod.foreign_secret("prod", "other")
    prod.invoke(REMOVE)
    assert left(prod) == ["other"]


def test_what_an_earlier_configuration_selected_is_removed_too(prod: World) -> None:
    prod.document("prod", "namespaces: [team-a]")
    assert counts(prod.invoke(REMOVE)) == {"removed": 2}


def test_a_disabled_document_is_removed_too(prod: World) -> None:
    prod.document("prod", "{namespaces: ['team-*'], enabled: false}")
    assert counts(prod.invoke(REMOVE)) == {"removed": 2}


def test_only_the_named_clusters_are_touched_and_a_star_means_all(prod: World) -> None:
    prod.add_cluster("edge", namespaces=("team-a",), document="namespaces: [team-a]")
    prod.apply("edge", "prune.yaml")
    prod.invoke()
    prod.invoke(REMOVE)
    assert prod.secret("edge", "team-a") is not None
    prod.invoke({"action": "remove", "clusters": ["*"]})
    assert prod.secret("edge", "team-a") is None


@pytest.mark.parametrize(
    "event",
    [
        {"action": "remove"},
        {"action": "plan", "remove": True},
        {"action": "remove", "clusters": []},
    ],
)
def test_never_all_without_saying_so(prod: World, event: dict[str, Any]) -> None:
    assert prod.invoke(event)["error"]["type"] == "RequestError"
    assert left(prod) == ["team-a", "team-b"]


def test_where_no_list_is_allowed_the_names_are_used(world: World) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("b",), rbac="namespaced.yaml", document="namespaces: [default]"
    )
    assert world.invoke()["ok"]
    world.apply("prod", "prune.yaml")
    report = world.invoke(REMOVE)
    assert (report["ok"], counts(report)) == (True, {"removed": 1})
    assert cluster.admin("GET", f"/api/v1/namespaces/default/secrets/{SECRET}")[0] == 404


def test_without_the_rights_it_fails_with_the_file_to_apply(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-a",), document="namespaces: ['team-*']")
    world.invoke()
    with pytest.raises(PushFailed, match="1 of 1 clusters failed: prod"):
        world.call(REMOVE)
    (problem,) = world.invoke(REMOVE)["clusters"][0]["problems"]
    assert problem["outcome"] == "forbidden"
    assert "infra/rbac/prune.yaml" in problem["remedy"]
    without_looking(world, "prod")
    entry = world.invoke(REMOVE)["clusters"][0]
    assert "infra/rbac/prune.yaml" in entry["error"]["remedy"]


def test_it_asks_once_for_all_namespaces(world: World) -> None:
    names = tuple(f"team-{number:03}" for number in range(120))
    world.add_cluster("prod", namespaces=names, document="namespaces: [team-007]", embedded=True)
    world.apply("prod", "prune.yaml")
    world.invoke()
    before = len(world.asked("prod"))
    assert counts(world.invoke(REMOVE)) == {"removed": 1}
    assert len(world.asked("prod")) - before <= 12


def test_a_404_that_is_not_the_api_servers_own_deletes_nothing_and_is_no_success(
    world: World,
) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    world.apply("prod", "prune.yaml")
    world.invoke()
    cluster.intercept = lambda request: (
        Response(404, b"not here") if request.method == "DELETE" else None
    )  # a proxy's
    report = world.invoke(REMOVE)
    (problem,) = report["clusters"][0]["problems"]
    assert (report["ok"], problem["outcome"]) == (False, "failed")


def test_a_removal_that_failed_is_not_queued_as_a_push(
    prod: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", prod.queue.url)
    prod.clusters["prod"].admin(
        "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher-prune"
    )
    assert prod.invoke(REMOVE)["ok"] is False
    assert prod.queue.waiting == []


def test_a_removal_emits_no_metric(prod: World, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    prod.invoke(REMOVE)
    assert '"_aws"' not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("namespaces", "stays"),
    [
        ("[team-a]", ["team-a"]),
        ("['team-*']", ["team-a", "team-b"]),
        ("{selector: of=us}", ["team-b"]),
        ("{include: ['team-*'], exclude: [team-a]}", ["team-b"]),
    ],
)
@pytest.mark.parametrize("looks", [True, False])
def test_what_another_document_of_the_cluster_selects_stays_for_it(
    prod: World, namespaces: str, stays: list[str], looks: bool
) -> None:
    prod.clusters["prod"].admin(
        "PATCH",
        "/api/v1/namespaces/team-b",
        {"metadata": {"labels": {"of": "us"}}},
        content_type="application/merge-patch+json",
    )
    prod.document("prod", "{namespaces: ['team-*'], enabled: false}")
    prod.document("renamed", f"{{cluster: prod, namespaces: {namespaces}}}")
    if not looks:
        without_looking(prod, "prod")
    report = prod.invoke(REMOVE)
    assert (report["ok"], counts(report).get("skipped")) == (True, len(stays))
    assert left(prod) == stays


@pytest.mark.parametrize(
    "other",
    [
        "{cluster: prod, namespaces: ['team-*'], enabled: false}",
        "{cluster: prod, namespaces: ['team-*'], secretName: other}",
        "{cluster: prod, namespaces: ['team-*'], region: eu-west-1}",
        "{cluster: other, namespaces: ['team-*']}",
    ],
)
def test_another_document_that_does_not_write_the_same_secrets_keeps_none(
    prod: World, other: str
) -> None:
    prod.document("other", other)
    prod.invoke(REMOVE)
    assert left(prod) == []


def test_of_two_documents_that_are_both_removed_nothing_stays(prod: World) -> None:
    prod.document("renamed", "{cluster: prod, namespaces: ['team-*']}")
    report = prod.invoke({"action": "remove", "clusters": ["*"]})
    assert (report["ok"], report["totals"]["removed"]) == (True, 2)
    assert left(prod) == []


@pytest.mark.parametrize("listed", [True, False])
def test_what_changed_since_the_look_is_looked_at_with_the_same_right_and_deleted(
    world: World, listed: bool
) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    world.apply("prod", "prune.yaml")
    assert world.invoke()["ok"]
    if not listed:
        without_looking(world, "prod")
    deletes: list[bytes] = []

    def write_first(request: SeenRequest) -> Response | None:
        if request.method == "DELETE":
            if not deletes:
                annotate(world, "prod", "a", annotations={"example.com/written": "meanwhile"})
            deletes.append(request.body)
        return None

    cluster.intercept = write_first
    report = world.invoke(REMOVE)
    assert (report["ok"], counts(report), len(deletes)) == (True, {"removed": 1}, 2)
    assert world.secret("prod", "a") is None


def test_accounts_are_listed_once_for_all_namespaces(prod: World) -> None:
    prod.apply("prod", "service-accounts.yaml")
    prod.document("prod", "{namespaces: ['team-*'], serviceAccounts: [default]}")
    for name in ("team-a", "team-b"):
        prod.clusters["prod"].apply(
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "default", "namespace": name},
            }
        )
    assert prod.invoke()["ok"]
    before = len(prod.asked("prod"))
    assert counts(prod.invoke(REMOVE)) == {"removed": 2}
    lists = [line.split("?")[0] for line in prod.asked("prod")[before:] if "GET" in line]
    assert [line for line in lists if line.endswith("serviceaccounts")] == [
        "GET /api/v1/serviceaccounts"
    ]


def test_where_labels_cannot_be_known_a_selector_may_select(world: World) -> None:
    world.add_cluster("prod", rbac="namespaced.yaml", document="namespaces: [default]")
    assert world.invoke()["ok"]
    world.apply("prod", "prune.yaml")
    world.document("prod", "{namespaces: [default], enabled: false}")
    world.document("renamed", "{cluster: prod, namespaces: {selector: of=us}}")
    report = world.invoke(REMOVE)
    assert (report["ok"], counts(report)) == (True, {"skipped": 1})
    assert world.secret("prod", "default") is not None
