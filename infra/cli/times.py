"""Times as people give and read them (`90m`, `36h`, `7d`), and as reports do (RFC 3339)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Self

import typer

_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_FORM = re.compile(r"(?:\d{1,6}[smhdw])+")
_PART = re.compile(r"(\d{1,6})([smhdw])")
_NUMBER = re.compile(r"\d{1,6}")
_LONGEST = timedelta(days=3660)
EXPECTED = "a number and s, m, h, d or w, such as 90m, 36h or 7d"


class Duration(timedelta):
    """A time span that is shown as it is given: `90m`, `36h`, `7d`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the span of a text. Raise ValueError, whose text states the mistake."""
        if not _FORM.fullmatch(text):
            raise ValueError(f"{text!r} is not a time: give {EXPECTED}")
        found = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
        if not 0 < found <= _LONGEST.total_seconds():
            raise ValueError(f"{text!r} is not between 1s and {cls(days=_LONGEST.days)}")
        return cls(seconds=found)

    def __str__(self) -> str:
        """Return the span in its largest whole unit; a day or two in hours."""
        seconds = int(self.total_seconds())
        units = ("d", "h", "m", "s") if seconds > 2 * _SECONDS["d"] else ("h", "m", "s")
        unit = next(unit for unit in units if seconds % _SECONDS[unit] == 0)
        return f"{seconds // _SECONDS[unit]}{unit}"


def duration(*, plain: str | None = None) -> Callable[[str | timedelta], timedelta]:
    """Return Typer's parser of a time. A number without a unit is one of `plain`, if given."""

    def parse(text: str | timedelta) -> timedelta:
        if isinstance(text, timedelta):
            return text
        try:
            return Duration.parse(f"{text}{plain}" if plain and _NUMBER.fullmatch(text) else text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    parse.__name__ = "TIME"  # the type that Typer shows
    return parse


def time_option(name: str, *, help: str, plain: str | None = None) -> Any:
    """Return an option that takes a time, as `duration` parses it."""
    return typer.Option(name, parser=duration(plain=plain), metavar="TIME", help=help)


def moment(text: str) -> datetime | None:
    """Parse a time of a report; return None if it is not RFC 3339 with an offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
