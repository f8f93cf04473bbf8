"""`push`, `plan`, `check`, `sweep`, `remove`: one event to the function, and its report."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import RenderableType

from ..command import Cli
from ..errors import CliError, ExitCode
from ..follow_up import apply_file
from ..function import Report, invoke
from ..rendering.report import render_report

FORBIDDEN = "forbidden"
PRUNE_FILE = "infra/rbac/prune.yaml"


def push(
    cli: Cli,
    ids: Sequence[str] | None,
    namespace: Sequence[str] | None,
    *,
    prune_all: bool,
    yes: bool,
) -> int:
    """Push to all clusters or to the named ones. With `prune_all`, ask first."""
    event = _event("push", clusters=ids, namespaces=namespace)
    if prune_all:
        event |= _prune_all(ids)
    if prune_all and not yes:
        planned = run(cli, {**event, "action": "plan"})
        if planned.get("totals", {}).get("pruned") or not cli.output.has_person:
            show_aside(cli, planned)
            cli.output.confirm("Push, and prune all of that?")
    return show(cli, run(cli, event))


def plan(
    cli: Cli,
    ids: Sequence[str] | None,
    namespace: Sequence[str] | None,
    *,
    remove: bool,
    prune_all: bool,
) -> int:
    """Show what a push, or with `remove` a removal, would do."""
    event = _event("plan", clusters=ids, namespaces=namespace)
    if prune_all:
        event |= _prune_all(ids)
    if remove:
        _need_ids(ids, "A removal")
        event["remove"] = True
    return show(cli, run(cli, event))


def check(
    cli: Cli,
    ids: Sequence[str] | None,
    namespace: Sequence[str] | None,
    *,
    include_disabled: bool,
    verbose: bool,
) -> int:
    """Check that the function can do its work in each cluster."""
    event = _event("check", clusters=ids, namespaces=namespace)
    if include_disabled:
        event["includeDisabled"] = True
    return show(cli, run(cli, event), verbose=verbose)


def sweep(cli: Cli, ids: Sequence[str] | None, window: timedelta) -> int:
    """Correct Secrets that are missing or about to expire. `window` is rounded up to minutes."""
    minutes = -(-window // timedelta(minutes=1))
    return show(cli, run(cli, _event("sweep", clusters=ids) | {"windowMinutes": minutes}))


def remove(cli: Cli, ids: Sequence[str], *, yes: bool) -> int:
    """Delete the Secrets that were written to the named clusters; ask first, unless `yes`."""
    event = _event("remove", clusters=ids)
    if not yes:
        planned = run(cli, _event("plan", clusters=ids) | {"remove": True})
        if not planned.get("totals", {}).get("removed") and cli.output.has_person:
            # There is nothing to remove, or nothing that could be removed.
            return _show_removal(cli, planned)
        show_aside(cli, planned)
        cli.output.confirm("Remove all of that?")
    return _show_removal(cli, run(cli, event))


def _show_removal(cli: Cli, report: Report) -> int:
    code = show(cli, report)
    note_missing_rights(cli, report)
    return code


def note_missing_rights(cli: Cli, report: Report) -> None:
    """Print the command that grants the rights for a removal, where a cluster lacks them."""
    lacking = [
        cluster["id"]
        for cluster in report.get("clusters", ())
        if any(problem["outcome"] == FORBIDDEN for problem in cluster.get("problems", ()))
    ]
    for cluster_id in lacking[:1]:
        # A cluster that a discovery found has no document of its own to add.
        grant = (
            apply_file(PRUNE_FILE)
            if "/" in cluster_id
            else cli.follow_up.command(
                "clusters", "add", cluster_id, "--allow-removal", "--no-push"
            )
        )
        cli.output.note(f"Where rights are missing, as in {cluster_id}: {grant}")


def run(cli: Cli, event: Mapping[str, Any]) -> Report:
    """Return the report of one run.

    Raise KeyboardInterrupt when interrupted, after a note that the function continues.
    """
    stack = cli.session.stack
    action = event["action"]
    try:
        with cli.output.progress(
            f"{action}: waiting for the function of {stack.name} in {stack.region}"
        ):
            return invoke(cli.session, event)
    except KeyboardInterrupt:
        cli.output.note(
            f"The function continues the {action}. To follow it:"
            f" {cli.follow_up.command('logs', '--follow')}"
        )
        raise


def show(cli: Cli, report: Report, *, verbose: bool = False) -> int:
    """Print the report; return its exit code."""
    cli.output.result(report, lambda: rendered(cli, report, verbose=verbose))
    return ExitCode.OK if report["ok"] else ExitCode.NOT_OK


def show_aside(cli: Cli, report: Report) -> None:
    """Show a report beside the result, on stderr, such as the plan that a question is about."""
    for part in rendered(cli, report):
        cli.output.aside(part)


def rendered(cli: Cli, report: Report, *, verbose: bool = False) -> list[RenderableType]:
    """Return a report for people."""
    return render_report(report, now=datetime.now(UTC), follow_up=cli.follow_up, verbose=verbose)


def _event(
    action: str, *, clusters: Sequence[str] | None, namespaces: Sequence[str] | None = None
) -> dict[str, Any]:
    event: dict[str, Any] = {"action": action}
    if clusters:
        event["clusters"] = list(clusters)
    if namespaces:
        event["namespaces"] = list(namespaces)
    return event


def _prune_all(ids: Sequence[str] | None) -> dict[str, Any]:
    _need_ids(ids, "--prune-all")
    return {"prune": "all"}


def _need_ids(ids: Sequence[str] | None, what: str) -> None:
    if not ids:
        raise CliError(
            f"{what} needs the ids of clusters.",
            remedy="Name them; '*' (quoted) means all of them.",
        )
