"""The outages of a simulation and their times, drawn from a seed. Pure."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.month.settings import DAY, HOUR, MINUTE

type Kind = Literal[
    "down",
    "cut",
    "forbidden",
    "slow",
    "invalid",
    "deleted",
    "registry",
    "listing",
    "parameters",
    "tokens",
    "eks",
    "sqs",
    "crash",
    "timeout",
    "late",
    "stopped",
    "refused",
    "defaults",
]


@dataclass(frozen=True)
class Climate:
    """How often a kind of outage comes in 28 days (for each cluster, if it has one); how long.

    `shortest`, `longest`: seconds.
    """

    often: float
    shortest: float
    longest: float
    of_cluster: bool = False


# The cluster whose document names a private registry, and the one that is found by its tag.
PRIVATE = "gamma"
FOUND = "delta"

CLIMATE: dict[Kind, Climate] = {
    # of one cluster: 503, connections cut, 403, no answer; its document wrong or gone
    "down": Climate(2, 10 * MINUTE, 16 * HOUR, of_cluster=True),
    "cut": Climate(1, 5 * MINUTE, 6 * HOUR, of_cluster=True),
    "forbidden": Climate(1, HOUR, 16 * HOUR, of_cluster=True),
    "slow": Climate(0.3, 5 * MINUTE, 20 * MINUTE, of_cluster=True),
    "invalid": Climate(1, 10 * MINUTE, 14 * HOUR, of_cluster=True),
    "deleted": Climate(0.7, HOUR, 14 * HOUR, of_cluster=True),
    # of the one cluster that needs it: its private registry's role cannot be assumed; EKS does not
    # list the clusters
    "registry": Climate(2, 5 * MINUTE, 13 * HOUR, of_cluster=True),
    "listing": Climate(2, 10 * MINUTE, 10 * HOUR, of_cluster=True),
    # of AWS's services: they refuse
    "parameters": Climate(2, 5 * MINUTE, 5 * HOUR),
    "tokens": Climate(2, 5 * MINUTE, 13 * HOUR),
    "eks": Climate(2, 10 * MINUTE, 10 * HOUR),
    "sqs": Climate(2, 5 * MINUTE, 10 * HOUR),
    # of Lambda: no work and no report; the same at the timeout; work, but no answer
    "crash": Climate(2, MINUTE, 3 * HOUR),
    "timeout": Climate(1, 5 * MINUTE, 2 * HOUR),
    "late": Climate(1, 5 * MINUTE, 2 * HOUR),
    # of the schedules: disabled; not accepted by Lambda
    "stopped": Climate(1, HOUR, 16 * HOUR),
    "refused": Climate(2, 5 * MINUTE, 3 * HOUR),
    # of the configuration: the parameter `defaults` is wrong
    "defaults": Climate(1, 5 * MINUTE, 3 * HOUR),
}
# A run as a whole cannot be done.
WHOLE: tuple[Kind, ...] = ("parameters", "defaults", "crash", "timeout")
# One cluster cannot be served, or may not be: an endpoint that EKS gave is kept for an hour.
CLUSTER: tuple[Kind, ...] = tuple(kind for kind, climate in CLIMATE.items() if climate.of_cluster)
# Of these, the clusters that they can befall.
BEFALLS: dict[Kind, tuple[str, ...]] = {"registry": (PRIVATE,), "listing": (FOUND,)}
# No run begins by itself.
SENDERS: tuple[Kind, ...] = ("stopped", "refused")


@dataclass(frozen=True)
class Outage:
    """A time during which something fails: of one cluster, or (no target) of all.

    It begins at `start` and is over at `end`.
    """

    start: float
    end: float
    kind: Kind
    target: str = ""

    def active(self, now: float) -> bool:
        """Return whether it lasts at that time."""
        return self.start <= now < self.end

    def overlaps(self, start: float, end: float) -> bool:
        """Return whether it lasts at any time from `start` to `end`, both included."""
        return self.start <= end and start < self.end


@dataclass(frozen=True)
class Weather:
    """All outages of a simulation."""

    outages: Sequence[Outage] = ()

    def active(self, now: float, *kinds: Kind, target: str = "") -> bool:
        """Return whether one of these kinds lasts, of that cluster or of all."""
        return any(one.active(now) for one in self._of(kinds, target))

    def overlap(self, start: float, end: float, *kinds: Kind, target: str = "") -> bool:
        """Return whether one of these kinds lasts at any time from `start` to `end`."""
        return any(one.overlaps(start, end) for one in self._of(kinds, target))

    def well_since(self, now: float, *kinds: Kind, target: str = "") -> float | None:
        """Return since when none of these kinds lasts; None if one does now."""
        since = 0.0
        for one in self._of(kinds, target):
            if one.active(now):
                return None
            if one.end <= now:
                since = max(since, one.end)
        return since

    def _of(self, kinds: Sequence[Kind], target: str) -> Iterable[Outage]:
        return (one for one in self.outages if one.kind in kinds and one.target in ("", target))


def forecast(dice: random.Random, days: float, clusters: Iterable[str]) -> Weather:
    """Draw the outages of so many days; the first half day is calm.

    Their number is that of the climate, their lengths are spread evenly over the magnitudes.
    """
    drawn = []
    names = list(clusters)
    for kind, climate in CLIMATE.items():
        for target in BEFALLS.get(kind, names) if climate.of_cluster else [""]:
            expected = climate.often * days / 28
            number = int(expected) + (dice.random() < expected % 1)
            for _ in range(number):
                start = dice.uniform(DAY / 2, days * DAY)
                length = climate.shortest * (climate.longest / climate.shortest) ** dice.random()
                drawn.append(Outage(round(start), round(start + length), kind, target))
    return Weather(sorted(drawn, key=lambda one: one.start))


type Deed = Literal[
    "secret deleted",
    "namespace created",
    "namespace made anew",
    "account created",
    "document changed",
]
# In 28 days, for each cluster.
DEEDS: dict[Deed, float] = {
    "secret deleted": 8,
    "namespace created": 3,
    "namespace made anew": 2,
    "account created": 3,
    "document changed": 2,
}


@dataclass(frozen=True)
class Incident:
    """A deed of people in a cluster, or in its document."""

    at: float
    deed: Deed
    cluster: str


def incidents(dice: random.Random, days: float, clusters: Iterable[str]) -> list[Incident]:
    """Draw what people do."""
    drawn = []
    for cluster in clusters:
        for deed, often in DEEDS.items():
            expected = often * days / 28
            for _ in range(int(expected) + (dice.random() < expected % 1)):
                drawn.append(Incident(round(dice.uniform(HOUR, days * DAY)), deed, cluster))
    return sorted(drawn, key=lambda one: one.at)
