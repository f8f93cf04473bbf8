"""Measurement of how late a cluster's answers are while the processor is idle.

Only then are more connections worth their handshakes. A throttled process, as Lambda's is by its
memory size, waits too, but then the event loop itself is late.
"""

import asyncio
import time
from contextlib import suppress
from typing import Self

TICK_SECONDS = 0.02
# Above this share of lateness of the loop itself, the processor is the bottleneck.
BUSY_SHARE = 0.25


class LoopLag:
    """Total seconds that the event loop has been late since this was entered.

    Used with `async with`.
    """

    _watching: asyncio.Task[None]

    def __init__(self) -> None:
        self.seconds = 0.0

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(TICK_SECONDS)
            self.seconds += loop.time() - began - TICK_SECONDS


class Lateness:
    """Time from its creation to `per_answer`. Make one for each observation."""

    def __init__(self, lag: LoopLag) -> None:
        self._lag = lag
        self._began = asyncio.get_running_loop().time()
        self._busy_before = time.process_time()
        self._lag_before = lag.seconds

    def per_answer(self, answers: int) -> float:
        """Return the seconds that each of `answers` consecutive answers took.

        0 if they waited for the processor.
        """
        took = asyncio.get_running_loop().time() - self._began
        if self._lag.seconds - self._lag_before > BUSY_SHARE * took:
            return 0.0
        return max(0.0, took - (time.process_time() - self._busy_before)) / answers
