"""The printer of `make run`: results go to stdout, progress and failures to stderr.

Colours and tables are those of the command line, on a terminal only.
"""

import re
import sys
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from infra.cli.output import PIPE_COLUMNS, console
from infra.cli.rendering.text import BAD, FAINT

type Show = Callable[[RenderableType], None]

# The padding of a table's last column, which makes lines wrap on a narrow terminal.
_PADDING = re.compile(r" +((?:\x1b\[0m)?)$", re.MULTILINE)


class Surprise(Exception):
    """A result that is not as expected, described by its text."""


class Printer:
    """A printer of Rich's renderables to a stream.

    `wide`: a table's lines stay whole, and the terminal wraps them.
    """

    def __init__(self, stream: TextIO, *, wide: bool = False) -> None:
        self._stream = stream
        self._console: Console = console(stream)
        if wide:
            self._console.width = PIPE_COLUMNS

    def __call__(self, part: RenderableType) -> None:
        """Print `part` and a line end."""
        with self._console.capture() as captured:
            # A text's lines are not wrapped, so that a command in them can be copied.
            self._console.print(part, soft_wrap=isinstance(part, Text))
        self._stream.write(_PADDING.sub(r"\1", captured.get()))
        self._stream.flush()


def progress(text: str) -> None:
    """Print a step on stderr before it is done."""
    Printer(sys.stderr)(Text(f"· {text}", FAINT))


def failed(error: Exception) -> int:
    """Print an error on stderr; return the exit code for it."""
    sys.stdout.flush()
    Printer(sys.stderr)(Text.assemble(("failed", BAD), f": {error}"))
    return 1


def expected(wrong: list[str]) -> None:
    """Raise Surprise with everything that is not as expected, if anything is."""
    if wrong:
        raise Surprise("not as expected:\n  " + "\n  ".join(wrong))
