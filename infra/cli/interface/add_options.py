"""The options of `clusters add` and `discover add`, by the panels of their help."""

from pathlib import Path
from typing import Annotated

import typer

from ..choices import Grant
from ..completion import complete_clusters, complete_contexts, complete_profiles

FIELDS = "The document's fields"
ACCESS = "Access to the cluster"
STEPS = "Actions"

Id = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        autocompletion=complete_clusters,
        help="Id of the document, and name of the EKS cluster unless --cluster gives another.",
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        allow_dash=True,
        help="The whole document; - is stdin.",
        rich_help_panel=FIELDS,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="NAME", help="EKS cluster name.", rich_help_panel=FIELDS),
]
Region = Annotated[
    str | None,
    typer.Option(
        "--cluster-region",
        metavar="REGION",
        help="The cluster's region; the function's own if absent.",
        rich_help_panel=FIELDS,
    ),
]
Role = Annotated[
    str | None,
    typer.Option(
        "--role-arn",
        metavar="ARN",
        help="Role to assume, usually in another account.",
        rich_help_panel=FIELDS,
    ),
]
External = Annotated[
    str | None,
    typer.Option(
        "--external-id", metavar="ID", help="External id of --role-arn.", rich_help_panel=FIELDS
    ),
]
Namespace = Annotated[
    list[str] | None,
    typer.Option(
        "--namespace", "-n", metavar="NAME", help="Name or glob; repeat it.", rich_help_panel=FIELDS
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="NAME",
        help="Exclude these names or globs; repeat it.",
        rich_help_panel=FIELDS,
    ),
]
SelectorOption = Annotated[
    str | None,
    typer.Option(
        "--selector",
        "-l",
        metavar="LABELS",
        help="A label selector, as in kubectl.",
        rich_help_panel=FIELDS,
    ),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option(
        "--service-account",
        metavar="NAME",
        help="Name or glob of ServiceAccounts that use the Secret; repeat it.",
        rich_help_panel=FIELDS,
    ),
]
SecretName = Annotated[
    str | None,
    typer.Option(
        "--secret-name", metavar="NAME", help="Name of the Secret.", rich_help_panel=FIELDS
    ),
]
Take = Annotated[
    bool,
    typer.Option(
        "--take-ownership",
        help="Take over a Secret that somebody else manages.",
        rich_help_panel=FIELDS,
    ),
]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune", help="Delete the Secret where it is no longer selected.", rich_help_panel=FIELDS
    ),
]
Empty = Annotated[
    bool,
    typer.Option(
        "--allow-empty",
        help="Accept that globs and selectors select no namespace at all.",
        rich_help_panel=FIELDS,
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="KEY=VALUE",
        help="Label of the Secret; repeat it.",
        rich_help_panel=FIELDS,
    ),
]
Annotation = Annotated[
    list[str] | None,
    typer.Option(
        "--annotation", metavar="KEY=VALUE", help="Annotation; repeat it.", rich_help_panel=FIELDS
    ),
]
Registry = Annotated[
    list[str] | None,
    typer.Option(
        "--registry",
        metavar="REGISTRY",
        help="public, or account=...,region=...,roleArn=...; repeat it.",
        rich_help_panel=FIELDS,
    ),
]
SignIn = Annotated[
    str | None,
    typer.Option(
        "--sign-in", metavar="TYPE", help="Kind of sign-in; eks if absent.", rich_help_panel=FIELDS
    ),
]
ClusterId = Annotated[
    str | None,
    typer.Option(
        "--cluster-id",
        metavar="ID",
        help="With --sign-in iamAuthenticator.",
        rich_help_panel=FIELDS,
    ),
]
SecretArn = Annotated[
    str | None,
    typer.Option(
        "--secret-arn", metavar="ARN", help="With --sign-in kubeconfig.", rich_help_panel=FIELDS
    ),
]
Provider = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        help="With --sign-in google: full name of the workload identity provider.",
        rich_help_panel=FIELDS,
    ),
]
GoogleServiceAccount = Annotated[
    str | None,
    typer.Option(
        "--google-service-account",
        metavar="EMAIL",
        help="With --sign-in google: service account to sign in as.",
        rich_help_panel=FIELDS,
    ),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="URL",
        help="API server of a cluster that is not EKS.",
        rich_help_panel=FIELDS,
    ),
]
Authority = Annotated[
    Path | None,
    typer.Option(
        "--certificate-authority",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Its certificate authority in PEM.",
        rich_help_panel=FIELDS,
    ),
]
Admit = Annotated[
    bool,
    typer.Option(
        "--admit",
        help="Create the EKS access entry, or add the group to it.",
        rich_help_panel=ACCESS,
    ),
]
ClusterProfile = Annotated[
    str | None,
    typer.Option(
        "--cluster-profile",
        metavar="NAME",
        autocompletion=complete_profiles,
        help="AWS profile of the cluster's account, if it is another.",
        rich_help_panel=ACCESS,
    ),
]
GrantOption = Annotated[
    Grant,
    typer.Option(
        "--rbac",
        help="Rights for the whole cluster, namespace by namespace, or none applied.",
        rich_help_panel=ACCESS,
    ),
]
Removal = Annotated[
    bool,
    typer.Option(
        "--allow-removal",
        help="Also grant the rights that a removal needs.",
        rich_help_panel=ACCESS,
    ),
]
KubeContext = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="NAME",
        autocompletion=complete_contexts,
        help="Context of your kubeconfig.",
        rich_help_panel=ACCESS,
    ),
]
KubeFile = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig", metavar="FILE", exists=True, help="Your kubeconfig.", rich_help_panel=ACCESS
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust-context",
        help="Use the context even if it cannot be verified that it is this cluster.",
        rich_help_panel=ACCESS,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force-conflicts",
        help="Take over RBAC fields that others manage.",
        rich_help_panel=ACCESS,
    ),
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace", help="Overwrite a different document of that id.", rich_help_panel=STEPS
    ),
]
PrintRbac = Annotated[
    bool,
    typer.Option(
        "--print-rbac",
        help="Only print the RBAC that the cluster needs, for kubectl.",
        rich_help_panel=STEPS,
    ),
]
NoPush = Annotated[bool, typer.Option("--no-push", help="Only check.", rich_help_panel=STEPS)]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Show what would be done, and change nothing.", rich_help_panel=STEPS
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.", rich_help_panel=STEPS)]
