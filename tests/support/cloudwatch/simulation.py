"""An alarm over time: created at the start, evaluated each minute, its state changes noted.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.support.cloudwatch.alarms import Alarm
from tests.support.cloudwatch.evaluation import State
from tests.support.cloudwatch.insights import SEEN_SECONDS
from tests.support.cloudwatch.readings import Alignment, Readings
from tests.support.cloudwatch.series import HOUR, MINUTE, Metrics, Points, Window

# "Multi-day alarms are evaluated once per hour ... only the metrics up to the current hour at the
# :00 minute": in AWS's example at 10:03, 11:03.
MULTI_DAY_MINUTE = 3


@dataclass(frozen=True)
class Transition:
    """A change of an alarm's state.

    Where `previous` is `state`, a change of the contributors that are in ALARM.
    """

    time: int
    previous: State
    state: State
    contributors: frozenset[str] = frozenset()


def simulate(
    alarm: Alarm,
    metrics: Metrics,
    start: float,
    end: float,
    readings: Readings | None = None,
    *,
    every_minute: bool = False,
    updated: float | None = None,
) -> list[Transition]:
    """Return all transitions of an alarm created at `start`, until `end` inclusive.

    It begins in INSUFFICIENT_DATA.

    `metrics` holds the whole story; each evaluation sees what had arrived by then, from before the
    creation too. Minutes at which nothing within sight can have changed are passed over, as their
    result is known; `every_minute` evaluates them all the same. `updated`: when the alarm was
    updated, which leaves its state as it is.
    """
    watch = _Watch(alarm, metrics, start, readings or Readings(), updated)
    for moment in _all_moments(alarm, start, end) if every_minute else watch.moments(end):
        watch.evaluate(moment)
    return watch.transitions


@dataclass
class _Watch:
    """An alarm's life."""

    alarm: Alarm
    metrics: Metrics
    created: float
    readings: Readings
    updated: float | None = None
    state: State = State.INSUFFICIENT_DATA
    contributors: dict[str, State] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    warm: bool = False

    @property
    def alignment(self) -> Alignment:
        return self.readings.alignment or self.alarm.alignment

    @property
    def periods(self) -> int:
        """Return the evaluation range: the evaluation periods and the extra ones."""
        return self.alarm.rule.evaluation_periods + self.readings.extra_periods

    @property
    def restarts(self) -> bool:
        """Tell whether the update begins the warm-up again."""
        return self.updated is not None and self.readings.warm_up_after_update != "never"

    def evaluate(self, moment: int) -> None:
        if self.restarts and self.updated is not None and self.created < self.updated <= moment:
            self.created = self.updated
            self.warm = False
        window = self._window(moment)
        series = self.alarm.source.series(self.metrics, window, self.readings)
        self.warm = self.warm or self._warmed_up(window, series.values())
        if not self.warm:
            return
        before = self.contributors
        # A missing one "will transition to OK no matter the treat missing data treatment", and is
        # no contributor any more.
        self.contributors = {
            label: self.alarm.rule.state(points, before.get(label, State.INSUFFICIENT_DATA))
            for label, points in series.items()
        }
        self._note(moment, self._overall(window))

    def moments(self, end: float) -> Iterable[int]:
        """Return the minutes at which an evaluation can differ from the one before.

        A value arrives, changes its period, or leaves the range.
        """
        if self.alarm.multi_day:
            return _all_moments(self.alarm, self.created, end)
        first = _minute_from(self.created)
        warming = self.alarm.warm_up.seconds + 2 * MINUTE
        found = {first, *range(first, first + warming, MINUTE)}
        if self.restarts and self.updated is not None:
            again = _minute_from(self.updated)
            found.update(range(again, again + warming, MINUTE))
        period = self.alarm.period
        for time in {
            time for stream in self.alarm.source.streams(self.metrics) for time in stream.times
        }:
            entry = (
                time // period * period + period
                if self.alignment == "clock"
                else time // MINUTE * MINUTE + MINUTE
            )
            found.add(_minute_from(time + self.readings.delay_seconds))
            found.update(range(int(entry), int(entry) + period * (self.periods + 1), period))
            if self.alarm.source.queried:
                found.add(int((time + SEEN_SECONDS) // MINUTE * MINUTE + MINUTE))
        return sorted(moment for moment in found if self.created <= moment <= end)

    def _window(self, moment: int) -> Window:
        end = moment - moment % HOUR if self.alarm.multi_day else moment
        if self.alignment == "clock":
            end -= end % self.alarm.period
        return Window(end, self.alarm.period, self.periods, moment, self.readings.delay_seconds)

    def _warmed_up(self, window: Window, series: Iterable[Points]) -> bool:
        """Return whether warm-up is over.

        Its time is, or the evaluation window is full where that is enough.

        "Full when a datapoint exists for the most recent period", and in AWS's example (3 x 5
        minutes, published from 10:04, evaluated from about 10:19) not before a whole window has
        passed since the first point. Read as both; what FILL made up is a datapoint, but no first
        point. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html
        """
        if window.now >= self.created + self.alarm.warm_up.seconds:
            return True
        if self.alarm.warm_up.full or not any(points[-1] is not None for points in series):
            return False
        since = self.created if self.readings.warm_up_after_update == "anew" else -math.inf
        streams = self.alarm.source.streams(self.metrics)
        seen = [time for stream in streams for time in stream.times if time >= since]
        return min(seen, default=math.inf) <= window.end - self.alarm.evaluated_seconds

    def _overall(self, window: Window) -> State:
        if not self.contributors:
            missing = self.readings.empty_query == "treat_missing"
            return (
                self.alarm.rule.state([None] * window.periods, self.state)
                if missing
                else State.INSUFFICIENT_DATA
            )
        states = self.contributors.values()
        return next(
            state for state in (State.ALARM, State.OK, State.INSUFFICIENT_DATA) if state in states
        )

    def _note(self, moment: int, state: State) -> None:
        alarming = frozenset(
            label
            for label, one in self.contributors.items()
            if one == State.ALARM and self.alarm.source.grouped
        )
        known = self.transitions[-1].contributors if self.transitions else frozenset()
        if (state, alarming) != (self.state, known):
            self.transitions.append(Transition(moment, self.state, state, alarming))
        self.state = state


def _minute_from(time: float) -> int:
    return math.ceil(time / MINUTE) * MINUTE


def _all_moments(alarm: Alarm, start: float, end: float) -> Iterator[int]:
    """Yield every minute, or the third of every hour."""
    step, offset = (HOUR, MULTI_DAY_MINUTE * MINUTE) if alarm.multi_day else (MINUTE, 0)
    first = math.ceil((start - offset) / step) * step + offset
    yield from range(first, math.floor(end) + 1, step)
