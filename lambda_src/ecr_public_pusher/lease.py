"""An invocation's time: until when work may start, and whether anything may still be sent.

Lambda freezes a sandbox after the answer and thaws it, threads and all, for the next event. A write that hung in the one must
not go out in the other, where it would put an older token over a newer one: so every byte is sent under a lease.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ecr_public_pusher.errors import DeadlineReached, LeaseEnded

# Kept back from the invocation's time to report in, at most; a fifth of it when that is less.
REPORT_SECONDS = 5.0

# What to do when the time was not enough.
TOO_SLOW = "Raise the function's time-out, or see what is slow to answer."


@dataclass(frozen=True)
class Clock:
    """`wall`: seconds since the epoch, right again after a freeze. `monotonic`: seconds that only grow, for durations."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass
class Lease:
    """The right to work and to send, until `not_after` (wall, seconds since the epoch) or until it is ended."""

    not_after: float
    clock: Clock = field(default_factory=Clock)
    _ended: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of_invocation(cls, remaining_seconds: float, clock: Clock | None = None) -> "Lease":
        """A lease that leaves time to report, out of what Lambda says remains."""
        clock = clock or Clock()
        return cls(clock.wall() + remaining_seconds - min(REPORT_SECONDS, remaining_seconds / 5), clock)

    @property
    def remaining(self) -> float:
        """Seconds, never below zero."""
        return 0.0 if self._ended.is_set() else max(0.0, self.not_after - self.clock.wall())

    @property
    def over(self) -> bool:
        return self.remaining <= 0

    def check(self) -> None:
        """Raises LeaseEnded when nothing may be sent any more. Called right before bytes leave."""
        if self.over:
            raise LeaseEnded("the invocation is over", remedy="The next run writes what this one could not.")

    def end(self) -> None:
        self._ended.set()

    def sleep(self, seconds: float) -> None:
        """Waits, but wakes when the lease ends."""
        self._ended.wait(min(seconds, self.remaining))


def within[T](lease: Lease, work: Callable[[], T], *, what: str) -> T:
    """`work()` on a thread of its own, so that whatever hangs in it (DNS, a slow drip) cannot hang the caller.

    Raises what `work` raises, or DeadlineReached naming `what`.
    """
    for _, answer in side_by_side([None], lambda _: work(), width=1, lease=lease):
        if isinstance(answer, BaseException):
            raise answer
        return answer
    raise DeadlineReached(f"no answer in time while {what}", remedy=TOO_SLOW)


def side_by_side[I, T](items: list[I], work: Callable[[I], T], *, width: int, lease: Lease) -> Iterator[tuple[I, T | BaseException]]:
    """Yields (item, result or exception) as they finish, at most `width` at once; ends early when the lease does.

    Daemon threads that nobody joins: one that hangs is left behind, and the lease keeps it from sending.
    """
    waiting: queue.SimpleQueue[I] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[I, T | BaseException]] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)

    def worker() -> None:
        while not lease.over:
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((item, work(item)))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who makes an outcome of it
                done.put((item, error))

    for _ in range(min(width, len(items))):
        threading.Thread(target=worker, daemon=True).start()
    for _ in items:
        try:
            yield done.get(timeout=lease.remaining)
        except queue.Empty:
            return
