"""`status`: the state of every cluster."""

from datetime import timedelta
from typing import Annotated

import typer

from ..command import Cli, command
from ..completion import complete_ids
from ..times import Duration, time_option

PANEL = "Status"
LOOK_BACK = Duration(days=1)
REFRESH = Duration(seconds=30)

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
        time_option("--since", help="How far back the log is read, such as 90m, 36h or 7d."),
    ] = LOOK_BACK,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh until Ctrl-C.")] = False,
    every: Annotated[
        timedelta,
        time_option(
            "--every",
            plain="s",
            help="Time between two refreshes, with --watch; a plain number is in seconds.",
        ),
    ] = REFRESH,
) -> int:
    """Show every cluster: its last good push, its token's remaining life, and its failures.

    Shows queues, alarms, unknown and deleted documents as well. Exit code 1 when anything is wrong;
    with IDs, when one of those clusters is not ok.

    [bold]Examples[/bold]

      ecr-public-pusher status
      ecr-public-pusher status 'prod-*' --watch --every 10s
      ecr-public-pusher status -o json | jq '.clusters[] | select(.tokenHoursLeft < 4)'
    """
    from ..commands.status import status

    return status(cli, ids or [], since, watch=watch, every=every)
