"""The Condition element: operators and keys are ANDed, values ORed, values of a negated operator NORed.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Self

from . import patterns
from .decision import Request, strings

type _Matches = Callable[[str, str, Request], bool]

_BOOLEANS = ("true", "false")


def _number(compares: Callable[[float, float], bool]) -> _Matches:
    return lambda wanted, value, _: compares(float(value), float(wanted))


def _bool(wanted: str, value: str, _: Request) -> bool:
    return _truth(wanted) == value.lower()


def _address(wanted: str, value: str, _: Request) -> bool:
    return ip_address(value) in ip_network(wanted, strict=False)


_COMPARISONS: dict[str, _Matches] = {
    "StringEquals": patterns.equal,
    "StringEqualsIgnoreCase": patterns.equal_but_for_case,
    "StringLike": patterns.like,
    "ArnEquals": patterns.arn_like,  # "behave identically", says the guide
    "ArnLike": patterns.arn_like,
    "Bool": _bool,
    "IpAddress": _address,
    "NumericEquals": _number(operator.eq),
    "NumericLessThan": _number(operator.lt),
    "NumericLessThanEquals": _number(operator.le),
    "NumericGreaterThan": _number(operator.gt),
    "NumericGreaterThanEquals": _number(operator.ge),
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
}
_QUANTIFIERS = ("", "ForAllValues", "ForAnyValue")


@dataclass(frozen=True)
class Operator:
    """An operator as a policy writes it, taken apart: `ForAnyValue:StringNotLikeIfExists`. `matches` None: it is Null."""

    matches: _Matches | None
    negated: bool
    quantifier: str
    if_exists: bool

    @classmethod
    def parse(cls, written: str) -> Self:
        """Raises ValueError for one that is not known. Null takes neither a quantifier nor IfExists."""
        quantifier, _, name = written.rpartition(":")
        if written == "Null":
            return cls(None, False, "", False)
        bare = name.removesuffix("IfExists")
        comparison = _NEGATIONS.get(bare, bare)
        if quantifier not in _QUANTIFIERS or comparison not in _COMPARISONS:
            raise ValueError(f"unknown condition operator {written}")
        return cls(_COMPARISONS[comparison], bare in _NEGATIONS, quantifier, bare != name)

    def holds(self, key: str, wanted: list[str], request: Request) -> bool:
        """Whether the key's values in the request are as wanted. Without a set operator there may be one value at most."""
        found, matches = request.found(key), self.matches
        if matches is None:
            return any((_truth(value) == "true") is not any(found or ()) for value in wanted)
        if self.if_exists and not found:
            return True

        def meets(value: str) -> bool:
            return (True in {matches(one, value, request) for one in wanted}) is not self.negated  # each of them, for a malformed one to raise

        if self.quantifier:
            given = found if found and any(found) else []  # an empty string is no value to a set operator
            return all(map(meets, given)) if self.quantifier == "ForAllValues" else any(map(meets, given))
        if len(found or ()) > 1:
            raise ValueError(f"unknown meaning of several values of {key} without a set operator")
        return meets(found[0]) if found else self.negated


def check(condition: Mapping[str, Any]) -> None:
    """Raises ValueError where an operator is not known, or has nothing to compare with."""
    for written, keys in condition.items():
        Operator.parse(written)
        if not keys or not all(strings(wanted) for wanted in keys.values()):
            raise ValueError(f"unknown meaning of {written} without keys or values")


def hold(condition: Mapping[str, Any], request: Request) -> bool:
    """Whether all of a statement's conditions hold."""
    return all(Operator.parse(written).holds(key, strings(wanted), request) for written, keys in condition.items() for key, wanted in keys.items())


def _truth(value: str) -> str:
    if value.lower() not in _BOOLEANS:
        raise ValueError(f"unknown truth {value}")
    return value.lower()
