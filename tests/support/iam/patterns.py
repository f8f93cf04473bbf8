"""Wildcards: what a pattern of a policy matches in a request.

Policy variables are not known, since no template of ours has one.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

import re
from dataclasses import dataclass

_ARN_PARTS = 6
_SERVICE = 2


@dataclass(frozen=True)
class _Wildcards:
    """The regular expressions for `*`, `?` and a `*` at the end."""

    star: str
    mark: str
    last_star: str

    def expression(self, text: str) -> str:
        if "${" in text:
            raise ValueError(f"unknown form, with a policy variable: {text}")
        end = self.last_star if text.endswith("*") else ""
        return (
            "".join(
                {"*": self.star, "?": self.mark}.get(one) or re.escape(one)
                for one in (text[:-1] if end else text)
            )
            + end
        )


_NONE = _Wildcards(star=r"\*", mark=r"\?", last_star=r"\*")
_ANYWHERE = _Wildcards(star=".*", mark=".", last_star=".*")
_WITHIN_PART = _Wildcards(star="[^:]*", mark="[^:]", last_star=".*")


def like(pattern: str, text: str) -> bool:
    """Match as StringLike: wildcards match everything, colons included."""
    return re.fullmatch(_ANYWHERE.expression(pattern), text, re.DOTALL) is not None


def equal(value: str, text: str) -> bool:
    """Match as StringEquals: no wildcards."""
    return re.fullmatch(_NONE.expression(value), text, re.DOTALL) is not None


def action_like(pattern: str, action: str) -> bool:
    """Match an action's name, prefix and wildcards, without regard to case.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    if pattern != "*" and not re.fullmatch(r"[\w*?-]+:[\w*?]+", pattern, re.ASCII):
        raise ValueError(f"unknown form of action {pattern}")
    return like(pattern.lower(), action.lower())


def arn_like(pattern: str, text: str) -> bool:
    """Match as ArnLike and ArnEquals.

    Each of an ARN's six parts by itself, so that a wildcard does not match into the next.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    patterns = pattern.split(":", _ARN_PARTS - 1)
    parts = text.split(":", _ARN_PARTS - 1)
    if len(patterns) != _ARN_PARTS or patterns[0] != "arn":
        raise ValueError(f"unknown form of ARN {pattern}")
    return len(parts) == _ARN_PARTS and all(
        like(one, part) for one, part in zip(patterns, parts, strict=True)
    )


def resource_like(pattern: str, resource: str) -> bool:
    """Match the Resource element.

    Wildcards stay within their part of the ARN, except that a `*` at the end of its part may match
    beyond the colon.

    The last part may hold colons itself, and wildcards in it reach over them. A reference that was
    not resolved is no ARN, and raises.
    """
    if pattern == "*":
        return True
    parts = pattern.split(":", _ARN_PARTS - 1)
    if parts[0] != "arn" or len(parts) <= _SERVICE or set(parts[_SERVICE]) & {"*", "?"}:
        raise ValueError(f"unknown form of resource {pattern}")
    expressions = [
        (_ANYWHERE if index == _ARN_PARTS - 1 else _WITHIN_PART).expression(part)
        for index, part in enumerate(parts)
    ]
    return re.fullmatch(":".join(expressions), resource, re.DOTALL) is not None
