"""Calls that block (AWS's SDK, DNS), on few threads that nobody waits for.

A thread cannot be cancelled: one that hangs is left behind, and ends by its own time-outs, maybe after Lambda has frozen and thawed the
sandbox. So only what reads may run here for longer than its caller waits; what writes brings time-outs that end within the invocation.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

from ecr_public_pusher.concurrency import Slots

# Python runs one of them at a time anyway: more would only fight over the interpreter's lock.
THREADS = 8
# As many as may hang (a region that answers nothing) before others have to wait.
MOST_THREADS = 64
# Of these, what one service may hold: where it hangs for each of very many clusters, those of others go on.
THREADS_OF_ONE, MOST_THREADS_OF_ONE = 6, 32


class BlockingCalls:
    """The threads of one invocation. `async with`; leaving it waits for nothing."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="blocking")
        self._slots = Slots(THREADS, most=MOST_THREADS)
        self._slots_of_one: defaultdict[str, Slots] = defaultdict(lambda: Slots(THREADS_OF_ONE, most=MOST_THREADS_OF_ONE))

    async def __aenter__(self) -> "BlockingCalls":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def run[T](self, call: Callable[[], T], *, service: str | None = None) -> T:
        """`call()`, on a thread. Cancelled, it returns at once, and the thread ends by itself.

        `service`: whom it asks, where each of many clusters may do so: a name of the caller's, with the region.
        """
        async with self._slots_of_one[service].slot() if service else nullcontext(), self._slots.slot():
            return await asyncio.get_running_loop().run_in_executor(self._executor, call)
