"""`clusters offboard`: one command that undoes what `clusters add` did."""

from dataclasses import replace
from typing import Annotated

import typer

from ..command import Cli
from ..completion import complete_clusters
from ..documents.deployed import Deployed
from ..documents.document import DocumentName
from ..errors import CliError
from ..function import Report
from ..onboarding.document_step import NewCluster, new_cluster
from ..onboarding.fields import Given
from ..onboarding.offboarding import Leaving, Offboarding
from ..onboarding.rbac_step import Choice
from ..onboarding.step import Step
from ..session import Session
from . import add_options as options
from .carry_out import Done, carry_out
from .removal import remove_before_deletion
from .replaced import keeping
from .run import run

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

    Shows what it will do, and asks. The Secrets go first: if not all can be removed, nothing else
    is touched. What others need stays: an access entry keeps its other groups, and RBAC stays while
    another document, a discovery or another stack uses the cluster.

    If EKS does not know the cluster any more, only the document is deleted. Prints the command for
    each step that is left to do, and the one with which to go on. Exit code 1: a step is left.

    [bold]Examples[/bold]

      ecr-public-pusher clusters offboard staging
      ecr-public-pusher clusters offboard staging --dry-run
      ecr-public-pusher clusters offboard edge --cluster-profile edge --context edge --yes
      ecr-public-pusher clusters offboard lab --cluster-gone --yes
    """
    deployed = Deployed.of(cli.session)
    given = Given(cluster=cluster, region=cluster_region, role_arn=role_arn)
    made = _leaving(deployed, document_id, given)
    choice = Choice(
        kubeconfig,
        context,
        trust=trust_context,
        force=True,
        follow_up=replace(cli.follow_up, profile=cluster_profile or cli.options.profile),
    )
    # The person's credentials for the cluster's account and region.
    session = Session(profile=cluster_profile or cli.options.profile, region=made.config.region)
    offboarding = Offboarding(
        made,
        deployed.store,
        Leaving(gone=cluster_gone, keep_secrets=keep_secrets, choice=choice),
        session.client("eks") if made.is_eks else None,
        lambda: session.account,
        own_role=cli.session.stack.role_arn,
        discoveries=deployed.validation.configuration.discoveries,
    )
    if made.before is None and offboarding.is_gone:
        deployed.find(document_id, clusters_only=True)  # which raises

    def look() -> Report:
        return run(cli, {"action": "plan", "remove": True, "clusters": [document_id]})

    def plan() -> list[Step]:
        with cli.output.progress("reading the document, the cluster and your kubeconfig"):
            return offboarding.plan(look)

    def remove() -> bool:
        before = [made.before] if made.before else []
        return not remove_before_deletion(cli, deployed, before, keep_secrets=False)

    def do() -> Done:
        with keeping(cli, [made.before] if made.before else []):
            return offboarding.do(remove), {}

    # The document, which names the cluster, may be gone by then.
    again = cli.follow_up.command(
        *("clusters", "offboard", document_id, *_place(made)),
        *(["--cluster-profile", cluster_profile] if cluster_profile else []),
        *(["--context", context] if context else []),
        *(["--kubeconfig", str(kubeconfig)] if kubeconfig else []),
    )
    return carry_out(cli, document_id, plan, do, dry_run=dry_run, yes=yes, again=again)


def _place(made: NewCluster) -> list[str]:
    """Return the options that name an EKS cluster without its document; none for others."""
    config = made.config
    if not made.is_eks:
        return []
    role = ["--role-arn", config.role_arn] if config.role_arn else []
    return ["--cluster", config.cluster, "--cluster-region", config.region, *role]


def _leaving(deployed: Deployed, document_id: str, given: Given) -> NewCluster:
    """Return the cluster of the document; without one, of the options.

    Raise CliError for an invalid document, and for options that contradict it.
    """
    if DocumentName.cluster(document_id) not in deployed.snapshot.documents:
        some = replace(given, namespaces=("default",))  # any one: a document needs some
        return new_cluster(deployed, document_id, some, None, replace=False)
    made = new_cluster(deployed, document_id, Given(), None, replace=False)
    config = made.config
    theirs = (config.cluster, config.region, config.role_arn)
    named = (given.cluster, given.region, given.role_arn)
    if any(one is not None and one != other for one, other in zip(named, theirs, strict=True)):
        raise CliError(
            f"The document {document_id} names another cluster: {config.place}.",
            remedy="--cluster, --cluster-region and --role-arn are for a cluster without one.",
        )
    return made
