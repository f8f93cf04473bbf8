"""The command `python -m tests.month`.

It prints the course of the simulations, and exits with 1 when a promise was broken.
"""

import argparse
import sys
import time
from collections import Counter

from tests.month.alarm_judge import judge_alarms
from tests.month.settings import DAY, HOUR, PROFILES
from tests.month.simulation import simulate
from tests.stack.alarms import alarms

DAYS = 28.0


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

    def progress(now: float) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{profile}: day {now / DAY:.1f}", end="", file=sys.stderr, flush=True)

    began = time.monotonic()
    month = simulate(days, seed, profile, progress=progress)
    verdict = judge_alarms(month, alarms(**month.settings.parameters))
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    judge, record = month.judge, month.record
    rows = {
        "stack, seed": f"{profile}, {seed}",
        "simulated days": f"{days:g}",
        "invocations": _counted(record.invocations),
        "outages": _counted(Counter(one.kind for one in month.weather.outages)),
        "hours of Secrets": f"{judge.kept / HOUR:.0f} of {judge.hours / HOUR:.0f} kept"
        f" ({judge.kept / (judge.hours or 1):.2%}); {len(judge.ended)} Secrets ended",
        "alarms": _counted(verdict.raised),
        "seconds": f"{time.monotonic() - began:.0f}",
    }
    for name, value in rows.items():
        print(f"{name:<18}{value}")
    violations = [*judge.violations, *verdict.violations]
    for one in violations:
        print(f"BROKEN  {one}")
    if violations:
        print(f'again: make month ARGS="--days {days:g} --seed {seed} --profile {profile}"')
    else:
        print("No promise was broken.")
    print(flush=True)
    return bool(violations)


def _counted(counts: object) -> str:
    """Return the counts, the most first."""
    assert isinstance(counts, dict)
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return f"{sum(counts.values())} (" + ", ".join(f"{n} {name}" for name, n in ordered) + ")"


if __name__ == "__main__":
    sys.exit(main())
