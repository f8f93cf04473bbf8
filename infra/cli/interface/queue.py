"""`queue list`, `queue redrive`, `queue purge`: the retry queue and its dead letters."""

from typing import Annotated

import typer

from ..choices import Queue
from ..command import Cli, command, group
from .run import Yes
from .status import PANEL


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    made = group("queue", "The retry queue and the dead-letter queue.")
    for name, function in (("list", list_queues), ("redrive", redrive), ("purge", purge)):
        made.command(name)(command(function))
    app.add_typer(made, rich_help_panel=PANEL)


def list_queues(cli: Cli) -> int:
    """Show both queues, and each dead letter. Exit code 1 when there is a dead letter.

    Messages of the retry queue are only counted, because reading one counts as a try. Dead letters
    are read and stay in the queue; reading hides them from others for at most half a minute.

    [bold]Examples[/bold]

      ecr-public-pusher queue list
      ecr-public-pusher queue list -o json | jq '.deadLetters.messages[].body'
    """
    from ..commands import queue

    return queue.list_queues(cli)


def redrive(cli: Cli) -> int:
    """Move all dead letters back to the retry queue. First correct the cause of the failures.

    A removal is never repeated from a queue, and becomes a dead letter again: run remove again, and
    purge the dead letters.

    [bold]Examples[/bold]

      ecr-public-pusher queue list
      ecr-public-pusher queue redrive
    """
    from ..commands import queue

    return queue.redrive(cli)


def purge(
    cli: Cli, queue: Annotated[Queue, typer.Argument(help="Which queue.")], yes: Yes = False
) -> int:
    """Delete all messages of a queue. Asks first.

    Clusters on the retry queue are then tried again at the next push of all clusters. Dead letters
    are lost.

    [bold]Examples[/bold]

      ecr-public-pusher queue purge dead-letters
      ecr-public-pusher queue purge retry --yes
    """
    from ..commands.queue import purge

    return purge(cli, queue, yes=yes)
