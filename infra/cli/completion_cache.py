"""Names from AWS for completion, kept in a file for a minute.

Pressing TAB a few times asks AWS once. A file contains only names, is readable only by its
owner, and is named by a hash of the deployment and of the AWS settings that lead to it. A cache
that cannot be read or written is no error: AWS is asked then.
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SECONDS = 60
# The settings that choose the account, the role and the endpoint. No secrets.
_SETTINGS = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
    *("AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_CLOUDFORMATION"),
)


def kept(
    key: Sequence[str | None], environ: Mapping[str, str], ask: Callable[[], list[str] | None]
) -> list[str]:
    """Return the names kept for `key`, or those that `ask` returns, and keep them.

    `ask` returns None for no answer, which is not kept; nor is an empty one.
    """
    file = _file(key, environ)
    if file is not None and (names := _read(file)) is not None:
        return names
    found = ask()
    if file is not None and found:
        _write(file, found)
    return found or []


def _file(key: Sequence[str | None], environ: Mapping[str, str]) -> Path | None:
    """Return the file for a key in the cache folder of the XDG specification."""
    given = environ.get("XDG_CACHE_HOME", "")
    home = environ.get("HOME", "")
    folder = Path(given) if given.startswith("/") else Path(home, ".cache") if home else None
    if folder is None:
        return None
    settings = [environ.get(name) for name in _SETTINGS]
    name = hashlib.sha256(json.dumps([*key, *settings]).encode()).hexdigest()[:32]
    return folder / "ecr-public-pusher" / name


def _read(file: Path) -> list[str] | None:
    """Return the names in a file; None when there is none, it is too old, or holds others."""
    try:
        if not 0 <= time.time() - file.stat().st_mtime <= SECONDS:
            return None
        names = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return None
    *found, end = names
    return found if found and all(found) and not end else None


def _write(file: Path, names: Sequence[str]) -> None:
    """Write the names at once, for this user only, and delete what is too old."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in file.parent.iterdir():
            if time.time() - other.stat().st_mtime > SECONDS:
                other.unlink(missing_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=file.parent)  # mode 0600
        with open(descriptor, "w", encoding="utf-8") as written:
            written.writelines(f"{name}\n" for name in names)
        os.replace(draft, file)
