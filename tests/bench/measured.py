"""One measurement in a process of its own: `python -m tests.bench.measured WAY WORK RESULT`.

Imports come before the clock, and only those that the way itself needs, so that the peak of one is not the other's.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

# After the first invocation, which makes AWS's clients.
WARM_ROUNDS = 2
_MIB = 1024 * 1024


def peak_mib() -> float:
    """This process's high-water mark. ru_maxrss would count the parent's from before the exec, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / _MIB


def timed(act: Callable[[], int], *, expected: int) -> dict[str, float]:
    """`act` returns how many Secrets it applied: fewer than expected is no measurement."""
    wall, cpu = time.perf_counter(), time.process_time()
    applied = act()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if applied != expected:
        raise SystemExit(f"applied {applied} of {expected}")
    return {"wall": wall, "cpu": cpu, "peak": peak_mib(), "applied": applied}


def imported(_: dict[str, Any]) -> dict[str, float]:
    """What Lambda does before the first event."""
    wall, cpu = time.perf_counter(), time.process_time()
    import ecr_public_pusher.handler  # noqa: F401 - the import is what is measured

    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak": peak_mib()}


def function(work: dict[str, Any]) -> dict[str, float]:
    """Whole invocations: the first, with AWS's clients and EKS's answers to get, and warm ones, whose median is the figure."""
    from ecr_public_pusher.handler import handler

    class Context:
        aws_request_id = "00000000-0000-4000-8000-000000000000"
        function_name = "bench"
        invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:bench"

        def get_remaining_time_in_millis(self) -> int:
            return 800_000

    def act() -> int:
        totals = handler({}, Context())["totals"]
        return int(totals.get("created", 0) + totals.get("updated", 0))

    expected = len(work["endpoints"]) * len(work["names"])
    first = timed(act, expected=expected)
    warm = [timed(act, expected=expected) for _ in range(WARM_ROUNDS)]
    figures = {what: median(one[what] for one in warm) for what in ("wall", "cpu")}
    counted = {"peak": warm[-1]["peak"], "applied": expected, "invocations": 1 + WARM_ROUNDS}
    return figures | counted | {"cold_wall": first["wall"], "cold_cpu": first["cpu"], "cold_peak": first["peak"]}


def measure(way: str, work: dict[str, Any]) -> dict[str, float]:
    if way in FUNCTION:
        return FUNCTION[way](work)
    from tests.bench.others import OTHERS  # after the function's ways, so that their peak has nothing of it

    return timed(OTHERS[way].prepare(work), expected=OTHERS[way].secrets(work)) | OTHERS[way].children()


FUNCTION = {"imported": imported, "function": function}

if __name__ == "__main__":
    _, chosen, given, answer = sys.argv
    Path(answer).write_text(json.dumps(measure(chosen, json.loads(Path(given).read_text()))))
