"""The one place that writes to stdout and stderr: what a terminal obeys is filtered here."""

import io
import os
import re
import sys
from typing import IO

# Characters that a terminal obeys, except line ends: names and messages come from clusters and
# queues, where anybody may have written them. The last ones turn the order of a line's letters.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# A colour, which only this program's own text has.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Characters of this program's own texts, for terminals that cannot show them.
_PLAIN = str.maketrans(
    {"·": "-", "…": "...", "→": "->", "−": "-", "\N{REPLACEMENT CHARACTER}": "?"}
)
BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports it


def adapt_streams() -> None:
    """Have stdout and stderr escape what their encoding does not have (PYTHONIOENCODING=ascii)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def is_unicode(stream: IO[str]) -> bool:
    """Return whether a stream can take every character."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def write(stream: IO[str], text: str, *, coloured: bool = False) -> None:
    """Write text without characters that a terminal obeys. All printed text passes here.

    `coloured` keeps colours, for a text whose parts were filtered before they were coloured. Raise
    SystemExit when the reader has gone, as in `... | head`.
    """
    text = _between_colours(text) if coloured else harmless(text)
    try:
        stream.write(text if is_unicode(stream) else text.translate(_PLAIN))
        stream.flush()
    except BrokenPipeError:
        # The interpreter's own last flush must find an open stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise SystemExit(BROKEN_PIPE) from None


def write_out(text: str) -> None:
    """Write text to stdout as it is, but for control characters."""
    write(sys.stdout, text)


def harmless(text: str) -> str:
    """Return the text with a replacement for each character that a terminal obeys."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def _between_colours(text: str) -> str:
    end = 0
    parts = list[str]()
    for colour in _COLOUR.finditer(text):
        parts += [harmless(text[end : colour.start()]), colour.group()]
        end = colour.end()
    return "".join([*parts, harmless(text[end:])])
