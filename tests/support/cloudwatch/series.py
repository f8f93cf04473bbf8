"""The data that CloudWatch was sent, and statistics over periods: all that an alarm sees.

Times are seconds since some midnight UTC, so that multiples of an hour or a day are the clock's.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MINUTE = 60
HOUR = 3600
DAY = 86400

type Points = list[float | None]
"""One value for each period, oldest first; None where nothing was reported."""

STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Sum": math.fsum,
    "Minimum": min,
    "Maximum": max,
    "Average": lambda values: math.fsum(values) / len(values),
    "SampleCount": lambda values: float(len(values)),
}


@dataclass(frozen=True)
class Window:
    """A row of periods up to `end`, as seen at `now`.

    Samples younger than `delay_seconds` or older than `since` cannot be seen.
    """

    end: float
    period: int
    periods: int
    now: float
    delay_seconds: float = 0
    since: float = -math.inf

    @property
    def start(self) -> float:
        return self.end - self.period * self.periods

    def spans(self) -> Iterator[tuple[float, float]]:
        """Return each period's first moment and the one after its last.

        A value on the boundary belongs to the later period.
        """
        for number in range(self.periods):
            begin = self.start + number * self.period
            yield begin, begin + self.period


@dataclass
class Stream:
    """A metric in one unit. Every distinct set of dimensions is a metric of its own."""

    dimensions: dict[str, str]
    unit: str | None
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def put(self, time: float, value: float) -> None:
        place = bisect_right(self.times, time)
        self.times.insert(place, time)
        self.values.insert(place, value)


class Metrics:
    """Everything that a region's CloudWatch was sent."""

    def __init__(self) -> None:
        self._streams: dict[
            tuple[str, str], dict[tuple[frozenset[tuple[str, str]], str | None], Stream]
        ] = {}

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        time: float,
        value: float,
        unit: str | None = None,
    ) -> None:
        """Add one value, as PutMetricData or a line of the embedded metric format reports it.

        Any order of times will do.
        """
        named = self._streams.setdefault((namespace, name), {})
        key = frozenset(dimensions.items()), unit
        named.setdefault(key, Stream(dict(dimensions), unit)).put(time, value)

    def named(self, namespace: str, name: str) -> list[Stream]:
        """Return every set of dimensions under this name."""
        return list(self._streams.get((namespace, name), {}).values())

    def exactly(
        self, namespace: str, name: str, dimensions: Mapping[str, str], unit: str | None = None
    ) -> list[Stream]:
        """Return the one metric with exactly these dimensions.

        Without a unit, in whatever units it came.
        """
        return [
            s
            for s in self.named(namespace, name)
            if s.dimensions == dict(dimensions) and unit in (None, s.unit)
        ]


def points(streams: Iterable[Stream], statistic: str, window: Window) -> Points:
    """Return the statistic of all streams together, period by period."""
    reduce = STATISTICS[statistic]
    collected: list[list[float]] = [[] for _ in range(window.periods)]
    for stream in streams:
        seen = bisect_right(stream.times, window.now - window.delay_seconds)
        unseen = bisect_left(stream.times, window.since)
        for values, (begin, stop) in zip(collected, window.spans(), strict=True):
            values += stream.values[
                max(unseen, bisect_left(stream.times, begin)) : min(
                    seen, bisect_left(stream.times, stop)
                )
            ]
    return [reduce(values) if values else None for values in collected]
