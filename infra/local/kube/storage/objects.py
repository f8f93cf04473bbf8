"""Identity, time and defaults, which the server adds to an object."""

import base64
import uuid
from typing import Any

from ..kinds import NAMESPACES, RBAC, SECRETS, Kind, Object

OWN = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
)
"""Metadata that only the server sets."""


def created(kind: Kind, body: Object, namespace: str, now: str) -> Object:
    """Return a new object of the body, with an identity."""
    given = {name: field for name, field in body["metadata"].items() if name not in OWN}
    metadata = {"name": body["metadata"]["name"], **({"namespace": namespace} if namespace else {})}
    metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now, **given}
    return {**body, "kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}


def replaced(live: Object, new: Object) -> Object:
    """Return the new content under the identity of the old."""
    own = {name: field for name, field in live["metadata"].items() if name in OWN}
    given = {name: field for name, field in (new.get("metadata") or {}).items() if name not in OWN}
    kept = {name: live[name] for name in ("status",) if name in live}
    return {
        **new,
        **kept,
        "kind": live["kind"],
        "apiVersion": live["apiVersion"],
        "metadata": {**own, **given},
    }


def completed(kind: Kind, value: Object) -> Object:
    """Return the object with defaults, without unknown and empty fields, as Go encodes it."""
    metadata = {
        name: _texts(field)
        for name, field in value["metadata"].items()
        if field not in (None, "", [], {})
    }
    known = {"apiVersion", "kind", *kind.fields}
    value = {
        name: field
        for name, field in value.items()
        if name in known and (field not in (None, {}, []) or name == "rules")
    }
    value["metadata"] = metadata
    if kind is SECRETS:
        return _secret(value)
    if kind is NAMESPACES:
        labels = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
        head = {**value, "metadata": {**metadata, "labels": labels}}
        return {
            **head,
            "spec": value.get("spec") or {"finalizers": ["kubernetes"]},
            "status": value.get("status") or {"phase": "Active"},
        }
    if kind.group == RBAC and "roleRef" in value:
        return (
            {**value, "subjects": [_subject(subject) for subject in value["subjects"]]}
            if value.get("subjects")
            else value
        )
    return {**value, "rules": value.get("rules")} if kind.group == RBAC else value


def _secret(value: Object) -> Object:
    plain = _texts(value.pop("stringData", None) or {})
    if value.get("data"):
        value["data"] = _texts(value["data"])
    if plain:
        value["data"] = {
            **(value.get("data") or {}),
            **{key: base64.b64encode(text.encode()).decode() for key, text in plain.items()},
        }
    value.setdefault("type", "Opaque")
    return value


def _texts(value: Any) -> Any:
    """Return a mapping with empty text for null, as Go decodes it."""
    return (
        {name: "" if text is None else text for name, text in value.items()}
        if isinstance(value, dict)
        else value
    )


def _subject(subject: Object) -> Object:
    if "apiGroup" in subject or subject.get("kind") == "ServiceAccount":
        return subject
    return {**subject, "apiGroup": RBAC}
