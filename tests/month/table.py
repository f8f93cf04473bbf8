"""The table of one simulation, for people, and the days as they pass."""

import sys
import time
from collections import Counter

from tests.month.alarm_judge import judge_alarms
from tests.month.settings import DAY, HOUR, MINUTE
from tests.month.simulation import simulate
from tests.stack.alarms import alarms

DAYS_A_LINE = 4.0


def table(days: float, seed: int, profile: str) -> tuple[str, bool]:
    """Simulate one stack, and return its table, and whether a promise was broken."""
    began = time.monotonic()
    month = simulate(days, seed, profile, progress=_Progress(profile, days))
    verdict = judge_alarms(month, alarms(**month.settings.parameters))
    judge, record = month.judge, month.record
    violations = [*judge.violations, *verdict.violations]
    silence, place = verdict.silence
    without = max((end - begin for begin, end, _ in judge.gaps), default=0.0)
    rows = {
        "stack, seed": f"{profile}, {seed}",
        "simulated days": f"{days:g}",
        "invocations": f"{_counted(record.invocations)}; {record.at_once} events twice at once;"
        f" the longest took {record.longest:.0f} s",
        "outages": _counted(Counter(one.kind for one in month.weather.outages)),
        "hours of Secrets": f"{judge.kept / HOUR:.0f} of {judge.hours / HOUR:.0f} kept"
        f" ({judge.kept / (judge.hours or 1):.2%}); {len(judge.ended)} Secrets ended",
        "without a Secret": f"{_time(without)} at the longest; {_time(silence)} of it in silence,"
        f" without an alarm ({place})",
        "alarms": _counted(verdict.raised),
        "longest delays": ", ".join(
            f"{name} {_time(seconds)}" for name, seconds in sorted(verdict.delays.items())
        ),
        "broken promises": str(len(violations)),
        "seconds": f"{time.monotonic() - began:.0f}, {time.process_time():.0f} of CPU",
    }
    lines = [f"{name:<18}{value}" for name, value in rows.items()]
    lines += [f"BROKEN  {one}" for one in violations]
    if violations:
        again = f"--days {days:g} --seed {seed} --profile {profile}"
        lines.append(f'again: make month ARGS="{again}"')
    return "\n".join([*lines, ""]), bool(violations)


class _Progress:
    """The printer of the day that is simulated, every few days."""

    def __init__(self, profile: str, days: float) -> None:
        self._profile = profile
        self._days = days
        self._next = 0.0

    def __call__(self, now: float) -> None:
        if now >= self._next:
            self._next += DAYS_A_LINE * DAY
            line = f"{self._profile}: day {now / DAY:.0f} of {self._days:g}"
            print(line, file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    return f"{seconds / HOUR:.2f} h" if seconds >= HOUR else f"{seconds / MINUTE:.0f} min"


def _counted(counts: object) -> str:
    """Return the counts, the most first."""
    assert isinstance(counts, dict)
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return f"{sum(counts.values())} (" + ", ".join(f"{n} {name}" for name, n in ordered) + ")"
