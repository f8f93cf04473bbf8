"""Field ownership: server-side apply, and the effect of every other write on `managedFields`.

The algorithm is structured-merge-diff's, for one API version: an apply conflicts where it changes a
field of another manager, shares where it agrees, and drops fields that it owned before and no
longer names; an update takes over every field that it changes.
"""

from dataclasses import dataclass, replace
from typing import Any

from ..kinds import Kind, Object, Path
from ..status import ApiError
from . import fields
from .fields import FieldSet

APPLY = "Apply"
UPDATE = "Update"
BEFORE_FIRST_APPLY = "before-first-apply"
NOTHING: FieldSet = frozenset()


@dataclass(frozen=True)
class Manager:
    """One entry of managedFields."""

    name: str
    operation: str
    paths: FieldSet
    time: str | None

    @property
    def key(self) -> tuple[str, str]:
        """Name and operation: an Apply and an Update of the same name are two managers."""
        return self.name, self.operation


def apply(
    kind: Kind, live: Object | None, wanted: Object, *, manager: str, force: bool, now: str
) -> Object:
    """Return the object after `manager` applied `wanted` to `live`.

    Raise the 409 that lists every conflict.
    """
    before = live or {"metadata": {}}
    known = _managers(kind, live)
    own = known.pop((manager, APPLY), Manager(manager, APPLY, NOTHING, None))
    claimed = fields.leaves(kind, wanted)
    merged = _prune(_merge(kind, before, wanted), own.paths - claimed, known.values())
    changed, removed = fields.compare(kind, before, merged)
    conflicts = {
        key: other.paths & changed for key, other in known.items() if other.paths & changed
    }
    if conflicts and not force:
        raise _conflict(kind, conflicts)
    others = [replace(other, paths=other.paths - changed - removed) for other in known.values()]
    mine = Manager(manager, APPLY, claimed, now if changed or removed or live is None else own.time)
    return with_managers(kind, merged, [*others, mine])


def update(kind: Kind, live: Object | None, new: Object, *, manager: str, now: str) -> Object:
    """Return the object with its ownership after `manager` created, replaced or patched it.

    An object without managedFields stays without: the server starts to track at create and at the
    first apply only.
    """
    if live is not None and not live["metadata"].get("managedFields"):
        return with_managers(kind, new, [])
    if new["metadata"].get("managedFields") == [{}]:
        return with_managers(kind, new, [])
    known = _managers(kind, live) if live else {}
    own = known.pop((manager, UPDATE), Manager(manager, UPDATE, NOTHING, None))
    changed, removed = fields.compare(kind, live or {"metadata": {}}, new)
    paths = (own.paths | changed) - removed
    mine = replace(own, paths=paths, time=own.time if paths == own.paths and not changed else now)
    others = [replace(other, paths=other.paths - changed - removed) for other in known.values()]
    return with_managers(kind, new, [*others, mine])


def with_managers(kind: Kind, value: Object, managers: list[Manager]) -> Object:
    """Return the object with these managers, empty ones dropped, in the server's order."""
    metadata = {name: field for name, field in value["metadata"].items() if name != "managedFields"}
    kept = sorted(
        (m for m in managers if m.paths), key=lambda m: (m.operation, m.time or "", m.name)
    )
    if kept:
        metadata["managedFields"] = [_entry(kind, manager) for manager in kept]
    return {**value, "metadata": metadata}


def _entry(kind: Kind, manager: Manager) -> Object:
    head = {"manager": manager.name, "operation": manager.operation, "apiVersion": kind.api_version}
    time = {"time": manager.time} if manager.time else {}
    return {
        **head,
        **time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields.to_fields_v1(manager.paths),
    }


def _managers(kind: Kind, live: Object | None) -> dict[tuple[str, str], Manager]:
    if live is None:
        return {}
    entries = live["metadata"].get("managedFields")
    if not entries:
        first = Manager(
            BEFORE_FIRST_APPLY,
            UPDATE,
            fields.nodes(kind, live),
            live["metadata"].get("creationTimestamp"),
        )
        return {first.key: first}
    read = (
        Manager(e["manager"], e["operation"], fields.from_fields_v1(e["fieldsV1"]), e.get("time"))
        for e in entries
    )
    return {manager.key: manager for manager in read}


def _merge(kind: Kind, live: Object, wanted: Object, path: Path = ()) -> Object:
    merged = dict(live)
    for name, value in wanted.items():
        here = (*path, name)
        old = merged.get(name)
        if isinstance(value, dict) and here not in kind.atomic:
            merged[name] = _merge(kind, old or {}, value, here)
        elif isinstance(value, list) and here in fields.CONTAINERS:
            merged[name] = _merge_items(here, old or [], value)
        elif value is not None:
            merged[name] = value
        elif path in fields.TEXTS:
            merged[name] = ""
        elif here not in fields.CONTAINERS:
            merged.pop(name, None)
    return merged


def _merge_items(path: Path, live: list[Any], wanted: list[Any]) -> list[Any]:
    by_name = {fields.item_name(path, item): item for item in [*live, *wanted]}
    return list(by_name.values())


def _prune(value: Object, gone: FieldSet, others: "object") -> Object:
    kept = frozenset[Path]().union(*(other.paths for other in others))  # type: ignore[attr-defined]
    for path in sorted(gone - kept, key=len, reverse=True):
        value = _without(value, path)
    return value


def _without(value: Any, path: Path, above: Path = ()) -> Any:
    name, *rest = path
    if isinstance(value, list):
        return [item for item in value if fields.item_name(above, item) != name]
    if name not in value:
        return value
    if not rest:
        return (
            value
            if isinstance(value[name], dict) and value[name]
            else {k: v for k, v in value.items() if k != name}
        )
    inner = _without(value[name], tuple(rest), (*above, name))
    return {k: v for k, v in value.items() if k != name} if inner == [] else {**value, name: inner}


def _conflict(kind: Kind, conflicts: dict[tuple[str, str], FieldSet]) -> ApiError:
    listed = [
        (key, fields.dotted(path)) for key in sorted(conflicts) for path in sorted(conflicts[key])
    ]
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {_named(kind, k)}",
            "field": at,
        }
        for k, at in listed
    ]
    if len(listed) == 1:
        text = f"1 conflict: conflict with {_named(kind, listed[0][0])}: {listed[0][1]}"
    else:
        groups = (
            "\n- ".join(
                [
                    f"conflicts with {_named(kind, key)}:",
                    *map(fields.dotted, sorted(conflicts[key])),
                ]
            )
            for key in sorted(conflicts)
        )
        text = f"{len(listed)} conflicts: " + "\n".join(groups)
    return ApiError(409, f"Apply failed with {text}", {"causes": causes})


def _named(kind: Kind, key: tuple[str, str]) -> str:
    name, operation = key
    return f'"{name}" using {kind.api_version}' if operation == UPDATE else f'"{name}"'
