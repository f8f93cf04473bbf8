"""`clusters add`: one command from a cluster's name to its first pushed Secret."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..choices import Grant
from ..command import Cli
from ..documents.deployed import Deployed
from ..errors import CliError, ExitCode
from ..follow_up import print_rbac as print_rbac_again
from ..onboarding.access_entry import Admission
from ..onboarding.document_step import NewCluster, new_cluster
from ..onboarding.fields import Given
from ..onboarding.onboarding import Onboarding, Wanted
from ..onboarding.rbac_manifests import as_yaml, manifests
from ..onboarding.rbac_step import Choice
from ..onboarding.step import Step
from ..rendering.documents import render_notes
from ..rendering.onboarding import render_steps
from ..session import Session
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
    """Show what is left to do for a cluster, ask, and do it."""
    deployed = Deployed.of(cli.session)
    made = new_cluster(deployed, document_id, given, _given_file(file), replace=replace_document)
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
    wanted = Wanted(cli.follow_up, admit=admit, objects=objects, choice=choice, push=not no_push)
    admission = Admission(made.config, made.config.role_arn or cli.session.stack.role_arn)
    for note in render_notes(made.notes):
        cli.output.aside(note)
    return _carry_out(
        cli,
        made,
        Onboarding(made, deployed.store, wanted, admission, _eks(cli, made, cluster_profile)),
        dry_run=dry_run,
        yes=yes,
    )


def _carry_out(
    cli: Cli, made: NewCluster, onboarding: Onboarding, *, dry_run: bool, yes: bool
) -> int:
    """Show the plan, ask, carry it out, show the outcome; return the exit code."""
    with cli.output.progress("reading the document, the cluster and your kubeconfig"):
        planned = onboarding.plan()
    if dry_run:
        cli.output.result(
            _said(made, planned, dry_run=True),
            lambda: render_steps(planned, dry_run=True, follow_up=cli.follow_up),
        )
        return _exit_code(planned)
    if any(step.changes for step in planned) and not yes:
        _ask(cli, planned)
    done, reports = onboarding.do(lambda event: run(cli, event))
    cli.output.result(
        _said(made, done, dry_run=False) | reports,
        lambda: render_steps(done, dry_run=False, follow_up=cli.follow_up, reports=reports),
    )
    return _exit_code(done)


def _ask(cli: Cli, planned: Sequence[Step]) -> None:
    question = "Do that?"
    cli.output.need_person(question)
    for part in render_steps(planned, dry_run=True, follow_up=cli.follow_up):
        cli.output.aside(part)
    cli.output.confirm(question)


def _exit_code(steps: Sequence[Step]) -> int:
    return ExitCode.NOT_OK if any(step.failed for step in steps) else ExitCode.OK


def _given_file(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(
            f"--file: {file} cannot be read ({type(error).__name__}).",
            remedy="Name a document's file, or - for stdin.",
        ) from None


def _eks(cli: Cli, made: NewCluster, profile: str | None) -> Any:
    """Return an EKS client for the cluster's region with the person's credentials.

    Return None when the cluster is not EKS.
    """
    if not made.is_eks:
        return None
    session = Session(profile=profile or cli.options.profile, region=made.config.region)
    return session.client("eks")


def _said(made: NewCluster, steps: Sequence[Step], *, dry_run: bool) -> dict[str, Any]:
    """Return the JSON of the steps."""
    ok = not any(step.failed for step in steps)
    return {
        "id": made.name.id,
        "ok": ok,
        "dryRun": dry_run,
        "steps": [step.as_json() for step in steps],
    }
