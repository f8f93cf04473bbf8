"""Times as people give them: `30m`, `2h`, `1d`, `1h30m`."""

import re
from datetime import timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FORM = re.compile(r"(?:\d+[smhdw])+")
_PART = re.compile(r"(\d+)([smhdw])")


def Duration(text: str | timedelta) -> timedelta:
    """A parser for Typer. Raises BadParameter, which says what is expected."""
    if isinstance(text, timedelta):
        return text
    if not _FORM.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no time: give a number and s, m, h, d or w, such as 30m, 2h or 1d")
    found = sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(text)), timedelta())
    if not timedelta(0) < found <= timedelta(days=3660):
        raise typer.BadParameter(f"{text!r} is no time that a log goes back")
    return found
