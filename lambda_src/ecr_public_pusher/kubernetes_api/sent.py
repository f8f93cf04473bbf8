"""Credentials sent to a cluster, which must not be shown when an answer repeats them.

An answer may repeat one as a name, for example. The cluster has these credentials anyway; readers
of the log, the report or the queue do not.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

# A piece of a credential as long as this, in upper or lower case, is no coincidence; a shorter
# name, as most are, need not be compared at all.
PIECE = 24
# Anything shorter is a word, not a credential.
_SHORTEST = 8


class Sent:
    """Credentials in requests to one cluster: its sign-in tokens, and the last Secret's data."""

    def __init__(self) -> None:
        self._tokens: list[str] = []
        self._secret = b""
        self._short: tuple[str, ...] = ()
        # All of them; None until a name is long enough to hold a piece.
        self._long: str | None = None

    def token(self, token: str) -> None:
        """Remember a bearer token."""
        if token not in self._tokens:
            self._tokens.append(token)
            self._short = tuple(
                one.lower() for one in self._tokens if _SHORTEST <= len(one) < PIECE
            )
            self._long = None

    def secret(self, manifest: bytes) -> None:
        """Remember a Secret, given as JSON."""
        if manifest is not self._secret:
            self._secret = manifest
            self._long = None

    def holds(self, text: str) -> bool:
        """Return whether `text` contains a piece of a credential, as it was sent or decoded."""
        if len(text) < PIECE and not self._short:
            return False
        folded = text.lower()
        if any(one in folded for one in self._short):
            return True
        if self._long is None:
            parts = {part for token in self._tokens for part in _of_token(token)}
            parts.update(_of_manifest(self._secret))
            self._long = "\n".join(part.lower() for part in parts if len(part) >= PIECE)
        half = PIECE // 2
        # Any piece contains one of these halves completely.
        for start in range(0, len(folded) - half + 1, half):
            if folded[start : start + half] in self._long:
                around = range(max(0, start - half), min(start, len(folded) - PIECE) + 1)
                if any(folded[one : one + PIECE] in self._long for one in around):
                    return True
        return False


def _of_token(token: str) -> Iterator[str]:
    """Yield a token and, if it holds a presigned URL, its query and the query's values.

    The signature is among those values.
    """
    yield token
    for part in token.split("."):
        _, _, query = (_decoded(part.replace("-", "+").replace("_", "/")) or "").partition("?")
        yield query
        yield from (value for _, value in parse_qsl(query))


def _of_manifest(manifest: bytes) -> Iterator[str]:
    """Yield the data of a Secret, and each text in it, as it is and decoded.

    Docker's config has its credentials in base64.
    """
    try:
        body = json.loads(manifest or b"{}")
    except ValueError:
        return
    for field in ("data", "stringData"):
        for value in _texts(body.get(field) if isinstance(body, dict) else None):
            yield value
            inside = _decoded(value) if field == "data" else value
            for text in _texts(_json(inside)) if inside else ():
                yield text
                yield _decoded(text) or ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (ValueError, binascii.Error):
        return None
