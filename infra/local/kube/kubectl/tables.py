"""Answers as the Accept header wants them: objects, metadata only, or kubectl's tables."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..kinds import Kind, Object
from ..status import ApiError

META = "meta.k8s.io/v1"
BODIES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_NAME = (
    "Name must be unique within a namespace. Is required when creating resources, although some"
    " resources may allow a client to request the generation of an appropriate name automatically."
    " Name is primarily intended for creation idempotence and configuration definition. Cannot be"
    " updated. More info:"
    " https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
_AGE = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It"
    " is not guaranteed to be set in happens-before order across separate operations. Clients may"
    " not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the"
    " system. Read-only. Null for lists. More info:"
    " https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)
_TYPE = (
    "Used to facilitate programmatic handling of secret data. More info:"
    " https://kubernetes.io/docs/concepts/configuration/secret/#secret-types"
)
_DATA = (
    "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or"
    " '.'. The serialized form of the secret data is a base64 encoded string, representing the"
    " arbitrary (possibly non-string) data value here. Described in"
    " https://tools.ietf.org/html/rfc4648#section-4"
)

type Column = tuple[str, str, int, Callable[[Object], Any]]


def _age(value: Object) -> str:
    created = datetime.fromisoformat(value["metadata"]["creationTimestamp"])
    return human_duration(int((datetime.now(UTC) - created).total_seconds()))


def _subjects(wanted: str) -> Callable[[Object], str]:
    def cell(value: Object) -> str:
        found = [s for s in value.get("subjects") or [] if s["kind"] == wanted]
        return ", ".join(
            f"{s['namespace']}/{s['name']}" if "namespace" in s else str(s["name"]) for s in found
        )

    return cell


NAME: Column = ("Name", _NAME, 0, lambda value: value["metadata"]["name"])
AGE: Column = ("Age", _AGE, 0, _age)
CREATED: Column = ("Created At", _AGE, 0, lambda value: value["metadata"]["creationTimestamp"])
BOUND: list[Column] = [
    NAME,
    ("Role", "RoleRef", 0, lambda value: f"{value['roleRef']['kind']}/{value['roleRef']['name']}"),
    AGE,
    ("Users", "Users", 1, _subjects("User")),
    ("Groups", "Groups", 1, _subjects("Group")),
    ("ServiceAccounts", "ServiceAccounts", 1, _subjects("ServiceAccount")),
]
COLUMNS: dict[str, list[Column]] = {
    "Namespace": [
        NAME,
        ("Status", "The status of the namespace", 0, lambda value: value["status"]["phase"]),
        AGE,
    ],
    "Secret": [
        NAME,
        ("Type", _TYPE, 0, lambda value: value.get("type", "")),
        ("Data", _DATA, 0, lambda value: len(value.get("data") or {})),
        AGE,
    ],
    "ServiceAccount": [NAME, AGE],
    "ClusterRole": [NAME, CREATED],
    "Role": [NAME, CREATED],
    "ClusterRoleBinding": BOUND,
    "RoleBinding": BOUND,
}


def human_duration(seconds: int) -> str:
    """Return an age as apimachinery's duration.HumanDuration: two units at most."""
    minutes = seconds // 60
    hours = seconds // 3600
    days = seconds // 86400
    if seconds < 0:
        return "0s" if seconds >= -1 else "<invalid>"
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 2920 else f"{days // 365}y"


def shape(accept: str) -> str:
    """Return the shape that the Accept header asks for.

    It is "Table", "PartialObjectMetadata", "PartialObjectMetadataList" or "" (the object). Raise
    the 406 for any other.
    """
    for part in accept.split(",") if accept else ["*/*"]:
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        given = dict(p.split("=", 1) for p in parameters if "=" in p)
        if (
            kind in ("application/json", "application/*", "*/*")
            and given.get("g", "meta.k8s.io") == "meta.k8s.io"
        ):
            wanted = given.get("as", "")
            if (
                wanted in ("", "Table", "PartialObjectMetadata", "PartialObjectMetadataList")
                and given.get("v", "v1") == "v1"
            ):
                return wanted
    types = (*BODIES, *(f"{one};stream=watch" for one in (BODIES[0], BODIES[2])))
    detail = f"406: Not Acceptable\n\nAvailable representations: {', '.join(types)}"
    raise ApiError(406, detail, {})


def one(kind: Kind, value: Object, wanted: str, query: dict[str, str]) -> Object:
    """Return one object in the requested shape."""
    if wanted == "Table":
        return _table(
            kind, [value], {"resourceVersion": value["metadata"].get("resourceVersion", "")}, query
        )
    return partial(value) if wanted == "PartialObjectMetadata" else value


def many(
    kind: Kind, values: list[Object], metadata: Object, wanted: str, query: dict[str, str]
) -> Object:
    """Return a list in the requested shape.

    An empty metadata list is null, as Go encodes it.
    """
    if wanted == "Table":
        return _table(kind, values, metadata, query)
    if wanted:
        items = [partial(value) for value in values] or None
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": META,
            "metadata": metadata,
            "items": items,
        }
    bare = [
        {name: field for name, field in value.items() if name not in ("kind", "apiVersion")}
        for value in values
    ]
    return {
        "kind": f"{kind.kind}List",
        "apiVersion": kind.api_version,
        "metadata": metadata,
        "items": bare,
    }


def partial(value: Object) -> Object:
    """Return only the object's metadata, without a Secret's data."""
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": value["metadata"]}


def _table(kind: Kind, values: list[Object], metadata: Object, query: dict[str, str]) -> Object:
    columns = COLUMNS[kind.kind]
    definitions = [
        {
            "name": name,
            "type": "string",
            "format": "name" if name == "Name" else "",
            "description": text,
            "priority": priority,
        }
        for name, text, priority, _ in columns
    ]
    include = query.get("includeObject", "Metadata")
    rows: list[Object] = []
    for value in values:
        row: Object = {"cells": [cell(value) for *_, cell in columns]}
        if include != "None":
            row["object"] = value if include == "Object" else partial(value)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": META,
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _two(first: int, unit: str, second: int, smaller: str) -> str:
    return f"{first}{unit}{second}{smaller}" if second else f"{first}{unit}"
