"""Sets of fields: of an object, of the difference of two, and as managedFields (FieldsV1).

A set holds paths. A container's own path means that its existence is owned; FieldsV1 writes it as
"." beside children and as {} alone.
"""

import json
from collections.abc import Iterable
from typing import Any

from ..kinds import Kind, Object, Path

type FieldSet = frozenset[Path]

UNTRACKED = frozenset(
    {("apiVersion",), ("kind",), ("metadata",), ("spec",), ("spec", "finalizers")}
    | {
        ("metadata", name)
        for name in (
            "name",
            "namespace",
            "generateName",
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "selfLink",
            "managedFields",
        )
    }
)
"""Fields without a manager: identity, fields that the server sets, parts of every object."""

SETS = frozenset({("metadata", "finalizers")})
"""Lists of texts whose items are owned one by one."""

KEYED = {("metadata", "ownerReferences"): "uid", ("secrets",): "name"}
"""Lists of objects whose items are owned one by one and as a whole, with the key of an item."""

TEXTS = frozenset({("metadata", "labels"), ("metadata", "annotations"), ("data",), ("stringData",)})
"""Mappings of texts; null in them is an empty text."""

CONTAINERS = TEXTS | SETS | KEYED.keys()
"""Fields that an apply of null leaves unchanged, though it owns them."""


def leaves(kind: Kind, value: Object) -> FieldSet:
    """Return the fields that an applied configuration claims: leaves and empty mappings.

    An empty list claims nothing.
    """
    found = _walk(kind, value)
    return frozenset(p for p, node in found if not _open(kind, p, node) or node == {}) - UNTRACKED


def nodes(kind: Kind, value: Object) -> FieldSet:
    """Return every path of an object, containers included, which its creator owns."""
    return frozenset(path for path, _ in _walk(kind, value)) - UNTRACKED


def compare(kind: Kind, old: Object, new: Object) -> tuple[FieldSet, FieldSet]:
    """Return (added or changed, removed) paths between two versions of an object."""
    before = dict(_walk(kind, old))
    after = dict(_walk(kind, new))
    changed = {
        path
        for path, node in after.items()
        if path not in before or (_leaf_differs(kind, path, before[path], node))
    }
    return frozenset(changed) - UNTRACKED, frozenset(before.keys() - after.keys()) - UNTRACKED


def to_fields_v1(paths: Iterable[Path]) -> Object:
    """Return the nested form that managedFields holds."""
    members = frozenset(paths)
    root: Object = {}
    for path in sorted(members):
        here = root
        for depth, name in enumerate(path, 1):
            here = here.setdefault(name if _is_item(name) else f"f:{name}", {})
            if depth < len(path) and path[:depth] in members:
                here["."] = {}
    return root


def from_fields_v1(tree: Object, path: Path = ()) -> FieldSet:
    """Return the set that a FieldsV1 stands for."""
    found: set[Path] = set()
    for key, below in tree.items():
        if key == ".":
            found.add(path)
        elif not below:
            found.add((*path, _name(key)))
        else:
            found |= from_fields_v1(below, (*path, _name(key)))
    return frozenset(found)


def dotted(path: Path) -> str:
    """Return a path as messages show it: `.data..dockerconfigjson`."""
    return "".join(f".{name}" for name in path)


def _name(key: str) -> str:
    return key if _is_item(key) else key[2:]


def item_name(path: Path, item: Any) -> str:
    """Return the last part of a list item's path, as in FieldsV1."""
    if path not in KEYED:
        return f"v:{json.dumps(item)}"
    key = KEYED[path]
    return f"k:{json.dumps({key: item.get(key, '')}, separators=(',', ':'))}"


def _is_item(name: str) -> bool:
    return name.startswith(('v:"', 'k:{"'))


def _walk(kind: Kind, value: Object | list[Any], path: Path = ()) -> Iterable[tuple[Path, Any]]:
    if isinstance(value, list):
        yield from (((*path, item_name(path, item)), item) for item in value)
        return
    for name, node in value.items():
        here = (*path, name)
        if here == ("metadata", "managedFields") or here == ("status",):
            continue
        yield here, node
        if _open(kind, here, node):
            yield from _walk(kind, node, here)


def _open(kind: Kind, path: Path, node: Any) -> bool:
    if isinstance(node, list):
        return path in SETS or path in KEYED
    return isinstance(node, dict) and path not in kind.atomic and path[:-1] not in KEYED


def _leaf_differs(kind: Kind, path: Path, before: Any, after: Any) -> bool:
    return before != after and not (_open(kind, path, before) and _open(kind, path, after))
