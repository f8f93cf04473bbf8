"""The metrics that an alarm watches: the single one that it names, or its list of Metrics.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudwatch-alarm-metricdataquery.html
"""

from collections.abc import Mapping
from typing import Any

from tests.support.cloudwatch.expressions import Expression
from tests.support.cloudwatch.insights import Query
from tests.support.cloudwatch.properties import AlarmError, boolean, only
from tests.support.cloudwatch.series import STATISTICS
from tests.support.cloudwatch.sources import Insights, Math, Metric, Source


def single(properties: Mapping[str, Any]) -> tuple[Source, int]:
    """Return the metric that an alarm names itself, and its period."""
    return _metric(properties, properties["Statistic"], properties.get("Unit")), int(
        properties["Period"]
    )


def _metric(named: Mapping[str, Any], statistic: str, unit: str | None) -> Metric:
    if statistic not in STATISTICS:
        raise AlarmError(f"statistic {statistic} is not simulated")
    dimensions = {
        dimension["Name"]: dimension["Value"] for dimension in named.get("Dimensions", [])
    }
    return Metric(named["Namespace"], named["MetricName"], dimensions, statistic, unit)


def _insights(text: str) -> Insights:
    query = Query.parse(text)
    if query.group_by and not query.order_by:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Metrics_Insights_Alarm.html
        raise AlarmError(f"an alarm on several series must have GROUP BY and ORDER BY: {text}")
    return Insights(query)


def many(queries: list[Mapping[str, Any]]) -> tuple[Source, int]:
    """Return the entry of an alarm's Metrics that returns data, and the period.

    With all that it refers to.
    """
    watched = [query["Id"] for query in queries if boolean(query.get("ReturnData", True))]
    if len(watched) != 1:
        raise AlarmError(f"one of Metrics returns data, not {len(watched)}")
    periods: set[int] = set()
    by_id = {query["Id"]: query for query in queries}
    sources: dict[str, Source] = {}

    def resolve(name: str, above: tuple[str, ...] = ()) -> Source:
        if name in above:
            raise AlarmError(f"{name} refers to itself")
        if name not in sources:
            sources[name] = read(by_id[name], (*above, name))
        return sources[name]

    def read(query: Mapping[str, Any], above: tuple[str, ...]) -> Source:
        only(
            query, {"Id", "Label", "ReturnData", "MetricStat", "Expression", "Period"}, query["Id"]
        )
        if "MetricStat" in query:
            stat = query["MetricStat"]
            only(stat, {"Metric", "Period", "Stat", "Unit"}, query["Id"])
            periods.add(int(stat["Period"]))
            return _metric(stat["Metric"], stat["Stat"], stat.get("Unit"))
        if query["Expression"].lstrip().startswith("SELECT"):
            periods.add(int(query["Period"]))
            return _insights(query["Expression"])
        expression = Expression(query["Expression"])
        return Math(
            expression, {name: resolve(name, above) for name in expression.ids if name in by_id}
        )

    for name in by_id:
        resolve(name)
    if len(periods) != 1:
        raise AlarmError(f"all metrics of an expression have one period, not {sorted(periods)}")
    return sources[watched[0]], periods.pop()
