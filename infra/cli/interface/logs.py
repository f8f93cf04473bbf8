"""`logs`: the function's runs, one a line."""

from datetime import timedelta
from typing import Annotated

import typer

from ..command import Cli, command
from ..completion import complete_ids
from ..times import Duration, time_option
from .status import PANEL

LOOK_BACK = Duration(hours=3)

Only = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Only runs that name these clusters.",
        show_default=False,
        autocompletion=complete_ids,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(command(logs))


def logs(
    cli: Cli,
    ids: Only = None,
    since: Annotated[
        timedelta,
        time_option("--since", help="How far back, such as 90m, 36h or 7d."),
    ] = LOOK_BACK,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show new lines as they arrive, until Ctrl-C.")
    ] = False,
) -> None:
    """Show what the function did: a line for each run, with its problems.

    With -o json, the lines as they were logged, one JSON object each.

    [bold]Examples[/bold]

      ecr-public-pusher logs
      ecr-public-pusher logs prod --since 2d
      ecr-public-pusher logs --follow
      ecr-public-pusher logs --since 1d -o json | jq 'select(.report.ok | not) | .report.requestId'
    """
    from ..commands.logs import logs

    logs(cli, ids or [], since, follow=follow)
