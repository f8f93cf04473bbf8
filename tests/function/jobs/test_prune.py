"""Pruning: our Secret goes from namespaces no longer selected, and nothing else does."""

from typing import Any

import pytest

from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.world import SECRET, World

NOTE = "ecr-public-pusher/service-accounts"
ALL = "{namespaces: ['team-*'], prune: true}"
DROPPED = "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true}"


@pytest.fixture
def prod(world: World) -> World:
    """A cluster with prune's RBAC, pushed to, and a document that has dropped team-b since."""
    world.add_cluster("prod", namespaces=("team-a", "team-b", "other"), document=ALL)
    world.apply("prod", "prune.yaml")
    assert world.invoke()["ok"]
    world.document("prod", DROPPED)
    return world


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    return dict(report["clusters"][0]["counts"])


def owned(world: World, cluster: str, namespace: str, change: dict[str, Any]) -> None:
    """Changes the metadata of a Secret, as an administrator."""
    path = f"/api/v1/namespaces/{namespace}/secrets/{SECRET}"
    found = world.secret(cluster, namespace)
    assert found is not None
    for name, values in change.items():
        found["metadata"][name] = {**found["metadata"].get(name, {}), **values}
    status, _ = world.clusters[cluster].admin("PUT", path, found)
    assert status == 200, status


def test_the_secret_goes_from_a_namespace_that_was_dropped(prod: World) -> None:
    report = prod.invoke()
    assert (report["ok"], outcomes(report)) == (True, {"updated": 1, "pruned": 1})
    assert prod.secret("prod", "team-b") is None
    assert prod.secret("prod", "team-a") is not None


def test_a_namespace_without_a_secret_is_looked_at_and_not_spoken_of(prod: World) -> None:
    prod.invoke()
    assert outcomes(prod.invoke()) == {"updated": 1}


def test_without_prune_it_stays(prod: World) -> None:
    prod.document("prod", DROPPED.replace(", prune: true", ""))
    prod.invoke()
    assert prod.secret("prod", "team-b") is not None
    assert not [line for line in prod.asked("prod") if line.startswith("DELETE")]


def test_it_asks_for_metadata_only_and_deletes_what_it_saw(world: World) -> None:
    prod = world
    world.add_cluster("prod", namespaces=("team-a", "team-b"), document=ALL, embedded=True)
    world.apply("prod", "prune.yaml")
    world.invoke()
    world.document("prod", DROPPED)
    seen = prod.secret("prod", "team-b")
    assert seen is not None
    before = len(prod.clusters["prod"].requests)
    prod.invoke()
    asked = list(prod.clusters["prod"].requests)[before:]
    (get,) = [
        one for one in asked if one.method == "GET" and one.path.endswith(f"team-b/secrets/{SECRET}") and "PartialObject" in one.headers["accept"]
    ]
    (delete,) = [one for one in asked if one.method == "DELETE"]
    assert get.status == 200
    assert f'"uid":"{seen["metadata"]["uid"]}"'.encode() in delete.body
    assert f'"resourceVersion":"{seen["metadata"]["resourceVersion"]}"'.encode() in delete.body


@pytest.mark.parametrize(
    "change",
    [
        {"annotations": {"ecr-public-pusher/owner": "stack-of-a-test/another"}},
        {"annotations": {"ecr-public-pusher/owner": "another-stack/prod"}},
        {"labels": {"app.kubernetes.io/managed-by": "somebody"}},
    ],
)
def test_what_bears_another_owner_or_label_stays(prod: World, change: dict[str, Any]) -> None:
    owned(prod, "prod", "team-b", change)
    assert outcomes(prod.invoke()) == {"updated": 1}
    assert prod.secret("prod", "team-b") is not None


def test_somebody_elses_secret_stays(prod: World) -> None:
    prod.foreign_secret("prod", "other")
    assert outcomes(prod.invoke()) == {"updated": 1, "pruned": 1}
    assert prod.secret("prod", "other") is not None


def test_a_secret_that_looks_like_ours_but_was_never_applied_by_us_stays(prod: World) -> None:
    seen = prod.secret("prod", "team-b")
    assert seen is not None
    metadata = {name: seen["metadata"][name] for name in ("labels", "annotations")} | {"name": SECRET}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": seen["type"], "data": seen["data"]}
    prod.clusters["prod"].admin("POST", "/api/v1/namespaces/other/secrets?fieldManager=a-backup-tool", body)
    prod.invoke()
    assert prod.secret("prod", "other") is not None


def test_another_document_of_the_same_cluster_keeps_its_own(prod: World) -> None:
    prod.document("second", "{cluster: prod, namespaces: [team-b]}")
    prod.invoke({"clusters": ["second"]})
    prod.invoke({"clusters": ["prod"]})
    assert prod.secret("prod", "team-b") is not None


def test_a_plan_shows_it_and_deletes_nothing(prod: World) -> None:
    report = prod.invoke({"action": "plan"})
    assert outcomes(report) == {"updated": 1, "pruned": 1}
    assert prod.secret("prod", "team-b") is not None


@pytest.mark.parametrize("event", [{"action": "sweep"}, {"namespaces": ["team-a"]}])
def test_neither_a_sweep_nor_a_push_narrowed_to_namespaces_prunes(prod: World, event: dict[str, Any]) -> None:
    prod.invoke(event)
    assert prod.secret("prod", "team-b") is not None


def test_a_push_narrowed_to_its_cluster_does(prod: World) -> None:
    prod.invoke({"clusters": ["prod"]})
    assert prod.secret("prod", "team-b") is None


def test_a_namespace_whose_labels_left_the_selector_is_pruned(world: World) -> None:
    cluster = world.add_cluster(
        "prod", namespaces={"a": {"pull": "yes"}, "b": {"pull": "yes"}}, document="{namespaces: {selector: pull=yes}, prune: true}"
    )
    world.apply("prod", "prune.yaml")
    world.invoke()
    _, found = cluster.admin("GET", "/api/v1/namespaces/b")
    found["metadata"]["labels"]["pull"] = "no"
    cluster.admin("PUT", "/api/v1/namespaces/b", found)
    assert outcomes(world.invoke()) == {"updated": 1, "pruned": 1}
    assert world.secret("prod", "b") is None


def test_names_alone_are_listed_too_when_they_are_to_be_pruned(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="{namespaces: [a, b], prune: true}")
    world.apply("prod", "prune.yaml")
    world.invoke()
    world.document("prod", "{namespaces: [a], prune: true}")
    assert outcomes(world.invoke()) == {"updated": 1, "pruned": 1}


def test_a_terminating_namespace_is_left_alone(prod: World) -> None:
    cluster = prod.clusters["prod"]
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "going"}, "spec": {"finalizers": ["example.com/held"]}}
    cluster.admin("POST", "/api/v1/namespaces", body)
    cluster.admin("DELETE", "/api/v1/namespaces/going")
    prod.invoke()
    assert not [line for line in prod.asked("prod") if "/namespaces/going/" in line]


def test_without_the_rights_the_cluster_fails_after_its_pushes_were_done(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-a", "team-b", "other"), document=ALL)
    entry = world.invoke()["clusters"][0]
    assert entry["counts"] == {"created": 2}
    assert "not allowed to get and delete the Secret ecr-public-token" in entry["error"]["message"]
    assert "infra/rbac/prune.yaml" in entry["error"]["remedy"]
    assert entry["problems"] == []


def test_one_that_changes_between_the_look_and_the_delete_is_looked_at_anew(world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("team-a", "team-b"), document=ALL, embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    world.apply("prod", "prune.yaml")
    world.invoke()
    world.document("prod", DROPPED)
    taken: list[str] = []

    def meddle(request: SeenRequest) -> Response | None:
        if request.method == "DELETE" and not taken:
            taken.append(request.path)
            owned(world, "prod", "team-b", {"annotations": {"ecr-public-pusher/owner": "another-stack/prod"}})
        return None

    cluster.intercept = meddle
    assert outcomes(world.run()) == {"updated": 1}
    assert world.secret("prod", "team-b") is not None


def test_the_name_goes_from_the_accounts_where_we_put_it_and_from_no_other(world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("team-a", "team-b"), document="{namespaces: ['team-*'], prune: true, serviceAccounts: ['*']}")
    for file in ("prune.yaml", "service-accounts.yaml"):
        world.apply("prod", file)
    for name, entries in (("ours", ["regcred"]), ("theirs", ["regcred", SECRET])):
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}, "imagePullSecrets": [{"name": entry} for entry in entries]}
        cluster.admin("POST", "/api/v1/namespaces/team-b/serviceaccounts", body)
    world.invoke()
    world.document("prod", "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true, serviceAccounts: ['*']}")
    report = world.invoke()
    assert (report["ok"], outcomes(report)["pruned"], report["clusters"][0]["serviceAccountsChanged"]) == (True, 1, 1)
    left = {}
    for name in ("ours", "theirs"):
        _, found = cluster.admin("GET", f"/api/v1/namespaces/team-b/serviceaccounts/{name}")
        left[name] = [entry["name"] for entry in found["imagePullSecrets"]]
    assert left == {"ours": ["regcred"], "theirs": ["regcred", SECRET]}


def test_an_account_that_went_meanwhile_does_not_keep_the_secret(world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("team-a", "team-b"), document="{namespaces: ['team-*'], prune: true, serviceAccounts: ['b*']}")
    for file in ("prune.yaml", "service-accounts.yaml"):
        world.apply("prod", file)
    cluster.admin(
        "POST", "/api/v1/namespaces/team-b/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder"}}
    )
    world.invoke()
    cluster.admin("DELETE", "/api/v1/namespaces/team-b/serviceaccounts/builder")
    world.document("prod", "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true, serviceAccounts: ['b*']}")
    assert outcomes(world.invoke()) == {"updated": 1, "pruned": 1}


def test_accounts_that_may_not_be_changed_back_keep_the_secret_for_the_next_try(world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("team-a", "team-b"), document="{namespaces: ['team-*'], prune: true, serviceAccounts: ['b*']}")
    for file in ("prune.yaml", "service-accounts.yaml"):
        world.apply("prod", file)
    cluster.admin(
        "POST", "/api/v1/namespaces/team-b/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder"}}
    )
    world.invoke()
    cluster.admin("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher-service-accounts")
    world.document("prod", "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true}")
    (problem,) = world.invoke()["clusters"][0]["problems"]
    assert (problem["namespace"], problem["outcome"]) == ("team-b", "forbidden")
    assert "infra/rbac/service-accounts.yaml" in problem["remedy"]
    assert world.secret("prod", "team-b") is not None
