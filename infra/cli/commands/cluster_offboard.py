"""`clusters offboard`: one command that undoes what `clusters add` did."""

from dataclasses import replace
from pathlib import Path

from ..command import Cli
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
from .carry_out import Done, carry_out
from .removal import forget_gone, how_to_forget, remove_before_deletion
from .replaced import keeping
from .run import run


def offboard(
    cli: Cli,
    document_id: str,
    given: Given,
    *,
    cluster_profile: str | None,
    context: str | None,
    kubeconfig: Path | None,
    trust_context: bool,
    keep_secrets: bool,
    cluster_gone: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Show the remaining steps to undo for a cluster, ask, and carry them out."""
    deployed = Deployed.of(cli.session)
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
            steps = offboarding.do(remove)
        if made.before and offboarding.is_gone:
            forget_gone(cli, document_id)
        elif made.before and keep_secrets:
            cli.output.note(how_to_forget(cli, [document_id]))
        return steps, {}

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
    if "/" in document_id:
        raise CliError(
            f"{document_id} is what a discovery found: it has no document of its own.",
            remedy=(
                "First `remove` its Secrets, and at once its tags, so that the discovery does not"
                " find it again. Then name the EKS cluster instead, and its region with"
                " --cluster-region."
            ),
        )
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
