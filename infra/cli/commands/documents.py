"""`validate`, `diff`, `apply`: documents as files, in Git or elsewhere."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.text import Text

from ecr_public_pusher.configuration.allowed_roles import AllowedRoles

from ..choices import Format
from ..command import Cli
from ..documents.changes import Kind
from ..documents.comparison import Comparison, compare
from ..documents.deployed import Deployed
from ..documents.folder import (
    SUFFIXES,
    Folder,
    defaults_beside,
    is_document_folder,
    joined,
    read_documents_in,
    read_files,
    read_folder,
    unknown_file_notes,
)
from ..documents.live import LiveChange
from ..documents.problem import Problem
from ..documents.validation import Document, TargetStack, validate_documents
from ..errors import CliError, ExitCode
from ..rendering.documents import (
    render_comparison,
    render_live_changes,
    render_notes,
    render_problems,
)
from ..rendering.text import BAD, GOOD, counted
from .apply_steps import ApplySteps
from .live_selection import live_changes
from .removal import not_deleted
from .replaced import keeping
from .verdict import Verdict

IDS_SHOWN = 10
_HOW_TO_PRUNE_ALL = (
    "Is this the right folder, and all of it? If so: --prune=all, or answer at a terminal, without"
    " --yes."
)


def validate(
    cli: Cli,
    paths: Sequence[Path],
    allowed_endpoints: str | None,
    allowed_accounts: str | None,
) -> int:
    """Validate documents with the function's own model."""
    folder = _read(paths)
    documents = {file.name: Document(file.text, str(file.path)) for file in folder.documents}
    validation = validate_documents(documents, _target(cli, allowed_endpoints, allowed_accounts))
    problems = (*folder.problems, *validation.problems)
    notes = (*unknown_file_notes(folder.unknown_files), *validation.notes)
    said = {
        "ok": not problems,
        "documents": [str(file.name) for file in folder.documents],
        "problems": [problem.as_json() for problem in problems],
        "notes": [note.as_json() for note in notes],
    }
    cli.output.result(
        said, lambda: [*render_problems(problems), *render_notes(notes), _verdict(folder, problems)]
    )
    _warn_beside_data(cli, notes)
    return ExitCode.NOT_OK if problems else ExitCode.OK


def diff(
    cli: Cli, directory: Path, *, prune: bool, prune_all: bool, show_secure: bool, live: bool
) -> int:
    """Show what `apply` would change."""
    comparison, _ = _compared(cli, directory, prune=prune or prune_all)
    asked = live_changes(cli, comparison, show_secure=show_secure) if live else None
    _show(cli, comparison, show_secure, asked)
    if comparison.is_mass_deletion and not prune_all:
        cli.output.note(f"{_mass_deletion(comparison)} {_HOW_TO_PRUNE_ALL}")
    if comparison.problems:
        return ExitCode.USAGE
    return ExitCode.NOT_OK if comparison.differing else ExitCode.OK


def apply(
    cli: Cli,
    directory: Path,
    *,
    prune: bool,
    prune_all: bool,
    keep_secrets: bool,
    show_secure: bool,
    no_wait: bool,
    yes: bool,
) -> int:
    """Write the folder's differences to Parameter Store, and push; ask first, unless `yes`."""
    comparison, deployed = _compared(cli, directory, prune=prune or prune_all)
    if comparison.problems:
        _show(cli, comparison, show_secure)
        cli.output.error(CliError("Invalid documents: nothing was written."))
        return ExitCode.USAGE
    if not comparison.differing:
        _show(cli, comparison, show_secure)
        return ExitCode.OK
    if not yes:
        _ask(cli, comparison, show_secure, keep_secrets=keep_secrets)
    else:
        for part in render_notes(comparison.notes):
            cli.output.aside(part)
        if comparison.is_mass_deletion and not prune_all:
            raise CliError(
                f"{_mass_deletion(comparison)} Nothing was written.", remedy=_HOW_TO_PRUNE_ALL
            )
    steps = ApplySteps(cli, deployed, comparison, keep_secrets)
    with keeping(cli, [one.before for one in comparison.differing if one.before is not None]):
        steps.run()
    written = [
        change.name
        for change in comparison.differing
        if change.name in steps.written and change.kind is not Kind.DELETED
    ]
    verdict = Verdict.of(cli, written, wait=not no_wait)
    said: dict[str, Any] = comparison.as_json(show_secure=show_secure) | {
        "ok": verdict.ok and not steps.kept,
        "written": list(map(str, steps.written)),
        "kept": list(map(str, steps.kept)),
    }
    # Each change is on the screen already.
    cli.output.result(said | verdict.as_json(), verdict.render)
    if steps.kept:
        raise not_deleted(steps.kept)
    return verdict.exit_code()


def _read(paths: Sequence[Path]) -> Folder:
    """Read folders and single files as one folder.

    A file in a folder `clusters` or `discover` is validated with the defaults beside that folder.
    Raise CliError for a document that is given twice, and when there is none.
    """
    folder = joined([_read_one(path, paths) for path in paths])
    twice = [
        file
        for file in folder.documents
        if [one.name for one in folder.documents].count(file.name) > 1
    ]
    if twice:
        raise CliError(
            f"{twice[0].path} and {twice[1].path} are the same document, {twice[0].name}.",
            remedy="Validate one folder at a time.",
        )
    if not folder.documents and not folder.problems:
        raise _nothing(paths[0])
    return folder


def _read_one(path: Path, given: Sequence[Path]) -> Folder:
    if is_document_folder(path):
        return read_documents_in(path, *_defaults_of(path / "any", given))
    return read_folder(path) if path.is_dir() else read_files([path, *_defaults_of(path, given)])


def _defaults_of(path: Path, given: Sequence[Path]) -> list[Path]:
    found = defaults_beside(path)
    return [found] if found and found.resolve() not in [one.resolve() for one in given] else []


def _target(cli: Cli, allowed_endpoints: str | None, allowed_accounts: str | None) -> TargetStack:
    hosts = tuple(allowed_endpoints.split(",")) if allowed_endpoints is not None else None
    accounts = _listed(allowed_accounts) if allowed_accounts is not None else None
    if cli.options.stack is None:  # the environment variable does not count: offline stays offline
        roles = AllowedRoles("", accounts) if accounts is not None else None
        return TargetStack(allowed_endpoints=hosts, allowed_roles=roles)
    stack = cli.session.stack
    roles = stack.allowed_roles
    return TargetStack(
        stack.config_path,
        stack.region,
        stack.account,
        hosts if hosts is not None else stack.allowed_endpoints,
        replace(roles, accounts=accounts) if accounts is not None else roles,
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(entry for entry in text.split(",") if entry.strip())


def _verdict(folder: Folder, problems: Sequence[Problem]) -> Text:
    count = counted(len(folder.documents), "document")
    return (
        Text(f"{count}: {counted(len(problems), 'problem')}")
        if problems
        else Text(f"{count}: valid", style=GOOD)
    )


def _nothing(directory: Path) -> CliError:
    return CliError(
        f"There are no documents in the folder {directory}/",
        remedy=(
            "Expected: DIR/defaults.yaml, DIR/clusters/ID.yaml, DIR/discover/ID.yaml (or .yml,"
            " .json)."
        ),
    )


def _compared(cli: Cli, directory: Path, *, prune: bool) -> tuple[Comparison, Deployed]:
    _demand_whole(cli, directory)
    folder = read_folder(directory)
    if not folder.documents and not folder.problems:
        raise _nothing(directory)
    deployed = Deployed.of(cli.session)
    deployed.snapshot.demand_readable()
    return compare(folder, deployed, prune=prune), deployed


def _demand_whole(cli: Cli, directory: Path) -> None:
    """Raise CliError for a folder `clusters` or `discover` that holds documents itself."""
    holds = any(path.is_file() and path.suffix in SUFFIXES for path in directory.iterdir())
    above = directory.absolute().parent
    if is_document_folder(directory) and holds and not read_folder(directory).documents:
        raise CliError(
            f"{directory}/ holds documents of one kind only.",
            remedy=f"Name the folder above: {cli.follow_up.command('diff', str(above))}",
        )


def _show(
    cli: Cli,
    comparison: Comparison,
    show_secure: bool,
    live: Sequence[LiveChange] | None = None,
) -> None:
    said = comparison.as_json(show_secure=show_secure)
    if live is not None:
        said["live"] = [change.as_json() for change in live]
    cli.output.result(
        said,
        lambda: [
            *render_comparison(comparison, show_secure=show_secure),
            *render_live_changes(live or ()),
        ],
    )
    _warn_beside_data(cli, comparison.notes)


def _warn_beside_data(cli: Cli, notes: Sequence[Problem]) -> None:
    """Show warnings on stderr where stdout takes data, which a program may not look into."""
    if cli.output.format is not Format.TABLE:
        for part in render_notes(notes):
            cli.output.aside(part)


def _mass_deletion(comparison: Comparison) -> str:
    names = ", ".join(str(change.name) for change in comparison.deleted[:IDS_SHOWN])
    more = ", ..." if len(comparison.deleted) > IDS_SHOWN else ""
    return (
        f"--prune would delete {len(comparison.deleted)} of {comparison.stored} stored documents,"
        f" which have no file: {names}{more}."
    )


def _ask(cli: Cli, comparison: Comparison, show_secure: bool, *, keep_secrets: bool) -> None:
    question = "Write that?"
    for part in render_comparison(comparison, show_secure=show_secure):
        cli.output.aside(part)
    if comparison.deleted:
        names = ", ".join(
            change.name.clusters for change in comparison.deleted if change.name.clusters
        )
        end = (
            "stay in the clusters, expire within 12 hours, and then block pulls"
            if keep_secrets
            else "are removed from the clusters first"
        )
        cli.output.note(f"The Secrets of {names or 'no cluster'} {end}.")
    if comparison.is_mass_deletion:
        cli.output.note(_mass_deletion(comparison), style=BAD)
    cli.output.confirm(question)
