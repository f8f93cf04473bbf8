"""Problems of a report with their remedies; namespaces with the same problem share an entry."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ecr_public_pusher.results import CREDENTIAL_ENDING

from ..places import place
from .text import BAD, FAINT, indented, remedy, span, state

# A problem, an error or a finding of a report, each with `message` and `remedy`.
type ReportEntry = Mapping[str, Any]


def grouped(problems: Iterable[ReportEntry]) -> Iterator[tuple[list[str], ReportEntry]]:
    """Yield each different problem with its namespaces, in their order."""
    groups: dict[tuple[str, ...], tuple[list[str], ReportEntry]] = {}
    for problem in problems:
        same = tuple(str(problem.get(name, "")) for name in ("outcome", "message", "remedy"))
        groups.setdefault(same, ([], problem))[0].append(place(problem))
    yield from groups.values()


def render_error(error: ReportEntry) -> list[RenderableType]:
    """Render an error of a run, or of a cluster as a whole."""
    return explained(Text(str(error.get("type", "error")), style=BAD), error)


def render_problems(
    problems: Iterable[ReportEntry], *, with_cluster: bool = False
) -> Iterator[RenderableType]:
    """Render the problems of namespaces.

    `with_cluster` says that the cluster's own error is shown already: namespaces that failed with
    it are only named.
    """
    problems = list(problems)
    if with_cluster and (
        failed := [place(problem) for problem in problems if problem["outcome"] == "failed"]
    ):
        yield indented(f"Failed with it: {', '.join(failed)}", style=FAINT)
        problems = [problem for problem in problems if problem["outcome"] != "failed"]
    for namespaces, problem in grouped(problems):
        yield from explained(
            Text.assemble(", ".join(namespaces), "  ", state(problem["outcome"])), problem
        )


def empty_globs(globs: Sequence[str]) -> str:
    """Return the sentence about globs that select nothing; "" when there are none."""
    return f"no namespace matches {', '.join(globs)}" if globs else ""


def stored_credential(ends_at: datetime | None, now: datetime) -> str:
    """Return the sentence about a stored credential that expires soon; "" for any other."""
    if ends_at is None or ends_at - now >= CREDENTIAL_ENDING:
        return ""
    if ends_at <= now:
        return "stored credential expired"
    return f"stored credential expires in {span((ends_at - now).total_seconds())}"


def explained(title: Text, problem: ReportEntry) -> list[RenderableType]:
    """Render an entry: its title, its message, its remedy."""
    return [
        title,
        indented(str(problem.get("message", ""))),
        *remedy(str(problem.get("remedy", ""))),
    ]
