"""Metrics Insights, as far as alarms need it: one query, one series for each group.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html
"""

import re
from dataclasses import dataclass, replace
from typing import Self

from tests.support.cloudwatch.series import (
    HOUR,
    STATISTICS,
    Metrics,
    Points,
    Stream,
    Window,
    points,
)

# "Only the latest 3 hours of data can be used for evaluating the alarm's conditions."
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Metrics_Insights_Alarm.html
SEEN_SECONDS = 3 * HOUR

# The value a metric gets in a GROUP BY over a dimension it does not have.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-troubleshooting.html
NO_VALUE = "Other"

FUNCTIONS = {
    "SUM": "Sum",
    "AVG": "Average",
    "MIN": "Minimum",
    "MAX": "Maximum",
    "COUNT": "SampleCount",
}

_FUNCTION = "|".join(FUNCTIONS)
_NAME = r'(?:"[^"]+"|[A-Za-z_]\w*)'  # "special characters" want double quotes
_CONDITION = rf"{_NAME}\s*!?=\s*'[^']*'"
_QUERY = re.compile(
    rf"""\s*SELECT\s+(?P<function>{_FUNCTION})\(\s*(?P<metric>{_NAME})\s*\)
    \s+FROM\s+(?:SCHEMA\(\s*(?P<schema>{_NAME}(?:\s*,\s*{_NAME})*)\s*\)|(?P<namespace>{_NAME}))
    (?:\s+WHERE\s+(?P<where>{_CONDITION}(?:\s+AND\s+{_CONDITION})*))?
    (?:\s+GROUP\s+BY\s+(?P<group>{_NAME}(?:\s*,\s*{_NAME})*))?
    (?:\s+ORDER\s+BY\s+(?P<order>{_FUNCTION})\(\)(?:\s+(?P<direction>ASC|DESC))?)?
    (?:\s+LIMIT\s+(?P<limit>\d+))?\s*""",
    re.VERBOSE,
)


class QueryError(ValueError):
    """A query CloudWatch would refuse, or one that this simulation does not know."""


@dataclass(frozen=True)
class Query:
    """A parsed query."""

    function: str
    metric: str
    namespace: str
    schema: frozenset[str] | None
    conditions: tuple[tuple[str, bool, str], ...]
    group_by: tuple[str, ...]
    order_by: str | None
    ascending: bool
    limit: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _QUERY.fullmatch(text)
        if not match:
            raise QueryError(f"not understood: {text}")
        namespace, *dimensions = _names(match["schema"] or match["namespace"])
        return cls(
            function=FUNCTIONS[match["function"]],
            metric=_names(match["metric"])[0],
            namespace=namespace,
            schema=frozenset(dimensions) if match["schema"] else None,
            conditions=tuple(_conditions(match["where"] or "")),
            group_by=tuple(_names(match["group"] or "")),
            order_by=FUNCTIONS[match["order"]] if match["order"] else None,
            ascending=match["direction"] != "DESC",
            limit=int(match["limit"]) if match["limit"] else None,
        )

    def streams(self, metrics: Metrics) -> list[Stream]:
        """Return the metrics that it matches.

        Under SCHEMA, those with exactly its dimensions, so that totals do not count twice.
        """
        return [
            stream
            for stream in metrics.named(self.namespace, self.metric)
            if self._matches(stream.dimensions)
        ]

    def series(self, metrics: Metrics, window: Window) -> dict[str, Points]:
        """Return one series for each group that has a point in the query's range.

        Without GROUP BY at most one, under the empty label.
        """
        seen = replace(window, since=max(window.since, window.now - SEEN_SECONDS))
        groups: dict[str, list[Stream]] = {}
        for stream in self.streams(metrics):
            groups.setdefault(
                " ".join(stream.dimensions.get(name, NO_VALUE) for name in self.group_by), []
            ).append(stream)
        found = {label: points(streams, self.function, seen) for label, streams in groups.items()}
        return dict(
            self._ordered(
                {
                    label: series
                    for label, series in found.items()
                    if any(p is not None for p in series)
                }
            )
        )

    def _matches(self, dimensions: dict[str, str]) -> bool:
        if self.schema is not None and dimensions.keys() != self.schema:
            return False
        return all(
            name in dimensions and (dimensions[name] == value) is wanted
            for name, wanted, value in self.conditions
        )

    def _ordered(self, found: dict[str, Points]) -> list[tuple[str, Points]]:
        if self.order_by is None:
            return list(found.items())[: self.limit]
        weigh = STATISTICS[self.order_by]
        ordered = sorted(
            found.items(),
            key=lambda item: weigh([p for p in item[1] if p is not None]),
            reverse=not self.ascending,
        )
        return ordered[: self.limit]


def _names(text: str) -> list[str]:
    return [name.strip('"') for name in re.findall(_NAME, text)]


def _conditions(text: str) -> list[tuple[str, bool, str]]:
    found = re.findall(rf"({_NAME})\s*(!?=)\s*'([^']*)'", text)
    return [(name.strip('"'), comparison == "=", value) for name, comparison, value in found]
