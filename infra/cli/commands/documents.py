"""`validate`, `diff`, `apply`: documents as files, in Git or elsewhere."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from ecr_public_pusher.configuration.allowed_roles import AllowedRoles

from ..aws_errors import explain
from ..command import Cli, command
from ..documents.changes import Change, Kind
from ..documents.comparison import Comparison, compare, in_order
from ..documents.deployed import Deployed
from ..documents.document import DocumentName
from ..documents.folder import (
    FOLDERS,
    SUFFIXES,
    Folder,
    read_files,
    read_folder,
    unknown_file_notes,
)
from ..documents.problem import Problem
from ..documents.validation import Document, TargetStack, validate_documents
from ..errors import CliError, ExitCode
from ..rendering.documents import render_change, render_comparison, render_notes, render_problems
from ..rendering.text import GOOD, counted
from .removal import not_deleted, remove_secrets

IDS_SHOWN = 10
PANEL = "Configuration"

Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Holds defaults.yaml, clusters/ID.yaml, discover/ID.yaml (or .yml, .json).",
    ),
]
Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", exists=True, help="A folder of documents, or single files."),
]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune",
        help="Delete stored documents without a file; their Secrets are removed first.",
    ),
]
ShowSecure = Annotated[
    bool, typer.Option("--show-secure", help="Show differences of SecureStrings as well.")
]
KeepSecrets = Annotated[
    bool,
    typer.Option(
        "--keep-secrets",
        help=(
            "Leave the Secrets of deleted documents in the clusters. They expire, and then block"
            " pulls."
        ),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]
Endpoints = Annotated[
    str | None,
    typer.Option(
        "--allowed-endpoints",
        metavar="HOSTS",
        help=(
            "Hosts to validate endpoints against, separated by commas, as in the template"
            " parameter."
        ),
    ),
]
Accounts = Annotated[
    str | None,
    typer.Option(
        "--allowed-accounts",
        metavar="ACCOUNTS",
        help="Accounts to validate roles against, as in the template parameter.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for function in (validate, diff, apply):
        app.command(rich_help_panel=PANEL)(command(function))


def validate(
    cli: Cli,
    paths: Paths,
    allowed_endpoints: Endpoints = None,
    allowed_accounts: Accounts = None,
) -> int:
    """Validate documents with the function's own model. Needs neither AWS nor a cluster.

    With --stack, region, account and what is allowed (AllowedEndpoints, AllowedAccounts, the roles'
    names) are the stack's. Exit code 0: all are valid; 1: some are not.

    [bold]Examples[/bold]

      ecr-public-pusher validate clusters/
      ecr-public-pusher validate config/clusters/prod.yaml
      ecr-public-pusher validate config \
          --allowed-endpoints 'api.edge.example.com,*.shops.example.com'
      ecr-public-pusher validate config --stack ecr-public-pusher -o json
    """
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
    return ExitCode.NOT_OK if problems else ExitCode.OK


def diff(
    cli: Cli, directory: Directory, prune: Prune = False, show_secure: ShowSecure = False
) -> int:
    """Show what `apply` would change.

    Exit code 0: nothing; 1: something (as with kubectl diff); 2: invalid documents.

    [bold]Examples[/bold]

      ecr-public-pusher diff config
      ecr-public-pusher diff config --prune -o json
    """
    comparison, _ = _compared(cli, directory, prune=prune)
    _show(cli, comparison, show_secure)
    if comparison.problems:
        return ExitCode.USAGE
    return ExitCode.NOT_OK if comparison.differing else ExitCode.OK


def apply(
    cli: Cli,
    directory: Directory,
    prune: Prune = False,
    keep_secrets: KeepSecrets = False,
    show_secure: ShowSecure = False,
    yes: Yes = False,
) -> int:
    """Store the folder's documents in Parameter Store, as far as they differ.

    Shows the differences first, and asks. The function pushes to a cluster as soon as its document
    changes. Types, keys and tags of parameters stay. A second run changes nothing.

    [bold]Examples[/bold]

      ecr-public-pusher apply config
      ecr-public-pusher apply config --prune
      ecr-public-pusher apply config --prune --yes -o json
    """
    comparison, deployed = _compared(cli, directory, prune=prune)
    if comparison.problems:
        _show(cli, comparison, show_secure)
        cli.output.error(CliError("Invalid documents: nothing was written."))
        return ExitCode.USAGE
    if not comparison.differing:
        _show(cli, comparison, show_secure)
        return ExitCode.OK
    if not yes:
        _ask(cli, comparison, show_secure, keep_secrets=keep_secrets)
    kept = (
        [] if keep_secrets else remove_secrets(cli, [change.name for change in comparison.deleted])
    )
    work = [change for change in in_order(comparison, deployed) if change.name not in kept]
    written = _write(cli, deployed, work)
    said: dict[str, Any] = comparison.as_json(show_secure=show_secure) | {
        "written": list(map(str, written)),
        "kept": list(map(str, kept)),
    }
    cli.output.result(said, list)  # people have seen each line already
    pushed = [
        change.name.clusters or ""
        for change in work
        if change.name in written and change.kind is not Kind.DELETED
    ]
    if pushed:
        ids = [] if "" in pushed or len(pushed) > IDS_SHOWN else pushed
        cli.output.note(
            "The function pushes the changes automatically. To test access:"
            f" {cli.follow_up.command('check', *ids)}"
        )
    if kept:
        raise not_deleted(kept)
    return ExitCode.OK


def _read(paths: Sequence[Path]) -> Folder:
    """Read folders and single files as one folder.

    A file in a folder `clusters` or `discover` is validated with the defaults beside that folder.
    Raise CliError for a document that is given twice, and when there is none.
    """
    parts = [_read_one(path, paths) for path in paths]
    documents = {file.path.resolve(): file for part in parts for file in part.documents}
    folder = Folder(
        tuple(documents.values()),
        tuple(problem for part in parts for problem in part.problems),
        tuple(unknown_file for part in parts for unknown_file in part.unknown_files),
    )
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
    if path.is_dir() and path.resolve().name in FOLDERS:
        files = [file for file in sorted(path.iterdir()) if file.suffix in SUFFIXES]
        return read_files([*files, *_defaults_beside(files[0], given)]) if files else Folder()
    return (
        read_folder(path) if path.is_dir() else read_files([path, *_defaults_beside(path, given)])
    )


def _defaults_beside(path: Path, given: Sequence[Path]) -> list[Path]:
    beside = [path.resolve().parent.parent / f"defaults{suffix}" for suffix in SUFFIXES]
    inside = path.resolve().parent.name in FOLDERS
    return [
        file
        for file in beside
        if inside and file.is_file() and file not in [one.resolve() for one in given]
    ][:1]


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
    folder = read_folder(directory)
    if not folder.documents and not folder.problems:
        raise _nothing(directory)
    deployed = Deployed.of(cli.session)
    deployed.snapshot.demand_readable()
    return compare(folder, deployed, prune=prune), deployed


def _show(cli: Cli, comparison: Comparison, show_secure: bool) -> None:
    cli.output.result(
        comparison.as_json(show_secure=show_secure),
        lambda: render_comparison(comparison, show_secure=show_secure),
    )


def _ask(cli: Cli, comparison: Comparison, show_secure: bool, *, keep_secrets: bool) -> None:
    question = "Write that?"
    cli.output.need_person(question)
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
    cli.output.confirm(question)


def _write(cli: Cli, deployed: Deployed, work: Sequence[Change]) -> list[DocumentName]:
    """Write the changes in order; return the documents written.

    Raise CliError, which names what is left, at the first that fails.
    """
    written: list[DocumentName] = []
    for change in work:
        try:
            _write_one(deployed, change)
        except (ClientError, BotoCoreError, CliError) as error:
            said = (
                error
                if isinstance(error, CliError)
                else explain(error, profile=cli.options.profile)
            )
            left = [str(one.name) for one in work if one.name not in written]
            done = (
                f"{len(written)} of {len(work)} documents are written; not yet:"
                f" {', '.join(left[:20])}. Run this again: it goes on from there."
            )
            raise CliError(
                f"{change.name}: {said.message}",
                remedy=f"{said.remedy}\n{done}".strip(),
                exit_code=said.exit_code,
            ) from None
        written.append(change.name)
        cli.output.done(render_change(change))
    return written


def _write_one(deployed: Deployed, change: Change) -> None:
    if change.kind is Kind.DELETED:
        assert change.before is not None
        deployed.store.delete(change.before)
    else:
        assert change.after is not None
        deployed.store.put(change.name, change.after.text, before=change.before)
