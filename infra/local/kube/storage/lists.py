"""Lists in pages: limit, continue tokens and the count of the remaining items."""

import base64
import binascii
import json
import posixpath
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..kinds import Object
from ..status import ApiError, bad_request, expired
from .gojson import json_error
from .store import Key, Listed

TOKEN_VERSION = "meta.k8s.io/v1"
NOW = -1
"""The version of a token for the current list, which the refusal of an expired token offers."""


@dataclass(frozen=True)
class Position:
    """The start of a page, as in a token: the version of the list, and the first path."""

    version: int
    start: str

    @property
    def token(self) -> str:
        """The continue token."""
        fields = {"v": TOKEN_VERSION, "rv": self.version, "start": self.start}
        text = json.dumps(fields, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Page:
    """A page's objects and the list's metadata."""

    items: list[Object]
    metadata: Object

    @property
    def has_more(self) -> bool:
        """True when there is a further page, which may be empty."""
        return "continue" in self.metadata


def page(
    listed: Listed,
    selects: Callable[[Object], bool] | None,
    *,
    at: Position,
    limit: int,
    namespaced: bool,
) -> Page:
    """Return the page of a whole list from a position on.

    Without a selector the remaining items are counted. With one the server neither counts them nor
    checks whether any of them is selected, so the last page may be empty.
    """
    place = bisect_left(listed, at.start, key=lambda item: _path(item[0], namespaced))
    taken: list[Object] = []
    while place < len(listed) and (not limit or len(taken) < limit):
        if selects is None or selects(listed[place][1]):
            taken.append(listed[place][1])
        place += 1
    metadata: Object = {"resourceVersion": str(at.version)}
    if place < len(listed):
        following = _path(listed[place - 1][0], namespaced) + "\0"
        metadata["continue"] = Position(at.version, following).token
        if selects is None:
            metadata["remainingItemCount"] = len(listed) - place
    return Page(taken, metadata)


def position(token: str) -> Position:
    """Return the start of the page that a token stands for. Raise the 400 for an invalid one."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise _no_token("illegal base64 data at input byte 0") from None
    try:
        fields = json.loads(raw)
    except ValueError:
        detail = json_error(raw.decode("latin-1")) or "unexpected end of JSON input"
        raise _no_token(detail) from None
    return _checked(fields if isinstance(fields, dict) else {})


def gone(at: Position) -> ApiError:
    """Return the 410 for a page of a forgotten list, with a token for the current one."""
    return expired(Position(NOW, at.start.removeprefix("/")).token)


def number(query: dict[str, str], name: str) -> int:
    """Return a whole number from the query; 0 when it is absent. Raise the 400 for any other."""
    text = query.get(name) or "0"
    if not text.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _path(key: Key, namespaced: bool) -> str:
    return f"/{key[0]}/{key[1]}" if namespaced else f"/{key[1]}"


def _checked(fields: dict[str, Any]) -> Position:
    version = fields.get("rv")
    start = fields.get("start")
    if (form := fields.get("v", "")) != TOKEN_VERSION:
        raise _no_token(f"server does not recognize this encoded version {form}")
    if not isinstance(version, int) or not version:
        raise _no_token(f"incorrect encoded start resourceVersion (version {form})")
    if not isinstance(start, str) or not start:
        raise _no_token(f"encoded start key empty (version {form})")
    path = start if start.startswith("/") else f"/{start}"
    if posixpath.normpath(path) != path:
        raise _no_token(start)
    return Position(version, path)


def _no_token(detail: str) -> ApiError:
    return bad_request(f"invalid continue token: continue key is not valid: {detail}")
