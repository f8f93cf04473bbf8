"""`clusters add`: one command from a cluster's name to its first pushed Secret."""

import sys
from dataclasses import replace

from ..command import Cli
from ..documents.deployed import Deployed
from ..errors import ExitCode
from ..follow_up import print_rbac as print_rbac_again
from ..onboarding.access_entry import Admission
from ..onboarding.document_step import new_cluster
from ..onboarding.fields import Given
from ..onboarding.onboarding import Onboarding, Wanted
from ..onboarding.rbac_manifests import Grant, as_yaml, manifests
from ..onboarding.rbac_step import Choice
from ..onboarding.step import Step
from ..rendering.documents import render_notes
from ..session import Session
from . import add_options as options
from .carry_out import Done, carry_out
from .replaced import keeping
from .run import run


def add(
    cli: Cli,
    document_id: options.Id,
    file: options.File = None,
    cluster: options.Cluster = None,
    cluster_region: options.Region = None,
    role_arn: options.Role = None,
    external_id: options.External = None,
    namespace: options.Namespace = None,
    exclude: options.Exclude = None,
    selector: options.SelectorOption = None,
    service_account: options.Accounts = None,
    secret_name: options.SecretName = None,
    take_ownership: options.Take = False,
    prune: options.Prune = False,
    allow_empty: options.Empty = False,
    label: options.Label = None,
    annotation: options.Annotation = None,
    registry: options.Registry = None,
    sign_in: options.SignIn = None,
    cluster_id: options.ClusterId = None,
    secret_arn: options.SecretArn = None,
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
    run fails in the meantime, and enabled once the function's check is good, whoever gave the
    access. For a cluster that certainly does not exist, or does not admit the function, nothing is
    written. Without fields, the stored document is used. Exit code 0: the cluster was pushed to; 1:
    a step is left to do.

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
    given = Given(
        cluster=cluster,
        region=cluster_region,
        role_arn=role_arn,
        external_id=external_id,
        namespaces=namespace or (),
        exclude=exclude or (),
        selector=selector,
        service_accounts=service_account or (),
        secret_name=secret_name,
        take_ownership=take_ownership,
        prune=prune,
        allow_empty=allow_empty,
        labels=label or (),
        annotations=annotation or (),
        registries=registry or (),
        sign_in=sign_in,
        cluster_id=cluster_id,
        secret_arn=secret_arn,
        endpoint=endpoint,
        certificate_authority=certificate_authority,
    )
    deployed = Deployed.of(cli.session)
    made = new_cluster(
        deployed, document_id, given, options.file_text(file), replace=replace_document
    )
    objects = manifests(made.configs, rbac, removal=allow_removal)
    if print_rbac:
        cli.output.document(as_yaml(objects))
        return ExitCode.OK
    choice = Choice(
        kubeconfig,
        context,
        trust=trust_context,
        force=force_conflicts,
        by_hand=print_rbac_again(sys.argv[1:]),
        follow_up=replace(cli.follow_up, profile=cluster_profile or cli.options.profile),
    )
    wanted = Wanted(
        cli.follow_up,
        admit=admit,
        objects=objects,
        removal=allow_removal,
        choice=choice,
        push=not no_push,
    )
    admission = Admission(made.config, made.config.role_arn or cli.session.stack.role_arn)
    for note in render_notes(made.notes):
        cli.output.aside(note)
    # The person's credentials for the cluster's account and region.
    session = Session(profile=cluster_profile or cli.options.profile, region=made.config.region)
    eks = session.client("eks") if made.is_eks else None
    onboarding = Onboarding(made, deployed.store, wanted, admission, eks, lambda: session.account)
    is_replaced = made.before and not made.waits and made.text != made.before.text

    def plan() -> list[Step]:
        with cli.output.progress("reading the document, the cluster and your kubeconfig"):
            return onboarding.plan()

    def do() -> Done:
        with keeping(cli, [made.before] if made.before and is_replaced else []):
            return onboarding.do(lambda event: run(cli, event))

    return carry_out(cli, made.name.id, plan, do, dry_run=dry_run, yes=yes)
