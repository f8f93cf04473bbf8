"""`clusters add`: one command from a cluster's name to its first pushed Secret."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..command import Cli
from ..documents.deployed import Deployed
from ..errors import CliError, ExitCode
from ..onboarding.access import Choice
from ..onboarding.cluster import NewCluster, new_cluster
from ..onboarding.eks_cluster import Admission
from ..onboarding.fields import Given
from ..onboarding.rbac import Grant, Manifest, as_yaml, manifests
from ..onboarding.step import Step
from ..onboarding.steps import Onboarding, Wanted
from ..rendering.documents import render_notes
from ..rendering.onboarding import render_steps
from ..session import Session
from .run import run

FIELDS, ACCESS, STEPS = "The document's fields", "Access to the cluster", "What is done"

Id = Annotated[str, typer.Argument(metavar="ID", help="The document's id, and the EKS cluster's name where --cluster names no other.")]
File = Annotated[
    Path | None, typer.Option("--file", "-f", metavar="FILE", allow_dash=True, help="The whole document; - is stdin.", rich_help_panel=FIELDS)
]
Cluster = Annotated[str | None, typer.Option("--cluster", metavar="NAME", help="EKS cluster name.", rich_help_panel=FIELDS)]
Region = Annotated[
    str | None, typer.Option("--cluster-region", metavar="REGION", help="The cluster's; the function's own if absent.", rich_help_panel=FIELDS)
]
Role = Annotated[str | None, typer.Option("--role-arn", metavar="ARN", help="Role to assume, mostly of another account.", rich_help_panel=FIELDS)]
External = Annotated[str | None, typer.Option("--external-id", metavar="ID", help="External id of --role-arn.", rich_help_panel=FIELDS)]
Namespace = Annotated[list[str] | None, typer.Option("--namespace", "-n", metavar="NAME", help="Name or glob; repeat it.", rich_help_panel=FIELDS)]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="NAME", help="Never these names or globs; repeat it.", rich_help_panel=FIELDS)
]
SelectorOption = Annotated[
    str | None, typer.Option("--selector", "-l", metavar="LABELS", help="A label selector, as kubectl's.", rich_help_panel=FIELDS)
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--service-account", metavar="NAME", help="Name or glob that gets the Secret's name; repeat it.", rich_help_panel=FIELDS),
]
SecretName = Annotated[str | None, typer.Option("--secret-name", metavar="NAME", help="Name of the Secret.", rich_help_panel=FIELDS)]
Take = Annotated[bool, typer.Option("--take-ownership", help="Take over a Secret that somebody else manages.", rich_help_panel=FIELDS)]
Prune = Annotated[bool, typer.Option("--prune", help="Delete the Secret where it is no longer selected.", rich_help_panel=FIELDS)]
Empty = Annotated[bool, typer.Option("--allow-empty", help="Finding no namespace is no failure.", rich_help_panel=FIELDS)]
Label = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Label of the Secret; repeat it.", rich_help_panel=FIELDS)]
Annotation = Annotated[list[str] | None, typer.Option("--annotation", metavar="KEY=VALUE", help="Annotation; repeat it.", rich_help_panel=FIELDS)]
Registry = Annotated[
    list[str] | None,
    typer.Option("--registry", metavar="REGISTRY", help="public, or account=...,region=...,roleArn=...; repeat it.", rich_help_panel=FIELDS),
]
SignIn = Annotated[str | None, typer.Option("--sign-in", metavar="TYPE", help="Kind of sign-in; eks if absent.", rich_help_panel=FIELDS)]
ClusterId = Annotated[str | None, typer.Option("--cluster-id", metavar="ID", help="Of --sign-in iamAuthenticator.", rich_help_panel=FIELDS)]
SecretArn = Annotated[str | None, typer.Option("--secret-arn", metavar="ARN", help="Of --sign-in kubeconfig.", rich_help_panel=FIELDS)]
Endpoint = Annotated[str | None, typer.Option("--endpoint", metavar="URL", help="API server of a cluster that is not EKS.", rich_help_panel=FIELDS)]
Authority = Annotated[
    Path | None,
    typer.Option("--certificate-authority", metavar="FILE", exists=True, dir_okay=False, help="Its PEM authority.", rich_help_panel=FIELDS),
]
Admit = Annotated[bool, typer.Option("--admit", help="Create the EKS access entry, or add the group to it.", rich_help_panel=ACCESS)]
ClusterProfile = Annotated[
    str | None,
    typer.Option("--cluster-profile", metavar="NAME", help="AWS profile of the cluster's account, where it is another.", rich_help_panel=ACCESS),
]
GrantOption = Annotated[
    Grant, typer.Option("--rbac", help="Rights for the whole cluster, namespace by namespace, or none applied.", rich_help_panel=ACCESS)
]
Removal = Annotated[bool, typer.Option("--allow-removal", help="Also the rights that a removal needs.", rich_help_panel=ACCESS)]
KubeContext = Annotated[str | None, typer.Option("--context", metavar="NAME", help="Context of your kubeconfig.", rich_help_panel=ACCESS)]
KubeFile = Annotated[Path | None, typer.Option("--kubeconfig", metavar="FILE", exists=True, help="Your kubeconfig.", rich_help_panel=ACCESS)]
Trust = Annotated[bool, typer.Option("--trust-context", help="Though nothing shows that the context is this cluster.", rich_help_panel=ACCESS)]
Force = Annotated[bool, typer.Option("--force-conflicts", help="Take over RBAC fields that others manage.", rich_help_panel=ACCESS)]
Replace = Annotated[bool, typer.Option("--replace", help="Write over a document of that id that says something else.", rich_help_panel=STEPS)]
PrintRbac = Annotated[bool, typer.Option("--print-rbac", help="Only print the RBAC that it needs, for kubectl.", rich_help_panel=STEPS)]
NoPush = Annotated[bool, typer.Option("--no-push", help="Only check.", rich_help_panel=STEPS)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.", rich_help_panel=STEPS)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.", rich_help_panel=STEPS)]


def add(
    cli: Cli,
    document_id: Id,
    file: File = None,
    cluster: Cluster = None,
    cluster_region: Region = None,
    role_arn: Role = None,
    external_id: External = None,
    namespace: Namespace = None,
    exclude: Exclude = None,
    selector: SelectorOption = None,
    service_account: Accounts = None,
    secret_name: SecretName = None,
    take_ownership: Take = False,
    prune: Prune = False,
    allow_empty: Empty = False,
    label: Label = None,
    annotation: Annotation = None,
    registry: Registry = None,
    sign_in: SignIn = None,
    cluster_id: ClusterId = None,
    secret_arn: SecretArn = None,
    endpoint: Endpoint = None,
    certificate_authority: Authority = None,
    admit: Admit = False,
    cluster_profile: ClusterProfile = None,
    rbac: GrantOption = Grant.CLUSTER,
    allow_removal: Removal = False,
    context: KubeContext = None,
    kubeconfig: KubeFile = None,
    trust_context: Trust = False,
    force_conflicts: Force = False,
    replace_document: Replace = False,
    print_rbac: PrintRbac = False,
    no_push: NoPush = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int:
    """Make a cluster ready in one command: access entry, RBAC, document, check, push. Shows what it will do, and asks.

    Run again, it finds everything unchanged. What it could not do it says, with the command for those who can; then the document is not
    written yet, so that nothing fails meanwhile: run the same again afterwards. Without fields, the document that is there already is taken.
    Exit code 0: the cluster is pushed to; 1: something is left to do.

    [bold]Examples[/bold]

      ecr-public-pusher clusters add prod -n default -n 'team-*' --admit
      ecr-public-pusher clusters add prod -n default --admit --dry-run
      ecr-public-pusher clusters add edge --cluster-region eu-central-1 --role-arn ARN -l ecr-public=enabled --admit --cluster-profile edge
      ecr-public-pusher clusters add shop -f shop.yaml --context shop --rbac namespaced --yes
      ecr-public-pusher clusters add prod -n default --print-rbac | kubectl --context prod apply --server-side -f -
      ecr-public-pusher clusters add lab --sign-in webIdentity --endpoint https://lab.example.com:6443 --certificate-authority ca.pem -n default
    """
    given = Given(
        cluster, cluster_region, role_arn, external_id, namespace or (), exclude or (), selector, service_account or (), secret_name, take_ownership,
        prune, allow_empty, label or (), annotation or (), registry or (), sign_in, cluster_id, secret_arn, endpoint, certificate_authority,
    )  # fmt: skip
    deployed = Deployed.of(cli.session)
    made = new_cluster(deployed, document_id, given, _given_file(file), replace=replace_document)
    objects = manifests(made.configs, rbac, removal=allow_removal)
    if print_rbac:
        return _print_rbac(objects)
    choice = Choice(
        kubeconfig,
        context,
        trust=trust_context,
        force=force_conflicts,
        by_hand=_by_hand(),
    )
    wanted = Wanted(admit=admit, objects=objects, choice=choice, push=not no_push)
    admission = Admission(made.config, made.config.role_arn or cli.session.stack.role_arn)
    steps = Onboarding(made, deployed.store, wanted, admission, _eks(cli, made, cluster_profile))
    for note in render_notes(made.notes):
        cli.output.aside(note)
    with cli.output.progress("Looking at what is there"):
        planned = steps.plan()
    if dry_run:
        cli.output.result(_said(made, planned, dry_run=True), lambda: render_steps(planned, dry_run=True))
        return ExitCode.NOT_OK if any(step.failed for step in planned) else ExitCode.OK
    if any(step.changes for step in planned) and not yes:
        cli.output.need_person("Do that?")
        for part in render_steps(planned, dry_run=True):
            cli.output.aside(part)
        cli.output.confirm("Do that?")
    done, reports = steps.do(lambda event: run(cli, event))
    cli.output.result(_said(made, done, dry_run=False) | reports, lambda: render_steps(done, dry_run=False, reports=reports))
    return ExitCode.OK if all(not step.failed for step in done) else ExitCode.NOT_OK


def _given_file(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"--file: {file} cannot be read ({type(error).__name__}).", remedy="Name a document's file, or - for stdin.") from None


def _eks(cli: Cli, made: NewCluster, profile: str | None) -> Any:
    """A client of the cluster's region, as the person; None where the cluster is not EKS."""
    if not made.is_eks:
        return None
    session = Session(profile=profile or cli.options.profile, region=made.config.region)
    return session.client("eks")


def _print_rbac(objects: Sequence[Manifest]) -> int:
    sys.stdout.write(as_yaml(objects))
    return ExitCode.OK


def _by_hand() -> str:
    """This very command line with one option more, for who administers the cluster."""
    return f"{shlex.join(['ecr-public-pusher', *sys.argv[1:]])} --print-rbac | kubectl --context CONTEXT apply --server-side -f -"


def _said(made: NewCluster, steps: Sequence[Step], *, dry_run: bool) -> dict[str, Any]:
    """The shape of `-o json`."""
    ok = not any(step.failed for step in steps)
    return {"id": made.name.id, "ok": ok, "dryRun": dry_run, "steps": [step.as_json() for step in steps]}
