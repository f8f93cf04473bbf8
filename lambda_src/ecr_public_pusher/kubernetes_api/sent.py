"""What a cluster was sent that must not be shown: whatever answers may repeat it, as a name for
one.

A cluster has these credentials anyway. Whoever reads the log, the report or the queue has not.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

# So long a piece of a credential, in upper or lower case, is no coincidence; and a name that is
# shorter, as most are, need not be compared at all.
PIECE = 24
# What is shorter is no credential, but a word.
_SHORTEST = 8


class Sent:
    """The credentials in the requests to one cluster: its sign-in tokens, and the data of the last
    Secret.
    """

    def __init__(self) -> None:
        self._tokens: list[str] = []
        self._secret = b""
        self._short: tuple[str, ...] = ()
        self._long: str | None = (
            None  # all of them; None until a name is long enough to hold a piece
        )

    def token(self, token: str) -> None:
        """Take note of a bearer token."""
        if token not in self._tokens:
            self._tokens.append(token)
            self._short = tuple(
                one.lower() for one in self._tokens if _SHORTEST <= len(one) < PIECE
            )
            self._long = None

    def secret(self, manifest: bytes) -> None:
        """Take note of a Secret, as JSON."""
        if manifest is not self._secret:
            self._secret, self._long = manifest, None

    def holds(self, text: str) -> bool:
        """Say whether `text` has a piece of a credential in it, as it was sent or decoded."""
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
        # Any piece holds one of these halves as a whole.
        for start in range(0, len(folded) - half + 1, half):
            if folded[start : start + half] in self._long:
                around = range(max(0, start - half), min(start, len(folded) - PIECE) + 1)
                if any(folded[one : one + PIECE] in self._long for one in around):
                    return True
        return False


def _of_token(token: str) -> Iterator[str]:
    """A token, and, of a presigned URL in it, the signature and whatever else is as long."""
    yield token
    for part in token.split("."):
        _, _, query = (_decoded(part.replace("-", "+").replace("_", "/")) or "").partition("?")
        yield query
        yield from (value for _, value in parse_qsl(query))


def _of_manifest(manifest: bytes) -> Iterator[str]:
    """The data of a Secret, and each text in it, as docker's config has its credentials, also
    decoded.
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
