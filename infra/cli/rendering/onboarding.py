"""The steps of an on- or offboarding for people. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.text import Text

from ..follow_up import FollowUp
from ..function import Report
from ..onboarding.step import Step, StepName, StepOutcome
from .documents import render_diff
from .report import render_report
from .text import BAD, FAINT, GOOD, NEUTRAL, heading, indented, pasteable, table

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
) -> list[RenderableType]:
    """Render a line for each step, then their details, and what is left to do."""
    return list(_parts(steps, dry_run, follow_up, reports or {}))


def _parts(
    steps: Sequence[Step], dry_run: bool, follow_up: FollowUp, reports: Mapping[str, Report]
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
    yield from _left([step for step in steps if step.failed and step.name not in reports])
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


def _left(failed: Sequence[Step]) -> Iterator[RenderableType]:
    """Render the failed steps, with who does them and how."""
    for step in failed:
        yield heading(f"Left to do: {step.name}")
        yield indented(step.message)
        yield pasteable(step.remedy)
    if failed:
        yield Text("\nThen run the same command again; finished steps are kept.", style="bold")


def _row(step: Step, *, dry_run: bool) -> tuple[str | Text, ...]:
    word = _WOULD.get(step.outcome, step.outcome.value) if dry_run else step.outcome.value
    return (
        step.name,
        Text(
            word,
            style=_LOOKS.get(
                step.outcome, NEUTRAL if step.outcome is StepOutcome.SKIPPED else FAINT
            ),
        ),
        step.message,
    )
