"""A final answer other than success, reduced to what is safe to repeat and needed to act: status, reason, kind, causes, conflict."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ecr_public_pusher.errors import ApiError

# Worth another try; every other status is an answer.
PASSING_STATUS = frozenset({408, 429, 500, 502, 503, 504})

_MANAGER = re.compile(r'conflict with "([A-Za-z0-9 ._/:@-]{1,128})"')
_KNOWN_CAUSES = ("NamespaceTerminating", "FieldValueInvalid", "FieldValueForbidden")

_UNWELL = "The API server is overloaded or unwell; the next run tries again. See its own metrics and log."
_AUDIT = "See the API server's audit log for this request."


@dataclass(frozen=True)
class Conflict:
    """Fields of a Secret that other field managers hold."""

    managers: tuple[str, ...]
    fields: tuple[str, ...]


class Refused(ApiError):
    """A final answer other than success: its HTTP status, reason, the kind of object meant, and the causes' reasons and fields."""

    def __init__(self, status: int, reason: str, *, kind: str = "", causes: tuple[str, ...] = (), conflict: Conflict | None = None) -> None:
        super().__init__(f"the API server answered {status} {reason}".rstrip(), remedy=_UNWELL if status in PASSING_STATUS else _AUDIT)
        self.status, self.reason, self.kind, self.causes, self.conflict = status, reason, kind, causes, conflict


def refused(status: int, answer: Any, sent: tuple[bytes, ...]) -> Refused:
    """A Status answer, reduced to what is known to be safe: nothing of what was `sent` comes back in a message."""
    details = answer.get("details") if isinstance(answer, dict) and answer.get("kind") == "Status" else None
    if not isinstance(details, dict):
        return Refused(status, phrase(status))
    listed = details.get("causes")
    causes = [cause for cause in listed if isinstance(cause, dict)] if isinstance(listed, list) else []
    held = [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]
    managers = {found[1] for cause in held if (found := _MANAGER.search(str(cause.get("message"))))}
    conflict = Conflict(
        managers=tuple(sorted(manager for manager in managers if not any(manager.encode() in part for part in sent))),
        fields=tuple(str(cause.get("field"))[:80] for cause in held),
    )
    known = tuple(str(cause.get("reason")) for cause in causes if cause.get("reason") in _KNOWN_CAUSES)
    return Refused(status, phrase(status), kind=str(details.get("kind"))[:40], causes=known, conflict=conflict if held else None)


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
