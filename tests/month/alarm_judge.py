"""The judge of the alarms: each failure that lasts raises its own in time, and none goes off alone.

What should have been noticed is known from the weather and from what the world really did. The
alarms are the template's, evaluated over what the function and AWS sent to CloudWatch.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.month.judge import Violation
from tests.month.settings import DAY, HOUR, LEAST_LIFE, MINUTE
from tests.month.simulation import Month
from tests.support.cloudwatch import Alarm, Metrics, Readings, State, simulate

# The threshold of token-ending, and what a sample may differ from a look at the clusters.
LITTLE_LIFE = 3 * HOUR
# An hour's period, CloudWatch's delay, and a minute's evaluation.
WITHIN_THE_HOUR = HOUR + 5 * MINUTE
WITHIN_MINUTES = 10 * MINUTE
# The alarm of a Secret that ends must come this long before its end: the dead man's switch is the
# latest, 10 hours and 5 minutes after the last push of a token that lives for 12.
BEFORE_THE_END = HOUR + 50 * MINUTE
# Those of which one explains that a Secret ends.
OF_AN_END = (
    "NoFullPushAlarm",
    "ClusterFailedAlarm",
    "TokenEndingAlarm",
    "FunctionErrorsAlarm",
    "DocumentsDeletedAlarm",
)
# Nothing in the simulation is a reason for these.
SILENT = (
    "UnconfiguredAlarm",
    "UnknownParametersAlarm",
    "TokenLifeAlarm",
    "PrivateTokenLifeAlarm",
    "CredentialEndingAlarm",
    "ThrottlesAlarm",
)


@dataclass(frozen=True)
class Calls:
    """The times during which an alarm was in ALARM, in order."""

    spans: Sequence[tuple[float, float]]

    def first(self, start: float) -> float:
        """Return the first time in ALARM, from `start`; infinity if there is none."""
        return next((max(begin, start) for begin, stop in self.spans if start <= stop), math.inf)

    def active(self, start: float, end: float) -> bool:
        """Return whether it was in ALARM at any time from `start` to `end`."""
        return any(begin <= end and start <= stop for begin, stop in self.spans)


@dataclass(frozen=True)
class Verdict:
    """The alarms of a simulation.

    `raised`: how often each went off. `delays`: the longest time in seconds that each took to go
    off once it was due. `silence`: the longest time in seconds that a namespace had no valid Secret
    while none of the alarms that explain it was active, and which. `violations`: the promises that
    were broken.
    """

    raised: Mapping[str, int]
    delays: Mapping[str, float]
    silence: tuple[float, str]
    violations: Sequence[Violation]


def judge_alarms(
    month: Month, alarms: Mapping[str, Mapping[str, Any]], readings: Readings | None = None
) -> Verdict:
    """Return what these alarms (properties by logical id) did in a simulation, and should have."""
    return judge_calls(month, calls_of(month, alarms, readings))


def calls_of(
    month: Month, alarms: Mapping[str, Mapping[str, Any]], readings: Readings | None = None
) -> Mapping[str, Calls]:
    """Return when each of these alarms was in ALARM in a simulation."""
    return {
        name: _calls(
            Alarm.from_properties(properties), month.record.metrics, month.days * DAY, readings
        )
        for name, properties in alarms.items()
    }


def judge_calls(month: Month, calls: Mapping[str, Calls]) -> Verdict:
    """Return what alarms that were in ALARM at these times should have done."""
    judge = _Judge(month, calls, month.days * DAY)
    violations = sorted(judge.violations(), key=lambda one: one.at)
    raised = {name: len(found.spans) for name, found in calls.items() if found.spans}
    return Verdict(raised, judge.delays, judge.silence(), violations)


def _calls(alarm: Alarm, metrics: Metrics, end: float, readings: Readings | None) -> Calls:
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for one in simulate(alarm, metrics, 0, end, readings):
        if one.state is State.ALARM and since is None:
            since = one.time
        elif one.state is not State.ALARM and since is not None:
            spans.append((since, one.time))
            since = None
    return Calls([*spans, (since, end)] if since is not None else spans)


class _Judge:
    """One simulation with its alarms' calls. An alarm that is missing never went off."""

    def __init__(self, month: Month, calls: Mapping[str, Calls], end: float) -> None:
        self._month = month
        self._record = month.record
        self._calls = calls
        self._end = end
        self.delays: dict[str, float] = {}

    def silence(self) -> tuple[float, str]:
        """Return the longest time without a valid Secret and an alarm, and the namespace."""
        spans = sorted(span for name in OF_AN_END for span in self._of(name).spans)
        found = (
            (stop - start, "/".join(place))
            for begin, end, place in self._month.judge.gaps
            for start, stop in _between(spans, begin, end)
        )
        return max(found, default=(0.0, "-"))

    def violations(self) -> Iterable[Violation]:
        yield from self._dead_mans_switch()
        yield from self._clusters()
        yield from self._endings()
        yield from self._errors()
        yield from self._others()
        yield from self._ends()
        for name in SILENT:
            for begin, _ in self._of(name).spans:
                yield Violation(begin, f"{name} went off without a reason")

    def _of(self, name: str) -> Calls:
        return self._calls.get(name, Calls([]))

    def _demand(
        self, name: str, at: float, within: float, why: str, *, after: float = 0
    ) -> Iterable[Violation]:
        """Yield a violation unless the alarm is in ALARM at some time until `within` later.

        `after`: the seconds until it is due, from which its delay is counted.
        """
        if at + within > self._end:
            return
        if (first := self._of(name).first(at)) <= at + within:
            self.delays[name] = max(self.delays.get(name, 0.0), first - at - after)
        else:
            yield Violation(at, f"{name} is silent, though {why}")

    def _explain(
        self, name: str, reasons: Iterable[float], begins: float, lasts: float
    ) -> Iterable[Violation]:
        """Yield a violation for a call that begins or lasts longer after the last reason."""
        times = sorted(reasons)
        for begin, stop in self._of(name).spans:
            if not _any(times, begin - begins, begin):
                yield Violation(begin, f"{name} went off without a reason")
            elif stop < self._end and not _any(times, stop - lasts, stop):
                yield Violation(stop, f"{name} lasted until here without a reason")

    def _dead_mans_switch(self) -> Iterable[Violation]:
        after = self._month.settings.alarm_after
        done = self._record.completed
        for last, following in zip(done, [*done[1:], math.inf], strict=True):
            due = last + after + WITHIN_THE_HOUR
            if following > due:
                yield from self._demand(
                    "NoFullPushAlarm",
                    last,
                    due - last,
                    f"no full push follows for {_hours(min(following, self._end) - last)}",
                    after=after,
                )
        for begin, _ in self._of("NoFullPushAlarm").spans:
            known = [time for time in done if time <= begin]
            if known and begin - known[-1] < after - HOUR:
                yield Violation(
                    begin, f"NoFullPushAlarm went off {_hours(begin - known[-1])} after a full push"
                )

    def _clusters(self) -> Iterable[Violation]:
        name = "ClusterFailedAlarm"
        for at, cluster in self._record.failed:
            yield from self._demand(name, at, WITHIN_THE_HOUR, f"{cluster} failed")
        yield from self._explain(
            name, self._troubles(), WITHIN_THE_HOUR, 4 * HOUR + WITHIN_THE_HOUR
        )

    def _endings(self) -> Iterable[Violation]:
        name = "TokenEndingAlarm"
        for at, cluster, life in self._month.judge.measured:
            if life < LITTLE_LIFE - MINUTE:
                why = f"a Secret of {cluster} has {_hours(life)} to live"
                yield from self._demand(name, at, WITHIN_MINUTES, why)
        little = [
            at
            for seen in self._month.judge.lives.values()
            for at, life in seen
            if life < LITTLE_LIFE + 5 * MINUTE
        ]
        yield from self._explain(name, little, 20 * MINUTE, 2 * HOUR + 40 * MINUTE)

    def _errors(self) -> Iterable[Violation]:
        name = "FunctionErrorsAlarm"
        for at in self._record.broken:
            yield from self._demand(name, at, WITHIN_MINUTES, "a run failed as a whole")
        yield from self._explain(name, self._troubles(), 15 * MINUTE, 20 * MINUTE)

    def _others(self) -> Iterable[Violation]:
        for at in self._record.long:
            yield from self._demand("DurationAlarm", at, WITHIN_MINUTES, "a run took long")
        yield from self._explain("DurationAlarm", self._record.long, 15 * MINUTE, 20 * MINUTE)
        for at in self._record.deletions:
            why = "a document was deleted"
            yield from self._demand("DocumentsDeletedAlarm", at, WITHIN_THE_HOUR, why)
        lasts = self._month.settings.alarm_after + 3 * HOUR
        yield from self._explain(
            "DocumentsDeletedAlarm", self._record.deletions, WITHIN_THE_HOUR, lasts
        )
        letters = [
            begin + step * MINUTE
            for begin, stop in self._record.letters
            for step in range(int((stop - begin) / MINUTE) + 1)
        ]
        for begin, _ in self._record.letters:
            why = "a message is a dead letter"
            yield from self._demand("DeadLetterAlarm", begin, WITHIN_MINUTES, why)
        yield from self._explain("DeadLetterAlarm", letters, 15 * MINUTE, 20 * MINUTE)

    def _ends(self) -> Iterable[Violation]:
        """Demand that no Secret ends in silence."""
        for end, place in self._month.judge.ended:
            known = any(
                self._of(name).active(end - LEAST_LIFE, end - BEFORE_THE_END) for name in OF_AN_END
            )
            if not known:
                yield Violation(
                    end,
                    f"the Secret of {'/'.join(place)} ended, and no alarm was active until"
                    f" {_hours(BEFORE_THE_END)} before",
                )

    def _troubles(self) -> list[float]:
        """Return every minute of every outage."""
        return [
            one.start + step * MINUTE
            for one in self._month.weather.outages
            for step in range(int((one.end - one.start) / MINUTE) + 1)
        ]


def _between(
    spans: Iterable[tuple[float, float]], begin: float, end: float
) -> Iterable[tuple[float, float]]:
    """Yield the times from `begin` to `end` that none of the spans, in order, covers."""
    for start, stop in spans:
        if begin < min(start, end):
            yield begin, min(start, end)
        begin = max(begin, stop)
    if begin < end:
        yield begin, end


def _any(times: Sequence[float], start: float, end: float) -> bool:
    return bisect_left(times, start) < bisect_right(times, end)


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR:.2f} h"
