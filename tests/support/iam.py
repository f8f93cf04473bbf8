"""IAM's policy evaluation, as far as the stack's policies use it: what a request with its context is decided to be, and by which statements.

Rules: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements" (Action, Resource, Condition operators, multivalued keys).
What is not known here raises, so that no policy is ever judged by half.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

type Values = str | Sequence[str]

_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}


class Decision(StrEnum):
    """What IAM makes of a request."""

    ALLOWED = "allowed"
    IMPLICITLY_DENIED = "implicitly denied"
    EXPLICITLY_DENIED = "explicitly denied"


@dataclass(frozen=True)
class Request:
    """Who asks for what: an action (`service:Action`), the ARN of its resource (`*` for actions that have none), and the context's keys.

    `principal`: for resource policies, `{"Service": "..."}` or `{"AWS": "arn"}`.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, Values] = field(default_factory=dict)
    principal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """The decision, and the Sids of the statements that made it."""

    decision: Decision
    by: tuple[str, ...] = ()


def evaluate(policies: Iterable[Mapping[str, Any]], request: Request) -> Verdict:
    """A deny that matches wins, then an allow; without either the request is denied implicitly."""
    matching = [statement for policy in policies for statement in _listed(policy["Statement"]) if _matches(statement, request)]
    for effect, decision in (("Deny", Decision.EXPLICITLY_DENIED), ("Allow", Decision.ALLOWED)):
        if by := tuple(statement.get("Sid", "?") for statement in matching if statement["Effect"] == effect):
            return Verdict(decision, by)
    return Verdict(Decision.IMPLICITLY_DENIED)


def _matches(statement: Mapping[str, Any], request: Request) -> bool:
    if unknown := set(statement) - _ELEMENTS:
        raise ValueError(f"unknown elements {sorted(unknown)}")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"unknown effect {statement['Effect']}")
    return (
        _principal(statement.get("Principal"), request)
        and _either(statement, "Action", lambda pattern: _like(pattern.lower(), request.action.lower()))
        and _either(statement, "Resource", lambda pattern: _like(pattern, request.resource), absent=True)
        and all(
            _condition(operator, key, _strings(wanted), _context(request, key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _either(statement: Mapping[str, Any], element: str, matches: Callable[[str], bool], *, absent: bool = False) -> bool:
    """An element, or its Not form. A trust policy has no Resource (`absent`)."""
    if element in statement:
        return any(matches(pattern) for pattern in _strings(statement[element]))
    if f"Not{element}" in statement:
        return not any(matches(pattern) for pattern in _strings(statement[f"Not{element}"]))
    if absent and "Principal" in statement:
        return True
    raise ValueError(f"neither {element} nor Not{element}")


def _principal(wanted: Any, request: Request) -> bool:
    if wanted is None or wanted == "*":
        return True
    return any(kind in wanted and any(one in ("*", name) for one in _strings(wanted[kind])) for kind, name in request.principal.items())


def _context(request: Request, key: str) -> list[str] | None:
    """The key's values; None where the request has no such key. Names are told apart without regard to case."""
    return next((_strings(values) for name, values in request.context.items() if name.lower() == key.lower()), None)


def _condition(operator: str, key: str, wanted: list[str], found: list[str] | None) -> bool:
    name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    quantifier, _, name = name.rpartition(":")
    if name == "Null":
        return any((found is None) is (value.lower() == "true") for value in wanted)
    if name not in _OPERATORS:
        raise ValueError(f"unknown condition operator {operator} on {key}")
    matches, negated = _OPERATORS[name]

    def holds(value: str) -> bool:
        return any(matches(one, value) for one in wanted) is not negated

    if quantifier == "ForAllValues":  # true of no value at all
        return all(holds(value) for value in found or ())
    if quantifier == "ForAnyValue":
        return any(holds(value) for value in found or ())
    if quantifier:
        raise ValueError(f"unknown quantifier {quantifier}")
    if found is None:  # a negated operator holds where there is nothing to compare
        return if_exists or negated
    return all(holds(value) for value in found)


def _like(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern), re.DOTALL)


def _arn_like(pattern: str, text: str) -> bool:
    """Each of an ARN's six parts by itself: a wildcard does not reach into the next."""
    patterns, parts = pattern.split(":", 5), text.split(":", 5)
    return len(patterns) == len(parts) and all(_like(one, part) for one, part in zip(patterns, parts, strict=True))


_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": _like,
    "ArnEquals": _arn_like,  # the same as ArnLike, says the guide
    "ArnLike": _arn_like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "NumericEquals": lambda wanted, value: float(value) == float(wanted),
    "NumericLessThan": lambda wanted, value: float(value) < float(wanted),
    "NumericLessThanEquals": lambda wanted, value: float(value) <= float(wanted),
    "NumericGreaterThan": lambda wanted, value: float(value) > float(wanted),
    "NumericGreaterThanEquals": lambda wanted, value: float(value) >= float(wanted),
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}
_OPERATORS = {name: (matches, False) for name, matches in _COMPARISONS.items()} | {name: (_COMPARISONS[of], True) for name, of in _NEGATIONS.items()}


def _strings(value: Any) -> list[str]:
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in _listed(value)]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
