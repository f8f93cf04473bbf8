"""Unnamed files, for libraries that take a credential only as a path.

Lambda's /tmp outlives an invocation, and a named file would be found there by the next one. An
unnamed file is gone once it is closed.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import IO


def in_memory() -> IO[bytes]:
    """Create an unnamed file in memory, visible to this process only (memfd_create(2))."""
    return os.fdopen(os.memfd_create("credential", os.MFD_CLOEXEC), "w+b")


def on_disk() -> IO[bytes]:
    """Create an unnamed file on disk, listed in no directory (O_TMPFILE, or unlinked once open)."""
    return tempfile.TemporaryFile("w+b")


@contextlib.contextmanager
def anonymous_file(content: bytes) -> Iterator[str]:
    """Yield a path under which this process can read `content` while the context lasts."""
    try:
        opened = in_memory()
    except OSError:  # a sandbox may forbid the call
        opened = on_disk()
    with opened:
        opened.write(content)
        opened.flush()
        yield path_of(opened)


def path_of(opened: IO[bytes]) -> str:
    """Return the path that reopens an open file without a name (proc(5), /proc/pid/fd)."""
    return f"/proc/self/fd/{opened.fileno()}"
