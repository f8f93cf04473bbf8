"""Secrets of a test's cluster as time, people and other tools leave them."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from ecr_public_pusher.jobs.secret_manifest import EXPIRES_AT, OWNER, PUSHED_AT
from ecr_public_pusher.timestamps import rfc3339, rfc3339_exact
from infra.local.kube import Cluster
from tests.support.world import SECRET, STACK, World

LIFE = timedelta(hours=12)
ROLES = ("ecr-public-pusher", "ecr-public-pusher-namespaced")
_ROLES_PATH = "/apis/rbac.authorization.k8s.io/v1/clusterroles"


def annotate(world: World, cluster: str, namespace: str, **metadata: Any) -> None:
    """Change parts of a Secret's metadata, as an administrator.

    Mappings are merged; None in them removes a key.
    """
    found = world.secret(cluster, namespace)
    assert found is not None
    for name, value in metadata.items():
        merged = {**found["metadata"].get(name, {}), **value} if isinstance(value, dict) else value
        found["metadata"][name] = (
            {key: item for key, item in merged.items() if item is not None}
            if isinstance(merged, dict)
            else merged
        )
    status, answer = world.clusters[cluster].admin(
        "PUT", f"/api/v1/namespaces/{namespace}/secrets/{SECRET}", found
    )
    assert status == 200, answer


def put_ours(
    cluster: Cluster,
    namespace: str,
    document: str,
    *,
    hours_left: float,
    config: str = '{"auths": {}}',
) -> None:
    """Write a document's pull Secret as an earlier run did, with so many hours to live."""
    secret = {
        "metadata": {
            "name": SECRET,
            "labels": {"app.kubernetes.io/managed-by": "ecr-public-pusher"},
            "annotations": {OWNER: STACK.owner(document)},
        },
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(config.encode()).decode()},
    }
    _apply(cluster, namespace, secret, hours_left)


def aged(
    world: World, cluster: str, namespace: str, *, hours_left: float, name: str = SECRET
) -> None:
    """Have a Secret's token expire in this many hours, as if written that much earlier."""
    found = world.secret(cluster, namespace, name)
    assert found is not None
    _apply(world.clusters[cluster], namespace, found, hours_left)


def _apply(cluster: Cluster, namespace: str, secret: Mapping[str, Any], hours_left: float) -> None:
    """Apply a Secret as the function does, written so long ago that it has these hours left."""
    metadata = secret["metadata"]
    ends = datetime.now(UTC) + timedelta(hours=hours_left)
    stamps = {EXPIRES_AT: rfc3339(ends), PUSHED_AT: rfc3339_exact(ends - LIFE)}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": metadata["name"],
            "labels": metadata["labels"],
            "annotations": metadata["annotations"] | stamps,
        },
        "type": secret["type"],
        "data": secret["data"],
        "stringData": {
            key: base64.b64decode(value).decode() for key, value in secret["data"].items()
        },
    }
    query = urlencode({"fieldManager": STACK.field_manager, "force": "true"})
    path = f"/api/v1/namespaces/{namespace}/secrets/{metadata['name']}?{query}"
    status, answer = cluster.admin("PATCH", path, body, content_type="application/apply-patch+yaml")
    assert status in (200, 201), answer


def without_looking(world: World, cluster: str) -> None:
    """Take the right to list Secrets out of the roles, as they were before."""
    administered: Cluster = world.clusters[cluster]
    for name in ROLES:
        status, role = administered.admin("GET", f"{_ROLES_PATH}/{name}")
        if status != 200:
            continue
        for rule in role["rules"]:
            if rule["resources"] == ["secrets"]:
                rule["verbs"] = [verb for verb in rule["verbs"] if verb != "list"]
        role["rules"] = [rule for rule in role["rules"] if rule["verbs"]]
        assert administered.admin("PUT", f"{_ROLES_PATH}/{name}", role)[0] == 200
