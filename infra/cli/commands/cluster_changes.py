"""`clusters edit`, `enable`, `disable`, `delete`: changes of one document."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from ecr_public_pusher.errors import PusherError

from ..command import Cli
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


def edit(cli: Cli, called: str) -> int:
    """Open a document in an editor, and write it once it is valid."""
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
    try:
        deployed.store.put(stored.name, text, before=stored)
    except BaseException:
        cli.output.note(f"Your draft is in {_kept(stored.name, text)}")
        raise
    cli.output.result(
        _said(stored.name, "changed"),
        lambda: [*_diff(stored, text), Text(f"{stored.name} changed")],
    )
    return ExitCode.OK


def enable(cli: Cli, ids: Sequence[str]) -> int:
    """Set enabled: true in clusters' documents."""
    return _switch(cli, ids, enabled=True)


def disable(cli: Cli, ids: Sequence[str]) -> int:
    """Set enabled: false in clusters' documents."""
    code = _switch(cli, ids, enabled=False)
    cli.output.note(
        "Secrets stay, expire within 12 hours, and then block pulls. For a longer pause:"
        f" {cli.follow_up.command('remove', *ids)}"
    )
    return code


def delete(cli: Cli, ids: Sequence[str], *, keep_secrets: bool, yes: bool) -> int:
    """Remove the Secrets of documents, then delete the documents; ask first, unless `yes`."""
    deployed = Deployed.of(cli.session)
    documents = [deployed.find(called) for called in dict.fromkeys(ids)]
    names = [stored.name for stored in documents]
    if not yes:
        _ask(cli, names, keep_secrets=keep_secrets)
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


def _switch(cli: Cli, ids: Sequence[str], *, enabled: bool) -> int:
    deployed = Deployed.of(cli.session)
    documents = [deployed.find(called, clusters_only=True) for called in dict.fromkeys(ids)]
    # All of them, before one is written.
    texts = [(stored, _switched(cli, stored, enabled=enabled)) for stored in documents]
    word = "enabled" if enabled else "disabled"
    for stored, text in texts:
        if text != stored.text:
            deployed.store.put(stored.name, text, before=stored)
        outcome = word if text != stored.text else "unchanged"
        cli.output.line(_said(stored.name, outcome), Text(f"{stored.name} {outcome}"))
    return ExitCode.OK


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
