"""The command `python -m tests.month`.

It prints the course of the simulations, and exits with 1 when a promise was broken.
"""

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.month.settings import PROFILES
from tests.month.table import table

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
    broken = []
    # One process for each: a simulation keeps a process's clock and environment for itself.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, max_tasks_per_child=1) as pool:
        profiles = given.profile or PROFILES
        for text, is_broken in pool.map(
            partial(table, given.days, given.seed), profiles, chunksize=1
        ):
            print(text, flush=True)
            broken.append(is_broken)
    return 1 if any(broken) else 0


if __name__ == "__main__":
    sys.exit(main())
