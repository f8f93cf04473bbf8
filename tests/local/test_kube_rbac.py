"""RBAC, evaluated from the roles and bindings that were applied, over HTTPS."""

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from infra.local.kube import EmbeddedCluster, UserInfo
from infra.local.kube.http.client import AdminClient, context

RBAC = "rbac.authorization.k8s.io"
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "ecr-public-token"},
    "data": {"k": "dg=="},
}
OURS = "/api/v1/namespaces/team-a/secrets/ecr-public-token"
APPLY = "application/apply-patch+yaml"
TOKENS = {
    "pusher": UserInfo("pusher", groups=("pushers",)),
    "robot": UserInfo("system:serviceaccount:team-a:robot"),
    "nobody": UserInfo("nobody"),
}


@pytest.fixture
def cluster() -> Iterator[EmbeddedCluster]:
    with EmbeddedCluster("prod", credentials=lambda _: None, static_tokens=TOKENS) as started:
        for name in ("team-a", "team-b"):
            started.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield started


def role(kind: str, rules: list[dict[str, Any]], namespace: str | None = None) -> dict[str, Any]:
    metadata = {"name": "r", **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules}


def binding(
    kind: str, role_kind: str, subject: dict[str, str], namespace: str | None = None
) -> dict[str, Any]:
    metadata = {"name": "b", **({"namespace": namespace} if namespace else {})}
    ref = {"apiGroup": RBAC, "kind": role_kind, "name": "r"}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": ref,
        "subjects": [subject],
    }


def send(
    cluster: EmbeddedCluster,
    token: str,
    method: str,
    path: str,
    body: Any = None,
    content_type: str = "application/json",
) -> Any:
    client = AdminClient(cluster.endpoint, cluster.ca_pem, token)
    try:
        return client.send(method, path, body, content_type)
    finally:
        client.close()


PUSHERS = {"kind": "Group", "name": "pushers", "apiGroup": RBAC}
ONE_SECRET = [
    {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": ["ecr-public-token"],
        "verbs": ["create", "patch"],
    }
]


def apply(cluster: EmbeddedCluster, token: str, path: str, name: str = "ecr-public-token") -> int:
    body = {**SECRET, "metadata": {"name": name}}
    return int(send(cluster, token, "PATCH", f"{path}?fieldManager=m", body, APPLY)[0])


def test_without_a_binding_nothing_is_allowed(cluster: EmbeddedCluster) -> None:
    assert apply(cluster, "nobody", OURS) == 403


def test_a_role_binding_counts_in_its_namespace_only(cluster: EmbeddedCluster) -> None:
    cluster.apply(
        role("Role", ONE_SECRET, "team-a"), binding("RoleBinding", "Role", PUSHERS, "team-a")
    )
    assert apply(cluster, "pusher", OURS) == 201
    assert apply(cluster, "pusher", OURS.replace("team-a", "team-b")) == 403
    assert apply(cluster, "pusher", OURS.replace("team-a", "nowhere")) == 403


def test_a_role_binding_may_refer_to_a_cluster_role(cluster: EmbeddedCluster) -> None:
    cluster.apply(
        role("ClusterRole", ONE_SECRET), binding("RoleBinding", "ClusterRole", PUSHERS, "team-b")
    )
    assert apply(cluster, "pusher", OURS.replace("team-a", "team-b")) == 201
    assert apply(cluster, "pusher", OURS) == 403


def test_resource_names_allow_that_name_only(cluster: EmbeddedCluster) -> None:
    cluster.apply(
        role("ClusterRole", ONE_SECRET), binding("ClusterRoleBinding", "ClusterRole", PUSHERS)
    )
    assert apply(cluster, "pusher", OURS) == 201
    assert apply(cluster, "pusher", "/api/v1/namespaces/team-a/secrets/other", "other") == 403


def test_a_named_create_does_not_allow_a_post(cluster: EmbeddedCluster) -> None:
    cluster.apply(
        role("ClusterRole", ONE_SECRET), binding("ClusterRoleBinding", "ClusterRole", PUSHERS)
    )
    assert send(cluster, "pusher", "POST", "/api/v1/namespaces/team-a/secrets", SECRET)[0] == 403


def test_an_apply_that_creates_needs_create(cluster: EmbeddedCluster) -> None:
    rules = [{**ONE_SECRET[0], "verbs": ["patch"]}]
    cluster.apply(role("ClusterRole", rules), binding("ClusterRoleBinding", "ClusterRole", PUSHERS))
    status, answer = send(cluster, "pusher", "PATCH", f"{OURS}?fieldManager=m", SECRET, APPLY)
    assert (status, "cannot create resource" in answer["message"]) == (403, True)


@pytest.mark.parametrize(
    ("token", "subject"),
    [
        ("nobody", {"kind": "User", "name": "nobody", "apiGroup": RBAC}),
        ("robot", {"kind": "ServiceAccount", "name": "robot", "namespace": "team-a"}),
        ("nobody", {"kind": "Group", "name": "system:authenticated", "apiGroup": RBAC}),
    ],
)
def test_subjects_of_every_kind(
    token: str, subject: dict[str, str], cluster: EmbeddedCluster
) -> None:
    cluster.apply(
        role("ClusterRole", ONE_SECRET), binding("ClusterRoleBinding", "ClusterRole", subject)
    )
    assert apply(cluster, token, OURS) == 201


@pytest.mark.parametrize(
    "rule",
    [
        {"apiGroups": ["apps"], "resources": ["secrets"], "verbs": ["patch", "create"]},
        {"apiGroups": [""], "resources": ["secrets/status"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
)
def test_rules_about_something_else(rule: dict[str, Any], cluster: EmbeddedCluster) -> None:
    cluster.apply(
        role("ClusterRole", [rule]), binding("ClusterRoleBinding", "ClusterRole", PUSHERS)
    )
    assert apply(cluster, "pusher", OURS) == 403


def test_wildcards(cluster: EmbeddedCluster) -> None:
    cluster.apply(
        role("ClusterRole", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
        binding("ClusterRoleBinding", "ClusterRole", PUSHERS),
    )
    assert apply(cluster, "pusher", OURS) == 201


def test_a_missing_role_of_a_binding_is_named(cluster: EmbeddedCluster) -> None:
    cluster.apply(binding("ClusterRoleBinding", "ClusterRole", PUSHERS))
    status, answer = send(cluster, "pusher", "GET", "/api/v1/namespaces")
    assert (status, answer["message"].partition("scope: ")[2]) == (
        403,
        f'RBAC: clusterrole.{RBAC} "r" not found',
    )


def test_a_list_narrowed_to_one_name_counts_as_that_name(cluster: EmbeddedCluster) -> None:
    rules = [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["ecr-public-token"],
            "verbs": ["list"],
        }
    ]
    cluster.apply(role("ClusterRole", rules), binding("ClusterRoleBinding", "ClusterRole", PUSHERS))
    assert send(cluster, "pusher", "GET", "/api/v1/secrets")[0] == 403
    assert (
        send(
            cluster,
            "pusher",
            "GET",
            "/api/v1/secrets?fieldSelector=metadata.name%3Decr-public-token",
        )[0]
        == 200
    )


@pytest.mark.parametrize(("token", "status"), [("nobody", 200), ("", 403)])
def test_discovery_is_for_the_authenticated(
    token: str, status: int, cluster: EmbeddedCluster
) -> None:
    if token:
        assert send(cluster, token, "GET", "/apis")[0] == status
    else:
        with urllib3.PoolManager(ssl_context=context(cluster.ca_pem)) as pool:
            assert pool.request("GET", f"{cluster.endpoint}/apis").status == status
            assert pool.request("GET", f"{cluster.endpoint}/version").status == 200


def test_a_removed_permission_is_gone_at_once(cluster: EmbeddedCluster) -> None:
    cluster.apply(
        role("ClusterRole", ONE_SECRET), binding("ClusterRoleBinding", "ClusterRole", PUSHERS)
    )
    assert apply(cluster, "pusher", OURS) == 201
    cluster.apply(role("ClusterRole", []))
    assert apply(cluster, "pusher", OURS) == 403


def test_a_bindings_role_cannot_be_changed(cluster: EmbeddedCluster) -> None:
    first = binding("ClusterRoleBinding", "ClusterRole", PUSHERS)
    cluster.apply(first)
    other = {**first, "roleRef": {**first["roleRef"], "name": "cluster-admin"}}
    assert cluster.admin("PUT", f"/apis/{RBAC}/v1/clusterrolebindings/b", other)[0] == 422


def test_a_missing_namespace_is_reported_before_a_missing_create(cluster: EmbeddedCluster) -> None:
    rules = [{**ONE_SECRET[0], "verbs": ["patch"]}]
    cluster.apply(role("ClusterRole", rules), binding("ClusterRoleBinding", "ClusterRole", PUSHERS))
    assert apply(cluster, "pusher", OURS.replace("team-a", "nowhere")) == 404
