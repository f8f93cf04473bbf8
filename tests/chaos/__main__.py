"""The command `python -m tests.chaos`.

It prints a table of the faults that were met, and exits with 1 when a rule did not hold in some
round.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter

from infra.local.kube.controlplane import ASSETS
from tests.chaos.coverage import coverage
from tests.chaos.estate import CLUSTERS, estate
from tests.chaos.rounds import SECONDS, Played, Player

ROUNDS = 100
# Each real control plane takes 300 MiB and ten seconds to start.
REAL_CLUSTERS = 3


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=(
            "Rounds of random faults between the function, AWS and its clusters. After each,"
            " the clusters' own state decides if the function kept its promises."
        ),
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"how many (default {ROUNDS})", metavar="N"
    )
    parser.add_argument(
        "--seed", type=int, help="the first round's; the others follow (default: random)"
    )
    parser.add_argument(
        "--clusters",
        type=int,
        choices=range(2, len(CLUSTERS) + 1),
        help=f"how many (default {len(CLUSTERS)}, with {ASSETS} {REAL_CLUSTERS})",
        metavar="N",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help=f"the time limit of an invocation (default {SECONDS:.0f})",
    )
    asked = parser.parse_args()
    real = bool(os.environ.get(ASSETS))
    clusters = asked.clusters or (REAL_CLUSTERS if real else len(CLUSTERS))
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    print(
        f"{asked.rounds} rounds from seed {seed}, {clusters}"
        f" {'real' if real else 'embedded'} clusters"
    )
    began = time.monotonic()
    played: list[Played] = []
    with estate(CLUSTERS[:clusters]) as made, Player(made) as player:
        for number in range(seed, seed + asked.rounds):
            one = player.play(number, seconds=asked.seconds)
            played.append(one)
            print(f"seed {number}: {one.seconds:.1f} s, {one.plan}", flush=True)
            for line in one.broken:
                print(f"  BROKEN: {line}")
            if one.broken:
                again = f"--seed {number} --rounds 1 --clusters {clusters}"
                print(f'  again: make chaos ARGS="{again}"', flush=True)
    met = Counter(pair for one in played for pair in one.met)
    print("\nRounds in which a request ran into the fault\n")
    print("\n".join(coverage(met)))
    broken = sum(len(one.broken) for one in played)
    repeated = sum(one.repeated for one in played)
    print(
        f"{len(played)} rounds, {met.total()} faults met, {time.monotonic() - began:.0f} s,"
        f" {broken} violations"
        + (f" ({repeated} rounds repeated: the machine was busy)" if repeated else "")
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
