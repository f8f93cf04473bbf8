"""Where `make run` prints: results to stdout, progress and what failed to stderr, colours on a
terminal only.
"""

import sys

from rich.console import Console, RenderableType
from rich.text import Text

from infra.cli.output import console

from .. import show


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
    print(show.terminal(sys.stderr)("faint", f"· {text}"), file=sys.stderr, flush=True)


def failed(error: Exception) -> int:
    """Says what went wrong; the exit code for it."""
    sys.stdout.flush()
    print(f"{show.terminal(sys.stderr)('bad', 'failed')}: {error}", file=sys.stderr, flush=True)
    return 1


def expected(wrong: list[str]) -> None:
    """Raises Surprise with everything that is not as it should be, if anything is."""
    if wrong:
        raise Surprise("not as expected:\n  " + "\n  ".join(wrong))
