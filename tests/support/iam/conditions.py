"""The Condition element: operators and keys are ANDed, values ORed.

Only the operators that our templates use are known.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from . import patterns
from .decision import Request, strings

type _Matches = Callable[[str, str], bool]

_BOOLEANS = ("true", "false")
_FOR_ALL = "ForAllValues:"
_NULL = "Null"


def _bool(wanted: str, value: str) -> bool:
    return _truth(wanted) == value.lower()


_OPERATORS: dict[str, _Matches] = {
    "StringEquals": patterns.equal,
    "StringLike": patterns.like,
    "ArnEquals": patterns.arn_like,  # "behave identically", says the guide
    "ArnLike": patterns.arn_like,
    "Bool": _bool,
    "NumericLessThanEquals": lambda wanted, value: float(value) <= float(wanted),
}


def check(condition: Mapping[str, Any]) -> None:
    """Raise ValueError where an operator is unknown, or has nothing to compare with."""
    for operator, keys in condition.items():
        if operator != _NULL and operator.removeprefix(_FOR_ALL) not in _OPERATORS:
            raise ValueError(f"unknown condition operator {operator}")
        if not keys or not all(strings(wanted) for wanted in keys.values()):
            raise ValueError(f"unknown meaning of {operator} without keys or values")


def hold(condition: Mapping[str, Any], request: Request) -> bool:
    """Return whether all of a statement's conditions hold."""
    return all(
        _judged(operator, key, strings(wanted), request)
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _judged(operator: str, key: str, wanted: list[str], request: Request) -> bool:
    if operator == _NULL:
        return (not request.found(key)) == (_truth(*wanted) == "true")
    if operator.startswith(_FOR_ALL):  # which holds where the request has no such key, too
        matches = _OPERATORS[operator.removeprefix(_FOR_ALL)]
        return all(any(matches(one, value) for one in wanted) for value in request.found(key) or ())
    return _holds(_OPERATORS[operator], key, wanted, request)


def _holds(matches: _Matches, key: str, wanted: list[str], request: Request) -> bool:
    """Return whether the key's value in the request is one of those wanted.

    Without the key, none is.
    """
    found = request.found(key)
    if len(found or ()) > 1:
        raise ValueError(f"unknown meaning of several values of {key} without a set operator")
    return (
        found is not None and bool(found) and True in {matches(one, found[0]) for one in wanted}
    )  # each of them, for a malformed one to raise


def _truth(value: str) -> str:
    if value.lower() not in _BOOLEANS:
        raise ValueError(f"unknown truth {value}")
    return value.lower()
