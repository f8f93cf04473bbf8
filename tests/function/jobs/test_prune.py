"""Pruning: our Secret is deleted from namespaces no longer selected, and nothing else is."""

from typing import Any

import pytest

from infra.local.kube import Cluster, EmbeddedCluster, Response, SeenRequest
from tests.support.recorded_answers import recorded
from tests.support.secrets import annotate, without_looking
from tests.support.world import SECRET, STACK, World

ALL = "{namespaces: ['team-*'], prune: true}"
DROPPED = "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true}"


@pytest.fixture
def prod(world: World) -> World:
    """Return a cluster with prune's RBAC, pushed to, whose document has dropped team-b since."""
    world.add_cluster("prod", namespaces=("team-a", "team-b", "other"), document=ALL)
    world.apply("prod", "prune.yaml")
    assert world.invoke()["ok"]
    world.document("prod", DROPPED)
    return world


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    return dict(report["clusters"][0]["counts"])


def test_the_secret_is_deleted_from_a_namespace_that_was_dropped(prod: World) -> None:
    report = prod.invoke()
    assert (report["ok"], outcomes(report)) == (True, {"updated": 1, "pruned": 1})
    assert prod.secret("prod", "team-b") is None
    assert prod.secret("prod", "team-a") is not None


def test_a_namespace_without_a_secret_is_looked_at_and_not_reported(prod: World) -> None:
    prod.invoke()
    assert outcomes(prod.invoke()) == {"updated": 1}


def test_without_prune_it_stays_and_is_reported_to_be_left(prod: World) -> None:
    prod.document("prod", DROPPED.replace(", prune: true", ""))
    report = prod.invoke()
    (problem,) = report["clusters"][0]["problems"]
    assert (report["ok"], problem["namespace"], problem["outcome"]) == (False, "team-b", "left")
    assert "expires in 12.0 hours" in problem["message"]
    assert prod.secret("prod", "team-b") is not None
    assert not [line for line in prod.asked("prod") if line.startswith("DELETE")]


def test_it_asks_once_for_metadata_only_and_deletes_what_it_saw(world: World) -> None:
    prod = world
    names = tuple(f"team-{number:03}" for number in range(120))
    world.add_cluster("prod", namespaces=names, document=ALL, embedded=True)
    world.apply("prod", "prune.yaml")
    world.invoke()
    world.document("prod", "{namespaces: {include: ['team-*'], exclude: [team-001]}, prune: true}")
    seen = prod.secret("prod", "team-001")
    assert seen is not None
    before = len(prod.clusters["prod"].requests)
    prod.invoke()
    asked = [
        one
        for one in list(prod.clusters["prod"].requests)[before:]
        if not one.path.endswith("selfsubjectaccessreviews")
    ]
    (get,) = [one for one in asked if one.method == "GET" and "/secrets?" in one.path]
    (delete,) = [one for one in asked if one.method == "DELETE"]
    assert (get.status, "PartialObjectMetadataList" in get.headers["accept"]) == (200, True)
    assert f'"uid":"{seen["metadata"]["uid"]}"'.encode() in delete.body
    assert f'"resourceVersion":"{seen["metadata"]["resourceVersion"]}"'.encode() in delete.body
    assert len([one for one in asked if one.method != "PATCH"]) <= 12


@pytest.mark.parametrize(
    "change",
    [
        {"annotations": {"ecr-public-pusher/owner": "111122223333/us-east-1/another-stack/prod"}},
        {"annotations": {"ecr-public-pusher/owner": "111122223333/eu-west-1/stack-of-a-test/prod"}},
        {"annotations": {"ecr-public-pusher/owner": "stack-of-a-test/prod"}},
        {"labels": {"app.kubernetes.io/managed-by": "somebody"}},
    ],
)
def test_what_has_another_owner_or_label_stays(prod: World, change: dict[str, Any]) -> None:
    annotate(prod, "prod", "team-b", **change)
    assert outcomes(prod.invoke()) == {"updated": 1}
    assert prod.secret("prod", "team-b") is not None


def test_what_a_document_that_is_gone_wrote_is_reported_and_not_pruned(prod: World) -> None:
    annotate(
        prod, "prod", "team-b", annotations={"ecr-public-pusher/owner": STACK.owner("another")}
    )
    report = prod.invoke()
    (problem,) = report["clusters"][0]["problems"]
    assert (problem["namespace"], problem["outcome"]) == ("team-b", "left")
    assert "written by another, which is disabled or deleted" in problem["message"]
    assert prod.secret("prod", "team-b") is not None


def test_somebody_elses_secret_stays(prod: World) -> None:
    prod.foreign_secret("prod", "other")
    assert outcomes(prod.invoke()) == {"updated": 1, "pruned": 1}
    assert prod.secret("prod", "other") is not None


def test_a_secret_that_looks_like_ours_but_was_never_applied_by_us_stays(prod: World) -> None:
    seen = prod.secret("prod", "team-b")
    assert seen is not None
    metadata = {name: seen["metadata"][name] for name in ("labels", "annotations")} | {
        "name": SECRET
    }
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": seen["type"],
        "data": seen["data"],
    }
    prod.clusters["prod"].admin(
        "POST", "/api/v1/namespaces/other/secrets?fieldManager=a-backup-tool", body
    )
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
def test_neither_a_sweep_nor_a_push_narrowed_to_namespaces_prunes(
    prod: World, event: dict[str, Any]
) -> None:
    prod.invoke(event)
    assert prod.secret("prod", "team-b") is not None


def test_a_push_narrowed_to_its_cluster_does(prod: World) -> None:
    prod.invoke({"clusters": ["prod"]})
    assert prod.secret("prod", "team-b") is None


def test_a_namespace_whose_labels_left_the_selector_is_pruned(world: World) -> None:
    cluster = world.add_cluster(
        "prod",
        namespaces={"a": {"pull": "yes"}, "b": {"pull": "yes"}},
        document="{namespaces: {selector: pull=yes}, prune: true}",
    )
    world.apply("prod", "prune.yaml")
    world.invoke()
    _, found = cluster.admin("GET", "/api/v1/namespaces/b")
    found["metadata"]["labels"]["pull"] = "no"
    cluster.admin("PUT", "/api/v1/namespaces/b", found)
    assert outcomes(world.invoke()) == {"updated": 1, "pruned": 1}
    assert world.secret("prod", "b") is None


def test_names_without_globs_are_listed_too_when_they_are_to_be_pruned(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="{namespaces: [a, b], prune: true}")
    world.apply("prod", "prune.yaml")
    world.invoke()
    world.document("prod", "{namespaces: [a], prune: true}")
    assert outcomes(world.invoke()) == {"updated": 1, "pruned": 1}


def test_a_terminating_namespace_is_not_touched(prod: World) -> None:
    """Its Secret goes with it; without that, it would be pruned."""
    cluster = prod.clusters["prod"]
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "team-going"},
        "spec": {"finalizers": ["example.com/held"]},
    }
    cluster.admin("POST", "/api/v1/namespaces", body)
    prod.document("prod", ALL)
    assert outcomes(prod.invoke())["created"] == 1
    cluster.admin("DELETE", "/api/v1/namespaces/team-going")
    prod.document("prod", "{namespaces: [team-a, team-b], prune: true}")
    assert outcomes(prod.invoke()) == {"updated": 2}
    assert not [line for line in prod.asked("prod") if line.startswith("DELETE")]


def test_without_the_rights_the_cluster_fails_after_its_pushes_were_done(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-a", "team-b", "other"), document=ALL)
    without_looking(world, "prod")
    entry = world.invoke()["clusters"][0]
    assert entry["counts"] == {"created": 2}
    assert "not allowed to get and delete the Secret ecr-public-token" in entry["error"]["message"]
    assert "infra/rbac/prune.yaml" in entry["error"]["remedy"]
    assert entry["problems"] == []


def test_without_the_right_to_delete_what_was_seen_stays_and_that_is_reported(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-a", "team-b"), document=ALL)
    world.invoke()
    world.document("prod", DROPPED)
    (problem,) = world.invoke()["clusters"][0]["problems"]
    assert (problem["namespace"], problem["outcome"]) == ("team-b", "forbidden")
    assert "infra/rbac/prune.yaml" in problem["remedy"]
    assert world.secret("prod", "team-b") is not None


def test_one_that_changes_between_the_look_and_the_delete_is_looked_at_again(world: World) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("team-a", "team-b"), document=ALL, embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    world.apply("prod", "prune.yaml")
    world.invoke()
    world.document("prod", DROPPED)
    taken: list[str] = []

    def meddle(request: SeenRequest) -> Response | None:
        if request.method == "DELETE" and not taken:
            taken.append(request.path)
            annotate(
                world,
                "prod",
                "team-b",
                annotations={
                    "ecr-public-pusher/owner": "111122223333/us-east-1/another-stack/prod"
                },
            )
        return None

    cluster.intercept = meddle
    assert outcomes(world.run()) == {"updated": 1}
    assert world.secret("prod", "team-b") is not None


def test_the_name_is_removed_from_the_accounts_where_we_put_it_and_from_no_other(
    world: World,
) -> None:
    cluster = world.add_cluster(
        "prod",
        namespaces=("team-a", "team-b"),
        document="{namespaces: ['team-*'], prune: true, serviceAccounts: ['*']}",
    )
    for file in ("prune.yaml", "service-accounts.yaml"):
        world.apply("prod", file)
    for name, entries in (("ours", ["regcred"]), ("theirs", ["regcred", SECRET])):
        body = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name},
            "imagePullSecrets": [{"name": entry} for entry in entries],
        }
        cluster.admin("POST", "/api/v1/namespaces/team-b/serviceaccounts", body)
    world.invoke()
    world.document(
        "prod",
        "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true, serviceAccounts:"
        " ['*']}",
    )
    report = world.invoke()
    assert (
        report["ok"],
        outcomes(report)["pruned"],
        report["clusters"][0]["serviceAccountsChanged"],
    ) == (True, 1, 1)
    left = {}
    for name in ("ours", "theirs"):
        _, found = cluster.admin("GET", f"/api/v1/namespaces/team-b/serviceaccounts/{name}")
        left[name] = [entry["name"] for entry in found["imagePullSecrets"]]
    assert left == {"ours": ["regcred"], "theirs": ["regcred", SECRET]}


def test_an_account_that_went_meanwhile_does_not_keep_the_secret(world: World) -> None:
    cluster = world.add_cluster(
        "prod",
        namespaces=("team-a", "team-b"),
        document="{namespaces: ['team-*'], prune: true, serviceAccounts: ['b*']}",
    )
    for file in ("prune.yaml", "service-accounts.yaml"):
        world.apply("prod", file)
    cluster.admin(
        "POST",
        "/api/v1/namespaces/team-b/serviceaccounts",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder"}},
    )
    world.invoke()
    cluster.admin("DELETE", "/api/v1/namespaces/team-b/serviceaccounts/builder")
    world.document(
        "prod",
        "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true, serviceAccounts:"
        " ['b*']}",
    )
    assert outcomes(world.invoke()) == {"updated": 1, "pruned": 1}


def test_accounts_that_may_not_be_changed_back_keep_the_secret_for_the_next_try(
    world: World,
) -> None:
    cluster = world.add_cluster(
        "prod",
        namespaces=("team-a", "team-b"),
        document="{namespaces: ['team-*'], prune: true, serviceAccounts: ['b*']}",
    )
    for file in ("prune.yaml", "service-accounts.yaml"):
        world.apply("prod", file)
    cluster.admin(
        "POST",
        "/api/v1/namespaces/team-b/serviceaccounts",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder"}},
    )
    world.invoke()
    cluster.admin(
        "DELETE",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher-service-accounts",
    )
    world.document("prod", "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true}")
    (problem,) = world.invoke()["clusters"][0]["problems"]
    assert (problem["namespace"], problem["outcome"]) == ("team-b", "forbidden")
    assert "infra/rbac/service-accounts.yaml" in problem["remedy"]
    assert world.secret("prod", "team-b") is not None


def accounts(world: World, namespace: str) -> list[str]:
    _, found = world.clusters["prod"].admin(
        "GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    )
    return [entry["name"] for entry in found.get("imagePullSecrets", [])]


def test_a_namespace_handed_to_another_document_in_between_keeps_its_secret_and_its_accounts(
    world: World,
) -> None:
    """The other document's push comes right before the delete.

    The name that was removed by then is put back.
    """
    every = "{namespaces: ['team-*'], prune: true, serviceAccounts: [default]}"
    cluster = world.add_cluster(
        "prod", namespaces=("team-a", "team-b"), document=every, embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    for file in ("prune.yaml", "service-accounts.yaml"):
        world.apply("prod", file)
    for name in ("team-a", "team-b"):
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        cluster.admin("POST", f"/api/v1/namespaces/{name}/serviceaccounts", body)
    world.invoke()
    world.document(
        "prod",
        "{namespaces: {include: ['team-*'], exclude: [team-b]}, prune: true, serviceAccounts:"
        " [default]}",
    )
    pushed: list[str] = []

    def hand_over(request: SeenRequest) -> Response | None:
        if request.method == "DELETE" and not pushed:
            pushed.append(request.path)
            world.document(
                "second", "{cluster: prod, namespaces: [team-b], serviceAccounts: [default]}"
            )
            assert world.run({"clusters": ["second"]})["ok"]
        return None

    cluster.intercept = hand_over
    report = world.run({"clusters": ["prod"]})
    assert pushed
    assert report["ok"]
    assert accounts(world, "team-b") == [SECRET]
    secret = world.secret("prod", "team-b")
    assert secret is not None
    assert secret["metadata"]["annotations"]["ecr-public-pusher/owner"] == STACK.owner("second")


@pytest.fixture
def leaving(world: World) -> World:
    """Return a cluster whose team-b is no longer selected, with the name in its account."""
    document = "{{namespaces: {}, prune: true, serviceAccounts: [default]}}"
    cluster = world.add_cluster(
        "prod",
        namespaces=("team-a", "team-b"),
        document=document.format("['team-*']"),
        embedded=True,
    )
    for file in ("prune.yaml", "service-accounts.yaml"):
        world.apply("prod", file)
    for name in ("team-a", "team-b"):
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        cluster.admin("POST", f"/api/v1/namespaces/{name}/serviceaccounts", body)
    world.invoke()
    world.document("prod", document.format("{include: ['team-*'], exclude: [team-b]}"))
    assert accounts(world, "team-b") == [SECRET]
    return world


def test_accounts_get_the_name_back_where_the_delete_is_refused(leaving: World) -> None:
    """An admission policy refuses it."""
    refused: list[list[str]] = []

    def refuse(request: SeenRequest) -> Response | None:
        if request.method != "DELETE":
            return None
        refused.append(accounts(leaving, "team-b"))
        return recorded("delete-against-a-policy").response

    cluster = leaving.clusters["prod"]
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = refuse
    (problem,) = leaving.run()["clusters"][0]["problems"]
    assert (problem["namespace"], problem["outcome"]) == ("team-b", "failed")
    assert refused == [[]]
    assert accounts(leaving, "team-b") == [SECRET]
    assert leaving.secret("prod", "team-b") is not None


def test_accounts_get_the_name_back_where_the_secret_keeps_changing(leaving: World) -> None:
    changed: list[str] = []

    def change_first(request: SeenRequest) -> Response | None:
        if request.method == "DELETE":
            changed.append(request.path)
            annotate(leaving, "prod", "team-b", annotations={"changed": str(len(changed))})
        return None

    cluster = leaving.clusters["prod"]
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = change_first
    (problem,) = leaving.run()["clusters"][0]["problems"]
    assert "keeps changing" in problem["message"]
    assert len(changed) > 1
    assert accounts(leaving, "team-b") == [SECRET]


def test_an_entry_that_is_put_before_ours_in_between_stays(leaving: World) -> None:
    path = "/api/v1/namespaces/team-b/serviceaccounts/default"
    cluster = leaving.clusters["prod"]
    assert isinstance(cluster, EmbeddedCluster)
    tries: list[str] = []

    def put_before(request: SeenRequest) -> Response | None:
        if request.method == "PATCH" and path in request.path:
            tries.append(request.path)
            if len(tries) == 1:
                _, found = cluster.admin("GET", path)
                found["imagePullSecrets"] = [{"name": "regcred"}, *found["imagePullSecrets"]]
                assert cluster.admin("PUT", path, found)[0] == 200
        return None

    cluster.intercept = put_before
    assert outcomes(leaving.run()) == {"updated": 1, "pruned": 1}
    assert len(tries) == 2
    assert accounts(leaving, "team-b") == ["regcred"]


def many(world: World, count: int) -> None:
    names = tuple(f"team-{number:02}" for number in range(count))
    world.add_cluster("prod", namespaces=names, document=ALL, embedded=True)
    world.apply("prod", "prune.yaml")
    assert world.invoke()["totals"]["created"] == count


def secrets(world: World) -> int:
    _, found = world.clusters["prod"].admin("GET", "/api/v1/secrets")
    return sum(item["metadata"]["name"] == SECRET for item in found["items"])


@pytest.mark.parametrize(
    ("count", "selected", "prunes"),
    [
        (8, "team-0[0-2]", True),
        (9, "team-0[0-2]", False),
        (14, "team-0[0-6]", True),
        (15, "team-0[0-6]", False),
        (3, "teem-*", False),
    ],
)
def test_the_brake_holds_back_a_large_prune(
    world: World, count: int, selected: str, prunes: bool
) -> None:
    """More than five Secrets, and more than stay; or nothing selected."""
    many(world, count)
    world.document("prod", f"{{namespaces: ['{selected}'], prune: true, allowEmpty: true}}")
    report = world.invoke()
    assert (report["ok"], secrets(world)) == (prunes, int(selected[-2]) + 1 if prunes else count)
    if not prunes:
        error = report["clusters"][0]["error"]
        assert error["type"] == "PruneHeldBack"
        assert "team-0" in error["message"]
        assert '{"action": "push", "clusters": ["prod"], "prune": "all"}' in error["remedy"]


def test_the_brake_counts_what_was_applied(world: World) -> None:
    """Eight names are mistyped into eight others.

    As many are selected as before, and none of them exists.
    """
    many(world, 8)
    names = ", ".join(f"taem-{number:02}" for number in range(8))
    world.document("prod", f"{{namespaces: [{names}], prune: true}}")
    entry = world.invoke()["clusters"][0]
    assert entry["error"]["type"] == "PruneHeldBack"
    assert entry["counts"] == {"skipped": 8, "missing": 8}
    assert secrets(world) == 8


@pytest.mark.parametrize("action", ["push", "plan"])
def test_what_the_brake_holds_is_done_when_it_is_asked_for(world: World, action: str) -> None:
    many(world, 9)
    world.document("prod", "{namespaces: [team-00], prune: true}")
    assert world.invoke({"action": action})["clusters"][0]["counts"] == {"updated": 1, "skipped": 8}
    report = world.invoke({"action": action, "clusters": ["prod"], "prune": "all"})
    assert (report["ok"], report["clusters"][0]["counts"]) == (True, {"updated": 1, "pruned": 8})
    assert secrets(world) == (1 if action == "push" else 9)


@pytest.mark.parametrize(
    "event",
    [
        {"prune": "all"},
        {"prune": "some", "clusters": ["prod"]},
        {"prune": True, "clusters": ["prod"]},
        {"action": "sweep", "prune": "all"},
    ],
)
def test_the_brake_is_never_released_by_mistake(prod: World, event: dict[str, Any]) -> None:
    assert prod.invoke(event)["error"]["type"] == "RequestError"


def test_a_mistyped_selector_fails_its_cluster_and_prunes_nothing(prod: World) -> None:
    prod.document("prod", "{namespaces: {selector: 'pull=yess'}, prune: true}")
    error = prod.invoke()["clusters"][0]["error"]
    assert (error["type"], error["message"]) == (
        "NothingSelected",
        "no namespace of the cluster is selected by selector 'pull=yess'",
    )
    assert "allowEmpty: true" in error["remedy"]
    assert prod.secret("prod", "team-a") is not None


def test_names_that_are_all_excluded_select_nothing_too(prod: World) -> None:
    prod.document("prod", "{namespaces: {include: [team-a], exclude: ['team-*']}, prune: true}")
    error = prod.invoke()["clusters"][0]["error"]
    assert (error["type"], error["message"]) == (
        "NothingSelected",
        "no namespace of the cluster is selected by include [team-a], exclude [team-*]",
    )
    assert prod.secret("prod", "team-a") is not None


def test_nothing_selected_may_be_meant_and_a_sweep_says_nothing_of_it(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: ['later-*']")
    assert world.invoke()["clusters"][0]["error"]["type"] == "NothingSelected"
    assert world.invoke({"action": "sweep"})["ok"]
    world.document("prod", "{namespaces: ['later-*'], allowEmpty: true}")
    assert world.invoke()["ok"]


def test_rights_granted_namespace_by_namespace_are_enough_where_they_are(world: World) -> None:
    """team-b's Secret may be read and deleted, team-c's not: that is team-c's own trouble."""
    names = ("team-a", "team-b", "team-c")
    cluster = world.add_cluster("prod", namespaces=names, document=ALL)
    without_looking(world, "prod")
    world.invoke()
    grant_prune(cluster, "team-b")
    world.document("prod", "{namespaces: [team-a], prune: true}")
    entry = world.invoke()["clusters"][0]
    assert entry["error"] is None
    assert ("team-c", "forbidden") in {
        (problem["namespace"], problem["outcome"]) for problem in entry["problems"]
    }
    assert entry["counts"]["pruned"] == 1
    assert world.secret("prod", "team-b") is None
    assert "infra/rbac/prune.yaml" in entry["problems"][0]["remedy"]


def grant_prune(cluster: Cluster, namespace: str) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "prune", "namespace": namespace},
    }
    rule = {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": [SECRET],
        "verbs": ["get", "delete"],
    }
    group = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "ecr-public-pushers"}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "prune"}
    cluster.apply(
        {**role, "rules": [rule]},
        {**role, "kind": "RoleBinding", "subjects": [group], "roleRef": ref},
    )


def test_when_looking_is_refused_everywhere_it_is_given_up_soon(world: World) -> None:
    names = tuple(f"team-{number:02}" for number in range(60))
    world.add_cluster(
        "prod", namespaces=names, document="{namespaces: [team-00], prune: true}", embedded=True
    )
    without_looking(world, "prod")
    entry = world.invoke()["clusters"][0]
    assert entry["counts"] == {"created": 1}
    assert "not allowed to get and delete" in entry["error"]["message"]
    assert sum(line.startswith("GET") and "/secrets/" in line for line in world.asked("prod")) <= 16


def test_names_are_pushed_though_prune_may_not_list(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces=("b",),
        rbac="namespaced.yaml",
        document="{namespaces: [default], prune: true}",
    )
    entry = world.invoke()["clusters"][0]
    assert entry["counts"] == {"created": 1}
    assert "not allowed to list namespaces" in entry["error"]["message"]
    assert world.secret("prod", "default") is not None
