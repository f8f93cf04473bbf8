"""Where `make run` prints: results to stdout, progress and what failed to stderr, colours on a
terminal only.
"""

import os
import sys
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from infra.cli.output import console

_COLOURS = {
    **dict.fromkeys(("created", "updated", "adopted", "current", "good"), "32"),
    "skipped": "33",
    **dict.fromkeys(("conflict", "missing", "forbidden", "wrong-type", "left", "failed"), "31"),
    **dict.fromkeys(("not-attempted", "bad"), "31"),
    "bold": "1",
    **dict.fromkeys(("faint", ""), "2"),
}


class Paint:
    """Colours, on a terminal only, and not where NO_COLOR asks for none."""

    def __init__(self, stream: TextIO) -> None:
        self._on = (
            stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    def __call__(self, kind: str, text: str) -> str:
        return f"\033[{_COLOURS[kind]}m{text}\033[0m" if self._on and kind in _COLOURS else text


def terminal(stream: TextIO = sys.stdout) -> Paint:
    """The colours for a stream."""
    return Paint(stream)


class Surprise(Exception):
    """Something did not go as it should; the text says what."""


class Stdout:
    """A place for Rich's renderables."""

    def __init__(self) -> None:
        self._console: Console = console(sys.stdout)

    def __call__(self, part: RenderableType) -> None:
        with self._console.capture() as captured:
            # A text's lines stay whole, so that a command in them can be copied.
            self._console.print(part, soft_wrap=isinstance(part, Text))
        text = captured.get()
        # A table pads its cells: in a pipe nobody wants that.
        print(
            (
                text
                if self._console.is_terminal
                else "\n".join(line.rstrip() for line in text.split("\n"))
            ),
            end="",
            flush=True,
        )


def progress(text: str) -> None:
    """A step of what takes a while."""
    print(terminal(sys.stderr)("faint", f"· {text}"), file=sys.stderr, flush=True)


def failed(error: Exception) -> int:
    """Says what went wrong; the exit code for it."""
    sys.stdout.flush()
    print(f"{terminal(sys.stderr)('bad', 'failed')}: {error}", file=sys.stderr, flush=True)
    return 1


def expected(wrong: list[str]) -> None:
    """Raises Surprise with everything that is not as it should be, if anything is."""
    if wrong:
        raise Surprise("not as expected:\n  " + "\n  ".join(wrong))
