"""All printed text: results to stdout, progress, questions and errors to stderr.

Tables are for people: coloured on a terminal, plain and uncut in a pipe. Data (`-o json`, `-o
yaml`) has stable names. Nothing else in the command line prints.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.text import Text

from ecr_public_pusher.visible_text import visible

from .choices import Format
from .errors import CliError, ExitCode
from .printing import harmless, is_unicode, write
from .rendering.text import Whole, holds_command

# In a pipe nothing is wrapped or cut: grep or a file reads it.
PIPE_COLUMNS = 10_000
# Without a terminal, progress prints a line this often: build servers stop silent commands.
PROGRESS_SECONDS = 30.0


class _Console(Console):
    """A console that replaces control characters before it adds its own colours."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the parts of a text or a table."""
        for segment in super().render(renderable, options):
            yield (
                segment
                if segment.control
                else Segment(harmless(segment.text), segment.style, segment.control)
            )


def console(stream: TextIO) -> Console:
    """Return a console for a stream: styled on a terminal, plain and uncut elsewhere.

    NO_COLOR, FORCE_COLOR, TERM and COLUMNS apply.
    """
    width = None if stream.isatty() else PIPE_COLUMNS
    return _Console(file=stream, width=width, highlight=False, emoji=False, markup=False)


def _print(console: Console, part: RenderableType, end: str = "\n") -> None:
    """Print a part; a text with a command keeps its lines whole, so that it can be copied."""
    with console.capture() as printed:
        console.print(
            part,
            soft_wrap=isinstance(part, Whole)
            or (isinstance(part, Text) and holds_command(part.plain)),
            end=end,
        )
    text = printed.get()
    if not console.is_terminal:
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    write(console.file, text, coloured=True)


class Output:
    """The streams of one command. `format` applies to results."""

    def __init__(self, format: Format = Format.TABLE) -> None:
        self.format = format
        self._out = console(sys.stdout)
        self._err = console(sys.stderr)

    def result(self, data: Any, render: Callable[[], Sequence[RenderableType]]) -> None:
        """Print `data` as JSON or YAML, or what `render` returns for people."""
        if self.format is Format.JSON:
            write(self._out.file, json.dumps(data, indent=2) + "\n")
        elif self.format is Format.YAML:
            write(self._out.file, _yaml(data, self._out.file))
        else:
            for part in render():
                _print(self._out, part)

    def line(self, data: Any, *parts: RenderableType) -> None:
        """Print one of many results: a line of JSON, a YAML document, or `parts` for people."""
        if self.format is Format.JSON:
            write(self._out.file, json.dumps(data) + "\n")
        elif self.format is Format.YAML:
            write(self._out.file, "---\n" + _yaml(data, self._out.file))
        else:
            for part in parts:
                _print(self._out, part)

    def document(self, text: str) -> None:
        """Print a file for another program, such as kubectl, whatever the format."""
        write(self._out.file, text)

    def done(self, part: RenderableType) -> None:
        """Print one of several changes as it is made: to stderr where stdout takes data."""
        _print(self._out if self.format is Format.TABLE else self._err, part)

    def fresh_page(self) -> None:
        """Clear the terminal before a result that replaces the one before; a pipe gets both."""
        if self.format is Format.TABLE and self._out.is_terminal:
            self._out.clear()

    def note(self, text: str, *, style: str = "") -> None:
        """Print a remark beside the result, to stderr."""
        _print(self._err, Text(text, style=style))

    def error(self, error: CliError) -> None:
        """Print an error, with its remedy below."""
        _print(self._err, Text.assemble(("error: ", "bold red"), error.message))
        for line in error.remedy.splitlines():
            _print(self._err, Text(line))

    def aside(self, part: RenderableType) -> None:
        """Print the subject of a question, to stderr."""
        _print(self._err, part)

    @property
    def has_person(self) -> bool:
        """Return whether there is a terminal to ask at."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, question: str) -> None:
        """Raise CliError unless a person at this terminal answers yes, or if there is no terminal.

        The caller has shown what the question is about.
        """
        if not self.has_person:
            raise CliError(
                f"{question} This needs confirmation, and there is no terminal.",
                remedy="Nothing was done. Give --yes to do it.",
            )
        _print(self._err, Text(f"{question} [y/N] ", style="bold"), end="")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CliError("Not confirmed: nothing was done.", exit_code=ExitCode.NOT_OK)

    @contextmanager
    def progress(self, text: str) -> Iterator[None]:
        """Show on stderr what the command waits for, and for how long."""
        if self._err.is_terminal and sys.stderr.isatty():
            description = TextColumn("{task.description}", markup=False)
            columns = (SpinnerColumn(), TimeElapsedColumn(), description)
            with Progress(*columns, console=self._err, transient=True) as bar:
                bar.add_task(visible(text), total=None)
                yield
        else:
            with self._lines(text):
                yield

    @contextmanager
    def _lines(self, text: str) -> Iterator[None]:
        done = threading.Event()
        began = time.monotonic()

        def tell() -> None:
            while not done.wait(PROGRESS_SECONDS):
                self.note(f"{text} ({time.monotonic() - began:.0f} s)")

        self.note(text)
        teller = threading.Thread(target=tell, name="progress", daemon=True)
        teller.start()
        try:
            yield
        finally:
            done.set()


def _yaml(data: Any, stream: IO[str]) -> str:
    """Return YAML in characters of the stream's encoding; those that a terminal obeys escaped."""
    import yaml

    def dumped(*, unicode: bool) -> str:
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=unicode, width=PIPE_COLUMNS)
        return str(text)

    text = dumped(unicode=is_unicode(stream))
    return text if text == harmless(text) else dumped(unicode=False)
