"""`clusters add`: one command from a cluster's name to its first pushed Secret."""

from ..choices import Grant
from ..command import Cli
from . import add_options as options


def add(
    cli: Cli,
    document_id: options.Id,
    *,
    file: options.File = None,
    cluster: options.Cluster = None,
    cluster_region: options.Region = None,
    fields: options.DocumentOptions,
    sign_in: options.SignIn = None,
    cluster_id: options.ClusterId = None,
    secret_arn: options.SecretArn = None,
    provider: options.Provider = None,
    google_service_account: options.GoogleServiceAccount = None,
    endpoint: options.Endpoint = None,
    certificate_authority: options.Authority = None,
    admit: options.Admit = False,
    cluster_profile: options.ClusterProfile = None,
    rbac: options.GrantOption = Grant.CLUSTER,
    allow_removal: options.Removal = False,
    context: options.KubeContext = None,
    kubeconfig: options.KubeFile = None,
    trust_context: options.Trust = False,
    force_conflicts: options.Force = False,
    replace_document: options.Replace = False,
    print_rbac: options.PrintRbac = False,
    no_push: options.NoPush = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
) -> int:
    """Make a cluster ready in one command: access entry, RBAC, document, check, push.

    Shows what it will do, and asks.

    Prints the command for each step that it cannot do. Once these steps are done, run the same
    command again: completed steps stay unchanged. A new document is written disabled, so that no
    run fails in the meantime, and enabled once the function's check is good, no matter who gave
    the access. For a cluster that certainly does not exist, or does not admit the function, nothing
    is written. Without fields, the stored document is used. Exit code 0: the cluster was pushed to;
    1: a step is left to do.

    [bold]Examples[/bold]

      ecr-public-pusher clusters add prod -n default -n 'team-*' --admit
      ecr-public-pusher clusters add prod -n default --admit --dry-run
      ecr-public-pusher clusters add edge --cluster-region eu-central-1 --role-arn ARN \
          -l ecr-public=enabled --admit --cluster-profile edge
      ecr-public-pusher clusters add shop -f shop.yaml --context shop --rbac namespaced --yes
      ecr-public-pusher clusters add prod -n default --print-rbac \
          | kubectl --context prod apply --server-side --force-conflicts -f -
      ecr-public-pusher clusters add lab --sign-in webIdentity \
          --endpoint https://lab.example.com:6443 --certificate-authority ca.pem -n default
    """
    from ..commands import cluster_add
    from ..onboarding.fields import Given

    given = Given(
        cluster=cluster,
        region=cluster_region,
        **fields.given(),
        sign_in=sign_in,
        cluster_id=cluster_id,
        secret_arn=secret_arn,
        provider=provider,
        google_service_account=google_service_account,
        endpoint=endpoint,
        certificate_authority=certificate_authority,
    )
    return cluster_add.add(
        cli,
        document_id,
        given,
        file=file,
        admit=admit,
        cluster_profile=cluster_profile,
        rbac=rbac,
        allow_removal=allow_removal,
        context=context,
        kubeconfig=kubeconfig,
        trust_context=trust_context,
        force_conflicts=force_conflicts,
        replace_document=replace_document,
        print_rbac=print_rbac,
        no_push=no_push,
        dry_run=dry_run,
        yes=yes,
    )
