"""The Secret's body, as server-side apply sends it. It names no namespace, so one body serves them all. Pure."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.ownership import ANNOTATION_PREFIX, FIELD_MANAGER, MANAGED_BY_LABEL
from ecr_public_pusher.timestamps import rfc3339

SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # the kubelet silently ignores any other

EXPIRES_AT = f"{ANNOTATION_PREFIX}expires-at"
PUSHED_AT = f"{ANNOTATION_PREFIX}pushed-at"
OWNER = f"{ANNOTATION_PREFIX}owner"
# Which ServiceAccounts we put the Secret's name into. Not part of what is applied, so that an apply leaves it as it is.
SERVICE_ACCOUNTS = f"{ANNOTATION_PREFIX}service-accounts"


def secret_manifest(cluster: ClusterConfig, docker_config: bytes, *, owner: str, expires_at: datetime, pushed_at: datetime) -> dict[str, Any]:
    """The Secret that `cluster`'s document asks for. `owner`: whose it is to prune."""
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
                OWNER: owner,
            },
        },
        "type": SECRET_TYPE,
        "data": {".dockerconfigjson": base64.b64encode(docker_config).decode()},
    }


def owner(stack: str, document_id: str) -> str:
    """Whose a Secret is: the stack's, for that document."""
    return f"{stack}/{document_id}"


def is_ours(metadata: Mapping[str, Any], whose: str) -> bool:
    """Whether a Secret with this metadata was applied by us for the document `whose` (its owner): by label, field manager and annotation."""
    managers = metadata.get("managedFields")
    applied = [entry for entry in managers if isinstance(entry, dict)] if isinstance(managers, list) else []
    return (
        (metadata.get("labels") or {}).get(MANAGED_BY_LABEL) == FIELD_MANAGER
        and (metadata.get("annotations") or {}).get(OWNER) == whose
        and any(entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" for entry in applied)
    )
