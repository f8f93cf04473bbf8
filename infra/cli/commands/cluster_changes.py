"""`clusters edit`, `enable`, `disable`, `delete`: changes of one document."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ecr_public_pusher.errors import PusherError

from ..command import Cli, command
from ..completion import complete_clusters, complete_documents
from ..documents.changes import text_diff
from ..documents.deployed import Deployed
from ..documents.document import DocumentName
from ..documents.editing import NotEditable, with_enabled
from ..documents.editor import edit as open_editor
from ..documents.problem import Problem
from ..documents.store import Stored
from ..errors import CliError, ExitCode
from ..rendering.documents import render_diff
from .removal import not_deleted, remove_before_deletion, show_removal
from .replaced import keeping
from .verdict import NoWait, Verdict

Called = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A document: ID of a cluster, discover/ID, or defaults.",
        autocompletion=complete_documents,
    ),
]
Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID",
        help="Ids of clusters' documents, or globs ('prod-*').",
        autocompletion=complete_clusters,
    ),
]
DeletedIds = Annotated[
    list[str],
    typer.Argument(
        metavar="ID",
        help="Documents: ids of clusters, discover/ID, or defaults.",
        autocompletion=complete_documents,
    ),
]
KeepSecrets = Annotated[
    bool,
    typer.Option(
        "--keep-secrets",
        help="Leave the Secrets in the cluster. They expire within 12 hours, and then block pulls.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]


def register(clusters: typer.Typer) -> None:
    """Add the commands to the group."""
    for function in (edit, enable, disable, delete):
        clusters.command()(command(function))


def edit(cli: Cli, called: Called, no_wait: NoWait = False) -> int:
    """Open a document in $VISUAL or $EDITOR.

    It is written once it is valid, unless somebody else has changed it meanwhile. A copy of the
    text that it replaces is saved, to restore it. Then pushes to its clusters, and shows the
    outcome. Exit code 1: the push is not ok.

    [bold]Examples[/bold]

      ecr-public-pusher clusters edit prod
      EDITOR="code --wait" ecr-public-pusher clusters edit defaults
    """
    deployed = Deployed.of(cli.session)
    stored = deployed.find(called)
    text = open_editor(
        stored.text, name=stored.name.id, check=lambda given: _wrong(deployed, stored, given)
    )
    if text is None:
        cli.output.result(
            _said(stored.name, "unchanged"), lambda: [Text(f"{stored.name} unchanged")]
        )
        return ExitCode.OK
    with keeping(cli, [stored]):
        try:
            deployed.store.put(stored.name, text, before=stored)
        except Exception:
            cli.output.note(f"Your draft is in {_kept(stored.name, text)}")
            raise
    for part in (*_diff(stored, text), Text(f"{stored.name} changed")):
        cli.output.done(part)
    verdict = Verdict.of(cli, [stored.name], wait=not no_wait)
    cli.output.result(_said(stored.name, "changed") | verdict.as_json(), verdict.render)
    return verdict.exit_code()


def enable(cli: Cli, ids: Ids, no_wait: NoWait = False) -> int:
    """Set enabled: true in clusters' documents, and change nothing else in them.

    Then pushes to them, and shows the outcome. Exit code 1: the push is not ok.

    [bold]Examples[/bold]

      ecr-public-pusher clusters enable staging 'test-*'
      ecr-public-pusher clusters enable staging --no-wait
    """
    verdict = Verdict.of(cli, _switch(cli, ids, enabled=True), wait=not no_wait)
    if verdict.report is not None:
        cli.output.line(verdict.as_json(), *verdict.render())
    return verdict.exit_code()


def disable(cli: Cli, ids: Ids) -> int:
    """Set enabled: false in clusters' documents, and change nothing else in them.

    Their Secrets stay until they are removed.

    [bold]Examples[/bold]

      ecr-public-pusher clusters disable staging && ecr-public-pusher remove staging
    """
    _switch(cli, ids, enabled=False)
    cli.output.note(
        "Secrets stay, expire within 12 hours, and then block pulls. For a longer pause:"
        f" {cli.follow_up.command('remove', *ids)}"
    )
    return ExitCode.OK


def delete(cli: Cli, ids: DeletedIds, keep_secrets: KeepSecrets = False, yes: Yes = False) -> int:
    """Remove the Secrets that documents wrote from their clusters, then delete the documents.

    Shows them first, and asks. A document is kept if not all of its Secrets could be removed,
    because nothing could remove them afterwards. Secrets that another enabled document of the same
    cluster selects stay: that document adopts them. Nothing is deleted that another document would
    be invalid without. A copy of each document is saved, to restore it.

    [bold]Examples[/bold]

      ecr-public-pusher clusters delete staging
      ecr-public-pusher clusters delete staging --keep-secrets --yes
    """
    deployed = Deployed.of(cli.session)
    documents = [deployed.find(called) for called in dict.fromkeys(ids)]
    # The defaults go last: the others may need them until they are gone.
    documents.sort(key=lambda stored: stored.name == DocumentName.defaults())
    names = [stored.name for stored in documents]
    _demand_valid_without(deployed, names)
    if not yes:
        _ask(cli, names, keep_secrets=keep_secrets)
    with keeping(cli, documents):
        kept = remove_before_deletion(cli, deployed, documents, keep_secrets=keep_secrets)
        for stored in documents:
            if stored.name not in kept:
                deployed.store.delete(stored)
    deleted = [str(name) for name in names if name not in kept]
    cli.output.result(
        {"deleted": deleted, "kept": [str(name) for name in kept]},
        lambda: [Text(f"{name} deleted") for name in deleted],
    )
    if kept:
        raise not_deleted(kept)
    return ExitCode.OK


def _ask(cli: Cli, names: list[DocumentName], *, keep_secrets: bool) -> None:
    listed = ", ".join(map(str, names))
    question = (
        f"Delete {listed}, and leave the Secrets?"
        if keep_secrets
        else f"Remove these Secrets, and delete {listed}?"
    )
    cli.output.need_person(question)
    if not keep_secrets:
        show_removal(cli, names)
    cli.output.confirm(question)


def _demand_valid_without(deployed: Deployed, names: Sequence[DocumentName]) -> None:
    """Raise CliError when documents that stay would be invalid without these."""
    known = {str(problem) for problem in deployed.validation.problems}
    after = deployed.validate(dict.fromkeys(names))
    if problems := [problem for problem in after.problems if str(problem) not in known]:
        said = "\n  ".join(map(str, problems))
        raise CliError(
            f"Nothing was deleted: other documents would be invalid without"
            f" {', '.join(map(str, names))}.\n  {said}",
            remedy="Correct these documents first, or delete them in the same command.",
        )


def _wrong(deployed: Deployed, stored: Stored, text: str) -> list[Problem]:
    """Return the draft's problems, and those it would cause in other documents."""
    before = {
        str(problem)
        for problem in deployed.validation.problems
        if problem.where != str(stored.name)
    }
    validation = deployed.validate({stored.name: deployed.replacement(stored.name, text, "draft")})
    return [problem for problem in validation.problems if str(problem) not in before]


def _kept(name: DocumentName, text: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ecr-public-pusher-"))
    draft = folder / f"{name.id}.yaml"
    draft.touch(mode=0o600)
    draft.write_text(text)
    return draft


def _said(name: DocumentName, outcome: str) -> dict[str, str]:
    return {"document": str(name), "outcome": outcome}


def _diff(stored: Stored, text: str) -> list[Text]:
    return list(
        render_diff(text_diff(stored.text, text, str(stored.name), f"{stored.name} (changed)"))
    )


def _switch(cli: Cli, ids: list[str], *, enabled: bool) -> list[DocumentName]:
    """Set `enabled` in the documents, and return those that it has changed."""
    deployed = Deployed.of(cli.session)
    documents = deployed.find_clusters(ids)
    # All of them, before one is written.
    texts = [(stored, _switched(cli, stored, enabled=enabled)) for stored in documents]
    word = "enabled" if enabled else "disabled"
    for stored, text in texts:
        if text != stored.text:
            deployed.store.put(stored.name, text, before=stored)
        outcome = word if text != stored.text else "unchanged"
        cli.output.line(_said(stored.name, outcome), Text(f"{stored.name} {outcome}"))
    return [stored.name for stored, text in texts if text != stored.text]


def _switched(cli: Cli, stored: Stored, *, enabled: bool) -> str:
    edit_it = cli.follow_up.command("clusters", "edit", stored.name.id)
    try:
        return with_enabled(stored.text, enabled)
    except PusherError as error:
        raise CliError(
            error.message.replace("document: ", f"{stored.name}: ", 1),
            remedy=f"Correct it: {edit_it}",
        ) from None
    except NotEditable:
        said = f"{stored.name} is written in a way that cannot be changed in place."
        raise CliError(
            said,
            remedy=f"Change `enabled` by hand: {edit_it}",
        ) from None
