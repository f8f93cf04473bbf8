"""The style of all results: tables for grep and 80 columns, a colour for each state."""

import re
from collections.abc import Iterable, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

GOOD = "green"
BAD = "red"
NEUTRAL = "yellow"
FAINT = "dim"
HEAD = "bold"
# Cells between the first and the last column that are never broken, such as a region.
WHOLE_COLUMNS = 20

STYLES: Mapping[str, str] = {
    **dict.fromkeys(("ok", "created", "updated", "adopted", "removed", "pruned", "current"), GOOD),
    **dict.fromkeys(("skipped",), NEUTRAL),
    **dict.fromkeys(("failed", "conflict", "missing", "forbidden", "wrong-type", "left"), BAD),
    **dict.fromkeys(("not-attempted", "expired", "no-push"), BAD),
}


# The alarm token-ending goes off below this. With the default schedule, a token has four hours
# left when the next push is due.
SHORT_SECONDS = 3 * 3600

# The start of a command, or of an event, in remedies of the function and of this program.
_PROGRAMS = "kubectl|aws|eksctl|sam|terraform|make|ecr-public-pusher|python3?"
_COMMAND = re.compile(rf"(?:^|[\s:`(])(?:{_PROGRAMS}) [a-z-]|[{{}}]", re.MULTILINE)


class Whole(Text):
    """A text whose lines are never broken here: a terminal may wrap them."""


def state(word: str) -> Text:
    """Return a state or an outcome in its colour."""
    return Text(word, style=STYLES.get(word, ""))


def life(seconds: float) -> Text:
    """Return the remaining life of a Secret's token, in a colour for its length."""
    style = BAD if seconds <= 0 else NEUTRAL if seconds < SHORT_SECONDS else ""
    return Text(span(seconds) if seconds > 0 else "none", style=style)


def table(*columns: str, rows: Iterable[Sequence[str | Text]]) -> Table:
    """Return a table. On a narrow terminal its first, its last and wide columns fold."""
    cells = list(rows)
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=HEAD, expand=False)
    for number, column in enumerate(columns):
        made.add_column(
            column,
            overflow="fold",
            no_wrap=0 < number < len(columns) - 1
            and all(len(row[number]) <= WHOLE_COLUMNS for row in cells),
            min_width=len(column),
        )
    for row in cells:
        made.add_row(*row)
    return made


def heading(text: str) -> Text:
    return Text(f"\n{text}", style=HEAD)


def indented(text: str, *, by: int = 2, style: str = "") -> Padding:
    """Return prose, wrapped within its indentation."""
    return Padding(Text(text, style=style), (0, 0, 0, by), expand=False)


def pasteable(text: str, *, by: int = 4) -> Text:
    """Return a remedy whose lines are never broken, so that its command can be copied."""
    return Whole("\n".join(" " * by + line for line in text.splitlines()))


def remedy(text: str, *, by: int = 4) -> list[RenderableType]:
    """Render a remedy: prose wraps; lines with a command, and those after the first, stay whole."""
    first, *rest = text.splitlines() or [""]
    lines: list[RenderableType] = (
        [pasteable(first, by=by) if holds_command(first) else indented(first, by=by)]
        if first
        else []
    )
    return lines + [pasteable(line, by=by) for line in rest]


def holds_command(text: str) -> bool:
    """Return whether the text holds a command or an event to copy."""
    return bool(_COMMAND.search(text))


def counted(number: int, noun: str) -> str:
    """Return `1 cluster`, or `2 clusters`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(seconds: float) -> str:
    """Return an approximate time: `45s`, `12m`, `3h05m`, `24h`, `4d`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 2 * 86400:
        return f"{whole // 3600}h" + (f"{minutes:02}m" if (minutes := whole % 3600 // 60) else "")
    return f"{whole // 86400}d"
