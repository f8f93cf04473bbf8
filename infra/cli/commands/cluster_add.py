"""`clusters add`: one command from a cluster's name to its first pushed Secret."""

import sys
from dataclasses import replace
from pathlib import Path

from ..choices import Grant
from ..command import Cli
from ..documents.deployed import Deployed
from ..errors import CliError, ExitCode
from ..follow_up import print_rbac as print_rbac_again
from ..onboarding.access_entry import Admission
from ..onboarding.document_step import new_cluster
from ..onboarding.fields import Given
from ..onboarding.onboarding import Onboarding, Wanted
from ..onboarding.rbac_manifests import (
    as_yaml,
    bound_to_users,
    manifests,
    with_stored_names,
)
from ..onboarding.rbac_step import Choice
from ..onboarding.step import Step
from ..rendering.documents import render_notes
from ..session import Session
from .carry_out import Done, carry_out
from .replaced import keeping
from .run import run


def add(
    cli: Cli,
    document_id: str,
    given: Given,
    *,
    file: Path | None,
    admit: bool,
    cluster_profile: str | None,
    rbac: Grant,
    allow_removal: bool,
    context: str | None,
    kubeconfig: Path | None,
    trust_context: bool,
    force_conflicts: bool,
    replace_document: bool,
    print_rbac: bool,
    no_push: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Show the remaining steps for a cluster, ask, and carry them out."""
    deployed = Deployed.of(cli.session)
    made = new_cluster(deployed, document_id, given, given_file(file), replace=replace_document)
    objects = bound_to_users(
        manifests(made.configs, rbac, removal=allow_removal),
        made.configs,
        cli.session.stack.role_arn,
    )
    if print_rbac:
        stored = deployed.validation.configuration.clusters
        same = [one for one in stored if one.target == made.config.target]
        cli.output.document(as_yaml(with_stored_names(objects, same)))
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
            try:
                return onboarding.do(lambda event: run(cli, event))
            except BaseException:
                if onboarding.waits:
                    cli.output.note(
                        f"{made.name} is stored, disabled until the function has access. To go on,"
                        " run the same command again."
                    )
                raise

    return carry_out(cli, made.name.id, plan, do, dry_run=dry_run, yes=yes)


def given_file(file: Path | None) -> str | None:
    """Return the text of --file; None without one. Raise CliError when it cannot be read."""
    if file is None:
        return None
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(
            f"--file: {file} cannot be read ({type(error).__name__}).",
            remedy="Name a document's file, or - for stdin.",
        ) from None
