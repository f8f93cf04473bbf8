"""The options of the commands that add clusters, by the panels of their help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ..choices import Grant
from ..completion import complete_clusters, complete_contexts, complete_profiles

FIELDS = "The document's fields"
ACCESS = "Access to the cluster"
STEPS = "Actions"
SOURCES = "The clusters"

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
AccountsExclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude-service-account",
        metavar="NAME",
        help="Exclude these ServiceAccounts, by name or glob; repeat it.",
        rich_help_panel=FIELDS,
    ),
]
AccountsSelector = Annotated[
    str | None,
    typer.Option(
        "--service-account-selector",
        metavar="LABELS",
        help="A label selector of ServiceAccounts that use the Secret.",
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
ProviderOfEach = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        help="For GKE: full name of the workload identity provider; {id} in it is the document's"
        " id.",
        rich_help_panel=FIELDS,
    ),
]
GoogleServiceAccountOfEach = Annotated[
    str | None,
    typer.Option(
        "--google-service-account",
        metavar="EMAIL",
        help="With --provider: service account to sign in as; {id} in it is the document's id.",
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
Contexts = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="GLOB",
        autocompletion=complete_contexts,
        help="Contexts of your kubeconfig, by name or glob; repeat it.",
        rich_help_panel=SOURCES,
    ),
]
FromProfiles = Annotated[
    list[str] | None,
    typer.Option(
        "--from-profile",
        metavar="NAME",
        autocompletion=complete_profiles,
        help="AWS profile whose EKS clusters are listed; repeat it.",
        rich_help_panel=SOURCES,
    ),
]
FromRegions = Annotated[
    list[str] | None,
    typer.Option(
        "--in-region",
        metavar="REGION",
        help="Region in which EKS clusters are listed; the profile's own if absent; repeat it.",
        rich_help_panel=SOURCES,
    ),
]
FromKubeFile = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        exists=True,
        help="Your kubeconfig.",
        rich_help_panel=SOURCES,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="GLOB",
        help="Only these, by id, cluster or context; repeat it.",
        rich_help_panel=SOURCES,
    ),
]
Skip = Annotated[
    list[str] | None,
    typer.Option(
        "--skip",
        metavar="GLOB",
        help="All but these, by id, cluster or context; repeat it.",
        rich_help_panel=SOURCES,
    ),
]
StoredFor = Annotated[
    list[str] | None,
    typer.Option(
        "--stored",
        metavar="GLOB",
        help="Sign in to these with a kubeconfig in Secrets Manager, as a last resort; repeat it.",
        rich_help_panel=FIELDS,
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
OutputDirectory = Annotated[
    Path | None,
    typer.Option(
        "--output-dir",
        metavar="DIR",
        file_okay=False,
        help="Write the documents to this folder, for Git, instead of storing them.",
        rich_help_panel=STEPS,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="With --output-dir: overwrite files that differ.",
        rich_help_panel=STEPS,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Show what would be done, and change nothing.", rich_help_panel=STEPS
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.", rich_help_panel=STEPS)]


@dataclass(frozen=True)
class DocumentOptions:
    """The options of a document's fields that mean the same for one cluster and for many."""

    role_arn: Role = None
    external_id: External = None
    namespace: Namespace = None
    exclude: Exclude = None
    selector: SelectorOption = None
    service_account: Accounts = None
    exclude_service_account: AccountsExclude = None
    service_account_selector: AccountsSelector = None
    secret_name: SecretName = None
    take_ownership: Take = False
    prune: Prune = False
    allow_empty: Empty = False
    label: Label = None
    annotation: Annotation = None
    registry: Registry = None

    def given(self) -> dict[str, Any]:
        """Return the values as the arguments of `onboarding.fields.Given`."""
        return {
            "role_arn": self.role_arn,
            "external_id": self.external_id,
            "namespaces": self.namespace or (),
            "exclude": self.exclude or (),
            "selector": self.selector,
            "service_accounts": self.service_account or (),
            "exclude_service_accounts": self.exclude_service_account or (),
            "service_account_selector": self.service_account_selector,
            "secret_name": self.secret_name,
            "take_ownership": self.take_ownership,
            "prune": self.prune,
            "allow_empty": self.allow_empty,
            "labels": self.label or (),
            "annotations": self.annotation or (),
            "registries": self.registry or (),
        }
