"""The looks that all results share: tables without lines, which grep and 80 columns can read, and a
colour for each state.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

GOOD, BAD, NEUTRAL, FAINT, HEAD = "green", "red", "yellow", "dim", "bold"

STYLES: Mapping[str, str] = {
    **dict.fromkeys(("ok", "created", "updated", "adopted", "removed", "pruned", "current"), GOOD),
    **dict.fromkeys(("skipped",), NEUTRAL),
    **dict.fromkeys(("failed", "conflict", "missing", "forbidden", "wrong-type", "left"), BAD),
    **dict.fromkeys(("not-attempted", "expired", "no-push"), BAD),
}


# Below this the alarm token-ending is up. With the schedule as it comes, a token has four hours
# left when the next push is due.
SHORT_SECONDS = 3 * 3600

# What starts a command, or an event, in the remedies of the function and of this program.
_PROGRAMS = "kubectl|aws|eksctl|sam|terraform|make|ecr-public-pusher|python3?"
_COMMAND = re.compile(rf"(?:^|[\s:`(])(?:{_PROGRAMS}) [a-z-]|[{{}}]", re.MULTILINE)


class Whole(Text):
    """A text whose lines are left whole: what wraps them is the terminal."""


def state(word: str) -> Text:
    """A state or an outcome, in its colour."""
    return Text(word, style=STYLES.get(word, ""))


def life(seconds: float) -> Text:
    """Return how long a Secret's token still lives, in the colour that it deserves."""
    style = BAD if seconds <= 0 else NEUTRAL if seconds < SHORT_SECONDS else ""
    return Text(span(seconds) if seconds > 0 else "none", style=style)


def table(*columns: str, rows: Iterable[Sequence[str | Text]]) -> Table:
    """Columns by name.

    Where the terminal is narrow the first one and the last one fold: names and details.
    """
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=HEAD, expand=False)
    for number, column in enumerate(columns):
        made.add_column(
            column, overflow="fold", no_wrap=0 < number < len(columns) - 1, min_width=len(column)
        )
    for row in rows:
        made.add_row(*row)
    return made


def heading(text: str) -> Text:
    return Text(f"\n{text}", style=HEAD)


def indented(text: str, *, by: int = 2, style: str = "") -> Padding:
    """Prose, wrapped within its indentation."""
    return Padding(Text(text, style=style), (0, 0, 0, by), expand=False)


def pasteable(text: str, *, by: int = 4) -> Text:
    """A remedy: its lines are never broken, so that a command in it can be copied."""
    return Whole("\n".join(" " * by + line for line in text.splitlines()))


def remedy(text: str, *, by: int = 4) -> list[RenderableType]:
    """What to do: prose wraps within its indentation; a line with a command in it stays whole, and
    so does what follows the first line: a file.
    """
    first, *rest = text.splitlines() or [""]
    lines: list[RenderableType] = (
        [pasteable(first, by=by) if holds_command(first) else indented(first, by=by)]
        if first
        else []
    )
    return lines + [pasteable(line, by=by) for line in rest]


def holds_command(text: str) -> bool:
    """Whether there is something in it to copy, which must not be broken into lines."""
    return bool(_COMMAND.search(text))


def counted(number: int, noun: str) -> str:
    """`1 cluster`, `2 clusters`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(seconds: float) -> str:
    """About how long: `45s`, `12m`, `3h05m`, `24h`, `4d`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 2 * 86400:
        return f"{whole // 3600}h" + (f"{minutes:02}m" if (minutes := whole % 3600 // 60) else "")
    return f"{whole // 86400}d"
