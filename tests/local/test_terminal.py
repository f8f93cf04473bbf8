"""Output on a terminal and in a pipe."""

from io import StringIO

import pytest
from rich.text import Text

from infra.cli.rendering.text import GOOD, table
from infra.local.terminal import Printer


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def printed(stream: StringIO) -> str:
    Printer(stream)(Text("x", GOOD))
    return stream.getvalue()


def test_colours_are_for_terminals_whose_owner_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert printed(Terminal()) == "\033[32mx\033[0m\n"
    assert printed(StringIO()) == "x\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert printed(Terminal()) == "x\n"


def test_a_wide_tables_lines_stay_whole_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    Printer(stream, wide=True)(table("NAME", "WHY", rows=[("a" * 20, "b c"), ("d", "")]))
    assert stream.getvalue() == f"NAME{' ' * 18}WHY\n{'a' * 20}  b c\nd\n"
