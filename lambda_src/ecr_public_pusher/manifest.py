"""The Secret's body, as server-side apply sends it. It names no namespace, so one body serves them all. Pure."""

import base64
from datetime import UTC, datetime
from typing import Any

from ecr_public_pusher.config import ANNOTATION_PREFIX, MANAGED_BY_LABEL, ClusterConfig
from ecr_public_pusher.model import FIELD_MANAGER, SECRET_TYPE

EXPIRES_AT = f"{ANNOTATION_PREFIX}expires-at"
PUSHED_AT = f"{ANNOTATION_PREFIX}pushed-at"
OWNER = f"{ANNOTATION_PREFIX}owner"


def secret(cluster: ClusterConfig, docker_config: bytes, *, stack: str, expires_at: datetime, pushed_at: datetime) -> dict[str, Any]:
    """The Secret that `cluster`'s document asks for. `owner` is `<stack>/<id>`: whose it is to prune."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": cluster.secret_name,
            "labels": {**cluster.labels, MANAGED_BY_LABEL: FIELD_MANAGER},
            "annotations": {
                **cluster.annotations,
                EXPIRES_AT: rfc3339(expires_at),
                PUSHED_AT: rfc3339(pushed_at),
                OWNER: f"{stack}/{cluster.id}",
            },
        },
        "type": SECRET_TYPE,
        "data": {".dockerconfigjson": base64.b64encode(docker_config).decode()},
    }


def rfc3339(moment: datetime) -> str:
    """To the second, in UTC, as Kubernetes writes its own times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
