"""`discover add`, `edit`, `delete`: documents for clusters that are found by tag."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ecr_public_pusher.configuration.loader import Discovery

from ..command import Cli, command, group
from ..completion import complete_discoveries
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
from ..onboarding.rbac_manifests import Grant, as_yaml, manifests
from ..onboarding.rbac_step import Choice
from ..onboarding.step import Step, StepName, StepOutcome
from ..rendering.onboarding import render_clusters
from ..session import Session
from . import add_options as options
from . import cluster_changes
from .replaced import keeping
from .verdict import NoWait, Verdict

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


@dataclass(frozen=True)
class GivenDiscovery(Given):
    """The options of a discovery's document."""

    regions: Sequence[str] = ()
    tags: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        """Return the document's fields. Raise CliError for an option that cannot be parsed."""
        own = {"regions": list(self.regions), "tags": pairs("--tag", self.tags)}
        return own | super().document()


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
    given = GivenDiscovery(
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
        regions=in_region or (),
        tags=tag or (),
    )
    deployed = Deployed.of(cli.session)
    name = DocumentName(DISCOVER, document_id)
    file_text = options.file_text(file)
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


def edit(cli: Cli, document_id: Id, no_wait: NoWait = False) -> int:
    """Open a discovery's document in $VISUAL or $EDITOR, as `clusters edit discover/ID` does.

    [bold]Examples[/bold]

      ecr-public-pusher discover edit platform
    """
    return cluster_changes.edit(cli, _called(document_id), no_wait)


def delete(
    cli: Cli,
    ids: Ids,
    keep_secrets: cluster_changes.KeepSecrets = False,
    yes: cluster_changes.Yes = False,
) -> int:
    """Remove the Secrets of all clusters that discoveries find, then delete the documents.

    As `clusters delete discover/ID` does.

    [bold]Examples[/bold]

      ecr-public-pusher discover delete platform
    """
    return cluster_changes.delete(cli, [_called(one) for one in ids], keep_secrets, yes)


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
