"""The requests to IAM and its decisions: the values that the other modules here share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

type Values = str | Sequence[str]


class Decision(StrEnum):
    """IAM's decision on a request.

    DELEGATED: by a resource policy that names the caller's account, so that the caller's own
    policies decide.
    """

    ALLOWED = "allowed"
    DELEGATED = "delegated to the caller's account"
    IMPLICITLY_DENIED = "implicitly denied"
    EXPLICITLY_DENIED = "explicitly denied"


@dataclass(frozen=True)
class Request:
    """A request to IAM.

    An action (`service:Action`), the ARN of its resource (`*` for actions that have none), and the
    context's keys.

    `principal`: for resource policies, `{"Service": "..."}` or `{"AWS": "arn"}`, a role's ARN or
    its session's.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, Values] = field(default_factory=dict)
    principal: Mapping[str, str] = field(default_factory=dict)

    def found(self, key: str) -> list[str] | None:
        """Return a context key's values, None where the request has no such key.

        Names of keys are compared without regard to case.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
        """
        return next(
            (
                strings(values)
                for name, values in self.context.items()
                if name.lower() == key.lower()
            ),
            None,
        )


@dataclass(frozen=True)
class Verdict:
    """The decision, and the Sids of the statements that made it (`?` for one without)."""

    decision: Decision
    by: tuple[str, ...] = ()


def listed(value: Any) -> list[Any]:
    """Return the value as a list: policies write a list of one without its brackets."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def strings(value: Any) -> list[str]:
    """Return the values as IAM compares them: `true` and `"true"` are the same."""
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in listed(value)]
