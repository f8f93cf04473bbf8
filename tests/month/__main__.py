"""The command `python -m tests.month`.

It prints the course of the simulations, and exits with 1 when a promise was broken.
"""

import argparse
import sys
import time
from collections import Counter

from tests.month.alarm_judge import judge_alarms
from tests.month.settings import DAY, HOUR, MINUTE, PROFILES
from tests.month.simulation import simulate
from tests.stack.alarms import alarms

DAYS = 28.0
DAYS_A_LINE = 4.0


def main() -> int:
    """Simulate the profiles that are asked for, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="make month",
        description="Simulated weeks of the function in its AWS: schedules, retries, outages,"
        " alarms. Is a Secret expired or missing although the world allowed better, or does one"
        " end in silence?",
    )
    parser.add_argument(
        "--days", type=float, default=DAYS, help=f"how many to simulate (default {DAYS:.0f})"
    )
    parser.add_argument("--seed", type=int, default=1, help="the outages' seed (default 1)")
    parser.add_argument(
        "--profile",
        action="append",
        choices=PROFILES,
        help="the stack's parameters (several times for several; default: all of them)",
    )
    given = parser.parse_args()
    broken = [_month(given.days, given.seed, one) for one in given.profile or PROFILES]
    return 1 if any(broken) else 0


def _month(days: float, seed: int, profile: str) -> bool:
    """Simulate one stack, print its table, and return whether a promise was broken."""
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
        "seconds": f"{time.monotonic() - began:.0f}, {time.process_time():.0f} of CPU so far",
    }
    for name, value in rows.items():
        print(f"{name:<18}{value}")
    for one in violations:
        print(f"BROKEN  {one}")
    if violations:
        print(f'again: make month ARGS="--days {days:g} --seed {seed} --profile {profile}"')
    print(flush=True)
    return bool(violations)


class _Progress:
    """The printer of the day that is simulated: in place on a terminal, else every few days."""

    def __init__(self, profile: str, days: float) -> None:
        self._profile = profile
        self._days = days
        self._next = 0.0

    def __call__(self, now: float) -> None:
        terminal = sys.stderr.isatty()
        if now / DAY >= self._next:
            self._next = now / DAY + (0.1 if terminal else DAYS_A_LINE)
            line = f"{self._profile}: day {now / DAY:.1f} of {self._days:g}"
            print(
                f"\r\x1b[K{line}\r" if terminal else line,
                end="" if terminal else "\n",
                file=sys.stderr,
                flush=True,
            )


def _time(seconds: float) -> str:
    return f"{seconds / HOUR:.2f} h" if seconds >= HOUR else f"{seconds / MINUTE:.0f} min"


def _counted(counts: object) -> str:
    """Return the counts, the most first."""
    assert isinstance(counts, dict)
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return f"{sum(counts.values())} (" + ", ".join(f"{n} {name}" for name, n in ordered) + ")"


if __name__ == "__main__":
    sys.exit(main())
