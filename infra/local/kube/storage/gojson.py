"""Base64 and JSON errors worded as Go words them.

kube-apiserver passes Go's own error text on to its clients; only the few that reach them here are
rebuilt.
"""

import base64
import binascii
import json
import re

_ALPHABET = re.compile(r"[A-Za-z0-9+/]")


def json_error(text: str | bytes) -> str | None:
    """Return Go's error for a text that is not a JSON object; None when it is one."""
    try:
        value = json.loads(text)
    except ValueError:
        return _syntax(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
    if isinstance(value, dict) or value is None:
        return None
    kind = {list: "array", str: "string", bool: "bool"}.get(type(value), "number")
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"


def quoted(character: str) -> str:
    """Return a character as Go's scanner quotes it."""
    if character == "'":
        return r"'\''"
    if character == '"':
        return "'\"'"
    return (
        f"'{character}'"
        if character.isprintable() and character.isascii()
        else f"'\\x{ord(character) & 0xFF:02x}'"
    )


def base64_error(text: str) -> str | None:
    """Return Go's error for a text that is not standard base64; None when it is."""
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        wrong = next(
            (at for at, character in enumerate(text) if not _ALPHABET.match(character)),
            len(text) // 4 * 4,
        )
        return f"illegal base64 data at input byte {wrong}"
    return None


def _syntax(text: str) -> str:
    body = text.lstrip()
    for literal in ("null", "true", "false"):
        if body[:1] == literal[0]:
            for found, wanted in zip(body[1:], literal[1:], strict=False):
                if found != wanted:
                    return (
                        f"invalid character {quoted(found)} in literal {literal} (expecting"
                        f" {quoted(wanted)})"
                    )
    if not body:
        return "unexpected end of JSON input"
    if body[0] not in '{["-0123456789ntf':
        return f"invalid character {quoted(body[0])} looking for beginning of value"
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        at = text[error.pos : error.pos + 1]
        return (
            f"invalid character {quoted(at)} looking for beginning of value"
            if at
            else "unexpected end of JSON input"
        )
    return "unexpected end of JSON input"
