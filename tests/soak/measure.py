"""The resources of a process after each invocation, and whether they grow."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from infra.local.kube import EmbeddedCluster
from infra.local.runtime import BuiltFunction
from tests.soak.world import EVENTS, NOT_OK

# By the tenth invocation every kind of event has come once, and everything that is made only once
# exists.
BASE = 10
MEMORY_AIM = 1.1
# An invocation's threads end a moment after its response.
SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Held:
    """The state after a number of invocations: resident memory in MiB, threads, descriptors."""

    invocations: int
    memory: float
    threads: int
    descriptors: int


def soak(
    function: BuiltFunction,
    clusters: Sequence[EmbeddedCluster],
    invocations: int,
    *,
    progress: Callable[[int, str], None] = lambda *_: None,
) -> list[Held]:
    """Return the resources of the function's process after each of this many invocations.

    Raise where one gave no report, or one that is not ok and should be.
    """
    held = []
    for number, (kind, event) in enumerate(islice(cycle(EVENTS), invocations), start=1):
        progress(number, kind)
        _invoke(function, kind, event)
        for cluster in clusters:
            cluster.requests.clear()  # the servers' own records are not what is measured
        held.append(look(function, number))
    return [*held[:-1], settled(function, held)]


def look(function: BuiltFunction, invocations: int) -> Held:
    process = function.process()
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
    )
    memory = int(status["VmRSS"].split()[0]) / 1024
    return Held(
        invocations, memory, int(status["Threads"]), sum(1 for _ in (process / "fd").iterdir())
    )


def settled(function: BuiltFunction, held: Sequence[Held]) -> Held:
    """Return the last measurement, after the invocation's threads and connections have ended."""
    base = held[min(BASE, len(held)) - 1]
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        now = look(function, held[-1].invocations)
        if (
            now.threads <= base.threads and now.descriptors <= base.descriptors
        ) or time.monotonic() > until:
            return now
        time.sleep(0.1)


def verdicts(held: Sequence[Held]) -> list[tuple[bool, str]]:
    """Return each aim, whether it is reached, in words."""
    base = held[BASE - 1]
    last = held[-1]
    ratio = last.memory / base.memory
    return [
        (
            ratio <= MEMORY_AIM,
            (
                f"memory {last.memory:.1f} MiB, {ratio:.3f} of that after the tenth, {MEMORY_AIM}"
                " at most"
            ),
        ),
        (last.threads <= base.threads, f"threads {last.threads}, {base.threads} after the tenth"),
        (
            last.descriptors <= base.descriptors,
            f"descriptors {last.descriptors}, {base.descriptors} after the tenth",
        ),
    ]


def _invoke(function: BuiltFunction, kind: str, event: dict[str, Any]) -> None:
    invocation = function.invoke({**event, "raise": False})
    if invocation.report is None:
        raise RuntimeError(f"{kind}: no report, but {invocation.error or invocation.payload}")
    if not invocation.report["ok"] and kind not in NOT_OK:
        raise RuntimeError(f"{kind}: {invocation.report}")
