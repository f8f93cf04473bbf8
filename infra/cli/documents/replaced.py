"""Documents as they were before a command overwrote or deleted them, in a person's state folder.

Parameter Store keeps the history of a parameter until it is deleted, and then nothing of it.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from .store import Stored

_FOLDER = "ecr-public-pusher"


def save(documents: Sequence[Stored], stack: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Write documents as a folder for `apply`, which only their owner may read; return its path.

    Raise OSError when it cannot be written.
    """
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = _state(environ) / _FOLDER / "replaced" / stack / now
    for stored in documents:
        file = folder / f"{stored.name}.yaml"
        _private(file.parent)
        file.touch(mode=0o600)
        file.write_text(stored.text)
    return folder


def _state(environ: Mapping[str, str]) -> Path:
    """Return the folder of programs' states (XDG Base Directory Specification)."""
    given = environ.get("XDG_STATE_HOME", "")
    return Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state"


def _private(folder: Path) -> None:
    for parent in reversed((folder, *folder.parents)):
        if not parent.exists():
            parent.mkdir(mode=0o700, exist_ok=True)
