"""Wildcards and policy variables: what a pattern of a policy matches in a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from dataclasses import dataclass

from .decision import Request

_ARN_PARTS = 6
_SERVICE = 2
_VARIABLE = re.compile(r"\$\{(?P<name>[^}]*)\}")
_DEFAULT = re.compile(r"(?P<name>[^,]+), '(?P<default>[^']*)'")
_ESCAPES = ("*", "?", "$")


@dataclass(frozen=True)
class _Wildcards:
    """What `*` and `?` stand for, as regular expressions, and a `*` at the end."""

    star: str
    mark: str
    last_star: str

    def expression(self, text: str, *, ends: bool) -> str:
        if ends and text.endswith("*"):
            return self.expression(text[:-1], ends=False) + self.last_star
        return "".join({"*": self.star, "?": self.mark}.get(character) or re.escape(character) for character in text)


_NONE = _Wildcards(star=r"\*", mark=r"\?", last_star=r"\*")
_ANYWHERE = _Wildcards(star=".*", mark=".", last_star=".*")
_WITHIN_PART = _Wildcards(star="[^:]*", mark="[^:]", last_star=".*")


def like(pattern: str, text: str, request: Request) -> bool:
    """StringLike: wildcards reach over everything, colons included."""
    return _matches(pattern, text, request, _ANYWHERE)


def equal(value: str, text: str, request: Request) -> bool:
    """StringEquals: no wildcards, but variables."""
    return _matches(value, text, request, _NONE)


def equal_but_for_case(value: str, text: str, request: Request) -> bool:
    """StringEqualsIgnoreCase."""
    return _matches(value, text, request, _NONE, re.IGNORECASE)


def action_like(pattern: str, action: str) -> bool:
    """An action's name, its prefix and wildcards: not case-sensitive, and without variables.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    if pattern != "*" and not re.fullmatch(r"[\w*?-]+:[\w*?]+", pattern, re.ASCII):
        raise ValueError(f"unknown form of action {pattern}")
    return like(pattern.lower(), action.lower(), Request(action))


def arn_like(pattern: str, text: str, request: Request) -> bool:
    """ArnLike and ArnEquals: each of an ARN's six parts by itself, so that a wildcard does not reach into the next.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    patterns, parts = _parts(pattern), text.split(":", _ARN_PARTS - 1)
    if len(patterns) != _ARN_PARTS or patterns[0] != "arn":
        raise ValueError(f"unknown form of ARN {pattern}")
    return len(parts) == _ARN_PARTS and all(like(one, part, request) for one, part in zip(patterns, parts, strict=True))


def resource_like(pattern: str, resource: str, request: Request) -> bool:
    """The Resource element: wildcards stay within their part of the ARN, but a `*` that ends its part may reach beyond the colon.

    The last part may hold colons itself, and wildcards in it reach over them. A reference that was not resolved is no ARN, and raises.
    """
    if pattern == "*":
        return True
    parts = _parts(pattern)
    if parts[0] != "arn" or len(parts) <= _SERVICE or set(parts[_SERVICE]) & {"*", "?"}:
        raise ValueError(f"unknown form of resource {pattern}")
    expressions = [_expression(part, request, _ANYWHERE if index == _ARN_PARTS - 1 else _WITHIN_PART) for index, part in enumerate(parts)]
    known = [expression for expression in expressions if expression is not None]
    return len(known) == len(expressions) and re.fullmatch(":".join(known), resource, re.DOTALL) is not None


def _matches(pattern: str, text: str, request: Request, wildcards: _Wildcards, flags: re.RegexFlag = re.NOFLAG) -> bool:
    expression = _expression(pattern, request, wildcards)
    return expression is not None and re.fullmatch(expression, text, re.DOTALL | flags) is not None


def _expression(pattern: str, request: Request, wildcards: _Wildcards) -> str | None:
    """A regular expression, what variables stand for taken literally; None where one has no value: there is nothing equal to it or like it."""
    pieces = _VARIABLE.split(pattern)  # text, the name of a variable, text, ...
    values = [_value(name, request) for name in pieces[1::2]]
    if None in values:
        return None
    texts = [wildcards.expression(text, ends=index == len(values)) for index, text in enumerate(pieces[::2])]
    return texts[0] + "".join(re.escape(value or "") + text for value, text in zip(values, texts[1:], strict=True))


def _value(variable: str, request: Request) -> str | None:
    if variable in _ESCAPES:
        return variable
    default = _DEFAULT.fullmatch(variable)
    found = request.found(default["name"] if default else variable)
    if not found:
        return default["default"] if default else None
    if len(found) > 1:
        raise ValueError(f"unknown meaning of the variable {variable}: its key has several values")
    return found[0]


def _parts(pattern: str) -> list[str]:
    """An ARN's parts. A variable before the fifth colon is not allowed, says the guide."""
    parts = pattern.split(":", _ARN_PARTS - 1)
    if any("${" in part for part in parts[: _ARN_PARTS - 1]):
        raise ValueError(f"unknown form of ARN {pattern}")
    return parts
