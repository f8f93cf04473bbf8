"""Kubernetes' protobuf, read into JSON's shape.

kubectl sends what it makes itself (`create secret`, `auth can-i`) as protobuf, without a fallback;
answers it takes as JSON. Only the messages of the served kinds are known, with the field numbers of
their generated.proto; other fields are skipped.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..kinds import Object

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"
VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5

type Message = dict[int, Field]


@dataclass(frozen=True)
class Field:
    """A field's JSON name and type: "text", "data" (base64 in JSON), "bool", or another message."""

    name: str
    holds: str | Message = "text"
    repeated: bool = False
    mapping: bool = False


def _texts(*names: str) -> Message:
    return {number: Field(name) for number, name in enumerate(names, 1)}


def _lists(*names: str) -> Message:
    return {number: Field(name, repeated=True) for number, name in enumerate(names, 1)}


META: Message = {
    1: Field("name"),
    2: Field("generateName"),
    3: Field("namespace"),
    5: Field("uid"),
    6: Field("resourceVersion"),
    11: Field("labels", mapping=True),
    12: Field("annotations", mapping=True),
    14: Field("finalizers", repeated=True),
}
NAME = _texts("name")
REFERENCE: Message = {3: Field("name")}
RULE = _lists("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
METADATA = {1: Field("metadata", META)}
BINDING: Message = {
    **METADATA,
    2: Field("subjects", _texts("kind", "apiGroup", "name", "namespace"), repeated=True),
    3: Field("roleRef", _texts("apiGroup", "kind", "name")),
}
ROLE: Message = {**METADATA, 2: Field("rules", RULE, repeated=True)}
ASKED = _texts("namespace", "verb", "group", "version", "resource", "subresource", "name")
ACCESS: Message = {
    1: Field("resourceAttributes", ASKED),
    2: Field("nonResourceAttributes", _texts("path", "verb")),
}
MESSAGES: dict[str, Message] = {
    "Namespace": METADATA,
    "Secret": {
        **METADATA,
        2: Field("data", "data", mapping=True),
        3: Field("type"),
        4: Field("stringData", mapping=True),
        5: Field("immutable", "bool"),
    },
    "ServiceAccount": {
        **METADATA,
        2: Field("secrets", REFERENCE, repeated=True),
        3: Field("imagePullSecrets", NAME, repeated=True),
        4: Field("automountServiceAccountToken", "bool"),
    },
    "ClusterRole": ROLE,
    "Role": ROLE,
    "ClusterRoleBinding": BINDING,
    "RoleBinding": BINDING,
    "SelfSubjectReview": METADATA,
    "SelfSubjectAccessReview": {**METADATA, 2: Field("spec", ACCESS)},
    "DeleteOptions": {
        2: Field("preconditions", _texts("uid", "resourceVersion")),
        5: Field("dryRun", repeated=True),
    },
}
UNKNOWN: Message = {1: Field("type", _texts("apiVersion", "kind")), 2: Field("raw", "raw")}


def decode(body: bytes) -> Object:
    """Return the object in an envelope.

    Raise ValueError for a broken envelope, or one of a kind that is not served.
    """
    if not body.startswith(MAGIC):
        raise ValueError("not Kubernetes protobuf")
    envelope = _message(UNKNOWN, body[len(MAGIC) :])
    kind = envelope.get("type", {}).get("kind", "")
    if kind not in MESSAGES:
        raise ValueError("a kind that is not served")
    return {**envelope["type"], **_message(MESSAGES[kind], envelope.get("raw", b""))}


def _message(schema: Message, data: bytes) -> Object:
    found: Object = {}
    for number, value in _wire(data):
        field = schema.get(number)
        if field is None:
            continue
        if field.mapping:
            entry = _message({1: Field("key"), 2: Field("value", field.holds)}, value)
            found.setdefault(field.name, {})[entry.get("key", "")] = entry.get("value", "")
        elif field.repeated:
            found.setdefault(field.name, []).append(_value(field, value))
        elif (read := _value(field, value)) not in ("", {}):
            found[field.name] = read
    return found


def _value(field: Field, value: Any) -> Any:
    if isinstance(field.holds, dict):
        return _message(field.holds, value)
    if field.holds == "data":
        return base64.b64encode(value).decode()
    if field.holds in ("bool", "raw"):
        return bool(value) if field.holds == "bool" else value
    return value.decode()


def _wire(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number = tag >> 3
        wire = tag & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, value
        elif wire == BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("cut short")
            yield number, data[at : at + length]
            at += length
        elif wire in (FIXED32, FIXED64):
            at += 4 if wire == FIXED32 else 8
        else:
            raise ValueError("unknown wire type")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at
    raise ValueError("cut short")
