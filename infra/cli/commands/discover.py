"""`discover add`, `edit`, `delete`: documents for clusters that are found by tag."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ecr_public_pusher.configuration.loader import Discovery

from ..choices import Grant
from ..command import Cli
from ..documents.changes import text_diff
from ..documents.deployed import Deployed
from ..documents.document import DISCOVER, DocumentName
from ..documents.store import Stored
from ..errors import CliError, ExitCode
from ..follow_up import print_rbac as print_rbac_again
from ..onboarding.document_step import document_text
from ..onboarding.fields import Given, pairs
from ..onboarding.found_clusters import Access, Prepared
from ..onboarding.onboarding import PROPAGATION_SECONDS
from ..onboarding.rbac_manifests import as_yaml, manifests
from ..onboarding.rbac_step import Choice
from ..onboarding.step import Step, StepName, StepOutcome
from ..rendering.onboarding import render_clusters
from ..session import Session
from . import cluster_changes
from .cluster_add import given_file
from .replaced import keeping
from .verdict import Verdict


@dataclass(frozen=True)
class GivenDiscovery(Given):
    """The options of a discovery's document."""

    regions: Sequence[str] = ()
    tags: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        """Return the document's fields. Raise CliError for an option that cannot be parsed."""
        own = {"regions": list(self.regions), "tags": pairs("--tag", self.tags)}
        return own | super().document()


def add(
    cli: Cli,
    document_id: str,
    given: GivenDiscovery,
    *,
    file: Path | None,
    admit: bool,
    cluster_profile: str | None,
    rbac: Grant,
    allow_removal: bool,
    kubeconfig: Path | None,
    force_conflicts: bool,
    replace_document: bool,
    print_rbac: bool,
    incomplete: bool,
    no_wait: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Show what is left to do for the clusters with these tags, ask, and do it."""
    deployed = Deployed.of(cli.session)
    name = DocumentName(DISCOVER, document_id)
    file_text = given_file(file)
    before = deployed.snapshot.documents.get(name)
    if before is None and file_text is None and given.nothing:
        raise CliError(
            f"There is no document {name}, and no field is given.",
            remedy="Give at least --in-region and --tag, or a file.",
        )
    text, discovery = _document(deployed, name, given, file_text, replaced=replace_document)
    if print_rbac:
        example = discovery.cluster(discovery.regions[0], "any")
        cli.output.document(as_yaml(manifests([example], rbac, removal=allow_removal)))
        return ExitCode.OK
    session = Session(profile=cluster_profile or cli.options.profile, region=deployed.region)
    access = Access(
        lambda region: session.client("eks", region=region),
        lambda: session.account,
        cli.session.stack.role_arn,
        admit=admit,
        grant=rbac,
        removal=allow_removal,
        choice=Choice(
            kubeconfig,
            force=force_conflicts,
            by_hand=print_rbac_again(sys.argv[1:]),
            follow_up=replace(cli.follow_up, profile=cluster_profile or cli.options.profile),
        ),
    )
    with cli.output.progress("finding the clusters, and reading your kubeconfig"):
        found = access.find(discovery, deployed.validation.configuration)
        planned = access.prepare(found, dry_run=True)
    if not found:
        regions = ", ".join(discovery.regions)
        raise CliError(
            f"Your credentials find no cluster with these tags in {regions} that has no document"
            " of its own. Nothing was written.",
            remedy="Credentials of another account: --cluster-profile NAME.",
            exit_code=ExitCode.NOT_OK,
        )
    step = _step(name, before, text, deployed)
    if dry_run:
        _show(cli, name, planned, step, dry_run=True)
        return _exit_code(planned)
    if not yes and (step.changes or any(one.changes for each in planned for one in each.steps)):
        for part in render_clusters(planned, step, dry_run=True):
            cli.output.aside(part)
        cli.output.confirm("Do that?")
    with cli.output.progress("making the access in each cluster"):
        done = access.prepare(found, dry_run=False)
    if any(one.failed for one in done) and not incomplete:
        waiting = Step(
            StepName.DOCUMENT,
            StepOutcome.NOT_ATTEMPTED if step.changes else StepOutcome.UNCHANGED,
            "not written before every cluster is ready, unless --incomplete is given",
        )
        _show(cli, name, done, waiting, dry_run=False)
        return ExitCode.NOT_OK
    if step.changes:
        if any(each.steps[0].changes for each in done):
            time.sleep(PROPAGATION_SECONDS)  # until the new access entries take effect
        with keeping(cli, [before] if before else []):
            deployed.store.put(name, text, before=before)
    verdict = Verdict.of(cli, [name], wait=not no_wait)
    _show(cli, name, done, step, dry_run=False, verdict=verdict)
    return max(verdict.exit_code(), _exit_code(done))


def edit(cli: Cli, document_id: str, *, no_wait: bool) -> int:
    """Open a discovery's document in an editor."""
    return cluster_changes.edit(cli, _called(document_id), no_wait=no_wait)


def delete(cli: Cli, ids: Sequence[str], *, keep_secrets: bool, yes: bool) -> int:
    """Remove the Secrets of all clusters that discoveries find, then delete the documents."""
    names = [_called(one) for one in ids]
    return cluster_changes.delete(cli, names, keep_secrets=keep_secrets, yes=yes)


def _called(document_id: str) -> str:
    return f"{DISCOVER}/{document_id.removeprefix(f'{DISCOVER}/')}"


def _document(
    deployed: Deployed,
    name: DocumentName,
    given: Given,
    file_text: str | None,
    *,
    replaced: bool,
) -> tuple[str, Discovery]:
    """Return the document's text, and the discovery that it is.

    Raise CliError when the function would not accept it.
    """
    if not name.is_valid:
        raise CliError(f"'{name.id}' cannot be an id: letters, digits, '-', '_' and '.' only.")
    before = deployed.snapshot.documents.get(name)
    if before is not None and before.error:
        deployed.find(str(name))
    edit_it = deployed.follow_up.command("discover", "edit", name.id)
    text = document_text(name, before, given, file_text, edit_it, replace=replaced)
    validation = deployed.validate({name: deployed.replacement(name, text)})
    if theirs := [one for one in validation.problems if one.where in (str(name), "defaults")]:
        said = "\n  ".join(map(str, theirs))
        raise CliError(
            f"The function would refuse this document; nothing was done.\n  {said}",
            remedy=theirs[0].remedy,
        )
    return text, next(one for one in validation.configuration.discoveries if one.id == name.id)


def _step(name: DocumentName, before: Stored | None, text: str, deployed: Deployed) -> Step:
    parameter = name.parameter(deployed.store.root)
    if before is None:
        lines = tuple(text.splitlines())
        return Step(StepName.DOCUMENT, StepOutcome.CREATED, parameter, details=lines)
    if before.text == text:
        return Step(StepName.DOCUMENT, StepOutcome.UNCHANGED, parameter)
    lines = tuple(text_diff(before.text, text, str(name), f"{name} (changed)"))
    return Step(StepName.DOCUMENT, StepOutcome.UPDATED, parameter, details=lines)


def _show(
    cli: Cli,
    name: DocumentName,
    clusters: Sequence[Prepared],
    document: Step,
    *,
    dry_run: bool,
    verdict: Verdict | None = None,
) -> None:
    pushed = verdict.as_json() if verdict else {}
    said = {
        "document": str(name),
        "ok": not any(one.failed for one in clusters),
        "dryRun": dry_run,
        "clusters": [one.as_json() for one in clusters],
        "steps": [document.as_json()],
    }

    def shown() -> list[RenderableType]:
        after = [Text(""), *verdict.render()] if verdict else []
        return [*render_clusters(clusters, document, dry_run=dry_run), *after]

    cli.output.result(said | pushed, shown)


def _exit_code(clusters: Sequence[Prepared]) -> int:
    return ExitCode.NOT_OK if any(one.failed for one in clusters) else ExitCode.OK
