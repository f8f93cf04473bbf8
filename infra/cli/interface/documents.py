"""`validate`, `diff`, `apply`: documents as files, in Git or elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from ..command import Cli, command
from .prune_option import Prune, PruneAll, PruningCommand
from .run import NoWait, Yes

PANEL = "Configuration"

Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Holds defaults.yaml, clusters/ID.yaml, discover/ID.yaml (or .yml, .json).",
    ),
]
Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", exists=True, help="A folder of documents, or single files."),
]
Live = Annotated[
    bool,
    typer.Option(
        "--live",
        help=(
            "Show which namespaces documents would select, or no longer select, in the clusters as"
            " they are now. Needs contexts of your kubeconfig that lead there."
        ),
    ),
]
ShowSecure = Annotated[
    bool, typer.Option("--show-secure", help="Show differences of SecureStrings as well.")
]
KeepSecrets = Annotated[
    bool,
    typer.Option(
        "--keep-secrets",
        help=(
            "Leave the Secrets of deleted documents in the clusters. They expire within 12"
            " hours, and then block pulls."
        ),
    ),
]
Endpoints = Annotated[
    str | None,
    typer.Option(
        "--allowed-endpoints",
        metavar="HOSTS",
        help=(
            "Hosts to validate endpoints against, separated by commas, as in the template"
            " parameter."
        ),
    ),
]
Accounts = Annotated[
    str | None,
    typer.Option(
        "--allowed-accounts",
        metavar="ACCOUNTS",
        help="Accounts to validate roles against, as in the template parameter.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL)(command(validate))
    for function in (diff, apply):
        app.command(cls=PruningCommand, rich_help_panel=PANEL)(command(function))


def validate(
    cli: Cli,
    paths: Paths,
    allowed_endpoints: Endpoints = None,
    allowed_accounts: Accounts = None,
) -> int:
    """Validate documents with the function's own model. Needs neither AWS nor a cluster.

    With --stack, uses the stack's region, account and limits (AllowedEndpoints, AllowedAccounts,
    the roles' names). Exit code 0: all are valid; 1: some are not.

    [bold]Examples[/bold]

      ecr-public-pusher validate clusters/
      ecr-public-pusher validate config/clusters/prod.yaml
      ecr-public-pusher validate config \
          --allowed-endpoints 'api.edge.example.com,*.shops.example.com'
      ecr-public-pusher validate config --stack ecr-public-pusher -o json
    """
    from ..commands import documents

    return documents.validate(cli, paths, allowed_endpoints, allowed_accounts)


def diff(
    cli: Cli,
    directory: Directory,
    prune: Prune = False,
    prune_all: PruneAll = False,
    show_secure: ShowSecure = False,
    live: Live = False,
) -> int:
    """Show what `apply` would change.

    With --live, shows which namespaces would be selected, or no longer selected, and why.
    Exit code 0: no difference; 1: differences (as with kubectl diff); 2: invalid documents.

    [bold]Examples[/bold]

      ecr-public-pusher diff config
      ecr-public-pusher diff config --prune -o json
      ecr-public-pusher diff config --live
    """
    from ..commands import documents

    return documents.diff(
        cli, directory, prune=prune, prune_all=prune_all, show_secure=show_secure, live=live
    )


def apply(
    cli: Cli,
    directory: Directory,
    prune: Prune = False,
    prune_all: PruneAll = False,
    keep_secrets: KeepSecrets = False,
    show_secure: ShowSecure = False,
    no_wait: NoWait = False,
    yes: Yes = False,
) -> int:
    """Store the folder's new and changed documents in Parameter Store.

    Shows the differences first, and asks. Then pushes to the clusters of the new and changed
    documents, and shows the outcome; a change of the defaults concerns all. Types, keys and tags of
    parameters stay. A copy of each document that is overwritten or deleted is saved, to restore it.
    A second run changes nothing. Exit code 1: the push is not ok.

    With --prune, a document of the same cluster under another id is renamed: its Secrets stay. To
    delete more than one document, and more than half of those that are stored, takes --prune=all
    or a yes at the terminal.

    [bold]Examples[/bold]

      ecr-public-pusher apply config
      ecr-public-pusher apply config --prune
      ecr-public-pusher apply config --prune --yes -o json
      ecr-public-pusher apply config --yes --no-wait
      ecr-public-pusher apply config --prune=all --yes
    """
    from ..commands import documents

    return documents.apply(
        cli,
        directory,
        prune=prune,
        prune_all=prune_all,
        keep_secrets=keep_secrets,
        show_secure=show_secure,
        no_wait=no_wait,
        yes=yes,
    )
