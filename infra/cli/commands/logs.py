"""`logs`: the function's runs, one a line."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ..command import Cli, command
from ..completion import complete_ids
from ..rendering.log import is_about, render_line
from ..run_log import RUNS, LogLine, read_log
from ..times import Duration
from .status import PANEL

POLL_SECONDS = 5
# A line may appear after younger ones.
OVERLAP = timedelta(minutes=2)

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
        timedelta, typer.Option("--since", parser=Duration, metavar="TIME", help="How far back.")
    ] = timedelta(hours=3),
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show new lines as they come, until Ctrl-C.")
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
    wanted = ids or []
    shown = 0
    for line in _lines(cli, since, follow=follow):
        if is_about(line, wanted):
            cli.output.line(line.said, *render_line(line, wanted))
            shown += 1
    if not shown:
        further = cli.follow_up.command("logs", *wanted, "--since", "2d")
        back = f" Look further back: {further}" if since < timedelta(days=2) else ""
        cli.output.note(f"Nothing was logged in that time.{back}")


def _lines(cli: Cli, since: timedelta, *, follow: bool) -> Iterator[LogLine]:
    """Yield each line once; with `follow`, wait for new ones without end."""
    start = datetime.now(UTC) - since
    seen = dict[str, datetime]()
    while True:
        for line in read_log(cli.session, RUNS, since=start):
            if line.id not in seen:
                seen[line.id] = line.at
                yield line
        if not follow:
            return
        start = max([start, *(at - OVERLAP for at in seen.values())])
        seen = {line_id: at for line_id, at in seen.items() if at >= start}
        time.sleep(POLL_SECONDS)
