"""The points that AWS's documentation leaves open, as settings.

Tests should hold however these are read.
"""

from dataclasses import dataclass
from itertools import product
from typing import Literal

# "CloudWatch retrieves the 5 most recent data points" for an alarm of 3 evaluation periods is the
# only number AWS publishes; "the exact number ... depends on the length of the alarm period". Users
# report the same 2 for periods of a day.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
# https://github.com/awsdocs/amazon-cloudwatch-user-guide/issues/102
EXTRA_PERIODS = 2

# AWS gives no number. Lambda's own metrics and those taken from logs are seen one to a few minutes
# after the fact.
DELAY_SECONDS = 120

type Alignment = Literal["sliding", "clock"]
type WarmUpAfterUpdate = Literal["never", "again", "anew"]


@dataclass(frozen=True)
class Readings:
    """The readings of what the documentation leaves open.

    alignment: where periods end. None follows the alarm's EvaluationWindow, which AWS documents
    since August 2026: sliding (each evaluation looks back from its own minute) unless the alarm
    asks for a wall clock window (complete hours, days ... of the clock). A name overrides the
    alarm.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
    fill_of_nothing: whether FILL(m, number) gives the number throughout for a metric without any
    point in the retrieved range, or nothing. AWS's page on metric math does not say. empty_query: a
    grouped Metrics Insights query that returns no series at all. AWS's page on missing data says
    INSUFFICIENT_DATA "no matter the missing data treatment"; an older edition of
    Create_Metrics_Insights_Alarm.html said that the treatment applies. warm_up_after_update:
    whether the warm-up begins again when an alarm is updated. "Warm-up applies only once at alarm
    creation and does not restart" (alarm-warm-up.html), but "after you create or update the alarm"
    (API_WarmUpConfiguration.html). If it does, what was reported before may fill the window at once
    (again), or only what comes after (anew).
    """

    alignment: Alignment | None = None
    fill_of_nothing: bool = True
    empty_query: Literal["insufficient", "treat_missing"] = "insufficient"
    delay_seconds: float = DELAY_SECONDS
    extra_periods: int = EXTRA_PERIODS
    warm_up_after_update: WarmUpAfterUpdate = "never"


def every_reading(delay_seconds: float = DELAY_SECONDS) -> list[Readings]:
    """Return the four combinations of the two that matter most to an alarm on missing data.

    A test parametrised over them depends on neither.
    """
    alignments: tuple[Alignment, ...] = ("sliding", "clock")
    return [
        Readings(alignment, filled, delay_seconds=delay_seconds)
        for alignment, filled in product(alignments, (True, False))
    ]
