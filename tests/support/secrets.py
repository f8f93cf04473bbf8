"""Secrets of a test's cluster as time, people and other tools leave them."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

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


def aged(
    world: World, cluster: str, namespace: str, *, hours_left: float, name: str = SECRET
) -> None:
    """Have a Secret's token expire in this many hours, as if written that much earlier."""
    found = world.secret(cluster, namespace, name)
    assert found is not None
    ends = datetime.now(UTC) + timedelta(hours=hours_left)
    moments = {"expires-at": ends, "pushed-at": ends - LIFE}
    stamps = {
        f"ecr-public-pusher/{mark}": moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        for mark, moment in moments.items()
    }
    metadata = {
        "name": name,
        "labels": found["metadata"]["labels"],
        "annotations": found["metadata"]["annotations"] | stamps,
    }
    text = {key: base64.b64decode(value).decode() for key, value in found["data"].items()}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": found["type"],
        "data": found["data"],
        "stringData": text,
    }
    query = urlencode({"fieldManager": STACK.field_manager, "force": "true"})
    path = f"/api/v1/namespaces/{namespace}/secrets/{name}?{query}"
    status, answer = world.clusters[cluster].admin(
        "PATCH", path, body, content_type="application/apply-patch+yaml"
    )
    assert status == 200, answer


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
