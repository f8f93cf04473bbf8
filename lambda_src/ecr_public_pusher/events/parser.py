"""The parser of events: every shape of event becomes one Request. Pure."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ecr_public_pusher.configuration.names import MAX_LENGTH, check_namespace
from ecr_public_pusher.configuration.parameter_names import pushed_by
from ecr_public_pusher.errors import RemovalNotRepeated, RequestError
from ecr_public_pusher.events.request import SWEEP_WINDOW_MINUTES, Request

MAX_SWEEP_WINDOW_MINUTES = 24 * 60

ACCEPTED_SHAPES = """one of:
  {} or {"action": "push"}                          all clusters
  {"action": "push", "clusters": ["prod", "eu-*"]}  these clusters (ids or globs)
  {"action": "push", "namespaces": ["team-a"]}      these namespaces only
  {"action": "push", "clusters": ["prod"], "prune": "all"}  and prune, however many Secrets
  {"action": "plan"}                                what a push would do, without doing it
  {"action": "sweep"}                               Secrets that are missing or about to expire
  {"action": "sweep", "windowMinutes": 20}          the same; the window counts where it cannot list
  {"action": "check"}                               whether a push would work, and what prevents it
  {"action": "check", "clusters": ["prod"], "includeDisabled": true}  disabled documents, too
  {"action": "remove", "clusters": ["prod"]}        delete what it wrote there ("*": all clusters)
  {"action": "plan", "remove": true, "clusters": ["prod"]}  what a removal would delete
  {"action": "forget", "clusters": ["gone"]}        note that these, without documents, are gone
  an EventBridge event `Parameter Store Change`     the cluster whose document changed
  a Lambda failure record with `requestPayload`     what that payload asked for
  an SQS batch with bodies like any of these        everything that they ask for
  "raise": false in any of those with an action     return the report even when the run failed"""

_FIELDS: dict[str, frozenset[str]] = {
    "push": frozenset({"action", "clusters", "namespaces", "prune", "raise"}),
    "plan": frozenset({"action", "clusters", "namespaces", "prune", "remove", "raise"}),
    "sweep": frozenset({"action", "clusters", "windowMinutes", "raise"}),
    "check": frozenset({"action", "clusters", "namespaces", "includeDisabled", "raise"}),
    "remove": frozenset({"action", "clusters", "raise"}),
    "forget": frozenset({"action", "clusters", "raise"}),
}


def parse(event: Any, *, root: str) -> Request:
    """Return the request that an event makes.

    Raise RequestError, which shows the accepted shapes, for any other event.
    """
    if not isinstance(event, Mapping):
        raise _refused(f"the event is {_kind(event)}, not an object")
    if event.get("source") == "aws.ssm":
        return replace(_parameter_change(event, root), raises=raises(event))
    if "requestPayload" in event and "requestContext" in event:
        return replace(_failure_record(event, root), raises=raises(event))
    action = event.get("action", "push")
    if not isinstance(action, str):
        raise _refused('"action" must be a string')
    if action not in _FIELDS:
        raise _refused(f"unknown action {json.dumps(action[:60])}{_did_you_mean(action, _FIELDS)}")
    if unknown := sorted(str(name)[:60] for name in event if name not in _FIELDS[action]):
        guess = _did_you_mean(unknown[0], _FIELDS[action])
        raise _refused(f"unknown field {', '.join(unknown[:5])} of {action}{guess}")
    for name in ("raise", "includeDisabled"):
        if not isinstance(event.get(name, True), bool):
            raise _refused(f'"{name}" must be true or false')
    patterns = _patterns(event, "namespaces")
    try:
        namespaces = tuple(check_namespace(pattern) for pattern in patterns)
    except ValueError as error:
        raise _refused(f'"namespaces": {error}') from None
    removes = _removes(event, action)
    clusters = _patterns(event, "clusters")
    if removes and (not clusters or namespaces):
        raise _refused('a removal needs "clusters" (["*"] for all), and takes no "namespaces"')
    if action == "forget" and not clusters:
        raise _refused('to forget needs "clusters"')
    if "prune" in event and (event["prune"] != "all" or not clusters or namespaces or removes):
        raise _refused(
            '"prune" can only be "all"; it needs "clusters" (["*"] for all), and takes no'
            ' "namespaces"'
        )
    return Request(
        action,  # type: ignore[arg-type]  # a key of _FIELDS
        clusters,
        namespaces,
        raises(event),
        removes=removes,
        nothing=action == "forget",
        prune_all="prune" in event,
        includes_disabled=event.get("includeDisabled", False),
        window_minutes=_window(event),
    )


def asked_action(event: Any) -> str:
    """Return the action that a refused event asked for, if it can be read."""
    if not isinstance(event, Mapping):
        return "unknown"
    if isinstance(payload := event.get("requestPayload"), Mapping):
        event = payload
    action = event.get("action", "push")
    return action[:60] if isinstance(action, str) and action.isprintable() else "unknown"


def raises(event: Any) -> bool:
    """Return whether a failure is to be raised.

    It is, unless the event, even an invalid one, says `"raise": false`.
    """
    return not (isinstance(event, Mapping) and event.get("raise") is False)


def _patterns(event: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a narrowing list. Refuse an empty one, which would silently mean everything."""
    if name not in event:
        return ()
    value = event[name]
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(item, str) and item for item in value)
    ):
        raise _refused(f'"{name}" must be a list of one or more names or globs')
    if any(len(item) > MAX_LENGTH for item in value):
        raise _refused(f'"{name}" holds a name or glob of more than {MAX_LENGTH} characters')
    return tuple(value)


def _removes(event: Mapping[str, Any], action: str) -> bool:
    if not isinstance(event.get("remove", True), bool):
        raise _refused('"remove" must be true or false')
    return action == "remove" or event.get("remove") is True


def _window(event: Mapping[str, Any]) -> int:
    minutes = event.get("windowMinutes", SWEEP_WINDOW_MINUTES)
    if (
        not isinstance(minutes, int)
        or isinstance(minutes, bool)
        or not 1 <= minutes <= MAX_SWEEP_WINDOW_MINUTES
    ):
        raise _refused(
            f'"windowMinutes" must be a whole number from 1 to {MAX_SWEEP_WINDOW_MINUTES}'
        )
    return minutes


def _failure_record(event: Mapping[str, Any], root: str) -> Request:
    """Return the request of a failure record, as Lambda sends it to an on-failure destination.

    Source: Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations". It can
    arrive hours later, so nothing that deletes more than a push does is repeated from one.
    """
    payload = event["requestPayload"]
    if isinstance(payload, Mapping) and "requestPayload" in payload:
        raise _refused("a failure record within a failure record")
    request = replace(parse(payload, root=root), prune_all=False)
    if request.action == "remove":
        raise RemovalNotRepeated
    try:
        asked_at = datetime.fromisoformat(str(event.get("timestamp")))
        asked_at - timedelta(minutes=MAX_SWEEP_WINDOW_MINUTES)  # a sweep looks back as far
    except (ValueError, OverflowError):
        return request
    return replace(request, asked_at=asked_at if asked_at.tzinfo else None)


def _parameter_change(event: Mapping[str, Any], root: str) -> Request:
    detail = event.get("detail")
    name = detail.get("name") if isinstance(detail, Mapping) else None
    if event.get("detail-type") != "Parameter Store Change" or not isinstance(name, str):
        raise _refused("an event of aws.ssm other than a Parameter Store Change")
    assert isinstance(detail, Mapping)
    if name == f"{root}/defaults":
        return Request()
    changed = pushed_by(name, root=root)
    is_gone = detail.get("operation") == "Delete"
    if changed is None:
        return Request(nothing=True) if is_gone else Request(unknown_parameter=name)
    if is_gone:
        return Request(clusters=(changed,), deleted=changed)
    # By the time that the event arrives, the document may have been deleted: that is an event, too.
    return Request(clusters=(changed,), ignore_missing=True)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _kind(event: Any) -> str:
    return {list: "a list", str: "a string", type(None): "null"}.get(
        type(event), f"a {type(event).__name__}"
    )


def _refused(why: str) -> RequestError:
    return RequestError(f"this event is not understood: {why}", remedy=f"Send {ACCEPTED_SHAPES}")
