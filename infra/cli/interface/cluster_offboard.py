"""`clusters offboard`: one command that undoes what `clusters add` did."""

from typing import Annotated

import typer

from ..command import Cli
from ..completion import complete_clusters
from . import add_options as options

Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="Id of the cluster's document.", autocompletion=complete_clusters
    ),
]
_NO_DOCUMENT = "If there is no document any more"
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="NAME", help=f"{_NO_DOCUMENT}: EKS cluster name, if not ID."),
]
Region = Annotated[
    str | None,
    typer.Option(
        "--cluster-region",
        metavar="REGION",
        help=f"{_NO_DOCUMENT}: the cluster's region, if not the function's.",
    ),
]
Role = Annotated[
    str | None,
    typer.Option(
        "--role-arn", metavar="ARN", help=f"{_NO_DOCUMENT}: the role that signed in, if another."
    ),
]
KeepSecrets = Annotated[
    bool,
    typer.Option(
        "--keep-secrets",
        help="Leave the Secrets in the cluster. They expire within 12 hours, and then block pulls.",
    ),
]
Gone = Annotated[
    bool,
    typer.Option(
        "--cluster-gone", help="The cluster does not exist any more: delete its document only."
    ),
]


def offboard(
    cli: Cli,
    document_id: Id,
    cluster: Cluster = None,
    cluster_region: Region = None,
    role_arn: Role = None,
    cluster_profile: options.ClusterProfile = None,
    context: options.KubeContext = None,
    kubeconfig: options.KubeFile = None,
    trust_context: options.Trust = False,
    keep_secrets: KeepSecrets = False,
    cluster_gone: Gone = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
) -> int:
    """Undo what `clusters add` did: Secrets, document, RBAC, access entry.

    Shows what it will do, and asks. Removes the Secrets first: if not all can be removed, nothing
    else changes. What others need stays: an access entry keeps its other groups, and RBAC stays
    while another document, a discovery or another stack uses the cluster.

    If EKS no longer knows the cluster, only the document is deleted, and `status` does not count
    the cluster. Prints the command for each step that is left to do, and the one to continue with.
    Exit code 1: a step is left to do.

    [bold]Examples[/bold]

      ecr-public-pusher clusters offboard staging
      ecr-public-pusher clusters offboard staging --dry-run
      ecr-public-pusher clusters offboard edge --cluster-profile edge --context edge --yes
      ecr-public-pusher clusters offboard lab --cluster-gone --yes
    """
    from ..commands.cluster_offboard import offboard
    from ..onboarding.fields import Given

    return offboard(
        cli,
        document_id,
        Given(cluster=cluster, region=cluster_region, role_arn=role_arn),
        cluster_profile=cluster_profile,
        context=context,
        kubeconfig=kubeconfig,
        trust_context=trust_context,
        keep_secrets=keep_secrets,
        cluster_gone=cluster_gone,
        dry_run=dry_run,
        yes=yes,
    )
