"""Files without a name, for libraries that take a credential only as a path: nothing of it can be
found when they are closed.

Lambda's /tmp outlives an invocation, and another one would find there what this one left.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import IO


def in_memory() -> IO[bytes]:
    """A file in memory alone (memfd_create(2)), of this process."""
    return os.fdopen(os.memfd_create("credential", os.MFD_CLOEXEC), "w+b")


def on_disk() -> IO[bytes]:
    """A file on disk that no folder lists (O_TMPFILE, or removed once it is open)."""
    return tempfile.TemporaryFile("w+b")


@contextlib.contextmanager
def anonymous_file(content: bytes) -> Iterator[str]:
    """A path under which this process can read `content`, while the context lasts."""
    try:
        opened = in_memory()
    except OSError:  # a sandbox may forbid the call
        opened = on_disk()
    with opened:
        opened.write(content)
        opened.flush()
        yield path_of(opened)


def path_of(opened: IO[bytes]) -> str:
    """How an open file without a name is opened again (proc(5), /proc/pid/fd)."""
    return f"/proc/self/fd/{opened.fileno()}"
