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
from .validation import Document


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison. `left` are stored documents without a file, which stay."""

    changes: Sequence[Change]
    problems: Sequence[Problem] = ()
    notes: Sequence[Problem] = ()
    left: Sequence[DocumentName] = ()

    @property
    def differing(self) -> list[Change]:
        return [change for change in self.changes if change.kind is not Kind.UNCHANGED]

    @property
    def deleted(self) -> list[Change]:
        return [change for change in self.changes if change.kind is Kind.DELETED]

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
    leftovers = leftover_notes(
        found,
        deployed.validation.configuration,
        validation.configuration,
        deployed.follow_up,
    )
    return Comparison(
        found,
        (*folder.problems, *own),
        (*unknown_file_notes(folder.unknown_files), *validation.notes, *leftovers),
        left,
    )


def in_order(comparison: Comparison, deployed: Deployed) -> list[Change]:
    """Return the changes in the order in which to write them, deletions last.

    The defaults come first if every document is valid after that step, else last.
    """
    work = sorted(
        comparison.differing, key=lambda change: (change.kind is Kind.DELETED, change.name)
    )
    defaults = next((change for change in work if change.name == DocumentName.defaults()), None)
    if defaults is None:
        return work
    after = deployed.replacement(defaults.name, defaults.after.text) if defaults.after else None
    known = {str(problem) for problem in deployed.validation.problems}
    if all(str(problem) in known for problem in deployed.validate({defaults.name: after}).problems):
        return [defaults, *(change for change in work if change is not defaults)]
    return [*(change for change in work if change is not defaults), defaults]
