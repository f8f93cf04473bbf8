"""The steps of an on- or offboarding for people. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.text import Text

from ..follow_up import FollowUp
from ..function import Report
from ..onboarding.found_clusters import Prepared
from ..onboarding.step import Step, StepName, StepOutcome
from .documents import render_diff
from .report import render_report
from .text import BAD, FAINT, GOOD, NEUTRAL, counted, heading, indented, pasteable, table

_WOULD = {
    StepOutcome.CREATED: "create",
    StepOutcome.UPDATED: "update",
    StepOutcome.DELETED: "delete",
    StepOutcome.PLANNED: "do",
}
_LOOKS = {
    StepOutcome.DELETED: GOOD,
    StepOutcome.CREATED: GOOD,
    StepOutcome.UPDATED: GOOD,
    StepOutcome.DONE: GOOD,
    StepOutcome.PLANNED: GOOD,
    StepOutcome.FAILED: BAD,
    StepOutcome.NOT_ATTEMPTED: BAD,
}


def render_steps(
    steps: Sequence[Step],
    *,
    dry_run: bool,
    follow_up: FollowUp,
    reports: Mapping[str, Report] | None = None,
    again: str = "",
) -> list[RenderableType]:
    """Render a line for each step, then their details, and what is left to do.

    `again` is the command that goes on afterwards, if it is not the same one.
    """
    return list(_parts(steps, dry_run, follow_up, reports or {}, again))


def render_clusters(
    clusters: Sequence[Prepared], document: Step, *, dry_run: bool
) -> list[RenderableType]:
    """Render a line for each cluster, then the document, and what is left to do in each."""
    words: list[tuple[str | Text, ...]] = [
        (one.id, *(outcome_word(step, dry_run=dry_run) for step in one.steps)) for one in clusters
    ]
    parts: list[RenderableType] = [table("CLUSTER", "ACCESS ENTRY", "RBAC", rows=words)]
    for one in clusters:
        failed = [step for step in one.steps if step.failed]
        if failed:
            parts.append(heading(one.id))
        for step in failed:
            parts += [indented(f"{step.name}: {step.message}"), pasteable(step.remedy)]
    count = sum(one.failed for one in clusters)
    ready = f"{len(clusters) - count} of {counted(len(clusters), 'cluster')} ready"
    parts.append(Text(f"\n{ready}" if not dry_run else "", style="bold"))
    line = Text.assemble(f"{document.name}: ", outcome_word(document, dry_run=dry_run))
    parts.append(line.append(f"  {document.message}"))
    if dry_run and document.details:
        is_diff = document.outcome is StepOutcome.UPDATED
        lines = render_diff(document.details) if is_diff else map(Text, document.details)
        parts += lines
    return parts


def _parts(
    steps: Sequence[Step],
    dry_run: bool,
    follow_up: FollowUp,
    reports: Mapping[str, Report],
    again: str,
) -> Iterator[RenderableType]:
    yield table(
        "STEP",
        "WOULD" if dry_run else "OUTCOME",
        "WHAT",
        rows=[_row(step, dry_run=dry_run) for step in steps],
    )
    for step in steps:
        if step.details and (dry_run or step.failed):
            yield heading(step.name)
            is_diff = step.name == StepName.DOCUMENT and step.outcome is StepOutcome.UPDATED
            yield from (
                render_diff(step.details)
                if is_diff
                else (Text(f"  {line}") for line in step.details)
            )
    for name, report in reports.items():
        if not report["ok"] and not (
            name == StepName.CHECK and StepName.PUSH in reports and _of_namespaces_alone(report)
        ):
            yield heading(f"The function's {name}")
            yield from render_report(report, now=datetime.now(UTC), follow_up=follow_up)
    yield from _left([step for step in steps if step.failed and step.name not in reports], again)
    if not dry_run and not any(step.failed or step.changes for step in steps):
        yield Text("Nothing to change.", style=FAINT)


def _of_namespaces_alone(check: Report) -> bool:
    """Return whether only namespaces failed the check, which the push's report repeats."""
    findings = [
        finding
        for cluster in check["clusters"]
        for finding in cluster.get("findings", ())
        if not finding["ok"]
    ]
    return all(finding["check"] == "namespaces" for finding in findings) and not check.get("error")


def _left(failed: Sequence[Step], again: str) -> Iterator[RenderableType]:
    """Render the failed steps, with who does them and how."""
    for step in failed:
        yield heading(f"Left to do: {step.name}")
        yield indented(step.message)
        yield pasteable(step.remedy)
    if failed:
        what = "this" if again else "the same command again"
        yield Text(f"\nThen run {what}; finished steps are kept.", style="bold")
        if again:
            yield pasteable(again)


def _row(step: Step, *, dry_run: bool) -> tuple[str | Text, ...]:
    return step.name, outcome_word(step, dry_run=dry_run), step.message


def outcome_word(step: Step, *, dry_run: bool) -> Text:
    """Return the word for a step's outcome, or for what it would do, in its colour."""
    word = _WOULD.get(step.outcome, step.outcome.value) if dry_run else step.outcome.value
    other = NEUTRAL if step.outcome is StepOutcome.SKIPPED else FAINT
    return Text(word, style=_LOOKS.get(step.outcome, other))
