"""The deadline of an invocation: until when work may start and requests may be sent.

Lambda freezes a sandbox after the response and thaws it for the next event. By then every task of
the invocation has been cancelled and its connections are reset. In addition the wall clock, which
is right again after a thaw, is checked right before each request is sent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ecr_public_pusher.errors import DeadlineReached

# At most this much of the invocation's time is reserved for the report; a fifth if that is less.
REPORT_SECONDS = 5.0

# The remedy when the time was not enough.
TOO_SLOW = "Raise the function's timeout, or find out what is slow to respond."


@dataclass(frozen=True)
class Clock:
    """The wall clock and a clock for durations.

    `wall`: seconds since the epoch, right again after a freeze.
    `monotonic`: seconds that only grow, for durations.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Deadline:
    """The permission to work and to send until `not_after` (wall clock, epoch seconds)."""

    not_after: float
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def of_invocation(cls, remaining_seconds: float, clock: Clock | None = None) -> "Deadline":
        """Return the deadline that keeps time to report, given Lambda's remaining seconds."""
        clock = clock or Clock()
        return cls(
            clock.wall() + remaining_seconds - min(REPORT_SECONDS, remaining_seconds / 5), clock
        )

    def sooner(self, *, by: float) -> "Deadline":
        """Return a deadline that is `by` seconds earlier."""
        return Deadline(self.not_after - by, self.clock)

    @property
    def remaining(self) -> float:
        """The seconds left, never below zero."""
        return max(0.0, self.not_after - self.clock.wall())

    @property
    def passed(self) -> bool:
        """Return whether no time is left."""
        return self.remaining <= 0

    def check(self) -> None:
        """Raise DeadlineReached when nothing may be sent any more.

        Called right before bytes leave.
        """
        if self.clock.wall() >= self.not_after:
            raise DeadlineReached(
                "the function ran out of time",
                remedy="The next run writes what this one could not.",
            )

    def scope(self) -> asyncio.Timeout:
        """Return a context that cancels its work at the deadline and then raises TimeoutError."""
        return asyncio.timeout(self.remaining)

    async def wait_for[T](self, work: Awaitable[T], *, what: str) -> T:
        """Return `work`'s result. Raise what it raises, or DeadlineReached naming `what`."""
        try:
            async with self.scope() as scope:
                return await work
        except TimeoutError:
            if not scope.expired():
                raise
            raise DeadlineReached(f"no response in time while {what}", remedy=TOO_SLOW) from None

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`, but not beyond the deadline."""
        await asyncio.sleep(min(seconds, self.remaining))
