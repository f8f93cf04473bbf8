"""Documents, their problems and changes as lines for people. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from ..documents.changes import DIFFERING_TEXTS, Change, Kind
from ..documents.comparison import Comparison
from ..documents.live import LiveChange
from ..documents.problem import Problem
from .text import BAD, FAINT, GOOD, NEUTRAL, counted, heading

_LOOKS = {
    Kind.ADDED: ("+", GOOD),
    Kind.CHANGED: ("~", NEUTRAL),
    Kind.DELETED: ("-", BAD),
    Kind.RENAMED: ("~", NEUTRAL),
    Kind.UNCHANGED: (" ", FAINT),
}


def render_comparison(comparison: Comparison, *, show_secure: bool) -> list[RenderableType]:
    """Render every change with its diff, then problems, notes and a summary."""
    return [
        *_changes(comparison, show_secure),
        *render_problems(comparison.problems),
        *render_notes(comparison.notes),
        *_summary(comparison),
    ]


def render_problems(problems: Sequence[Problem]) -> Iterator[Text]:
    """Render problems one a line, as compilers do; equal remedies of neighbours only once."""
    for number, problem in enumerate(problems):
        yield Text.assemble(("error: ", f"bold {BAD}"), str(problem))
        if problem.remedy and (
            number + 1 == len(problems) or problems[number + 1].remedy != problem.remedy
        ):
            yield Text(f"  {problem.remedy}", style=FAINT)


def render_notes(notes: Sequence[Problem]) -> Iterator[Text]:
    """Render notes as warnings."""
    for number, note in enumerate(notes):
        yield Text.assemble(("warning: ", f"bold {NEUTRAL}"), str(note))
        if note.remedy and (number + 1 == len(notes) or notes[number + 1].remedy != note.remedy):
            yield Text(f"  {note.remedy}", style=FAINT)


def render_diff(lines: Iterable[str]) -> Iterator[Text]:
    """Render a unified diff in colours; its lines are never broken."""
    for line in lines:
        style = (
            GOOD
            if line.startswith("+")
            else BAD
            if line.startswith("-")
            else FAINT
            if line.startswith("@@")
            else ""
        )
        yield Text(line, style=style)


def render_live_changes(changes: Sequence[LiveChange]) -> Iterator[Text]:
    """Render which namespaces documents select or no longer select, each with its reason."""
    for change in changes:
        if change.problem:
            said = f"\n{change.document}: not asked: {change.problem}"
            yield Text(said, style=NEUTRAL)
            continue
        yield heading(f"{change.document}: {counted(change.selected, 'namespace')} selected")
        for mark, style, choices in (("+", GOOD, change.gained), ("-", BAD, change.lost)):
            for one in choices:
                yield Text(f"{mark} {one.namespace}  {one.reason}", style=style)
        if not change.gained and not change.lost:
            yield Text("the same as now", style=FAINT)


def render_change(change: Change) -> Text:
    """Render the change of a document in one line."""
    mark, style = _LOOKS[change.kind]
    said = change.kind.value
    if change.kind is Kind.RENAMED and change.before:
        said += f" from {change.before.name}"
    return Text.assemble((f"{mark} {change.name}", style), (f"  {said}", style))


def _changes(comparison: Comparison, show_secure: bool) -> Iterator[RenderableType]:
    for change in comparison.differing:
        yield render_change(change)
        if change.kind not in DIFFERING_TEXTS:
            continue
        if change.secure and not show_secure:
            yield Text("  a SecureString: --show-secure shows the difference", style=FAINT)
        else:
            yield from render_diff(change.diff())


def _summary(comparison: Comparison) -> Iterator[Text]:
    counts = {kind: sum(change.kind is kind for change in comparison.changes) for kind in Kind}
    said = (
        ", ".join(f"{number} {kind.value}" for kind, number in counts.items() if number)
        or "no documents"
    )
    yield Text(said, style="bold")
    if comparison.left:
        names = ", ".join(map(str, comparison.left[:10])) + (
            ", ..." if len(comparison.left) > 10 else ""
        )
        yield Text(
            f"{counted(len(comparison.left), 'stored document')} without a file: {names} (--prune"
            " deletes them)",
            style=FAINT,
        )
