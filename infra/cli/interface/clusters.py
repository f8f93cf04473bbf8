"""`clusters`: the stack's documents, one by one."""

from pathlib import Path
from typing import Annotated

import typer

from ..command import Cli, command, group
from ..completion import complete_any_document, complete_clusters, complete_documents
from .cluster_add import add
from .cluster_import import import_clusters
from .cluster_offboard import offboard
from .run import NoWait, Yes

Called = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A document: ID of a cluster, discover/ID, or defaults.",
        autocompletion=complete_any_document,
    ),
]
Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID",
        help="Ids of clusters' documents, or globs ('prod-*').",
        autocompletion=complete_clusters,
    ),
]
DeletedIds = Annotated[
    list[str],
    typer.Argument(
        metavar="ID",
        help="Documents: ids of clusters, discover/ID, or defaults.",
        autocompletion=complete_any_document,
    ),
]
OldName = Annotated[
    str,
    typer.Argument(
        metavar="OLD",
        help="A document: ID of a cluster, or discover/ID.",
        autocompletion=complete_documents,
    ),
]
NewId = Annotated[str, typer.Argument(metavar="NEW", help="Its new ID.")]
Discovered = Annotated[
    bool,
    typer.Option(
        "--discovered",
        help="Also list the clusters that discoveries find now, by a plan of the function.",
    ),
]
GoneIds = Annotated[
    list[str],
    typer.Argument(
        metavar="ID", help="Ids or globs of clusters without a document, as status shows them."
    ),
]
Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", file_okay=False, help="The folder to write to; it is created if absent."
    ),
]
ShowSecure = Annotated[
    bool, typer.Option("--show-secure", help="Write SecureStrings as well, decrypted.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Overwrite files that differ from what is stored.")
]
KeepSecrets = Annotated[
    bool,
    typer.Option(
        "--keep-secrets",
        help="Leave the Secrets in the cluster. They expire within 12 hours, and then block pulls.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    clusters = group("clusters", "Clusters' documents: add, show, change, rename, delete.")
    for function, name in (
        (add, "add"),
        (import_clusters, "import"),
        (list_clusters, "list"),
        (show, "show"),
    ):
        clusters.command(name)(command(function))
    for changing in (edit, enable, disable, delete, forget, rename, offboard, export):
        clusters.command()(command(changing))
    app.add_typer(clusters, rich_help_panel="Configuration")


def list_clusters(cli: Cli, discovered: Discovered = False) -> int:
    """List every document's cluster, region and namespaces, with the defaults merged in.

    Exit code 1: some are invalid.

    [bold]Examples[/bold]

      ecr-public-pusher clusters list
      ecr-public-pusher clusters list --discovered
      ecr-public-pusher clusters list -o json | jq -r '.clusters[] | select(.enabled | not) | .id'
    """
    from ..commands import clusters

    return clusters.list_clusters(cli, discovered=discovered)


def show(cli: Cli, called: Called) -> int:
    """Show a document's settings, each with its origin: the document, the defaults, or built in.

    [bold]Examples[/bold]

      ecr-public-pusher clusters show prod
      ecr-public-pusher clusters show discover/platform -o yaml
      ecr-public-pusher clusters show defaults
    """
    from ..commands import clusters

    return clusters.show(cli, called)


def edit(cli: Cli, called: Called, no_wait: NoWait = False) -> int:
    """Open a document in $VISUAL or $EDITOR.

    It is written once it is valid, unless somebody else has changed it in the meantime. A copy of
    the previous text is saved, to restore it. Then pushes to its clusters, and shows the
    outcome. Exit code 1: the push is not ok.

    [bold]Examples[/bold]

      ecr-public-pusher clusters edit prod
      EDITOR="code --wait" ecr-public-pusher clusters edit defaults
    """
    from ..commands import cluster_changes

    return cluster_changes.edit(cli, called, no_wait=no_wait)


def enable(cli: Cli, ids: Ids, no_wait: NoWait = False) -> int:
    """Set enabled: true in clusters' documents, and change nothing else in them.

    Then pushes to them, and shows the outcome. Exit code 1: the push is not ok.

    [bold]Examples[/bold]

      ecr-public-pusher clusters enable staging 'test-*'
      ecr-public-pusher clusters enable staging --no-wait
    """
    from ..commands import cluster_changes

    return cluster_changes.enable(cli, ids, no_wait=no_wait)


def disable(cli: Cli, ids: Ids) -> int:
    """Set enabled: false in clusters' documents, and change nothing else in them.

    Their Secrets stay until they are removed.

    [bold]Examples[/bold]

      ecr-public-pusher clusters disable staging && ecr-public-pusher remove staging
    """
    from ..commands import cluster_changes

    return cluster_changes.disable(cli, ids)


def delete(cli: Cli, ids: DeletedIds, keep_secrets: KeepSecrets = False, yes: Yes = False) -> int:
    """Remove the Secrets that documents wrote from their clusters, then delete the documents.

    Shows them first, and asks. A document is kept if not all of its Secrets could be removed,
    because nothing could remove them afterwards. Secrets that another enabled document of the same
    cluster selects stay: that document adopts them. A document is not deleted if others would be
    invalid without it. A copy of each document is saved, to restore it.

    [bold]Examples[/bold]

      ecr-public-pusher clusters delete staging
      ecr-public-pusher clusters delete staging --keep-secrets --yes
    """
    from ..commands import cluster_changes

    return cluster_changes.delete(cli, ids, keep_secrets=keep_secrets, yes=yes)


def forget(cli: Cli, ids: GoneIds) -> int:
    """Acknowledge that clusters of deleted documents are gone for good, with their Secrets.

    Removes nothing. `status` no longer counts these clusters, for everybody: the function notes it
    in its log.

    [bold]Examples[/bold]

      ecr-public-pusher clusters forget staging
      ecr-public-pusher clusters forget 'platform/*'
    """
    from ..commands import cluster_changes

    return cluster_changes.forget(cli, ids)


def rename(cli: Cli, old: OldName, new: NewId, no_wait: NoWait = False) -> int:
    """Give a document another ID, and push it. Its Secrets stay, and are taken over in place.

    Its cluster stays the same: a document that names none, since its ID is the cluster's name,
    names it from then on. Alarms, metrics and reports use the new ID. Exit code 1: the push is not
    ok.

    [bold]Examples[/bold]

      ecr-public-pusher clusters rename staging staging-eu
      ecr-public-pusher clusters rename discover/platform discover/teams
    """
    from ..commands.cluster_rename import rename

    return rename(cli, old, new, no_wait=no_wait)


def export(
    cli: Cli, directory: Directory, show_secure: ShowSecure = False, overwrite: Overwrite = False
) -> int:
    """Write every stored document to a folder, as `apply` reads it.

    Use it to start keeping documents in Git. Texts are written unchanged, with their comments, so
    that `diff` then finds no difference. Files that differ are kept, unless --overwrite is given.

    [bold]Examples[/bold]

      ecr-public-pusher clusters export config
      ecr-public-pusher clusters export config --overwrite && git -C config diff
    """
    from ..commands.cluster_export import export

    return export(cli, directory, show_secure=show_secure, overwrite=overwrite)
