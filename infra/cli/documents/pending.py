"""A new cluster's document, stored disabled until the function has access. Pure.

A disabled document can be checked, and no push fails for it meanwhile.
"""

from ecr_public_pusher.errors import PusherError

from .editing import NotEditable, disabled, with_enabled

_MARK = "# Disabled by `clusters add` until the function has access to the cluster.\n"


def pending(text: str, *, limit: int) -> str | None:
    """Return the document as it waits, within `limit` bytes; None when there is no room."""
    waiting = disabled(text, limit=limit - len(_MARK))
    return None if waiting is None else _MARK + waiting


def is_pending(text: str) -> bool:
    """Return whether the document waits, and nobody has enabled it since."""
    return text.startswith(_MARK) and disabled(text, limit=len(text.encode())) == text


def decided(text: str) -> str:
    """Return a document without the mark, since a person now decides whether it is enabled."""
    return text.removeprefix(_MARK)


def enabled_again(text: str) -> str:
    """Return a document that waited, enabled; as it is if somebody has broken it since."""
    try:
        return with_enabled(decided(text), True)
    except (PusherError, NotEditable):
        return text
