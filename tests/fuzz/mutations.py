"""Mutations of an input: of its bytes, and of the JSON in it. Deterministic for a Random."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

# What parsers stumble over, as it stands in text.
_EARLY, _LATE = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"
_PIECES = (
    *("\0", "\n", "\t", " ", "\r", "'", '"', "\\", "/", "//", ":", ": ", ",", ";", "-", "- "),
    *(
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "<",
        ">",
        "!",
        "&x ",
        "*x",
        "*",
        "?",
        "|\n",
        "#",
        "@",
        "`",
        "%",
    ),
    *("null", "~", "true", "-1", "0", "1e999", "NaN", "9" * 20, "0x1F", "\\u0000", "\\ud800"),
    *(
        "é",
        "\u202e",
        "\u200b",
        "\U0001f600",
        "Ⅷ",
        "٣",
        "İ",
        "---",
        "...",
        "-----BEGIN ",
        "==",
        "{{",
    ),
    *(" in (", "notin", _EARLY, _LATE, "[" * 40, "{'a':" * 40, "$(", "{{", "%"),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, "", "x", "*", "a/b", [], {}, [[]], [None], [{}]),
    *({"a": {}}, "x" * 300, "\ud800", "\0", "é", _EARLY, _LATE, "2026-01-01T00:00:00"),
    *("9" * 5000, "\u202e", ["x"] * 50, float("nan")),
)


def mutated(data: bytes, random: Random, *, other: bytes = b"") -> bytes:
    """Return the input after one to four changes. `other`: a second input, to take pieces from."""
    for _ in range(random.randint(1, 4)):
        change = random.choice(_CHANGES)
        data = change(data, other or data, random)
    return data


def _flipped(data: bytes, _: bytes, random: Random) -> bytes:
    if not data:
        return bytes([random.randrange(256)])
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << random.randrange(8))]) + data[place + 1 :]


def _inserted(data: bytes, _: bytes, random: Random) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice(_PIECES).encode() + data[place:]


def _replaced(data: bytes, _: bytes, random: Random) -> bytes:
    begin, end = _span(data, random)
    return data[:begin] + random.choice(_PIECES).encode() + data[end:]


def _removed(data: bytes, _: bytes, random: Random) -> bytes:
    begin, end = _span(data, random)
    return data[:begin] + data[end:]


def _repeated(data: bytes, _: bytes, random: Random) -> bytes:
    begin, end = _span(data, random)
    return data[:end] + data[begin:end] * random.choice((1, 1, 2, 30)) + data[end:]


def _spliced(data: bytes, other: bytes, random: Random) -> bytes:
    begin, end = _span(other, random)
    place = random.randint(0, len(data))
    return data[:place] + other[begin:end] + data[place:]


def _json(data: bytes, other: bytes, random: Random) -> bytes:
    """Change one value of the JSON in one of the parts that NUL bytes separate."""
    parts = data.split(b"\0")
    place = random.randrange(len(parts))
    begin = min((at for at in map(parts[place].find, (b"{", b"[")) if at >= 0), default=0)
    try:
        value = json.loads(parts[place][begin:])
    except (ValueError, RecursionError):
        return _replaced(data, other, random)
    changed = json.dumps(_changed(value, random), ensure_ascii=random.random() < 0.7)
    parts[place] = parts[place][:begin] + changed.encode("utf-8", "surrogatepass")
    return b"\0".join(parts)


def _changed(value: Any, random: Random) -> Any:
    """Return the value with one node, at any depth, replaced, removed or added."""
    if not value or not isinstance(value, dict | list) or random.random() < 0.1:
        return random.choice(_VALUES)
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = random.choice(keys)
    copy = dict(value) if isinstance(value, dict) else list(value)
    match random.randrange(8):
        case 0:
            del copy[key]
        case 1 if isinstance(copy, dict):
            copy[random.choice((*_PIECES, *keys))] = random.choice(_VALUES)
        case 1 | 2 if isinstance(copy, list):
            copy.append(random.choice((copy[key], random.choice(_VALUES))))
        case _:
            copy[key] = _changed(value[key], random)
    return copy


def _span(data: bytes, random: Random) -> tuple[int, int]:
    """Return begin and end of a part, mostly a short one."""
    begin = random.randint(0, len(data))
    longest = len(data) - begin
    return begin, begin + random.randint(0, min(longest, random.choice((1, 4, 16, longest))))


type Change = Callable[[bytes, bytes, Random], bytes]
# Of the values in JSON most often: bytes alone mostly end it.
_CHANGES: tuple[Change, ...] = (
    *(_flipped, _inserted, _replaced, _removed, _repeated, _spliced),
    *(_json, _json, _json, _json),
)
