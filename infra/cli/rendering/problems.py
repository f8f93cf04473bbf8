"""What is wrong, and what to do about it. Namespaces that have the very same problem share it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from .text import BAD, FAINT, indented, remedy, state

# A problem, an error or a finding of a report: `message` and `remedy`, and what tells its kind.
type ReportEntry = Mapping[str, Any]


def grouped(problems: Iterable[ReportEntry]) -> Iterator[tuple[list[str], ReportEntry]]:
    """The namespaces of each problem, and one of it; in the order in which they come."""
    groups: dict[tuple[str, ...], tuple[list[str], ReportEntry]] = {}
    for problem in problems:
        same = tuple(str(problem.get(name, "")) for name in ("outcome", "message", "remedy"))
        groups.setdefault(same, ([], problem))[0].append(problem["namespace"])
    yield from groups.values()


def render_error(error: ReportEntry) -> list[RenderableType]:
    """Of a run, or of a cluster as a whole."""
    return explained(Text(str(error.get("type", "error")), style=BAD), error)


def render_problems(
    problems: Iterable[ReportEntry], *, with_cluster: bool = False
) -> Iterator[RenderableType]:
    """`with_cluster`: the cluster's own error was shown, and those that failed with it are only
    named.
    """
    problems = list(problems)
    if with_cluster and (
        failed := [problem["namespace"] for problem in problems if problem["outcome"] == "failed"]
    ):
        yield indented(f"With it failed: {', '.join(failed)}", style=FAINT)
        problems = [problem for problem in problems if problem["outcome"] != "failed"]
    for namespaces, problem in grouped(problems):
        yield from explained(
            Text.assemble(", ".join(namespaces), "  ", state(problem["outcome"])), problem
        )


def empty_globs(globs: Sequence[str]) -> str:
    """Return the sentence about globs, of several names and globs, that select nothing; "" where
    there are none.
    """
    return f"no namespace matches {', '.join(globs)}" if globs else ""


def explained(title: Text, problem: ReportEntry) -> list[RenderableType]:
    """What, why, and what to do."""
    return [
        title,
        indented(str(problem.get("message", ""))),
        *remedy(str(problem.get("remedy", ""))),
    ]
