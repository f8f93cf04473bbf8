"""The sources of an alarm's data points: a metric, metric math, or a Metrics Insights query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.support.cloudwatch.expressions import Expression, ExpressionError, Scope
from tests.support.cloudwatch.insights import Query
from tests.support.cloudwatch.readings import Readings
from tests.support.cloudwatch.series import Metrics, Points, Stream, Window, points


class Source(Protocol):
    """Something an alarm can watch."""

    @property
    def grouped(self) -> bool:
        """Return whether each of its series is a contributor with a state of its own."""

    @property
    def queried(self) -> bool:
        """Return whether Metrics Insights answers it, which forgets after three hours."""

    def streams(self, metrics: Metrics) -> list[Stream]:
        """Return everything that its points are made of."""

    def series(self, metrics: Metrics, window: Window, readings: Readings) -> dict[str, Points]:
        """Return its series by label.

        What is not grouped has exactly one, under the empty label, even when nothing is in it.
        """


@dataclass(frozen=True)
class Metric:
    """A single metric: exactly these dimensions, one statistic."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    unit: str | None = None

    grouped = False
    queried = False

    def streams(self, metrics: Metrics) -> list[Stream]:
        return metrics.exactly(self.namespace, self.name, self.dimensions, self.unit)

    def series(self, metrics: Metrics, window: Window, readings: Readings) -> dict[str, Points]:
        return {"": points(self.streams(metrics), self.statistic, window)}


@dataclass(frozen=True)
class Insights:
    """A query over many metrics."""

    query: Query

    queried = True

    @property
    def grouped(self) -> bool:
        return bool(self.query.group_by)

    def streams(self, metrics: Metrics) -> list[Stream]:
        return self.query.streams(metrics)

    def series(self, metrics: Metrics, window: Window, readings: Readings) -> dict[str, Points]:
        found = self.query.series(metrics, window)
        return found if self.grouped or found else {"": [None] * window.periods}


class Math:
    """An expression over other sources. All that it names must be there, and be single series."""

    grouped = False

    def __init__(self, expression: Expression, named: Mapping[str, Source]) -> None:
        if missing := expression.ids - named.keys():
            raise ExpressionError(
                f"{expression.text}: no metric or expression {', '.join(sorted(missing))}"
            )
        self._expression = expression
        self._named = {name: named[name] for name in sorted(expression.ids)}
        if many := [name for name, source in self._named.items() if source.grouped]:
            raise ExpressionError(
                f"{expression.text}: {', '.join(many)} is a series for each group, which is not"
                " simulated"
            )

    @property
    def queried(self) -> bool:
        return any(source.queried for source in self._named.values())

    def streams(self, metrics: Metrics) -> list[Stream]:
        return [stream for source in self._named.values() for stream in source.streams(metrics)]

    def series(self, metrics: Metrics, window: Window, readings: Readings) -> dict[str, Points]:
        def of(name: str) -> Points:
            return self._named[name].series(metrics, window, readings)[""]

        return {"": self._expression.evaluate(Scope(of, window.periods, readings.fill_of_nothing))}
