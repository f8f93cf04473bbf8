"""`clusters export`: the stored documents as a folder, to keep them in Git."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from ..command import Cli
from ..documents.deployed import Deployed
from ..documents.folder import read_folder
from ..documents.store import Stored
from ..errors import CliError, ExitCode
from ..rendering.text import counted


def export(cli: Cli, directory: Path, *, show_secure: bool, overwrite: bool) -> int:
    """Write every stored document to a folder."""
    deployed = Deployed.of(cli.session)
    snapshot = deployed.snapshot
    snapshot.demand_readable()
    documents = [snapshot.documents[name] for name in sorted(snapshot.documents)]
    if not documents:
        raise CliError(f"There are no documents under {deployed.store.root}.")
    if not show_secure:
        _demand_plain(documents)
    changed = _changed(cli, directory, documents, overwrite=overwrite)
    written = {str(stored.name): str(file) for stored, file in changed}
    for stored, file in changed:
        _write(file, stored.text)
    cli.output.result(
        {"written": written, "unchanged": len(documents) - len(written)},
        lambda: [
            *(Text(file) for file in written.values()),
            Text(
                f"{counted(len(written), 'document')} written,"
                f" {len(documents) - len(written)} unchanged",
                style="bold",
            ),
        ],
    )
    for parameter in snapshot.unknown:
        cli.output.note(f"{parameter} is not a document, and was not written.")
    return ExitCode.OK


def _demand_plain(documents: Sequence[Stored]) -> None:
    """Raise CliError for SecureStrings: `apply --prune` would delete one that has no file."""
    if secure := [str(stored.name) for stored in documents if stored.secure]:
        raise CliError(
            f"Nothing was written, since these are SecureStrings: {', '.join(secure[:20])}.",
            remedy="To write them decrypted: --show-secure.",
        )


def _changed(
    cli: Cli, directory: Path, documents: Sequence[Stored], *, overwrite: bool
) -> list[tuple[Stored, Path]]:
    """Return the documents to write, with their files.

    A document that is in the folder already keeps its file's name. Raise CliError for one that
    differs, unless `overwrite` is set.
    """
    folder = read_folder(directory) if directory.exists() else None
    if folder is not None and folder.problems:
        raise CliError(f"{folder.problems[0]}", remedy=folder.problems[0].remedy)
    there = {file.name: file for file in folder.documents} if folder is not None else {}
    differing = [
        there[stored.name].path
        for stored in documents
        if stored.name in there and there[stored.name].text != stored.text
    ]
    if differing and not overwrite:
        raise CliError(
            f"Nothing was written: {counted(len(differing), 'file')} would be overwritten:"
            f" {', '.join(map(str, differing[:20]))}.",
            remedy=(
                "To overwrite them: --overwrite. To see the differences:"
                f" {cli.follow_up.command('diff', str(directory))}"
            ),
        )
    return [
        (
            stored,
            there[stored.name].path if stored.name in there else directory / f"{stored.name}.yaml",
        )
        for stored in documents
        if stored.name not in there or there[stored.name].path in differing
    ]


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}.") from None
