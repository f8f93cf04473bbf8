"""Metric math: an expression of an alarm, parsed once and evaluated over each window.

Only what is documented as sound in alarms is known. MAX, MIN and SUM of a single series give a number over the whole retrieved range, which
is longer than the evaluation periods: AWS advises against it in alarms, and so it is an error here.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.cloudwatch.functions import ARRAYS, ExpressionError, Filler, Value, across, apply, choose, fill
from tests.support.cloudwatch.series import Points

__all__ = ["Expression", "ExpressionError", "Scope"]

# The loosest first. AWS documents no precedence; this is the usual one.
PRECEDENCE = (("OR", "||"), ("AND", "&&"), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))

_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[A-Za-z_]\w*|<=|>=|==|!=|&&|\|\||[-+*/<>(),\[\]])")
_ID = re.compile(r"[a-z]\w*")  # "must start with a lowercase letter"


@dataclass(frozen=True)
class Scope:
    """What an expression is evaluated in."""

    points: Callable[[str], Points]
    periods: int
    fill_of_nothing: bool


type _Term = Callable[[Scope], Value]


class Expression:
    """Parsed metric math; `ids` are the metrics and expressions it refers to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ids: set[str] = set()
        self._tokens = _tokens(text)
        self._term = self._operation()
        if self._tokens:
            raise self._refused(f"{self._tokens[0]!r} is out of place")

    def evaluate(self, scope: Scope) -> Points:
        """A series: "the final result of any math expression must be a single time series"."""
        result = self._term(scope)
        if isinstance(result, float):
            raise self._refused("the result is a number, not a time series")
        return result

    def _operation(self, level: int = 0) -> _Term:
        if level == len(PRECEDENCE):
            return self._unary()
        term = self._operation(level + 1)
        while self._tokens and self._tokens[0] in PRECEDENCE[level]:
            term = _applied(self._tokens.pop(0), term, self._operation(level + 1))
        return term

    def _unary(self) -> _Term:
        if self._tokens and self._tokens[0] == "-":
            self._tokens.pop(0)
            return _applied("-", lambda scope: 0.0, self._unary())
        return self._primary()

    def _primary(self) -> _Term:
        token = self._next()
        if token[0].isdigit():
            number = float(token)
            return lambda scope: number
        if token == "(":
            term = self._operation()
            self._expect(")")
            return term
        if _ID.fullmatch(token):
            self.ids.add(token)
            return lambda scope: scope.points(token)
        self._expect("(")
        match token:
            case "IF":
                return self._if()
            case "FILL":
                return self._fill()
            case _ if token in ARRAYS:
                return self._array(token)
        raise self._refused(f"{token} is not known here")

    def _if(self) -> _Term:
        condition = self._operation()
        self._expect(",")
        then = self._operation()
        if self._next(",", ")") == ")":
            return lambda scope: choose(condition(scope), then(scope), None, scope.periods)
        otherwise = self._operation()
        self._expect(")")
        return lambda scope: choose(condition(scope), then(scope), otherwise(scope), scope.periods)

    def _fill(self) -> _Term:
        term = self._operation()
        self._expect(",")
        filler = self._filler()
        self._expect(")")
        return lambda scope: fill(self._series(term(scope)), filler, scope.fill_of_nothing)

    def _filler(self) -> Filler:
        sign = -1 if self._tokens[:1] == ["-"] and self._tokens.pop(0) else 1
        match self._next():
            case "REPEAT":
                return "REPEAT"
            case "LINEAR":
                return "LINEAR"
            case number if number[0].isdigit():
                return sign * float(number)
        raise self._refused("FILL takes a number, REPEAT or LINEAR")

    def _array(self, name: str) -> _Term:
        self._expect("[")
        terms = [self._operation()]
        while self._next(",", "]") == ",":
            terms.append(self._operation())
        self._expect(")")
        return lambda scope: across(name, [self._series(term(scope)) for term in terms])

    def _series(self, value: Value) -> Points:
        if isinstance(value, float):
            raise self._refused("a number where a time series is needed")
        return value

    def _expect(self, token: str) -> None:
        self._next(token)

    def _next(self, *allowed: str) -> str:
        token = self._tokens.pop(0) if self._tokens else "the end"
        if token == "the end" or (allowed and token not in allowed):
            raise self._refused(f"{token} where {' or '.join(allowed) or 'a value'} is needed")
        return token

    def _refused(self, why: str) -> ExpressionError:
        return ExpressionError(f"{self.text}: {why}")


def _applied(name: str, left: _Term, right: _Term) -> _Term:
    return lambda scope: apply(name, left(scope), right(scope))


def _tokens(text: str) -> list[str]:
    tokens, place, stripped = [], 0, text.rstrip()
    while place < len(stripped):
        match = _TOKEN.match(stripped, place)
        if not match:
            raise ExpressionError(f"{text}: {stripped[place:]!r} is not metric math")
        tokens.append(match[1])
        place = match.end()
    return tokens
