"""Metric math: an expression of an alarm, parsed once and evaluated over each window.

Only what our alarms use is known: metrics, their sum, FILL with a number or REPEAT, DIFF, and IF of
a comparison with a number. Anything else is an error.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from tests.support.cloudwatch.series import Points

type Filler = float | Literal["REPEAT"]

_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[A-Za-z_]\w*|[-+(),>])")
_ID = re.compile(r"[a-z]\w*")  # "must start with a lowercase letter"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class ExpressionError(ValueError):
    """An expression CloudWatch would refuse, or one that this simulation does not know."""


@dataclass(frozen=True)
class Scope:
    """The context in which an expression is evaluated."""

    points: Callable[[str], Points]
    periods: int
    fill_of_nothing: bool


type _Term = Callable[[Scope], Points]


class Expression:
    """Parsed metric math; `ids` are the metrics and expressions it refers to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ids: set[str] = set()
        self._tokens = self._split(text.rstrip())
        self._term = self._sum()
        if self._tokens:
            raise self._refused(f"{self._tokens[0]!r} is out of place")

    def evaluate(self, scope: Scope) -> Points:
        """Return a series.

        "the final result of any math expression must be a single time series"
        """
        return self._term(scope)

    def _sum(self) -> _Term:
        term = self._primary()
        while self._tokens[:1] == ["+"]:
            self._tokens.pop(0)
            term = _added(term, self._primary())
        return term

    def _primary(self) -> _Term:
        token = self._next()
        if _ID.fullmatch(token):
            self.ids.add(token)
            return lambda scope: scope.points(token)
        if token not in ("FILL", "DIFF", "IF"):
            raise self._refused(f"{token} is not known here")
        self._next("(")
        term = self._sum()
        made = (
            self._filled(term)
            if token == "FILL"
            else self._chosen(term)
            if token == "IF"
            else lambda scope: diff(term(scope))
        )
        self._next(")")
        return made

    def _filled(self, term: _Term) -> _Term:
        self._next(",")
        filler = self._filler()
        return lambda scope: fill(term(scope), filler, scope.fill_of_nothing)

    def _chosen(self, term: _Term) -> _Term:
        self._next(">")
        bound = self._number()
        self._next(",")
        then = self._number()
        self._next(",")
        otherwise = self._number()
        return lambda scope: [
            None if point is None else then if point > bound else otherwise for point in term(scope)
        ]

    def _filler(self) -> Filler:
        token = self._next()
        if token == "REPEAT":
            return "REPEAT"
        if _NUMBER.fullmatch(token):
            return float(token)
        raise self._refused("FILL takes a number or REPEAT")

    def _number(self) -> float:
        token = self._next()
        if _NUMBER.fullmatch(token):
            return float(token)
        raise self._refused(f"{token} where a number is needed")

    def _next(self, wanted: str | None = None) -> str:
        token = self._tokens.pop(0) if self._tokens else "the end"
        if token == "the end" or (wanted and token != wanted):
            raise self._refused(f"{token} where {wanted or 'a value'} is needed")
        return token

    def _split(self, text: str) -> list[str]:
        tokens = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if not match:
                raise self._refused(f"{text[place:]!r} is not known here")
            tokens.append(match[1])
            place = match.end()
        return tokens

    def _refused(self, why: str) -> ExpressionError:
        return ExpressionError(f"{self.text}: {why}")


def _added(left: _Term, right: _Term) -> _Term:
    """Add two series; a gap counts as 0 where the other has a point.

    "missing values ... are treated as 0"; where neither has a point, nor has the sum.
    """

    def add(scope: Scope) -> Points:
        pairs = zip(left(scope), right(scope), strict=True)
        return [None if a is None and b is None else (a or 0.0) + (b or 0.0) for a, b in pairs]

    return add


def _latest(before: float | None, point: float | None) -> float | None:
    return before if point is None else point


def diff(series: Points) -> Points:
    """Evaluate DIFF; a point without a preceding one gives none.

    "the difference between each value in the time series and the preceding value"
    """
    pairs = zip([None, *series[:-1]], series, strict=True)
    return [None if before is None or point is None else point - before for before, point in pairs]


def fill(series: Points, filler: Filler, fill_of_nothing: bool) -> Points:
    """Evaluate FILL; REPEAT takes the last value.

    "the most recent actual value ... before the missing value"
    """
    if filler == "REPEAT":
        return list(accumulate(series, _latest))
    if all(point is None for point in series) and not fill_of_nothing:
        return series
    return [filler if point is None else point for point in series]
