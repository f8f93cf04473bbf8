"""The reader of JSON documents, with the same result as the reader of YAML: scalars as text. Pure.

JSON is YAML too, but libyaml does not read all of it: many programs, json.dumps among them, write a
character beyond U+FFFF as the two halves of a surrogate pair (RFC 8259, section 7), which libyaml
refuses.
"""

import json
from typing import Any


class _NotOurs(Exception):
    """The text is no JSON document: YAML's reader reports what is wrong, and where."""


def read_json(text: str, *, max_depth: int) -> dict[str, Any] | None:
    """Return the object in `text`, without the nulls in lists.

    Return None if it is not a JSON object that a document may be.
    """
    try:
        found = json.loads(
            text,
            parse_int=str,
            parse_float=str,
            parse_constant=_refused,
            object_pairs_hook=_once_each,
        )
        return dict(_plain(found, max_depth)) if isinstance(found, dict) else None
    except (ValueError, RecursionError, _NotOurs):
        return None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotOurs
    return found


def _refused(_: str) -> Any:
    """Refuse NaN and Infinity, which are Python's, not JSON's."""
    raise _NotOurs


def _plain(value: Any, depth: int) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            value.encode()  # raises on half of a surrogate pair, which is no character
            return value
        case None:
            return None
    if not depth:
        raise _NotOurs
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value if item is not None]
    return {_plain(name, depth): _plain(item, depth - 1) for name, item in value.items()}
