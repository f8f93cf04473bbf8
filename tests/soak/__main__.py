"""The command `python -m tests.soak`.

It prints the resources of the function's process, and exits with 1 when they grew.
"""

import argparse
import sys
import time

from tests.soak.measure import BASE, soak, verdicts
from tests.soak.world import soaking

INVOCATIONS = 500


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make soak", description="Hundreds of invocations of one warm function: does it grow?"
    )
    parser.add_argument(
        "--invocations",
        type=int,
        default=INVOCATIONS,
        help=f"how many, more than {BASE} (default {INVOCATIONS})",
    )
    count = parser.parse_args().invocations
    if count <= BASE:
        parser.error(
            f"more than {BASE} invocations, please: the tenth is what the last is compared with"
        )

    def progress(number: int, kind: str) -> None:
        if sys.stderr.isatty():
            print(
                f"\r\x1b[K{number} of {count}: {kind}",
                end="" if number < count else "\n",
                file=sys.stderr,
                flush=True,
            )

    began = time.monotonic()
    with soaking() as (function, clusters):
        held = soak(function, clusters, count, progress=progress)
    print(f"{'invocations':>12} {'MiB':>7} {'threads':>8} {'descriptors':>12}")
    shown = {1, BASE, count, *(count * part // 10 for part in range(1, 10))}
    for one in held:
        if one.invocations in shown:
            print(
                f"{one.invocations:>12} {one.memory:>7.1f} {one.threads:>8} {one.descriptors:>12}"
            )
    found = verdicts(held)
    for reached, what in found:
        print(f"{what} {'(reached)' if reached else '(MISSED)'}")
    print(f"{count} invocations in {time.monotonic() - began:.0f} s")
    return 0 if all(reached for reached, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
