"""The JSON types of the served kinds that the code relies on.

An object of the wrong shape must be refused when it is written: once stored, it would fail every
request that reads it.
"""

from typing import Any

from ..kinds import Object

TEXTS = {"*": str}
RULE = {
    part: [str] for part in ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
}
OWNER = {
    **dict.fromkeys(("apiVersion", "kind", "name", "uid"), str),
    **dict.fromkeys(("controller", "blockOwnerDeletion"), bool),
}
SHAPE: dict[str, Any] = {
    "metadata": {
        "name": str,
        "namespace": str,
        "generateName": str,
        "uid": str,
        "resourceVersion": str,
        "labels": TEXTS,
        "annotations": TEXTS,
        "finalizers": [str],
        "managedFields": [{}],
        "ownerReferences": [OWNER],
    },
    "spec": {"finalizers": [str], "resourceAttributes": TEXTS, "nonResourceAttributes": TEXTS},
    "status": {},
    "data": TEXTS,
    "stringData": TEXTS,
    "type": str,
    "immutable": bool,
    "secrets": [{"name": str}],
    "imagePullSecrets": [{"name": str}],
    "automountServiceAccountToken": bool,
    "rules": [RULE],
    "subjects": [{"kind": str, "name": str, "namespace": str, "apiGroup": str}],
    "roleRef": {"kind": str, "name": str, "apiGroup": str},
}
NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
GO_TYPES = {str: "string", bool: "bool"}


def mistyped(value: Object) -> str | None:
    """Return the first field of a wrong type, in the words of Go's decoder; None when all fit.

    Unknown fields fit.
    """
    return _mistyped(value, SHAPE, "")


def _mistyped(value: Any, shape: Any, path: str) -> str | None:
    if value is None:
        return None
    wanted: type[Any] = shape if isinstance(shape, type) else type(shape)
    if type(value) is not wanted:
        return (
            f"{NAMES.get(type(value), 'value')} into Go struct field {path} of type"
            f" {GO_TYPES.get(wanted, NAMES[wanted])}"
        )
    if wanted is list:
        return next(
            filter(
                None,
                (
                    _mistyped(item, shape[0], path) if item is not None else f"null into {path}"
                    for item in value
                ),
            ),
            None,
        )
    if wanted is not dict:
        return None
    parts = (
        (item, shape.get(name, shape.get("*")), f"{path}.{name}".lstrip("."))
        for name, item in value.items()
    )
    return next(
        filter(
            None,
            (_mistyped(item, inner, where) for item, inner, where in parts if inner is not None),
        ),
        None,
    )
