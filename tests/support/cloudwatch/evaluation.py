"""An alarm's state from data points of which some are missing.

The two tables that AWS publishes, as one function.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import ge, gt, le, lt

from tests.support.cloudwatch.series import Points


class State(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class TreatMissing(StrEnum):
    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": ge,
    "GreaterThanThreshold": gt,
    "LessThanThreshold": lt,
    "LessThanOrEqualToThreshold": le,
}


@dataclass(frozen=True)
class Rule:
    """The comparison of an alarm, M out of N, and its treatment of gaps."""

    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing: TreatMissing

    def state(self, points: Points, current: State) -> State:
        """Return the state after one look at the retrieved points.

        These are the evaluation periods and the extra ones, oldest first.
        """
        breaches = [
            None if point is None else COMPARISONS[self.comparison](point, self.threshold)
            for point in points
        ]
        real = [breach for breach in breaches if breach is not None]
        recent = real[-self.evaluation_periods :]
        filled = self.evaluation_periods - len(recent)
        if not filled or sum(recent) >= self.datapoints_to_alarm:
            return self._verdict(sum(recent))
        match self.treat_missing:
            case TreatMissing.BREACHING:
                return self._verdict(sum(recent) + filled)
            case TreatMissing.NOT_BREACHING:
                return self._verdict(sum(recent))
        if not all(recent):
            return State.OK
        if self.treat_missing == TreatMissing.IGNORE:
            return current
        return State.ALARM if self._is_premature_no_more(breaches) else State.INSUFFICIENT_DATA

    def _verdict(self, breaching: int) -> State:
        return State.ALARM if breaching >= self.datapoints_to_alarm else State.OK

    def _is_premature_no_more(self, breaches: list[bool | None]) -> bool:
        """Return whether the oldest point breached at least `datapoints_to_alarm` periods ago.

        Called when none is in bounds.

        "Avoiding premature transitions" speaks only of the points since the oldest breach, by which
        `0 - X - -` would be ALARM for 2 out of 3; the table says OK. The table wins: one point in
        bounds anywhere in the range settles it, as an earlier edition put it ("there aren't any
        non-breaching data points"). That edition is also the only one to name a state for `- - - -
        X`: INSUFFICIENT_DATA. https://github.com/awsdocs/amazon-cloudwatch-user-guide/issues/129
        """
        return True in breaches and len(breaches) - breaches.index(True) >= self.datapoints_to_alarm
