"""`push`, `plan`, `check`, `sweep`, `remove`: one event to the function, and its report."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from ecr_public_pusher.events.request import SWEEP_WINDOW_MINUTES

from ..command import Cli, command
from ..completion import complete_ids
from ..errors import CliError, ExitCode
from ..follow_up import apply_file
from ..function import Report, invoke
from ..rendering.report import render_report

PANEL = "Runs"
FORBIDDEN = "forbidden"
PRUNE_FILE = "infra/rbac/prune.yaml"

Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Ids of clusters' documents, or globs ('prod-*'); none: all.",
        show_default=False,
        autocompletion=complete_ids,
    ),
]
Namespaces = Annotated[
    list[str] | None,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NAME",
        help="Only this namespace, or glob. May be given several times.",
        show_default=False,
    ),
]
PruneAll = Annotated[
    bool,
    typer.Option("--prune-all", help="Prune any number of Secrets. Needs IDs ('*': all clusters)."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]
_WINDOW = (
    "For clusters where the function may not list its Secrets: covers namespaces created within"
    " this many minutes."
)
IncludeDisabled = Annotated[
    bool,
    typer.Option(
        "--include-disabled", help="Check disabled documents as if they were enabled, too."
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also show what is ok.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for function in (check, plan, push, sweep, remove):
        app.command(rich_help_panel=PANEL)(command(function))


def push(
    cli: Cli,
    ids: Ids = None,
    namespace: Namespaces = None,
    prune_all: PruneAll = False,
    yes: Yes = False,
) -> int:
    """Push a fresh token now, to all clusters or to the named ones.

    With --prune-all, shows first what would be deleted, and asks.

    [bold]Examples[/bold]

      ecr-public-pusher push
      ecr-public-pusher push prod 'edge-*'
      ecr-public-pusher push prod -n team-a -n 'web-*'
      ecr-public-pusher push prod --prune-all
    """
    event = _event("push", clusters=ids, namespaces=namespace)
    if prune_all:
        event |= _prune_all(ids)
    if prune_all and not yes:
        cli.output.need_person("Push, and prune all of that?")
        planned = run(cli, {**event, "action": "plan"})
        if planned.get("totals", {}).get("pruned"):
            show_aside(cli, planned)
            cli.output.confirm("Push, and prune all of that?")
    return show(cli, run(cli, event))


def plan(
    cli: Cli,
    ids: Ids = None,
    namespace: Namespaces = None,
    remove: Annotated[bool, typer.Option("--remove", help="Plan a removal.")] = False,
    prune_all: PruneAll = False,
) -> int:
    """Show what a push, or with --remove a removal, would do. Changes nothing.

    For a push, shows which namespaces are selected, which have a Secret but are not selected any
    more, and why.

    [bold]Examples[/bold]

      ecr-public-pusher plan
      ecr-public-pusher plan prod -n 'team-*'
      ecr-public-pusher plan --remove prod
      ecr-public-pusher plan prod -o json | jq '.clusters[].changes'
    """
    event = _event("plan", clusters=ids, namespaces=namespace)
    if prune_all:
        event |= _prune_all(ids)
    if remove:
        _need_ids(ids, "A removal")
        event["remove"] = True
    return show(cli, run(cli, event))


def check(
    cli: Cli,
    ids: Ids = None,
    namespace: Namespaces = None,
    include_disabled: IncludeDisabled = False,
    verbose: Verbose = False,
) -> int:
    """Check that the function can do its work in each cluster.

    Tests the way to the cluster, the sign-in, and each permission that its document needs, and
    prints a remedy for what fails.

    [bold]Examples[/bold]

      ecr-public-pusher check
      ecr-public-pusher check prod --verbose
      ecr-public-pusher check staging --include-disabled
    """
    event = _event("check", clusters=ids, namespaces=namespace)
    if include_disabled:
        event["includeDisabled"] = True
    return show(cli, run(cli, event), verbose=verbose)


def sweep(
    cli: Cli,
    ids: Ids = None,
    window: Annotated[
        int, typer.Option("--window", metavar="MINUTES", min=1, help=_WINDOW)
    ] = SWEEP_WINDOW_MINUTES,
) -> int:
    """Correct Secrets that are missing or about to expire, as the schedule does every few minutes.

    Covers new namespaces, late labels, deleted Secrets, and ServiceAccounts that were created later
    or reset. Leaves everything else alone.

    [bold]Examples[/bold]

      ecr-public-pusher sweep
      ecr-public-pusher sweep prod --window 60
    """
    return show(cli, run(cli, _event("sweep", clusters=ids) | {"windowMinutes": window}))


def remove(
    cli: Cli,
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID", help="Ids or globs; '*': all clusters.", autocompletion=complete_ids
        ),
    ],
    yes: Yes = False,
) -> int:
    """Delete the Secrets that were written to the named clusters. Shows them first, and asks.

    The next push writes them again, unless the document says enabled: false or is deleted.

    [bold]Examples[/bold]

      ecr-public-pusher remove staging
      ecr-public-pusher remove '*' --yes
    """
    event = _event("remove", clusters=ids)
    if not yes:
        cli.output.need_person("Remove all of that?")
        planned = run(cli, _event("plan", clusters=ids) | {"remove": True})
        if not planned.get("totals", {}).get("removed"):
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

    Raise KeyboardInterrupt when interrupted, after a note that the function goes on.
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
