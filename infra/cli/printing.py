"""The one place that writes to stdout and stderr: what a terminal obeys is filtered here."""

import os
import re
import sys
from typing import IO

# Control characters that a terminal obeys, except colours and line ends: names and messages come
# from clusters and queues, where anybody may have written them.
_CONTROLS = re.compile(r"\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")
BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports it


def write(stream: IO[str], text: str) -> None:
    """Write text without control characters that a terminal obeys. All printed text passes here.

    Raise SystemExit when the reader has gone, as in `... | head`.
    """
    try:
        stream.write(harmless(text))
        stream.flush()
    except BrokenPipeError:
        # The interpreter's own last flush must find an open stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise SystemExit(BROKEN_PIPE) from None


def write_out(text: str) -> None:
    """Write text to stdout as it is, but for control characters."""
    write(sys.stdout, text)


def harmless(text: str) -> str:
    """Return the text with a replacement for each control character that a terminal obeys."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
