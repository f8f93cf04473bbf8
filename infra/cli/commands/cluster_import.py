"""`clusters import`: clusters that are there already, proposed and made ready side by side."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import RenderableType

from ..choices import Grant
from ..command import Cli
from ..documents.deployed import Deployed
from ..errors import CliError, ExitCode
from ..follow_up import again
from ..imports.eks_clusters import Profiles, Unseen
from ..imports.files import DocumentFolder
from ..imports.proposals import Proposal, Proposer
from ..imports.sources import Sources, name_all
from ..onboarding.fields import Given, google_fields
from ..onboarding.joint_onboarding import Outcome, onboard_all
from ..onboarding.onboarding import Event
from ..onboarding.rbac_manifests import as_yaml, manifests
from ..onboarding.side_by_side import side_by_side
from ..onboarding.step import Step, StepName, StepOutcome
from ..rendering.imports import render_import
from .run import run


def import_clusters(
    cli: Cli,
    given: Given,
    sources: Sources,
    *,
    provider: str | None,
    google_service_account: str | None,
    admit: bool,
    rbac: Grant,
    allow_removal: bool,
    force_conflicts: bool,
    print_rbac: bool,
    output_dir: Path | None,
    overwrite: bool,
    no_push: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Show the proposed clusters, ask, and make them ready."""
    deployed = Deployed.of(cli.session)
    folder = DocumentFolder.of(output_dir, overwrite=overwrite) if output_dir else None
    profiles = Profiles(cli.session)
    proposer = Proposer(
        cli.session,
        deployed,
        profiles,
        sources,
        None if print_rbac else sources.entries(),
        given.document(),
        google_fields(provider, google_service_account),
        admit=admit,
        grant=rbac,
        removal=allow_removal,
        force=force_conflicts,
        push=not no_push,
    )
    # A mistake in the options raises here, before anything is read.
    manifests(proposer.example().configs, rbac, removal=allow_removal)
    if print_rbac:
        cli.output.document(as_yaml(proposer.printed(sources.of_contexts(deployed))))
        return ExitCode.OK
    with cli.output.progress("reading your kubeconfig, EKS, the clusters and the documents"):
        found, unseen = sources.find(profiles, proposer.entries)
        chosen = sources.choose(name_all(found, deployed))
        apart = any(one.subject_of_its_own for one, _ in chosen)
        proposals = [proposer.propose(one, apart=apart) for one in chosen]
        planned = side_by_side(lambda one: one.planned(folder), proposals)
    if dry_run:
        return _show(cli, planned, unseen, dry_run=True)
    if not yes and any(one.changes for one in planned):
        for part in render_import(planned, unseen, dry_run=True, follow_up=cli.follow_up):
            cli.output.aside(part)
        cli.output.confirm("Do that?")
    if folder is None:
        return _show(cli, _onboarded(cli, proposals), unseen, dry_run=False)
    done = side_by_side(lambda one: one.written(folder), proposals)
    code = _show(cli, done, unseen, dry_run=False)
    if folder.path.exists():
        store = cli.follow_up.command("apply", str(folder.path))
        cli.output.note(f"To store the documents: {store}")
    return code


def _onboarded(cli: Cli, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Make the clusters ready side by side, with a line for each as it goes on."""
    works = {one.id: one.onboarding for one in proposals if one.onboarding is not None}
    shown: dict[str, str] = {}

    def advanced(cluster_id: str, event: Event | None) -> None:
        now = f"waits for the {event['action']}" if event else "finished"
        if shown.get(cluster_id) != now:
            shown[cluster_id] = now
            cli.output.note(f"{cluster_id}: {now}")

    try:
        outcomes = onboard_all(works, lambda event: run(cli, event), advanced=advanced)
    except BaseException:
        if waiting := [name for name, one in works.items() if one.waits]:
            cli.output.note(
                f"Stored, but disabled until the function has access: {', '.join(waiting)}. To go"
                " on, run the same command again."
            )
        raise
    return [_finished(one, outcomes.get(one.id)) for one in proposals]


def _finished(proposal: Proposal, outcome: Outcome | None) -> Proposal:
    if outcome is None:
        return proposal
    if isinstance(outcome, CliError):
        waits = proposal.onboarding is not None and proposal.onboarding.waits
        name = StepName.CHECK if waits else StepName.DOCUMENT
        step = Step(name, StepOutcome.FAILED, outcome.message, outcome.remedy)
        return replace(proposal, steps=[step])
    steps, reports = outcome
    return replace(proposal, steps=steps, reports=reports)


def _show(
    cli: Cli, proposals: Sequence[Proposal], unseen: Sequence[Unseen], *, dry_run: bool
) -> int:
    failed = bool(unseen) or any(one.failed for one in proposals)
    said = {
        "ok": not failed,
        "dryRun": dry_run,
        "clusters": [one.as_json() for one in proposals],
        "unseen": [one.as_json() for one in unseen],
    }

    def shown() -> list[RenderableType]:
        return render_import(
            proposals,
            unseen,
            dry_run=dry_run,
            follow_up=cli.follow_up,
            again=again(sys.argv[1:]) if failed and not dry_run else "",
        )

    cli.output.result(said, shown)
    return ExitCode.NOT_OK if failed else ExitCode.OK
