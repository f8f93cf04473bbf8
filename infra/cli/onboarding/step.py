"""One step of an onboarding: what it would do or did, or why not, and who must do what then.

Pure.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """Stable names: they stand in `-o json`."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DONE = "done"
    SKIPPED = "skipped"  # not asked for
    FAILED = "failed"  # could not be done: `remedy` says who does what
    NOT_ATTEMPTED = "not-attempted"  # waits for one before it


CHANGES = frozenset({Outcome.CREATED, Outcome.UPDATED})


@dataclass(frozen=True)
class Step:
    """`name`: access-entry, rbac, document, check or push.

    `details`: a difference, line by line.
    """

    name: str
    outcome: Outcome
    message: str
    remedy: str = ""
    details: tuple[str, ...] = field(default=())

    @property
    def failed(self) -> bool:
        return self.outcome is Outcome.FAILED

    @property
    def changes(self) -> bool:
        return self.outcome in CHANGES

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "step": self.name,
            "outcome": self.outcome.value,
            "message": self.message,
            "remedy": self.remedy,
        }
        return said | ({"details": list(self.details)} if self.details else {})
