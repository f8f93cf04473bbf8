"""Lists in pages: limit, continue tokens and the count of what remains."""

import base64
import binascii
import json
from dataclasses import dataclass

from ..kinds import Object
from ..status import bad_request
from .gojson import quoted
from .store import Key

TOKEN_VERSION = "meta.k8s.io/v1"


@dataclass(frozen=True)
class Page:
    """Some objects and the list's metadata."""

    items: list[Object]
    metadata: Object


def page(found: list[tuple[Key, Object]], *, version: int, limit: int, token: str, counted: bool, namespaced: bool) -> Page:
    """One page. `counted` is false under a selector: the server does not count then."""
    if token:
        version, start = _read(token)
        found = [item for item in found if _key(item[0], namespaced) >= start]
    if not limit or len(found) <= limit:
        return Page([value for _, value in found], {"resourceVersion": str(version)})
    taken, rest = found[:limit], found[limit:]
    following = _write(version, _key(taken[-1][0], namespaced) + "\0")
    remaining = {"remainingItemCount": len(rest)} if counted else {}
    return Page([value for _, value in taken], {"resourceVersion": str(version), "continue": following, **remaining})


def number(query: dict[str, str], name: str) -> int:
    """A whole number among the parameters; 0 when it is absent."""
    text = query.get(name) or "0"
    if not text.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _key(key: Key, namespaced: bool) -> str:
    return f"{key[0]}/{key[1]}" if namespaced else key[1]


def _write(version: int, start: str) -> str:
    text = json.dumps({"v": TOKEN_VERSION, "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(token: str) -> tuple[int, str]:
    wrong = "invalid continue token: continue key is not valid: "
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise bad_request(f"{wrong}illegal base64 data at input byte 0") from None
    try:
        fields = json.loads(raw)
        return int(fields["rv"]), str(fields["start"])
    except (ValueError, KeyError, TypeError):
        detail = f"invalid character {quoted(chr(raw[0]))} looking for beginning of value" if raw else "unexpected end of JSON input"
        raise bad_request(wrong + detail) from None
