"""What is printed on a terminal, and in a pipe."""

from io import StringIO

import pytest

from infra.local.terminal import Paint


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_whose_owner_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Paint(Terminal())("good", "x") == "\033[32mx\033[0m"
    assert Paint(StringIO())("good", "x") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Paint(Terminal())("good", "x") == "x"
