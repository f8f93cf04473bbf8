"""A copy of each document that a command overwrites or deletes, and the way back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..command import Cli
from ..documents.replaced import save
from ..documents.store import Stored


@contextmanager
def keeping(cli: Cli, documents: Sequence[Stored]) -> Iterator[None]:
    """Save documents before the block overwrites or deletes them; print the way back after it.

    Where the state folder cannot be written, print their texts, but for SecureStrings'.
    """
    folder = _saved(cli, documents)
    try:
        yield
    finally:
        if folder is not None:
            back = cli.follow_up.command("apply", str(folder))
            cli.output.note(
                f"A copy of what was stored before is in {folder}. To restore it: {back}"
            )


def _saved(cli: Cli, documents: Sequence[Stored]) -> Path | None:
    if not documents:
        return None
    try:
        return save(documents, cli.session.stack.name)
    except OSError as error:
        cli.output.note(
            f"No copy of what is stored now could be saved ({error.filename}: {error.strerror})."
        )
        for stored in documents:
            shown = "a SecureString, not shown" if stored.secure else f"\n{stored.text}"
            cli.output.note(f"{stored.name}: {shown}")
    return None
