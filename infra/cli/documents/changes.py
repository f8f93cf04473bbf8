"""The documents that `apply` would add, change and delete, with the differences in text. Pure."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .document import DocumentName
from .folder import DocumentFile
from .store import Stored


class Kind(StrEnum):
    """The change of a document. Stable names: `-o json` shows them."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"
    RENAMED = "renamed"
    UNCHANGED = "unchanged"


# The changes that have a difference in text to show.
DIFFERING_TEXTS = (Kind.CHANGED, Kind.RENAMED)


@dataclass(frozen=True)
class Change:
    """A document as it is stored (`before`) and as its file has it (`after`), None when missing.

    Of a document that is renamed, `before` has the old name.
    """

    name: DocumentName
    before: Stored | None
    after: DocumentFile | None

    @property
    def kind(self) -> Kind:
        if self.before is None:
            return Kind.ADDED
        if self.after is None:
            return Kind.DELETED
        if self.before.name != self.name:
            return Kind.RENAMED
        # `$(cat file)` strips newlines at the end, which mean nothing.
        return (
            Kind.UNCHANGED
            if self.before.text.rstrip("\n") == self.after.text.rstrip("\n")
            else Kind.CHANGED
        )

    @property
    def secure(self) -> bool:
        """Return whether the stored document is encrypted: its text is not for every log."""
        return self.before is not None and self.before.secure

    def diff(self) -> list[str]:
        """Return the lines of the unified diff."""
        before = self.before.text if self.before else ""
        after = self.after.text if self.after else ""
        return text_diff(
            before,
            after,
            str(self.before.name if self.before else self.name),
            str(self.after.path) if self.after else "/dev/null",
        )

    def as_json(self, *, show_secure: bool) -> dict[str, Any]:
        said: dict[str, Any] = {"document": str(self.name), "change": self.kind.value}
        if self.after:
            said["file"] = str(self.after.path)
        if self.kind is Kind.RENAMED and self.before:
            said["from"] = str(self.before.name)
        if self.kind in DIFFERING_TEXTS and (show_secure or not self.secure):
            said["diff"] = "\n".join(self.diff())
        return said


def text_diff(before: str, after: str, old_name: str, new_name: str) -> list[str]:
    """Return the lines of the unified diff of two texts; none when they are equal."""
    return list(
        difflib.unified_diff(
            before.splitlines(), after.splitlines(), old_name, new_name, lineterm=""
        )
    )


def changes(
    files: Sequence[DocumentFile], stored: Mapping[DocumentName, Stored], *, prune: bool
) -> list[Change]:
    """Return the change of every document, in order of name.

    Without `prune`, stored documents without a file are left out.
    """
    by_name = {file.name: file for file in files}
    names = by_name.keys() | (stored.keys() if prune else set())
    return [Change(name, stored.get(name), by_name.get(name)) for name in sorted(names)]


def without_file(
    files: Sequence[DocumentFile], stored: Mapping[DocumentName, Stored]
) -> list[DocumentName]:
    """Return the stored documents without a file."""
    return sorted(stored.keys() - {file.name for file in files})
