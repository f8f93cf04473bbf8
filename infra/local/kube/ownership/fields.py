"""Sets of fields: which an object has, which differ between two, and how managedFields writes them down (FieldsV1).

A set holds paths. A container's own path means that its existence is owned; FieldsV1 writes it as "." beside children and as {} alone.
"""

import json
from collections.abc import Iterable
from typing import Any

from ..kinds import Kind, Object, Path

type FieldSet = frozenset[Path]

UNTRACKED = frozenset(
    {("apiVersion",), ("kind",), ("metadata",), ("spec",), ("spec", "finalizers")}
    | {("metadata", name) for name in (
        "name", "namespace", "generateName", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "generation", "selfLink", "managedFields",
    )}
)  # fmt: skip
"""What no manager owns: identity, what the server sets, and the parts that every object has anyway."""

SETS = frozenset({("metadata", "finalizers")})
"""Lists whose items are owned one by one."""


def leaves(kind: Kind, value: Object) -> FieldSet:
    """What an applied configuration claims: its leaves, and containers it leaves empty."""
    return frozenset(path for path, node in _walk(kind, value) if not _open(kind, path, node) or not node) - UNTRACKED


def nodes(kind: Kind, value: Object) -> FieldSet:
    """Every path of an object, containers included: what whoever wrote it as a whole owns."""
    return frozenset(path for path, _ in _walk(kind, value)) - UNTRACKED


def compare(kind: Kind, old: Object, new: Object) -> tuple[FieldSet, FieldSet]:
    """(added or changed, removed) between two versions of an object."""
    before, after = dict(_walk(kind, old)), dict(_walk(kind, new))
    changed = {path for path, node in after.items() if path not in before or (_leaf_differs(kind, path, before[path], node))}
    return frozenset(changed) - UNTRACKED, frozenset(before.keys() - after.keys()) - UNTRACKED


def to_fields_v1(paths: Iterable[Path]) -> Object:
    """The nested form that managedFields holds."""
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
    """The set behind a FieldsV1."""
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
    """A path as messages show it: `.data..dockerconfigjson`."""
    return "".join(f".{name}" for name in path)


def _name(key: str) -> str:
    return key if _is_item(key) else key[2:]


def _is_item(name: str) -> bool:
    """Whether this part of a path is a set's item, which is written as FieldsV1 does."""
    return name.startswith('v:"')


def _walk(kind: Kind, value: Object | list[str], path: Path = ()) -> Iterable[tuple[Path, Any]]:
    if isinstance(value, list):
        yield from (((*path, f"v:{json.dumps(item)}"), item) for item in value)
        return
    for name, node in value.items():
        here = (*path, name)
        if here == ("metadata", "managedFields") or here == ("status",):
            continue
        yield here, node
        if _open(kind, here, node):
            yield from _walk(kind, node, here)


def _open(kind: Kind, path: Path, node: Any) -> bool:
    return (isinstance(node, dict) and path not in kind.atomic) or (isinstance(node, list) and path in SETS)


def _leaf_differs(kind: Kind, path: Path, before: Any, after: Any) -> bool:
    return before != after and not (_open(kind, path, before) and _open(kind, path, after))
