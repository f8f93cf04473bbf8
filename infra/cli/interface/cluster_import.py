"""`clusters import`: clusters that are there already, proposed and made ready side by side."""

from ..choices import Grant
from ..command import Cli
from . import add_options as options


def import_clusters(
    cli: Cli,
    *,
    context: options.Contexts = None,
    kubeconfig: options.FromKubeFile = None,
    from_profile: options.FromProfiles = None,
    in_region: options.FromRegions = None,
    only: options.Only = None,
    skip: options.Skip = None,
    fields: options.DocumentOptions,
    provider: options.ProviderOfEach = None,
    google_service_account: options.GoogleServiceAccountOfEach = None,
    stored: options.StoredFor = None,
    admit: options.Admit = False,
    rbac: options.GrantOption = Grant.CLUSTER,
    allow_removal: options.Removal = False,
    force_conflicts: options.Force = False,
    print_rbac: options.PrintRbac = False,
    output_dir: options.OutputDirectory = None,
    overwrite: options.Overwrite = False,
    no_push: options.NoPush = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
) -> int:
    """Make many clusters ready in one command: those of your kubeconfig, or of your AWS profiles.

    Proposes a document for each cluster that no document names yet, shows what it will do, and
    asks. Then it does what `clusters add` does, side by side. A context of an EKS cluster becomes
    a document for EKS, one of GKE signs in by google if --provider is given, any other one by
    webIdentity. With --from-profile or --in-region,
    it lists EKS clusters instead of reading all contexts; --context adds contexts.

    Clusters in other accounts get the stack's AssumableRoleName as roleArn, unless --role-arn is of
    their account. If a cluster fails, the others continue. Then run the same command again:
    finished clusters are skipped. Exit code 1: a cluster cannot be imported, or a step is left to
    do.

    [bold]Examples[/bold]

      ecr-public-pusher clusters import -n default --admit
      ecr-public-pusher clusters import --context 'prod-*' -n default --admit --dry-run
      ecr-public-pusher clusters import --from-profile prod --from-profile edge \
          --in-region us-east-1 --in-region eu-west-1 -n 'team-*' --admit --skip 'test-*'
      ecr-public-pusher clusters import -n default --rbac none --output-dir config --yes
    """
    from ..commands import cluster_import
    from ..imports.sources import Sources
    from ..onboarding.fields import Given

    return cluster_import.import_clusters(
        cli,
        Given(**fields.given()),
        Sources(
            kubeconfig,
            contexts=context or (),
            profiles=from_profile or (),
            regions=in_region or (),
            only=only or (),
            skip=skip or (),
            stored=stored or (),
        ),
        provider=provider,
        google_service_account=google_service_account,
        admit=admit,
        rbac=rbac,
        allow_removal=allow_removal,
        force_conflicts=force_conflicts,
        print_rbac=print_rbac,
        output_dir=output_dir,
        overwrite=overwrite,
        no_push=no_push,
        dry_run=dry_run,
        yes=yes,
    )
