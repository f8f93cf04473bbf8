"""An alarm as a template has it.

The CloudFormation properties of AWS::CloudWatch::Alarm, with intrinsics resolved and AWS's limits
checked.

What this simulation does not know is an error, not ignored: a property passed over in silence would
make a test worth nothing.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tests.support.cloudwatch.evaluation import COMPARISONS, Rule, TreatMissing
from tests.support.cloudwatch.insights import SEEN_SECONDS
from tests.support.cloudwatch.metric_queries import many, single
from tests.support.cloudwatch.properties import AlarmError, boolean, only
from tests.support.cloudwatch.readings import Alignment
from tests.support.cloudwatch.series import DAY, HOUR, MINUTE
from tests.support.cloudwatch.sources import Source

__all__ = ["Alarm", "AlarmError", "WarmUp"]

# "Seven days for alarms with a period of at least one hour ... one day for alarms with a shorter
# period." https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
LONGEST_SECONDS = 7 * DAY
LONGEST_SECONDS_BELOW_AN_HOUR = DAY

# A wall clock window of UTC; the week, which starts on a Monday, is not simulated.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
WALL_CLOCK_PERIODS = (MINUTE, 5 * MINUTE, HOUR, DAY)

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html
LONGEST_WARM_UP_MINUTES = 2880

_SINGLE = frozenset({"Namespace", "MetricName", "Dimensions", "Statistic", "Period", "Unit"})
_RULE = frozenset(
    {
        "ComparisonOperator",
        "Threshold",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "TreatMissingData",
    }
)
_TIME = frozenset({"WarmUpConfiguration", "EvaluationWindow"})
_UNEVALUATED = frozenset(
    {
        "AlarmName",
        "AlarmDescription",
        "ActionsEnabled",
        "AlarmActions",
        "OKActions",
        "InsufficientDataActions",
        "Tags",
    }
)


@dataclass(frozen=True)
class WarmUp:
    """The time after its creation in which an alarm is not evaluated.

    Also whether it waits that long when there is enough data before.
    """

    seconds: int = 0
    full: bool = False


@dataclass(frozen=True)
class Alarm:
    """A metric alarm."""

    source: Source
    rule: Rule
    period: int
    warm_up: WarmUp = WarmUp()
    alignment: Alignment = "sliding"

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> Self:
        """Return the alarm of these properties. Raise AlarmError, ExpressionError or QueryError.

        Numbers and booleans may be strings, as parameters and conditions leave them.
        """
        only(
            properties,
            _SINGLE | _RULE | _TIME | _UNEVALUATED | {"Metrics"},
            "AWS::CloudWatch::Alarm",
        )
        if ("Metrics" in properties) == bool(_SINGLE & properties.keys()):
            raise AlarmError("either Metrics or a single metric is needed")
        source, period = (
            many(properties["Metrics"]) if "Metrics" in properties else single(properties)
        )
        alarm = cls(source, _rule(properties), period, _warm_up(properties), _alignment(properties))
        alarm._keep_limits()
        return alarm

    @property
    def evaluated_seconds(self) -> int:
        return self.period * self.rule.evaluation_periods

    @property
    def multi_day(self) -> bool:
        """Return whether the alarm is evaluated once an hour: "... exceeds one day".

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
        """
        return self.evaluated_seconds > DAY

    def _keep_limits(self) -> None:
        if self.period <= 0 or self.period % MINUTE:
            raise AlarmError(f"a period of {self.period} s: high resolution is not simulated")
        if self.evaluated_seconds > (
            LONGEST_SECONDS if self.period >= HOUR else LONGEST_SECONDS_BELOW_AN_HOUR
        ):
            raise AlarmError(
                f"{self.evaluated_seconds} s are more than an alarm with a period of {self.period}"
                " s may evaluate"
            )
        if self.alignment == "clock" and self.period not in WALL_CLOCK_PERIODS:
            raise AlarmError(f"no wall clock window for a period of {self.period} s")
        reserved = (
            self.period if self.alignment == "clock" else 0
        )  # "CloudWatch automatically reserves one additional period"
        if self.source.queried and self.evaluated_seconds + reserved > SEEN_SECONDS:
            raise AlarmError("a Metrics Insights alarm can evaluate 3 hours at most")


def _rule(properties: Mapping[str, Any]) -> Rule:
    comparison = properties["ComparisonOperator"]
    periods = int(properties["EvaluationPeriods"])
    if comparison not in COMPARISONS:
        raise AlarmError(f"ComparisonOperator {comparison} is not simulated")
    datapoints = int(properties.get("DatapointsToAlarm", periods))
    if not 1 <= datapoints <= periods:
        raise AlarmError(f"{datapoints} out of {periods} data points")
    return Rule(
        comparison,
        float(properties["Threshold"]),
        periods,
        datapoints,
        TreatMissing(properties.get("TreatMissingData", "missing")),
    )


def _warm_up(properties: Mapping[str, Any]) -> WarmUp:
    given = properties.get("WarmUpConfiguration")
    if given is None:
        return WarmUp()
    only(
        given,
        {"WarmUpPeriodDurationInMinutes", "OnlyStartEvaluatingAfterWarmUpPeriodEnds"},
        "WarmUpConfiguration",
    )
    minutes = int(given["WarmUpPeriodDurationInMinutes"])
    if not 1 <= minutes <= LONGEST_WARM_UP_MINUTES:
        raise AlarmError(f"a warm-up of {minutes} minutes")
    return WarmUp(
        minutes * MINUTE, boolean(given.get("OnlyStartEvaluatingAfterWarmUpPeriodEnds", False))
    )


def _alignment(properties: Mapping[str, Any]) -> Alignment:
    match properties.get("EvaluationWindow"):
        case None | {"SlidingWindow": _}:
            return "sliding"
        case {"WallClockWindow": {**clock}} if clock.get("Timezone", "UTC") == "UTC":
            return "clock"
        case other:
            raise AlarmError(f"EvaluationWindow {other} is not simulated")
