"""The Kubernetes permissions: exactly those that the push needs."""

from typing import Any

import pytest

from ecr_public_pusher.jobs.rbac_version import MARK_GROUP, RBAC_VERSION, mark
from tests.stack.template import documents

SECRET = {
    "apiGroups": [""],
    "resources": ["secrets"],
    "resourceNames": ["ecr-public-token"],
    "verbs": ["create", "patch"],
}
LOOK = {
    "apiGroups": [""],
    "resources": ["secrets"],
    "resourceNames": ["ecr-public-token"],
    "verbs": ["list"],
}
LIST = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}
ACCOUNTS = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "list", "patch"]}
PRUNE = {
    "apiGroups": [""],
    "resources": ["secrets"],
    "resourceNames": ["ecr-public-token"],
    "verbs": ["get", "delete"],
}
# A resource that cannot exist, by which a check recognizes the version of the file.
MARKS = {
    part: {
        "apiGroups": ["ecr-public-pusher"],
        "resources": ["rbac"],
        "resourceNames": [f"{part}-1", f"{part}-2"],
        "verbs": ["get"],
    }
    for part in ("push", "prune", "service-accounts", "argocd")
}
# One of Argo CD's repositories: each rule names it.
CHARTS = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["ecr-charts"]}
GROUP = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "ecr-public-pushers"}


def by_kind(path: str) -> dict[str, dict[str, Any]]:
    found = documents(path)
    kinds = {document["kind"]: document for document in found}
    assert len(kinds) == len(found)
    return kinds


@pytest.mark.parametrize(
    ("path", "kinds", "role", "rules"),
    [
        (
            "infra/rbac/cluster.yaml",
            ["ClusterRole", "ClusterRoleBinding"],
            "ecr-public-pusher",
            [LIST, SECRET, LOOK, MARKS["push"]],
        ),
        (
            "infra/rbac/namespaced.yaml",
            ["ClusterRole", "RoleBinding"],
            "ecr-public-pusher-namespaced",
            [SECRET, LOOK, MARKS["push"]],
        ),
        (
            "infra/rbac/service-accounts.yaml",
            ["ClusterRole", "ClusterRoleBinding"],
            "ecr-public-pusher-service-accounts",
            [ACCOUNTS, MARKS["service-accounts"]],
        ),
        (
            "infra/rbac/prune.yaml",
            ["ClusterRole", "ClusterRoleBinding"],
            "ecr-public-pusher-prune",
            [PRUNE, MARKS["prune"]],
        ),
    ],
)
def test_the_rules_are_these_and_nothing_more(
    path: str, kinds: list[str], role: str, rules: list[dict[str, Any]]
) -> None:
    found = by_kind(path)
    assert list(found) == kinds
    assert (found["ClusterRole"]["metadata"]["name"], found["ClusterRole"]["rules"]) == (
        role,
        rules,
    )
    assert "aggregationRule" not in found["ClusterRole"]


@pytest.mark.parametrize(
    ("path", "binding"),
    [
        ("infra/rbac/cluster.yaml", "ClusterRoleBinding"),
        ("infra/rbac/namespaced.yaml", "RoleBinding"),
        ("infra/rbac/service-accounts.yaml", "ClusterRoleBinding"),
        ("infra/rbac/prune.yaml", "ClusterRoleBinding"),
    ],
)
def test_the_binding_gives_its_files_role_to_the_one_group(path: str, binding: str) -> None:
    found = by_kind(path)
    assert found[binding]["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": found["ClusterRole"]["metadata"]["name"],
    }
    assert found[binding]["subjects"] == [GROUP]


def test_argo_cds_role_is_of_its_namespace_and_names_every_secret() -> None:
    """Among its other Secrets are the credentials of clusters."""
    found = by_kind("infra/rbac/argocd.yaml")
    assert list(found) == ["Role", "RoleBinding"]
    assert {one["metadata"]["namespace"] for one in found.values()} == {"argocd"}
    assert found["Role"]["rules"] == [
        {**CHARTS, "verbs": ["create", "patch"]},
        {**CHARTS, "verbs": ["list"]},
        {**CHARTS, "verbs": ["delete"]},
        MARKS["argocd"],
    ]
    assert found["RoleBinding"]["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": found["Role"]["metadata"]["name"],
    }
    assert found["RoleBinding"]["subjects"] == [GROUP]


def test_the_namespaced_binding_reaches_one_namespace() -> None:
    assert (
        by_kind("infra/rbac/namespaced.yaml")["RoleBinding"]["metadata"]["namespace"] == "default"
    )


def test_no_two_files_define_the_same_object_so_that_they_can_be_applied_beside_each_other() -> (
    None
):
    names = [
        (document["kind"], document["metadata"]["name"])
        for file in ("cluster", "namespaced", "service-accounts", "prune", "argocd")
        for document in documents(f"infra/rbac/{file}.yaml")
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("file", ["cluster", "namespaced", "service-accounts", "prune", "argocd"])
def test_every_object_has_the_version_that_this_release_needs(file: str) -> None:
    labels = [document["metadata"]["labels"] for document in documents(f"infra/rbac/{file}.yaml")]
    assert {label["ecr-public-pusher/rbac-version"] for label in labels} == {str(RBAC_VERSION)}


@pytest.mark.parametrize(
    ("file", "role"),
    [
        ("cluster", "cluster"),
        ("namespaced", "cluster"),
        ("service-accounts", "service-accounts"),
        ("prune", "prune"),
        ("argocd", "argocd"),
    ],
)
def test_every_role_grants_the_marks_of_all_versions_up_to_its_own(file: str, role: str) -> None:
    (found,) = (
        rule
        for one in documents(f"infra/rbac/{file}.yaml")
        for rule in one.get("rules", ())
        if rule["apiGroups"] == [MARK_GROUP]
    )
    wanted = [mark(f"{role}.yaml", version) for version in range(1, RBAC_VERSION + 1)]
    assert found["resourceNames"] == [right.name for right in wanted]
    assert (found["resources"], found["verbs"]) == ([wanted[0].resource], [wanted[0].verb])


def test_no_api_can_exist_of_the_marks_group() -> None:
    """The group of a CustomResourceDefinition has a dot.

    apiextensions, validation.go: "should be a domain with at least one dot".
    """
    assert "." not in MARK_GROUP
