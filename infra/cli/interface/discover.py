"""`discover add`, `edit`, `delete`: documents for clusters that are found by tag."""

from typing import Annotated

import typer

from ..choices import Grant
from ..command import Cli, command, group
from ..completion import complete_discoveries
from . import add_options as options
from .clusters import KeepSecrets
from .run import NoWait, Yes

Id = Annotated[
    str,
    typer.Argument(metavar="ID", help="Id of the discovery.", autocompletion=complete_discoveries),
]
Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID", help="Ids of discoveries.", autocompletion=complete_discoveries),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--in-region",
        metavar="REGION",
        help="Region to look in; repeat it.",
        rich_help_panel=options.FIELDS,
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="KEY=VALUE",
        help="Tag that a cluster must have, with a value or glob; repeat it.",
        rich_help_panel=options.FIELDS,
    ),
]
Incomplete = Annotated[
    bool,
    typer.Option(
        "--incomplete",
        help="Write the document even if some of the clusters are not ready.",
        rich_help_panel=options.STEPS,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    discover = group("discover", "Documents for clusters that are found by tag.")
    for function in (add, edit, delete):
        discover.command()(command(function))
    app.add_typer(discover, rich_help_panel="Configuration")


def add(
    cli: Cli,
    document_id: Id,
    file: options.File = None,
    in_region: Regions = None,
    tag: Tags = None,
    role_arn: options.Role = None,
    external_id: options.External = None,
    namespace: options.Namespace = None,
    exclude: options.Exclude = None,
    selector: options.SelectorOption = None,
    service_account: options.Accounts = None,
    exclude_service_account: options.AccountsExclude = None,
    service_account_selector: options.AccountsSelector = None,
    secret_name: options.SecretName = None,
    take_ownership: options.Take = False,
    prune: options.Prune = False,
    allow_empty: options.Empty = False,
    label: options.Label = None,
    annotation: options.Annotation = None,
    registry: options.Registry = None,
    admit: options.Admit = False,
    cluster_profile: options.ClusterProfile = None,
    rbac: options.GrantOption = Grant.CLUSTER,
    allow_removal: options.Removal = False,
    kubeconfig: options.KubeFile = None,
    force_conflicts: options.Force = False,
    replace_document: options.Replace = False,
    print_rbac: options.PrintRbac = False,
    incomplete: Incomplete = False,
    no_wait: NoWait = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
) -> int:
    """Make all clusters with these tags ready: access entries, RBAC, one document, push.

    Finds the clusters with your credentials, and makes the access in each, side by side, as
    `clusters add` does. RBAC needs a context of your kubeconfig for each cluster. Clusters with
    documents of their own are left to these.

    Shows what it will do, and asks. The document is written once every cluster is ready. Then run
    the same command again: completed steps stay unchanged. Exit code 1: a step is left to do, or
    the push is not ok.

    [bold]Examples[/bold]

      ecr-public-pusher discover add platform --in-region us-east-1 --tag team=platform \
          -n default --admit
      ecr-public-pusher discover add platform -f platform.yaml --admit --dry-run
      ecr-public-pusher discover add platform --admit --rbac none --incomplete --yes
    """
    from ..commands import discover

    given = discover.GivenDiscovery(
        role_arn=role_arn,
        external_id=external_id,
        namespaces=namespace or (),
        exclude=exclude or (),
        selector=selector,
        service_accounts=service_account or (),
        exclude_service_accounts=exclude_service_account or (),
        service_account_selector=service_account_selector,
        secret_name=secret_name,
        take_ownership=take_ownership,
        prune=prune,
        allow_empty=allow_empty,
        labels=label or (),
        annotations=annotation or (),
        registries=registry or (),
        regions=in_region or (),
        tags=tag or (),
    )
    return discover.add(
        cli,
        document_id,
        given,
        file=file,
        admit=admit,
        cluster_profile=cluster_profile,
        rbac=rbac,
        allow_removal=allow_removal,
        kubeconfig=kubeconfig,
        force_conflicts=force_conflicts,
        replace_document=replace_document,
        print_rbac=print_rbac,
        incomplete=incomplete,
        no_wait=no_wait,
        dry_run=dry_run,
        yes=yes,
    )


def edit(cli: Cli, document_id: Id, no_wait: NoWait = False) -> int:
    """Open a discovery's document in $VISUAL or $EDITOR, as `clusters edit discover/ID` does.

    [bold]Examples[/bold]

      ecr-public-pusher discover edit platform
    """
    from ..commands import discover

    return discover.edit(cli, document_id, no_wait=no_wait)


def delete(
    cli: Cli,
    ids: Ids,
    keep_secrets: KeepSecrets = False,
    yes: Yes = False,
) -> int:
    """Remove the Secrets of all clusters that discoveries find, then delete the documents.

    As `clusters delete discover/ID` does.

    [bold]Examples[/bold]

      ecr-public-pusher discover delete platform
    """
    from ..commands import discover

    return discover.delete(cli, ids, keep_secrets=keep_secrets, yes=yes)
