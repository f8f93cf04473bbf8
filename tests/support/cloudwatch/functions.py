"""What the operators and functions of metric math do with numbers and series, gaps above all.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

from tests.support.cloudwatch.series import Points

type Value = float | Points
type Filler = float | Literal["REPEAT", "LINEAR"]


class ExpressionError(ValueError):
    """An expression CloudWatch would refuse, or one that this simulation does not know."""


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


OPERATORS: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,  # "If the value of a data point causes a function to attempt to divide by zero, the data point is dropped."
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}
OPERATORS["&&"], OPERATORS["||"] = OPERATORS["AND"], OPERATORS["OR"]

ARRAYS: dict[str, Callable[[list[float]], float]] = {"MAX": max, "MIN": min, "SUM": sum}


def apply(name: str, left: Value, right: Value) -> Value:
    """An operator on two values. Between two series, one's gap counts as 0 where the other has a point; where neither has, nor has the result.

    AWS says so of arithmetic ("missing values ... are treated as 0") and of comparison; its example for AND shows the same. Whether it
    holds for a series without any point at all is not said, and taken to be so here. Against a number, a gap stays a gap.
    """
    operate = OPERATORS[name]
    match left, right:
        case list(), list():
            return [None if a is None and b is None else operate(a or 0.0, b or 0.0) for a, b in zip(left, right, strict=True)]
        case list(), float():
            return [None if a is None else operate(a, right) for a in left]
        case float(), list():
            return [None if b is None else operate(left, b) for b in right]
        case float(), float():
            result = operate(left, right)
            if result is None:
                raise ExpressionError("division of a number by zero")
            return result
    raise AssertionError("values are numbers or series")


def choose(condition: Value, then: Value, otherwise: Value | None, periods: int) -> Value:
    """IF: where the condition has no point, nor has the result; a gap in what holds where it is true counts as 0, otherwise as a gap."""
    if isinstance(condition, float):
        chosen = then if condition else otherwise
        return [None] * periods if chosen is None else chosen
    return [None if c is None else (_at(then, i) or 0.0) if c else _at(otherwise, i) for i, c in enumerate(condition)]


def _at(value: Value | None, period: int) -> float | None:
    return value[period] if isinstance(value, list) else value


def fill(series: Points, filler: Filler, fill_of_nothing: bool) -> Points:
    """FILL: REPEAT takes "the most recent actual value ... before the missing value", LINEAR joins a gap's two ends: neither goes further."""
    if all(point is None for point in series) and not (fill_of_nothing and isinstance(filler, float)):
        return series
    if isinstance(filler, float):
        return [filler if point is None else point for point in series]
    known = [(place, point) for place, point in enumerate(series) if point is not None]
    filled = list(series)
    for (begin, low), (stop, high) in pairwise(known):
        for place in range(begin + 1, stop):
            filled[place] = low if filler == "REPEAT" else low + (high - low) * (place - begin) / (stop - begin)
    if filler == "REPEAT":
        last, value = known[-1]
        filled[last:] = [value] * (len(series) - last)
    return filled


def across(name: str, array: list[Points]) -> Points:
    """MAX, MIN or SUM of an array of series, period by period, of the points there are: AWS does not say what a gap counts for here."""
    return [ARRAYS[name](present) if (present := [p for p in column if p is not None]) else None for column in zip(*array, strict=True)]
