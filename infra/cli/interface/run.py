"""`push`, `plan`, `check`, `sweep`, `remove`: one event to the function, and its report."""

from datetime import timedelta
from typing import Annotated

import typer

from ecr_public_pusher.events.request import SWEEP_WINDOW_MINUTES

from ..command import Cli, command
from ..completion import complete_ids
from ..times import Duration, time_option

PANEL = "Runs"
SWEEP_WINDOW = Duration(minutes=SWEEP_WINDOW_MINUTES)

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
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="Do not wait for a push. The function pushes nevertheless, as after any change.",
    ),
]
_WINDOW = (
    "For clusters where the function may not list its Secrets: covers namespaces created within"
    " this time; a plain number is in minutes."
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
    from ..commands import run

    return run.push(cli, ids, namespace, prune_all=prune_all, yes=yes)


def plan(
    cli: Cli,
    ids: Ids = None,
    namespace: Namespaces = None,
    remove: Annotated[bool, typer.Option("--remove", help="Plan a removal.")] = False,
    prune_all: PruneAll = False,
) -> int:
    """Show what a push, or with --remove a removal, would do. Changes nothing.

    For a push, shows which namespaces are selected, which have a Secret but are no longer selected,
    and why.

    [bold]Examples[/bold]

      ecr-public-pusher plan
      ecr-public-pusher plan prod -n 'team-*'
      ecr-public-pusher plan --remove prod
      ecr-public-pusher plan prod -o json | jq '.clusters[].changes'
    """
    from ..commands import run

    return run.plan(cli, ids, namespace, remove=remove, prune_all=prune_all)


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
    from ..commands import run

    return run.check(cli, ids, namespace, include_disabled=include_disabled, verbose=verbose)


def sweep(
    cli: Cli,
    ids: Ids = None,
    window: Annotated[
        timedelta,
        time_option("--window", plain="m", help=_WINDOW),
    ] = SWEEP_WINDOW,
) -> int:
    """Correct Secrets that are missing or about to expire, as the schedule does every few minutes.

    Covers new namespaces, late labels, deleted Secrets, and ServiceAccounts that were created later
    or reset. Changes nothing else.

    [bold]Examples[/bold]

      ecr-public-pusher sweep
      ecr-public-pusher sweep prod --window 1h
    """
    from ..commands import run

    return run.sweep(cli, ids, window)


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
    from ..commands import run

    return run.remove(cli, ids, yes=yes)
