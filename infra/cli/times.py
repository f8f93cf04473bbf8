"""Times as people give them (`30m`, `2h`, `1d`, `1h30m`), and as reports do (RFC 3339)."""

import re
from datetime import datetime, timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FORM = re.compile(r"(?:\d{1,6}[smhdw])+")
_PART = re.compile(r"(\d{1,6})([smhdw])")


def Duration(text: str | timedelta) -> timedelta:
    """Parse a time for Typer. Raise BadParameter, which tells the expected form."""
    if isinstance(text, timedelta):
        return text
    if not _FORM.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not a time: give a number and s, m, h, d or w, such as 30m, 2h or 1d"
        )
    found = sum(
        (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(text)),
        timedelta(),
    )
    if not timedelta(0) < found <= timedelta(days=3660):
        raise typer.BadParameter(f"{text!r} is longer than a log goes back")
    return found


def moment(text: str) -> datetime | None:
    """Parse a time of a report; return None for what is not RFC 3339 with an offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
