"""The Secret's body, as server-side apply sends it. It names no namespace, so one body serves them all. Pure."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.ownership import ANNOTATION_PREFIX, MANAGED_BY_LABEL, PRODUCT, Stack
from ecr_public_pusher.timestamps import rfc3339

SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # the kubelet silently ignores any other

DATA_KEY = ".dockerconfigjson"

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
            "labels": {**cluster.labels, MANAGED_BY_LABEL: PRODUCT},
            "annotations": {
                **cluster.annotations,
                EXPIRES_AT: rfc3339(expires_at),
                PUSHED_AT: rfc3339(pushed_at),
                OWNER: owner,
            },
        },
        "type": SECRET_TYPE,
        # Both, with the same content: whoever applied either has a conflict with us. `data` alone would silently take over a Secret that
        # somebody applied as `stringData`, whose managedFields hold no `data` at all.
        "data": {DATA_KEY: base64.b64encode(docker_config).decode()},
        "stringData": {DATA_KEY: docker_config.decode()},
    }


def claims_ours(metadata: Mapping[str, Any], stack: Stack, document_id: str) -> bool:
    """Whether a Secret with this metadata bears the mark of `stack` for that document, whoever holds its data by now."""
    owner = _value(metadata, "annotations", OWNER)
    return _value(metadata, "labels", MANAGED_BY_LABEL) == PRODUCT and owner == stack.owner(document_id)


def data_managers(metadata: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Who holds the Secret's data: (field manager, operation) of each."""
    entries = metadata.get("managedFields")
    return {
        (str(entry.get("manager")), str(entry.get("operation")))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and _holds(entry.get("fieldsV1"), "f:data", f"f:{DATA_KEY}")
    }


def is_ours(metadata: Mapping[str, Any], stack: Stack, document_id: str) -> bool:
    """Whether it is what `stack` applied for that document: by label, owner, and because our apply still holds the data.

    Whoever writes the data since, by hand for one, takes it from our apply, and the Secret is theirs.
    """
    return claims_ours(metadata, stack, document_id) and (stack.field_manager, "Apply") in data_managers(metadata)


def _value(metadata: Mapping[str, Any], field: str, name: str) -> str | None:
    values = metadata.get(field)
    return str(values.get(name)) if isinstance(values, dict) else None


def _holds(fields: Any, *path: str) -> bool:
    for name in path:
        fields = fields.get(name) if isinstance(fields, dict) else None
    return fields is not None
