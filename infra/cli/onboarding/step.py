"""One step of an on- or offboarding: its outcome, and who must do what when it failed. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class StepName(StrEnum):
    """The steps. Stable names: `-o json` shows them."""

    REMOVAL_RIGHTS = "removal-rights"
    SECRETS = "secrets"
    ACCESS_ENTRY = "access-entry"
    RBAC = "rbac"
    DOCUMENT = "document"
    CHECK = "check"
    PUSH = "push"


class StepOutcome(StrEnum):
    """The outcome of a step, or the planned one. Stable names: `-o json` shows them."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    DONE = "done"
    PLANNED = "planned"  # of a plan: would be done
    SKIPPED = "skipped"  # not requested
    FAILED = "failed"  # could not be done: `remedy` says who does what
    NOT_ATTEMPTED = "not-attempted"  # waits for an earlier step


CHANGES = frozenset({StepOutcome.CREATED, StepOutcome.UPDATED, StepOutcome.DELETED})


@dataclass(frozen=True)
class Step:
    """A step with its outcome. `details` holds the lines of a difference or of the objects.

    `undecided`: it failed, but may be in place already; the function's check decides.
    """

    name: StepName
    outcome: StepOutcome
    message: str
    remedy: str = ""
    details: tuple[str, ...] = field(default=())
    undecided: bool = False

    @property
    def failed(self) -> bool:
        return self.outcome is StepOutcome.FAILED

    @property
    def prevents(self) -> bool:
        """Return whether the function certainly has no access for want of this step."""
        return self.failed and not self.undecided

    def in_place(self) -> "Step":
        """Return an undecided step after a good check."""
        return Step(self.name, StepOutcome.UNCHANGED, "in place already, as the check shows")

    @property
    def created(self) -> bool:
        return self.outcome is StepOutcome.CREATED

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
