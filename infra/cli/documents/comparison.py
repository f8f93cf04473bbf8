"""A folder compared with a stack's documents: changes, their problems and order. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .changes import Change, Kind, changes, without_file
from .deployed import Deployed
from .document import DocumentName
from .folder import Folder, unknown_file_notes
from .leftovers import leftover_notes
from .problem import Problem
from .renames import Both, covers, rename_by_prune_notes, rename_notes, with_renames
from .validation import Document


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    `left` are stored documents without a file, which stay. `stored` counts all that are stored.
    """

    changes: Sequence[Change]
    both: Both
    stored: int
    problems: Sequence[Problem] = ()
    notes: Sequence[Problem] = ()
    left: Sequence[DocumentName] = ()

    @property
    def differing(self) -> list[Change]:
        return [change for change in self.changes if change.kind is not Kind.UNCHANGED]

    @property
    def deleted(self) -> list[Change]:
        return [change for change in self.changes if change.kind is Kind.DELETED]

    @property
    def is_mass_deletion(self) -> bool:
        """Return whether more than one document, and more than half of all, would be deleted."""
        return len(self.deleted) > 1 and 2 * len(self.deleted) > self.stored

    def goes_over(self, change: Change) -> bool:
        """Return whether a document that is written takes over the Secrets of a deleted one."""
        written = [one.name for one in self.differing if one.kind is not Kind.DELETED]
        return self.both.goes_over(change.name, written)

    def may_leave_secrets(self, change: Change) -> bool:
        """Return whether a renamed document may not select all that it did under its old name."""
        old = self.both.before(change.before.name) if change.before else None
        return not covers(old, self.both.after(change.name))

    def as_json(self, *, show_secure: bool) -> dict[str, Any]:
        """Return the JSON of `diff` and `apply`; `show_secure` includes SecureStrings' text."""
        return {
            "ok": not self.problems,
            "different": bool(self.differing),
            "changes": [change.as_json(show_secure=show_secure) for change in self.changes],
            "withoutFile": [str(name) for name in self.left],
            "problems": [problem.as_json() for problem in self.problems],
            "notes": [note.as_json() for note in self.notes],
        }


def compare(folder: Folder, deployed: Deployed, *, prune: bool) -> Comparison:
    """Compare a folder with the stored documents.

    Validate what would be stored afterwards. Without `prune`, problems that are there already do
    not count.
    """
    stored = deployed.snapshot.documents
    found = changes(folder.documents, stored, prune=prune)
    after: dict[DocumentName, Document | None] = {
        change.name: (
            deployed.replacement(change.name, change.after.text, str(change.after.path))
            if change.after
            else None
        )
        for change in found
    }
    validation = deployed.validate(after)
    there_before = set() if prune else {str(problem) for problem in deployed.validation.problems}
    own = [problem for problem in validation.problems if str(problem) not in there_before]
    left = [] if prune else without_file(folder.documents, stored)
    both = Both(deployed.validation.configuration, validation.configuration)
    found = with_renames(found, both)
    notes = (
        *unknown_file_notes(folder.unknown_files),
        *validation.notes,
        *leftover_notes(
            found,
            deployed.validation.configuration,
            validation.configuration,
            deployed.follow_up,
        ),
        *rename_notes(found, both),
        *rename_by_prune_notes(found, left, both),
    )
    return Comparison(found, both, len(stored), (*folder.problems, *own), notes, left)


def in_order(comparison: Comparison, deployed: Deployed) -> list[Change]:
    """Return the changes, but for deletions of documents, in the order in which to write them.

    The defaults come first if every document is valid after that step, else last.
    """
    work = sorted(
        (
            change
            for change in comparison.differing
            if change.kind is not Kind.DELETED or change.name == DocumentName.defaults()
        ),
        key=lambda change: change.name,
    )
    defaults = next((change for change in work if change.name == DocumentName.defaults()), None)
    if defaults is None:
        return work
    after = deployed.replacement(defaults.name, defaults.after.text) if defaults.after else None
    gone = dict.fromkeys(change.name for change in comparison.deleted)
    known = {str(problem) for problem in deployed.validation.problems}
    problems = deployed.validate({**gone, defaults.name: after}).problems
    if all(str(problem) in known for problem in problems):
        return [defaults, *(change for change in work if change is not defaults)]
    return [*(change for change in work if change is not defaults), defaults]
