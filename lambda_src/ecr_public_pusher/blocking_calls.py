"""Calls that block (the AWS SDK, DNS), on a few threads that nobody waits for.

A thread cannot be cancelled: one that hangs is abandoned and ends by its own timeouts, possibly
after Lambda has frozen and thawed the sandbox. So only reads may run here for longer than their
caller waits; a write needs timeouts that end within the invocation.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from ecr_public_pusher.concurrency import STALLED_AFTER_SECONDS, Slots

# Python runs one thread at a time: more of them would only contend for the interpreter's lock.
THREADS = 8
# This many may hang (in a region that does not respond) before others have to wait.
MOST_THREADS = 64
# The most that one service may hold: when it hangs for each of very many clusters, calls to other
# services go on.
THREADS_OF_ONE = 6
MOST_THREADS_OF_ONE = 32
# Discovery may hold more, but never all: meanwhile others sign in, resolve names and send.
DISCOVERY = "discovery"
MOST_THREADS_OF_DISCOVERY = 48


class BlockingCalls:
    """The threads of one invocation: an async context manager that waits for none when it ends."""

    def __init__(self, *, stalled_after: float = STALLED_AFTER_SECONDS) -> None:
        def slots(width: int, most: int) -> Slots:
            return Slots(width, most=most, stalled_after=stalled_after)

        self._executor = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="blocking")
        self._slots = slots(THREADS, MOST_THREADS)
        self._slots_of_one: defaultdict[str, Slots] = defaultdict(
            lambda: slots(THREADS_OF_ONE, MOST_THREADS_OF_ONE)
        )
        self._slots_of_one[DISCOVERY] = slots(THREADS, MOST_THREADS_OF_DISCOVERY)

    async def __aenter__(self) -> "BlockingCalls":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def run[T](
        self,
        call: Callable[[], T],
        *,
        service: str | None = None,
        on_thread: Callable[[], object] | None = None,
    ) -> T:
        """Return the result of `call()`, run on a thread.

        When cancelled, return at once; the thread counts until it has ended.

        `service`: the name, with the region, of a service that each of many clusters may call; the
        threads that it may hold are limited. `on_thread` is called once the call has a thread.
        """
        loop = asyncio.get_running_loop()
        held: list[Callable[[], None]] = []

        def give_back() -> None:
            while held:
                held.pop()()

        def begin() -> T:
            if on_thread:
                loop.call_soon_threadsafe(on_thread)
            return call()

        def ended(_: Future[T]) -> None:
            with suppress(RuntimeError):  # after the invocation, whose loop is closed
                loop.call_soon_threadsafe(give_back)

        try:
            for slots in (*([self._slots_of_one[service]] if service else ()), self._slots):
                held.append(await slots.take())
            future = self._executor.submit(begin)
        except BaseException:
            give_back()
            raise
        future.add_done_callback(ended)
        return await asyncio.wrap_future(future)
