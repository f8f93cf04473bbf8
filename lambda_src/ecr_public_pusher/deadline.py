"""An invocation's time: until when work may start, and anything may be sent.

Lambda freezes a sandbox after the answer and thaws it for the next event. By then every task of the
invocation has been cancelled and its connections are reset; the wall clock, right again after a
thaw, is checked besides right before each request is sent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ecr_public_pusher.errors import DeadlineReached

# Kept back from the invocation's time to report in, at most; a fifth of it when that is less.
REPORT_SECONDS = 5.0

# What to do when the time was not enough.
TOO_SLOW = "Raise the function's time-out, or see what is slow to answer."


@dataclass(frozen=True)
class Clock:
    """`wall`: seconds since the epoch, right again after a freeze.

    `monotonic`: seconds that only grow, for durations.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Deadline:
    """The right to work and to send, until `not_after` (wall, seconds since the epoch)."""

    not_after: float
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def of_invocation(cls, remaining_seconds: float, clock: Clock | None = None) -> "Deadline":
        """A deadline that leaves time to report, out of what Lambda says remains."""
        clock = clock or Clock()
        return cls(
            clock.wall() + remaining_seconds - min(REPORT_SECONDS, remaining_seconds / 5), clock
        )

    def sooner(self, *, by: float) -> "Deadline":
        """One that ends so many seconds before this one."""
        return Deadline(self.not_after - by, self.clock)

    @property
    def remaining(self) -> float:
        """Seconds, never below zero."""
        return max(0.0, self.not_after - self.clock.wall())

    @property
    def passed(self) -> bool:
        return self.remaining <= 0

    def check(self) -> None:
        """Raises DeadlineReached when nothing may be sent any more.

        Called right before bytes leave.
        """
        if self.clock.wall() >= self.not_after:
            raise DeadlineReached(
                "the function ran out of time",
                remedy="The next run writes what this one could not.",
            )

    def scope(self) -> asyncio.Timeout:
        """`async with`: what is still running inside at the deadline is cancelled, and TimeoutError
        raised.
        """
        return asyncio.timeout(self.remaining)

    async def wait_for[T](self, work: Awaitable[T], *, what: str) -> T:
        """`work`'s result. Raises what it raises, or DeadlineReached naming `what`."""
        try:
            async with self.scope() as scope:
                return await work
        except TimeoutError:
            if not scope.expired():
                raise
            raise DeadlineReached(f"no answer in time while {what}", remedy=TOO_SLOW) from None

    async def sleep(self, seconds: float) -> None:
        """Waits, but not beyond the deadline."""
        await asyncio.sleep(min(seconds, self.remaining))
