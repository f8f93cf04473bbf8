"""The steps of an on- or offboarding: planned, shown, confirmed, carried out, shown."""

from collections.abc import Callable, Sequence
from typing import Any

from ..command import Cli
from ..errors import ExitCode
from ..function import Report
from ..onboarding.step import Step
from ..rendering.onboarding import render_steps

type Done = tuple[Sequence[Step], dict[str, Report]]


def carry_out(
    cli: Cli,
    document_id: str,
    plan: Callable[[], Sequence[Step]],
    do: Callable[[], Done],
    *,
    dry_run: bool,
    yes: bool,
    again: str = "",
) -> int:
    """Show the plan, ask, carry it out, show the outcome; return the exit code.

    `do` returns the steps, and the function's reports by the name of the step. `again` is the
    command that goes on where a step is left to do, if it is not the same one.
    """
    planned = plan()
    if dry_run:
        cli.output.result(
            _said(document_id, planned, dry_run=True),
            lambda: render_steps(planned, dry_run=True, follow_up=cli.follow_up, again=again),
        )
        return _exit_code(planned)
    if any(step.changes for step in planned) and not yes:
        _ask(cli, planned, again)
    done, reports = do()
    cli.output.result(
        _said(document_id, done, dry_run=False) | reports,
        lambda: render_steps(
            done, dry_run=False, follow_up=cli.follow_up, reports=reports, again=again
        ),
    )
    return _exit_code(done)


def _ask(cli: Cli, planned: Sequence[Step], again: str) -> None:
    question = "Do that?"
    for part in render_steps(planned, dry_run=True, follow_up=cli.follow_up, again=again):
        cli.output.aside(part)
    cli.output.confirm(question)


def _exit_code(steps: Sequence[Step]) -> int:
    return ExitCode.NOT_OK if any(step.failed for step in steps) else ExitCode.OK


def _said(document_id: str, steps: Sequence[Step], *, dry_run: bool) -> dict[str, Any]:
    """Return the JSON of the steps."""
    return {
        "id": document_id,
        "ok": not any(step.failed for step in steps),
        "dryRun": dry_run,
        "steps": [step.as_json() for step in steps],
    }
