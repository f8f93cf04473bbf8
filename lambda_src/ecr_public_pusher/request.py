"""Every shape of event -> one Request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ecr_public_pusher.config import cluster_id
from ecr_public_pusher.errors import RequestError
from ecr_public_pusher.namespaces import check_pattern

type Action = Literal["push", "plan"]

ACCEPTED_SHAPES = """one of:
  {} or {"action": "push"}                          all clusters
  {"action": "push", "clusters": ["prod", "eu-*"]}  these clusters (ids or globs)
  {"action": "push", "namespaces": ["team-a"]}      these namespaces only
  {"action": "plan"}                                what a push would do, without doing it
  an EventBridge event `Parameter Store Change`     the cluster whose document changed
  "raise": false in any of the first four           return the report even when the run failed"""

_FIELDS = frozenset({"action", "clusters", "namespaces", "raise"})


@dataclass(frozen=True)
class Request:
    """What is asked for. `clusters` and `namespaces`: names and globs that narrow it; empty means all.

    `deleted` names a cluster document that was removed: there is nothing to push for it.
    """

    action: Action = "push"
    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    raises: bool = True
    deleted: str | None = None

    @property
    def dry_run(self) -> bool:
        return self.action == "plan"

    @property
    def narrowed(self) -> bool:
        return bool(self.clusters or self.namespaces or self.deleted)


def parse(event: Any, *, root: str) -> Request:
    """The request an event makes. Raises RequestError, which shows the accepted shapes, for any other event."""
    if not isinstance(event, Mapping):
        raise _refused(f"the event is {_kind(event)}, not an object")
    if event.get("source") == "aws.ssm":
        return replace(_parameter_change(event, root), raises=raises(event))
    if unknown := sorted(str(name)[:60] for name in event if name not in _FIELDS):
        raise _refused(f"unknown field {', '.join(unknown[:5])}")
    action = event.get("action", "push")
    if action not in ("push", "plan"):
        raise _refused(f"unknown action {json.dumps(action, default=str)[:60]}")
    if not isinstance(event.get("raise", True), bool):
        raise _refused('"raise" must be true or false')
    patterns = _patterns(event, "namespaces")
    try:
        namespaces = tuple(check_pattern(pattern) for pattern in patterns)
    except ValueError as error:
        raise _refused(f'"namespaces": {error}') from None
    return Request(action, _patterns(event, "clusters"), namespaces, raises(event))


def raises(event: Any) -> bool:
    """Whether a failure is to be raised: unless the event, even one that is not understood, says `"raise": false`."""
    return not (isinstance(event, Mapping) and event.get("raise") is False)


def _patterns(event: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A narrowing list. Given but empty is refused: it would silently mean everything."""
    if name not in event:
        return ()
    value = event[name]
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise _refused(f'"{name}" must be a list of one or more names or globs')
    return tuple(value)


def _parameter_change(event: Mapping[str, Any], root: str) -> Request:
    detail = event.get("detail")
    name = detail.get("name") if isinstance(detail, Mapping) else None
    if event.get("detail-type") != "Parameter Store Change" or not isinstance(name, str):
        raise _refused("an event of aws.ssm that is no Parameter Store Change")
    assert isinstance(detail, Mapping)
    if name == f"{root}/defaults":
        return Request()
    identity = cluster_id(name, root=root)
    if identity is None:
        raise RequestError(
            f"the parameter {name[:200]} is neither {root}/defaults nor {root}/clusters/<id>",
            remedy=f"Name it so, or keep it outside {root}: nothing reads it there.",
        )
    if detail.get("operation") == "Delete":
        return Request(clusters=(identity,), deleted=identity)
    return Request(clusters=(identity,))


def _kind(event: Any) -> str:
    return {list: "a list", str: "a string", type(None): "null"}.get(type(event), f"a {type(event).__name__}")


def _refused(why: str) -> RequestError:
    return RequestError(f"this event is not understood: {why}", remedy=f"Send {ACCEPTED_SHAPES}")
