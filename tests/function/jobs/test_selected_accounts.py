"""ServiceAccounts selected by label, and accounts that opt out by an annotation."""

from typing import Any

import pytest

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.jobs.seen_account import selected_account
from ecr_public_pusher.kubernetes_api.names import Names
from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.world import SECRET, World

SWEEP = {"action": "sweep"}
MARK = "ecr-public-pusher/added-image-pull-secrets"
OPT_OUT = {"ecr-public-pusher/opt-out": "true"}
LABELLED = "{namespaces: [a], serviceAccounts: {selector: pull=yes}}"
PULL = {"pull": "yes"}


def path(name: str = "", namespace: str = "a") -> str:
    return f"/api/v1/namespaces/{namespace}/serviceaccounts" + (f"/{name}" if name else "")


def account(world: World, name: str, **metadata: Any) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, **metadata},
        "imagePullSecrets": [{"name": "regcred"}],
    }
    assert world.clusters["prod"].admin("POST", path(), body)[0] == 201


def change(world: World, name: str, **metadata: Any) -> None:
    """Change labels or annotations, as with kubectl; None removes one."""
    cluster = world.clusters["prod"]
    _, found = cluster.admin("GET", path(name))
    for field, values in metadata.items():
        merged = {**found["metadata"].get(field, {}), **values}
        found["metadata"][field] = {key: one for key, one in merged.items() if one is not None}
    assert cluster.admin("PUT", path(name), found)[0] == 200


def get(world: World, name: str) -> dict[str, Any]:
    status, found = world.clusters["prod"].admin("GET", path(name))
    assert status == 200
    return found


def pulls(world: World, *names: str) -> list[str]:
    """Return those of the accounts that have the Secret's name in their list."""
    return [name for name in names if {"name": SECRET} in get(world, name)["imagePullSecrets"]]


def annotations(world: World, name: str) -> dict[str, str]:
    return get(world, name)["metadata"].get("annotations", {})  # type: ignore[no-any-return]


def prod(world: World, document: str = LABELLED, *, accounts: bool = True) -> World:
    """Return the world with a cluster and the document; `accounts`: with RBAC for accounts."""
    world.add_cluster("prod", namespaces=("a",), document=document)
    if accounts:
        world.apply("prod", "service-accounts.yaml")
    return world


def test_a_selector_selects_the_accounts_with_these_labels(world: World) -> None:
    prod(world)
    account(world, "builder", labels=PULL)
    account(world, "default")
    report = world.invoke()
    assert (report["ok"], report["clusters"][0]["serviceAccountsChanged"]) == (True, 1)
    assert pulls(world, "builder", "default") == ["builder"]


def test_the_api_server_filters_by_the_selector(world: World) -> None:
    prod(world)
    world.invoke()
    (asked,) = (line for line in world.asked("prod") if "/serviceaccounts" in line)
    assert asked == "GET /api/v1/serviceaccounts?limit=500&labelSelector=pull%3Dyes"


def test_names_exclusions_and_labels_must_all_agree(world: World) -> None:
    prod(
        world,
        "{namespaces: [a], serviceAccounts: {include: ['build-*', default], exclude: [build-x],"
        " selector: pull}}",
    )
    for name in ("build-1", "build-x", "other"):
        account(world, name, labels=PULL)
    account(world, "build-2")
    assert world.invoke()["ok"]
    assert pulls(world, "build-1", "build-x", "build-2", "other") == ["build-1"]


def test_an_account_that_is_excluded_by_name_is_left_out(world: World) -> None:
    prod(world, "{namespaces: [a], serviceAccounts: {include: ['*'], exclude: [other]}}")
    account(world, "default")
    account(world, "other")
    assert world.invoke()["ok"]
    assert pulls(world, "default", "other") == ["default"]


def test_an_account_without_the_label_is_not_missing_though_it_is_named(world: World) -> None:
    prod(world, "{namespaces: [a], serviceAccounts: {include: [one, two], selector: pull}}")
    account(world, "one")
    assert world.invoke()["ok"]
    assert pulls(world, "one") == []


def test_a_sweep_sees_a_label_that_comes_late(world: World) -> None:
    prod(world)
    account(world, "builder")
    world.invoke()
    assert pulls(world, "builder") == []
    change(world, "builder", labels=PULL)
    assert world.invoke(SWEEP)["clusters"][0]["serviceAccountsChanged"] == 1
    assert pulls(world, "builder") == ["builder"]


@pytest.mark.parametrize("document", [None, "{namespaces: [a], serviceAccounts: [default]}"])
def test_an_account_that_is_no_longer_selected_keeps_its_entry_until_the_secret_goes(
    world: World, document: str | None
) -> None:
    """The label is removed, or the document names other accounts."""
    prod(world)
    world.apply("prod", "prune.yaml")
    account(world, "builder", labels=PULL)
    account(world, "default")
    world.invoke()
    if document is None:
        change(world, "builder", labels={"pull": None})
    else:
        world.document("prod", document)
    assert world.invoke()["ok"]
    assert pulls(world, "builder") == ["builder"]
    assert world.invoke({"action": "remove", "clusters": ["prod"]})["ok"]
    assert pulls(world, "builder") == []


@pytest.mark.parametrize("accounts", ["{selector: pull}", "[builder]", "['*']"])
@pytest.mark.parametrize("event", [{}, SWEEP])
def test_an_account_that_opts_out_gets_no_entry_and_is_not_missing(
    world: World, accounts: str, event: dict[str, str]
) -> None:
    prod(world, f"{{namespaces: [a], serviceAccounts: {accounts}}}")
    account(world, "builder", labels=PULL, annotations=OPT_OUT)
    report = world.invoke(event)
    assert report["ok"]
    assert "serviceAccountsChanged" not in report["clusters"][0]
    assert (pulls(world, "builder"), annotations(world, "builder")) == ([], OPT_OUT)


@pytest.mark.parametrize("value", ["false", "", "no"])
def test_only_the_value_true_opts_out(world: World, value: str) -> None:
    prod(world)
    account(world, "builder", labels=PULL, annotations={"ecr-public-pusher/opt-out": value})
    world.invoke()
    assert pulls(world, "builder") == ["builder"]


@pytest.mark.parametrize("event", [{}, SWEEP])
def test_an_account_that_opts_out_later_loses_our_entry_and_nothing_else(
    world: World, event: dict[str, str]
) -> None:
    prod(world)
    account(world, "builder", labels=PULL)
    world.invoke()
    change(world, "builder", annotations=OPT_OUT)
    report = world.invoke(event)
    assert (report["ok"], report["clusters"][0]["serviceAccountsChanged"]) == (True, 1)
    found = get(world, "builder")
    assert found["imagePullSecrets"] == [{"name": "regcred"}]
    assert annotations(world, "builder") == OPT_OUT


def test_a_plan_shows_that_an_account_opts_out_and_changes_nothing(world: World) -> None:
    prod(world)
    account(world, "builder", labels=PULL)
    world.invoke()
    change(world, "builder", annotations=OPT_OUT)
    report = world.invoke({"action": "plan"})
    assert report["clusters"][0]["serviceAccountsChanged"] == 1
    assert pulls(world, "builder") == ["builder"]


def test_an_entry_that_somebody_else_made_stays_though_the_account_opts_out(world: World) -> None:
    prod(world)
    account(world, "builder", labels=PULL, annotations=OPT_OUT)
    found = get(world, "builder")
    found["imagePullSecrets"].append({"name": SECRET})
    world.clusters["prod"].admin("PUT", path("builder"), found)
    assert "serviceAccountsChanged" not in world.invoke()["clusters"][0]
    assert pulls(world, "builder") == ["builder"]


def test_a_sweep_adds_the_entry_again_once_the_annotation_is_gone(world: World) -> None:
    prod(world)
    account(world, "builder", labels=PULL, annotations=OPT_OUT)
    world.invoke()
    change(world, "builder", annotations={"ecr-public-pusher/opt-out": None})
    assert world.invoke(SWEEP)["ok"]
    assert pulls(world, "builder") == ["builder"]


@pytest.mark.parametrize(
    ("accounts", "asked"),
    [
        (
            "{selector: pull}",
            [f"GET {path()}?limit=500&labelSelector=pull"],
        ),
        (
            "{include: ['o*', two], exclude: [two]}",
            [f"GET {path()}?limit=500"],
        ),
        (
            "{include: [one, two], selector: pull}",
            [f"GET {path('one')}", f"GET {path('two')}"],
        ),
    ],
)
def test_without_the_right_to_list_all_accounts_each_namespace_is_asked(
    world: World, accounts: str, asked: list[str]
) -> None:
    prod(world, f"{{namespaces: [a], serviceAccounts: {accounts}}}", accounts=False)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "accounts", "namespace": "a"},
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["serviceaccounts"],
                "verbs": ["get", "list", "patch"],
            }
        ],
    }
    group = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Group",
        "name": "ecr-public-pushers",
    }
    binding = {
        **role,
        "kind": "RoleBinding",
        "roleRef": {"apiGroup": group["apiGroup"], "kind": "Role", "name": "accounts"},
        "subjects": [group],
    }
    del binding["rules"]
    world.clusters["prod"].apply(role, binding)
    account(world, "one", labels=PULL)
    account(world, "two")
    assert world.invoke()["ok"]
    assert pulls(world, "one", "two") == ["one"]
    inside = [line for line in world.asked("prod") if line.startswith(f"GET {path()}")]
    assert inside == asked


@pytest.mark.parametrize(
    "metadata", [{"labels": {"pull": None}}, {"annotations": OPT_OUT}], ids=["label", "opt-out"]
)
def test_an_account_that_is_taken_out_between_look_and_write_gets_no_entry(
    world: World, metadata: dict[str, Any]
) -> None:
    def race(request: SeenRequest) -> Response | None:
        if request.method == "PATCH" and "/serviceaccounts/" in request.path and not raced:
            raced.append(request.path)
            change(world, "builder", **metadata)
        return None

    raced: list[str] = []
    cluster = world.add_cluster("prod", namespaces=("a",), document=LABELLED, embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    world.apply("prod", "service-accounts.yaml")
    account(world, "builder", labels=PULL)
    cluster.intercept = race
    assert world.run()["ok"]
    assert raced
    assert pulls(world, "builder") == []
    assert MARK not in annotations(world, "builder")


def test_labels_are_read_only_if_there_is_a_selector() -> None:
    metadata = {"name": "one", "namespace": "a", "resourceVersion": "7", "labels": {"no label": 1}}
    names = Names(lambda _: False)
    assert selected_account(AccountSelection(("one",)))({"metadata": metadata}, names) is not None
    with pytest.raises(ValueError):  # noqa: PT011 - as each part of an answer that is invalid
        selected_account(AccountSelection((), (), "x"))({"metadata": metadata}, names)


@pytest.mark.parametrize(
    ("accounts", "asked"),
    [
        ("[one]", "fieldSelector=metadata.name%3Done"),
        ("{include: [one, two], exclude: [two]}", "fieldSelector=metadata.name%3Done"),
        (
            "{include: [one], selector: pull}",
            "fieldSelector=metadata.name%3Done&labelSelector=pull",
        ),
        ("[one, two]", ""),
        ("[one, 't*']", ""),
    ],
)
def test_the_api_server_filters_by_a_name_that_is_the_only_one(
    world: World, accounts: str, asked: str
) -> None:
    prod(world, f"{{namespaces: [a], serviceAccounts: {accounts}}}")
    world.invoke(SWEEP)
    (line, *_) = (one for one in world.asked("prod") if "/v1/serviceaccounts?" in one)
    assert line == f"GET /api/v1/serviceaccounts?limit=500{'&' if asked else ''}{asked}"
