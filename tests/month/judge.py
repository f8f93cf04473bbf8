"""The judge of the Secrets: what the world allowed, from the weather and the template alone.

It knows neither the function's decisions nor its reports. A Secret's life is its token's, as the
registry that issued it knows.
"""

from dataclasses import dataclass, field

from tests.month.estate import Estate, Tokens
from tests.month.settings import HOUR, LEAST_LIFE, MINUTE, TOKEN_LIFE, Settings
from tests.month.weather import CLUSTER, SENDERS, WHOLE, Kind, Weather

# From an event's time to the end of its run.
SLACK = 2 * MINUTE
# Lambda's own tries of an event that failed as a whole: after one minute, and two more.
OWN_TRIES = 3 * MINUTE
# A failed push is retried for eight hours; within these a retry is still certain.
RETRIED_FOR = 6.5 * HOUR
MOST_VIOLATIONS = 40
# A look at a cluster needs no registry.
LOOKED = tuple(kind for kind in CLUSTER if kind != "registry")

type Place = tuple[str, str]


@dataclass(frozen=True)
class Violation:
    """A broken promise, at a simulated time."""

    at: float
    what: str

    def __str__(self) -> str:
        hours = self.at / HOUR
        return f"day {int(hours // 24)}, {hours % 24:05.2f} h: {self.what}"


@dataclass
class Judge:
    """The promises about Secrets, held against the clusters at each step.

    `kept`, `hours`: hours with a valid Secret, and all hours, of all selected namespaces.
    `ended`: each Secret that ended while its namespace was selected: when, and where.
    `measured`: the least life in a cluster that a sweep could see: when, where, and the seconds.
    `gaps`: from when to when, and where, there was no valid Secret though a document selects it.
    """

    estate: Estate
    weather: Weather
    settings: Settings
    kept: float = 0
    hours: float = 0
    ended: list[tuple[float, Place]] = field(default_factory=list)
    lives: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    measured: list[tuple[float, str, float]] = field(default_factory=list)
    gaps: list[tuple[float, float, Place]] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    _now: float = 0
    _gap_since: dict[Place, float] = field(default_factory=dict)
    _owed: dict[str, float] = field(default_factory=dict)
    _changed: dict[Place, float] = field(default_factory=dict)
    _tokens: dict[Place, Tokens | None] = field(default_factory=dict)

    def note_change(self, cluster: str, namespace: str, now: float) -> None:
        """Note that people changed something there: only a later run can have noticed."""
        self._changed[cluster, namespace] = now

    def look(self, now: float) -> None:
        """Hold every promise that depends on time alone against the clusters as they are."""
        for name in self.estate.members:
            written = not self.weather.active(now, "deleted", target=name)
            lives = []
            for namespace in self.estate.namespaces(name):
                place = name, namespace
                tokens = self.estate.tokens(name, namespace)
                end = self.estate.end(tokens) if tokens else 0.0
                self._account(place, tokens, now)
                self._note_gap(place, end, now, written=written)
                if written:
                    lives.append(max(0.0, end - now))
                    self._hold(place, end, now)
            self.lives.setdefault(name, []).append((now, min(lives, default=TOKEN_LIFE)))
            self._hold_retry(name, now)
        self._now = now

    def finish(self, now: float) -> None:
        """End the gaps that last until the simulation's end."""
        self.gaps += [(since, now, place) for place, since in self._gap_since.items()]
        self._gap_since.clear()

    def pushed(self, clusters: list[str], now: float) -> None:
        """Hold what a push of these clusters owes, right after it; note what it could not do.

        Until then, the queue owes a retry.
        """
        for name in clusters:
            if name not in self.estate.members or self._away(name, now):
                continue
            if self.weather.well_since(now, *WHOLE, *CLUSTER, "tokens", "eks", target=name) is None:
                self._owed.setdefault(name, now)
                continue
            self._owed.pop(name, None)
            for namespace in self.estate.namespaces(name):
                life = self._life(name, namespace, now)
                if life < TOKEN_LIFE - SLACK:
                    self._say(now, f"{name}/{namespace} has {_hours(life)} right after its push")
                self._hold_accounts(name, namespace, now)

    def swept(self, now: float) -> None:
        """Hold what a sweep owes, right after it."""
        for name in self.estate.members:
            if self.weather.active(now, *WHOLE, *LOOKED, "eks", target=name):
                continue
            lives = {one: self._life(name, one, now) for one in self.estate.namespaces(name)}
            self.measured.append((now, name, max(0.0, min(lives.values()))))
            if self.weather.active(now, "tokens", "registry", target=name):
                continue
            for namespace, life in lives.items():
                if life < LEAST_LIFE - SLACK:
                    self._say(now, f"{name}/{namespace} has {_hours(life)} right after a sweep")
                self._hold_accounts(name, namespace, now)

    def _account(self, place: Place, tokens: Tokens | None, now: float) -> None:
        """Count the hours since the last look, and note a Secret's end, or that it vanished."""
        passed = now - self._now
        before = self._tokens.get(place)
        if before is not None:
            known = self.estate.end(before)
            self.kept += max(0.0, min(now, known) - self._now)
            ended = self._now < known <= now and tokens == before
            if ended and not self._away(place[0], known):
                self.ended.append((known, place))
            if tokens is None and self._changed.get(place, -1.0) < self._now:
                self._say(now, f"the Secret of {'/'.join(place)} vanished, and nobody deleted it")
        self.hours += passed
        self._tokens[place] = tokens

    def _note_gap(self, place: Place, end: float, now: float, *, written: bool) -> None:
        """Note from when to when a namespace that a document selects had no valid Secret."""
        if not written:
            self._gap_since.pop(place, None)
        elif end <= now:
            self._gap_since.setdefault(place, max(self._now, end))
        elif (since := self._gap_since.pop(place, None)) is not None:
            self.gaps.append((since, now, place))

    def _hold(self, place: Place, end: float, now: float) -> None:
        """Demand a Secret with enough life where the world has long allowed one."""
        since = self._well_since(place[0], now)
        if since is None:
            return
        since = max(since, self._changed.get(place, 0.0))
        sweep = self.settings.sweep
        if sweep is not None and now - since > sweep.every + SLACK:
            least = LEAST_LIFE - sweep.every - SLACK
        elif now - since > self.settings.push.every + SLACK:
            least = TOKEN_LIFE - self.settings.push.every - SLACK
        else:
            return
        if end - now < least:
            what = f"has {_hours(end - now)} to live" if end else "has no Secret"
            self._say(
                now, f"{'/'.join(place)} {what}, though all went well for {_hours(now - since)}"
            )

    def _hold_retry(self, name: str, now: float) -> None:
        """Demand the retry of a failed push once the world has allowed it for long enough."""
        failed = self._owed.get(name)
        if failed is None:
            return
        lost = self.weather.overlap(failed, now, "sqs", "deleted", target=name)
        if lost or now - failed > RETRIED_FOR or self._away(name, now):
            del self._owed[name]
            return
        since = self.weather.well_since(now, *WHOLE, *CLUSTER, "tokens", "eks", "late", target=name)
        if since is None:
            return
        # Of a run that failed as a whole, each cluster that fails again gets a message of its own.
        first = failed + OWN_TRIES + 2 * self.settings.delay
        if self.weather.overlap(failed, first, "timeout"):
            first += self.settings.attempts * self.settings.timeout
        if now <= max(since, first) + self.settings.visibility + self.settings.delay + SLACK:
            return
        held = [
            token
            for namespace in self.estate.namespaces(name)
            if self._changed.get((name, namespace), 0.0) < since
            for token in self.estate.tokens(name, namespace) or ()
        ]
        if any(self.estate.issued[token] < failed for token in held):
            self._say(
                now,
                f"{name} was not retried: its push failed {_hours(now - failed)} ago, and it is"
                f" well for {_hours(now - since)}",
            )
        del self._owed[name]

    def _hold_accounts(self, name: str, namespace: str, now: float) -> None:
        if lacking := self.estate.without_secret(name, namespace):
            self._say(now, f"{name}/{namespace}: {', '.join(lacking)} right after a run lacks it")

    def _life(self, name: str, namespace: str, now: float) -> float:
        tokens = self.estate.tokens(name, namespace)
        return self.estate.end(tokens) - now if tokens else 0.0

    def _away(self, name: str, now: float) -> bool:
        """Return whether the cluster has no document."""
        return self.weather.active(now, "deleted", target=name)

    def _well_since(self, name: str, now: float) -> float | None:
        kinds: tuple[Kind, ...] = (*WHOLE, *CLUSTER, *SENDERS, "tokens", "eks")
        # With FanOut, a push goes over the queue.
        if self.settings.environment["FAN_OUT"] == "true":
            kinds = (*kinds, "sqs")
        return self.weather.well_since(now, *kinds, target=name)

    def _say(self, now: float, what: str) -> None:
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(Violation(now, what))


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR:.2f} h"
