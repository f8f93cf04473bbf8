"""A Lambda sandbox in its own process: one invocation, frozen after its answer, then thawed.

Run as `python -m tests.support.two_invocations` with the function's environment; stops itself
(SIGSTOP) in between, as Lambda does.
"""

import os
import signal
import sys
import time

from ecr_public_pusher.handler import handler
from tests.support.world import Context

FIRST_SECONDS = 5.0
THAW_SECONDS = 0.5


def main() -> None:
    print(
        "first",
        handler({"raise": False}, Context(FIRST_SECONDS))["totals"],
        file=sys.stderr,
        flush=True,
    )
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(THAW_SECONDS)  # what was left hanging could write now
    print("second", handler({"raise": False}, Context())["totals"], file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
