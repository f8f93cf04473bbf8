"""Concurrent work on one event loop, limited in number; what hangs gives its place to another."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable

# A request that takes longer than this may be hanging: others must not wait for it.
STALLED_AFTER_SECONDS = 1.0


async def run_concurrently[I](
    items: Iterable[I],
    work: Callable[[I], Awaitable[None]],
    *,
    width: int,
    most: int | None = None,
    stalled_after: float = STALLED_AFTER_SECONDS,
) -> None:
    """Await `work` for every item, in their order, `width` at once.

    An item that takes longer than `stalled_after` seconds gives its place to another, until `most`
    (by default `width`) run at once. An exception from `work` cancels all others and is raised in
    an ExceptionGroup: work whose failures are results catches them itself.
    """
    waiting = iter(items)
    loop = asyncio.get_running_loop()
    most = most or width
    running: dict[int, float] = {}  # by worker, when its item was started
    stalled: set[int] = set()
    timer: asyncio.TimerHandle | None = None
    all_ended = asyncio.Event()
    ending = False  # a group that is being cancelled takes no further worker

    def add_worker() -> None:
        if len(running) < most and not ending:
            number = next(number for number in range(most) if number not in running)
            running[number] = loop.time()
            group.create_task(worker(number))

    def watch() -> None:
        """Watch all workers with one timer: one for each item would cost a tenth of a request."""
        nonlocal timer
        late = [
            number
            for number, since in running.items()
            if number not in stalled and loop.time() - since >= stalled_after
        ]
        stalled.update(late)
        for _ in late:
            add_worker()
        timer = loop.call_later(stalled_after / 4, watch)

    async def worker(number: int) -> None:
        nonlocal ending
        try:
            for item in waiting:
                running[number] = loop.time()
                await work(item)
                stalled.discard(number)
                if len(running) - len(stalled) > width:
                    return  # another item has taken this one's place
        except BaseException:
            ending = True
            raise
        finally:
            stalled.discard(number)
            del running[number]
            if not running:
                all_ended.set()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(width):
                add_worker()
            watch()
            try:
                await all_ended.wait()
            finally:
                ending = True
    finally:
        if timer:
            timer.cancel()


class Slots:
    """A limited number of slots, where one that is held for too long no longer counts.

    At most `most` are held in all.
    """

    def __init__(
        self, width: int, *, most: int, stalled_after: float = STALLED_AFTER_SECONDS
    ) -> None:
        self._free = asyncio.Semaphore(width)
        self._all = asyncio.Semaphore(most)
        self._stalled_after = stalled_after

    async def take(self) -> Callable[[], None]:
        """Wait for a slot, and return the function that gives it back."""
        await self._all.acquire()
        try:
            await self._free.acquire()
        except BaseException:
            self._all.release()
            raise
        counts = True

        def no_longer_counts() -> None:
            nonlocal counts
            if counts:
                counts = False
                self._free.release()

        watch = asyncio.get_running_loop().call_later(self._stalled_after, no_longer_counts)

        def give_back() -> None:
            watch.cancel()
            no_longer_counts()
            self._all.release()

        return give_back


class OncePerKey[K: Hashable, T]:
    """Answers by key, each asked for once and shared by all callers, failures included."""

    def __init__(self) -> None:
        self._asked: dict[K, asyncio.Task[T]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer; a caller that is cancelled does not cancel it for the others."""
        if key not in self._asked:

            async def asking() -> T:
                return await ask()

            self._asked[key] = asyncio.create_task(asking())
        return await asyncio.shield(self._asked[key])
