"""One step of an onboarding: its outcome, and who must do what when it failed. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class StepName(StrEnum):
    """The steps, in the order in which they run. Stable names: `-o json` shows them."""

    ACCESS_ENTRY = "access-entry"
    RBAC = "rbac"
    DOCUMENT = "document"
    CHECK = "check"
    PUSH = "push"


class StepOutcome(StrEnum):
    """The outcome of a step, or the planned one. Stable names: `-o json` shows them."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DONE = "done"
    PLANNED = "planned"  # of a plan: would be done
    SKIPPED = "skipped"  # not requested
    FAILED = "failed"  # could not be done: `remedy` says who does what
    NOT_ATTEMPTED = "not-attempted"  # waits for an earlier step


CHANGES = frozenset({StepOutcome.CREATED, StepOutcome.UPDATED})


@dataclass(frozen=True)
class Step:
    """A step with its outcome. `details` holds the lines of a difference or of the objects."""

    name: StepName
    outcome: StepOutcome
    message: str
    remedy: str = ""
    details: tuple[str, ...] = field(default=())

    @property
    def failed(self) -> bool:
        return self.outcome is StepOutcome.FAILED

    @property
    def changes(self) -> bool:
        return self.outcome in CHANGES

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "step": self.name.value,
            "outcome": self.outcome.value,
            "message": self.message,
            "remedy": self.remedy,
        }
        return said | ({"details": list(self.details)} if self.details else {})
