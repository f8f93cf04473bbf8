"""Work side by side on one event loop: so many at once, and what hangs gives its place to another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from contextlib import asynccontextmanager

# A request that takes longer than this hangs by itself, for all we know: others must not wait for it.
STALLED_AFTER_SECONDS = 1.0


async def run_concurrently[I](
    items: Iterable[I], work: Callable[[I], Awaitable[None]], *, width: int, most: int | None = None, stalled_after: float = STALLED_AFTER_SECONDS
) -> None:
    """Awaits `work` for every item, in their order, `width` at once.

    An item whose work takes longer than `stalled_after` seconds gives its place to another, until `most` (by default `width`) run at once.
    What `work` raises cancels all others and is raised in an ExceptionGroup: work whose failures are results catches them itself.
    """
    waiting = iter(items)
    loop = asyncio.get_running_loop()
    most = most or width
    running: set[int] = set()
    stalled: set[int] = set()

    async with asyncio.TaskGroup() as group:

        def add_worker() -> None:
            if len(running) < most:
                number = next(number for number in range(most) if number not in running)
                running.add(number)
                group.create_task(worker(number))

        def stall(number: int) -> None:
            stalled.add(number)
            add_worker()

        async def worker(number: int) -> None:
            try:
                for item in waiting:
                    watch = loop.call_later(stalled_after, stall, number)
                    try:
                        await work(item)
                    finally:
                        watch.cancel()
                        stalled.discard(number)
                    if len(running) - len(stalled) > width:
                        return  # another took this one's place meanwhile
            finally:
                running.discard(number)

        for _ in range(width):
            add_worker()


class Slots:
    """So many at once; one that holds its slot for too long no longer counts, until `most` are held in all."""

    def __init__(self, width: int, *, most: int, stalled_after: float = STALLED_AFTER_SECONDS) -> None:
        self._free = asyncio.Semaphore(width)
        self._all = asyncio.Semaphore(most)
        self._stalled_after = stalled_after

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Held while inside."""
        async with self._all:
            await self._free.acquire()
            released = False

            def release() -> None:
                nonlocal released
                if not released:
                    released = True
                    self._free.release()

            watch = asyncio.get_running_loop().call_later(self._stalled_after, release)
            try:
                yield
            finally:
                watch.cancel()
                release()


class OncePerKey[K: Hashable, T]:
    """Asks once for each key, whoever comes first; all others get the same answer, or the same failure."""

    def __init__(self) -> None:
        self._asked: dict[K, asyncio.Task[T]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer. One that waits may be cancelled without taking the answer from the others."""
        if key not in self._asked:

            async def asking() -> T:
                return await ask()

            self._asked[key] = asyncio.create_task(asking())
        return await asyncio.shield(self._asked[key])
