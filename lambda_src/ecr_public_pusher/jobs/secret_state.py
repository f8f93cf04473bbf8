"""Judge what a look at a namespace found: whose Secret it is, and how fresh. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime

from ecr_public_pusher.jobs.decision_table import Intent, State
from ecr_public_pusher.jobs.seen_secret import RESTORE_MANAGER, SeenSecret
from ecr_public_pusher.jobs.targets import PlannedCluster

# A Secret with less of its life left is renewed by the next sweep, not only by the next push.
ENDING_SHARE = 0.3


@dataclass(frozen=True)
class SecretStates:
    """The states of one cluster's Secrets, for one document in one run."""

    planned: PlannedCluster
    intent: Intent
    now: datetime
    _known: dict[Hashable, State] = field(default_factory=dict, init=False, repr=False)

    def of(self, seen: SeenSecret | None) -> State:
        """Return what a look at a namespace found that no document ahead selects."""
        if seen is None:
            return State.ABSENT
        if seen.deleting:
            return State.DELETING
        # Everything that one push wrote to a cluster is alike, so it is judged once.
        written = seen.written
        if (known := self._known.get(written)) is None:
            known = self._known[written] = self._of_written(seen)
        return known

    def _of_written(self, seen: SeenSecret) -> State:
        """Return the state of a Secret that is not being deleted.

        It follows from `seen.written`, the documents and the time.
        """
        document = self.intent.stack.document_of(seen.owner)
        if document is None:
            return State.FOREIGN
        if self._is_invalid(document):
            return State.KEPT
        if not seen.held_by(self.intent.stack.field_manager):
            return State.RESTORED if self.is_restored(seen) else State.FOREIGN
        config = self.planned.config
        if document != config.id:
            return State.RELEASED
        if self.is_newer(seen):
            return State.NEWER
        if config.repository is not None and not seen.labelled:
            return State.HIDDEN
        return State.ENDING if seen.share_left(self.now) < ENDING_SHARE else State.FRESH

    def _is_invalid(self, document: str) -> bool:
        """Return whether the document, or the discovery that found its cluster, is invalid.

        Then it keeps what it wrote.
        """
        invalid = self.planned.invalid
        if not invalid:
            return False
        return document in invalid or any(
            document.startswith(one[:-1]) for one in invalid if one.endswith("/*")
        )

    def is_newer(self, seen: SeenSecret) -> bool:
        """Return whether it was written after this run read its configuration."""
        return seen.pushed_at is not None and seen.pushed_at > self.intent.read_at

    def is_restored(self, seen: SeenSecret) -> bool:
        """Return whether nobody manages the data, or only Velero, according to its label."""
        others = {manager for manager, _ in seen.managers | seen.writers}
        return not others or (
            seen.restored and all(manager.startswith(RESTORE_MANAGER) for manager in others)
        )

    def holders(self, seen: SeenSecret | None) -> tuple[str, ...]:
        """Return the field managers of the data other than ours."""
        return (seen.others(self.intent.stack.field_manager) if seen else ()) or ("unknown",)

    def document(self, seen: SeenSecret | None) -> str:
        """Return the document of this stack that wrote it; "?" where none did."""
        return self.intent.stack.document_of(seen.owner if seen else None) or "?"
