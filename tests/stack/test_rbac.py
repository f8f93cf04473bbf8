"""The Kubernetes permissions: exactly those that the push needs."""

from typing import Any

import pytest

from tests.stack.template import documents

SECRET = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["ecr-public-token"], "verbs": ["create", "patch"]}
LIST = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}
ACCOUNTS = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "list", "patch"]}
PRUNE = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["ecr-public-token"], "verbs": ["get", "delete"]}
GROUP = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "ecr-public-pushers"}


def by_kind(path: str) -> dict[str, dict[str, Any]]:
    found = documents(path)
    kinds = {document["kind"]: document for document in found}
    assert len(kinds) == len(found)
    return kinds


@pytest.mark.parametrize(
    ("path", "kinds", "role", "rules"),
    [
        ("infra/rbac/cluster.yaml", ["ClusterRole", "ClusterRoleBinding"], "ecr-public-pusher", [LIST, SECRET]),
        ("infra/rbac/namespaced.yaml", ["ClusterRole", "RoleBinding"], "ecr-public-pusher-namespaced", [SECRET]),
        ("infra/rbac/service-accounts.yaml", ["ClusterRole", "ClusterRoleBinding"], "ecr-public-pusher-service-accounts", [ACCOUNTS]),
        ("infra/rbac/prune.yaml", ["ClusterRole", "ClusterRoleBinding"], "ecr-public-pusher-prune", [PRUNE]),
    ],
)
def test_the_rules_are_these_and_nothing_more(path: str, kinds: list[str], role: str, rules: list[dict[str, Any]]) -> None:
    found = by_kind(path)
    assert list(found) == kinds
    assert (found["ClusterRole"]["metadata"]["name"], found["ClusterRole"]["rules"]) == (role, rules)
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


def test_the_namespaced_binding_reaches_one_namespace() -> None:
    assert by_kind("infra/rbac/namespaced.yaml")["RoleBinding"]["metadata"]["namespace"] == "default"


def test_no_two_files_define_the_same_object_so_that_they_can_be_applied_beside_each_other() -> None:
    names = [
        (document["kind"], document["metadata"]["name"])
        for file in ("cluster", "namespaced", "service-accounts", "prune")
        for document in documents(f"infra/rbac/{file}.yaml")
    ]
    assert len(set(names)) == len(names)
