"""`status`: the state of every cluster."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ..command import Cli, command
from ..completion import complete_ids
from ..errors import ExitCode
from ..rendering.status import render_status
from ..status import Status, gather
from ..times import Duration

PANEL = "Status"
WATCH_SECONDS = 30

Only = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Only these clusters, by id or glob.",
        show_default=False,
        autocompletion=complete_ids,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(command(status))


def status(
    cli: Cli,
    ids: Only = None,
    since: Annotated[
        timedelta,
        typer.Option(
            "--since", parser=Duration, metavar="TIME", help="How far back the log is read."
        ),
    ] = timedelta(days=1),
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh until Ctrl-C.")] = False,
    every: Annotated[
        int,
        typer.Option(
            "--every", metavar="SECONDS", min=1, help="Time between two refreshes, with --watch."
        ),
    ] = WATCH_SECONDS,
) -> int:
    """Show every cluster: its last good push, its token's remaining life, and its failures.

    Shows queues, alarms, unknown and deleted documents as well. Exit code 1 when anything is wrong;
    with IDs, when one of those clusters is not ok.

    [bold]Examples[/bold]

      ecr-public-pusher status
      ecr-public-pusher status 'prod-*' --watch --every 10
      ecr-public-pusher status -o json | jq '.clusters[] | select(.tokenHoursLeft < 4)'
    """
    found = _gather(cli, ids or [], since)
    if not watch:
        cli.output.result(found.as_json(), lambda: render_status(found))
        return ExitCode.OK if found.ok else ExitCode.NOT_OK
    while True:
        cli.output.fresh_page()
        cli.output.line(found.as_json(), *render_status(found))
        time.sleep(every)
        found = _gather(cli, ids or [], since)


def _gather(cli: Cli, ids: list[str], since: timedelta) -> Status:
    with cli.output.progress("reading log, queues and alarms"):
        return gather(cli.session, ids=ids, now=datetime.now(UTC), window=since)
