"""The process of a sandbox, which imports the function and little else: many of them are started.

Run as `python -m tests.chaos.sandbox_process DESCRIPTOR`, it reads one invocation a line and writes
one result a line to that descriptor.
"""

import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

from ecr_public_pusher.handler import invoke
from ecr_public_pusher.invocation.sandbox import Sandbox


class _Countdown(SimpleNamespace):
    """Lambda's context, whose time passes."""

    def __init__(self, *, seconds: float, **fields: str) -> None:
        super().__init__(**fields)
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.monotonic()) * 1000))


def main(descriptor: int) -> None:
    sandbox = Sandbox()
    own = dict(os.environ)
    with os.fdopen(descriptor, "w") as results:
        print("ready", file=results, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            if asked["fresh"]:
                os.environ.clear()
                os.environ.update(own | asked["environ"])
                sandbox = Sandbox()
            began = time.monotonic()
            result: dict[str, Any] = {}
            try:
                result["answer"] = invoke(
                    asked["event"],
                    _Countdown(**asked["context"]),
                    sandbox=sandbox,
                    environ=os.environ,
                )
            except Exception as error:  # noqa: BLE001 - what Lambda logs of it is judged, too
                result["error"] = f"{type(error).__name__}: {error}"
            result["seconds"] = time.monotonic() - began
            sys.stdout.flush()
            print(json.dumps(result), file=results, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
