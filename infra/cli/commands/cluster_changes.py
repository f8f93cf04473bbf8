"""`clusters edit`, `enable`, `disable`, `delete`: changes of one document."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from ecr_public_pusher.configuration.names import matches
from ecr_public_pusher.errors import PusherError

from ..command import Cli
from ..documents.changes import text_diff
from ..documents.deployed import Deployed
from ..documents.document import CLUSTERS, DocumentName
from ..documents.editing import NotEditable, with_enabled
from ..documents.editor import edit as open_editor
from ..documents.pending import decided
from ..documents.problem import Problem
from ..documents.store import Stored
from ..errors import CliError, ExitCode
from ..rendering.documents import render_diff
from ..status import read_documents
from .removal import how_to_forget, not_deleted, remove_before_deletion, show_removal
from .replaced import keeping
from .run import run, show
from .verdict import Verdict


def edit(cli: Cli, called: str, *, no_wait: bool) -> int:
    """Open a document in an editor, write it once it is valid, and push."""
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
        except BaseException:
            cli.output.note(f"Your draft is in {_kept(stored.name, text)}")
            raise
    for part in (*_diff(stored, text), Text(f"{stored.name} changed")):
        cli.output.done(part)
    verdict = Verdict.of(cli, [stored.name], wait=not no_wait)
    cli.output.result(_said(stored.name, "changed") | verdict.as_json(), verdict.render)
    return verdict.exit_code()


def enable(cli: Cli, ids: Sequence[str], *, no_wait: bool) -> int:
    """Set enabled: true in clusters' documents, and push."""
    said = _switch(cli, ids, enabled=True)
    changed = [name for name, outcome in said.items() if outcome != "unchanged"]
    verdict = Verdict.of(cli, changed, wait=not no_wait)
    cli.output.result(_said_of_all(said) | verdict.as_json(), verdict.render)
    return verdict.exit_code()


def disable(cli: Cli, ids: Sequence[str]) -> int:
    """Set enabled: false in clusters' documents."""
    said = _switch(cli, ids, enabled=False)
    cli.output.result(_said_of_all(said), list)  # people have seen it already
    cli.output.note(
        "Secrets stay, expire within 12 hours, and then block pulls. For a longer pause:"
        f" {cli.follow_up.command('remove', *ids)}"
    )
    return ExitCode.OK


def delete(cli: Cli, ids: Sequence[str], *, keep_secrets: bool, yes: bool) -> int:
    """Remove the Secrets of documents, then delete the documents; ask first, unless `yes`."""
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
    if keep_secrets:
        clusters = [name.clusters for name in names if name.clusters]
        if clusters:
            cli.output.note(how_to_forget(cli, clusters))
    if kept:
        raise not_deleted(kept)
    return ExitCode.OK


def forget(cli: Cli, ids: Sequence[str]) -> int:
    """Have the function note in its log that clusters are gone for good."""
    documents, _ = read_documents(cli.session)
    if known := [name for name in sorted(documents) if any(matches(one, name) for one in ids)]:
        name = DocumentName.of_clusters(known[0])
        called = name.id if name.folder == CLUSTERS else str(name)
        delete_it = cli.follow_up.command("clusters", "delete", called, "--keep-secrets")
        raise CliError(
            f"{known[0]} has a document, so it is pushed to; nothing was done.",
            remedy=f"If its cluster is gone, delete it first: {delete_it}",
        )
    report = run(cli, {"action": "forget", "clusters": list(dict.fromkeys(ids))})
    if not report["ok"]:
        return show(cli, report)
    cli.output.result(
        {"forgotten": list(ids)},
        lambda: [Text(f"{cluster_id} forgotten: status counts it no longer") for cluster_id in ids],
    )
    return ExitCode.OK


def _ask(cli: Cli, names: list[DocumentName], *, keep_secrets: bool) -> None:
    listed = ", ".join(map(str, names))
    question = (
        f"Delete {listed}, and leave the Secrets?"
        if keep_secrets
        else f"Remove these Secrets, and delete {listed}?"
    )
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


def _said_of_all(outcomes: Mapping[DocumentName, str]) -> dict[str, Any]:
    return {"documents": [_said(name, outcome) for name, outcome in outcomes.items()]}


def _diff(stored: Stored, text: str) -> list[Text]:
    return list(
        render_diff(text_diff(stored.text, text, str(stored.name), f"{stored.name} (changed)"))
    )


def _switch(cli: Cli, ids: Sequence[str], *, enabled: bool) -> dict[DocumentName, str]:
    """Set `enabled` in the documents; return what became of each."""
    deployed = Deployed.of(cli.session)
    documents = deployed.find_clusters(ids)
    # All of them, before one is written.
    texts = [(stored, _switched(cli, stored, enabled=enabled)) for stored in documents]
    word = "enabled" if enabled else "disabled"
    outcomes = {}
    for stored, text in texts:
        if text != stored.text:
            deployed.store.put(stored.name, text, before=stored)
        outcome = word if text != stored.text else "unchanged"
        outcomes[stored.name] = outcome
        cli.output.done(Text(f"{stored.name} {outcome}"))
    return outcomes


def _switched(cli: Cli, stored: Stored, *, enabled: bool) -> str:
    edit_it = cli.follow_up.command("clusters", "edit", stored.name.id)
    try:
        return with_enabled(decided(stored.text), enabled)
    except PusherError as error:
        raise CliError(
            error.message.replace("document: ", f"{stored.name}: ", 1),
            remedy=f"Correct it: {edit_it}",
        ) from None
    except NotEditable:
        said = f"{stored.name} is written in a way that cannot be edited in place."
        raise CliError(
            said,
            remedy=f"Change `enabled` by hand: {edit_it}",
        ) from None
