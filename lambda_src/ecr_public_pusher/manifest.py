"""The Secret's body, as server-side apply sends it. It names no namespace, so one body serves them all. Pure."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ecr_public_pusher.config import ANNOTATION_PREFIX, MANAGED_BY_LABEL, ClusterConfig
from ecr_public_pusher.model import FIELD_MANAGER, SECRET_TYPE

EXPIRES_AT = f"{ANNOTATION_PREFIX}expires-at"
PUSHED_AT = f"{ANNOTATION_PREFIX}pushed-at"
OWNER = f"{ANNOTATION_PREFIX}owner"
# Which ServiceAccounts we put the Secret's name into. Not part of what is applied, so that an apply leaves it as it is.
SERVICE_ACCOUNTS = f"{ANNOTATION_PREFIX}service-accounts"


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
                OWNER: owner(stack, cluster.id),
            },
        },
        "type": SECRET_TYPE,
        "data": {".dockerconfigjson": base64.b64encode(docker_config).decode()},
    }


def owner(stack: str, identity: str) -> str:
    """Whose a Secret is: the stack's, for that document."""
    return f"{stack}/{identity}"


def is_ours(metadata: Mapping[str, Any], whose: str) -> bool:
    """Whether a Secret with this metadata was applied by us for the document `whose` (its owner): by label, field manager and annotation."""
    managers = metadata.get("managedFields")
    applied = [entry for entry in managers if isinstance(entry, dict)] if isinstance(managers, list) else []
    return (
        (metadata.get("labels") or {}).get(MANAGED_BY_LABEL) == FIELD_MANAGER
        and (metadata.get("annotations") or {}).get(OWNER) == whose
        and any(entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" for entry in applied)
    )


def rfc3339(moment: datetime) -> str:
    """To the second, in UTC, as Kubernetes writes its own times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
