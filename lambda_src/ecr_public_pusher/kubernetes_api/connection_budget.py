"""Limit on an invocation's connections, and their distribution among its clusters.

A connection takes memory and a descriptor, of which Lambda gives 1,024. It counts from the moment
it is promised until its socket is closed, whether its request is answered, hangs, or has long given
way to another. Healthy clusters must not wait for one that hangs: a cluster that has answered
nothing for a while gets no more connections once half are taken, and gives up those it has, one by
one, to clusters that answer.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ecr_public_pusher.kubernetes_api.connection_share import Share

CONNECTIONS_IN_ALL = 200
# Clusters that hang take at most this many; the rest is left to clusters that respond.
TAKEN_BY_HUNG = CONNECTIONS_IN_ALL // 2
# Polled, since no event says that a cluster has begun to hang.
LOOK_EVERY_SECONDS = 0.1


class ConnectionBudget:
    """Distribution of one invocation's connections, on one event loop."""

    def __init__(
        self, most: int = CONNECTIONS_IN_ALL, *, taken_by_hung: int = TAKEN_BY_HUNG
    ) -> None:
        self._most = most
        self._taken_by_hung = taken_by_hung
        self._held = 0
        self._shares: set[Share] = set()
        self._waiting: dict[Share, None] = {}  # in their order
        self._timer: asyncio.TimerHandle | None = None

    def share(self, *, stalled_after: float, close: Callable[[asyncio.Transport], object]) -> Share:
        """Return one cluster's part of the connections.

        The cluster hangs when nothing is answered for `stalled_after` seconds.
        """
        made = Share(self, stalled_after=stalled_after, close=close)
        self._shares.add(made)
        return made

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold one connection inside the block, whose body opens and closes it."""
        share = self.share(stalled_after=math.inf, close=lambda connection: None)
        turn = await share.take()
        try:
            yield
        finally:
            share.leave(turn, answered=False)
            self.end(share)

    def end(self, share: Share) -> None:
        """Forget a share that asks for nothing more.

        Its open connections count until they are closed.
        """
        self._shares.discard(share)

    @property
    def held(self) -> int:
        """Return the number of connections promised, open or being closed."""
        return self._held

    def may_take(self, share: Share) -> bool:
        """Return whether the share may have one more connection."""
        if self._held >= self._most:
            return False
        return not share.held or self._held < self._taken_by_hung or not share.hangs

    def wanted_from(self, share: Share) -> bool:
        """Return whether the share should give one to another, which has fewer even then."""
        return any(other.held + 1 < share.held and not other.hangs for other in self._waiting)

    def waits(self, share: Share) -> None:
        """Register that the share has asked for one more."""
        self._waiting[share] = None
        self._divide()

    def changed(self, by: int) -> None:
        """Change the number held by `by`, and hand out what became free."""
        self._held += by
        if by < 0 and self._waiting:
            self._divide()

    def _divide(self) -> None:
        """Hand out free connections.

        Make room where a cluster that answers waits for one that does not.
        """
        while (share := self._next()) is not None:
            share.admit()
        wanting = [share for share in self._waiting if not share.hangs]
        leaving = sum(share.leaving for share in self._shares)
        for share in sorted(wanting, key=lambda share: share.held)[leaving:]:
            if not self._make_room(share):
                break
        if self._timer is None and self._waiting:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LOOK_EVERY_SECONDS, self._look_again)

    def _next(self) -> Share | None:
        """Return the next share to serve.

        Those that answer come before those that hang, then those with the fewest connections.
        """
        for share in [share for share in self._waiting if not share.waits]:
            del self._waiting[share]
        may = [share for share in self._waiting if self.may_take(share)]
        return min(may, key=lambda share: (share.hangs, share.held), default=None)

    def _make_room(self, share: Share) -> bool:
        """Make another share give up a connection; return whether one could."""
        others = [other for other in self._shares if other is not share]
        for other in others:
            if (other.held > share.held + 1 or not other.busy) and other.close_idle():
                return True
        hung = [other for other in others if other.held > share.held and other.hangs]
        return any(other.cut() for other in sorted(hung, key=lambda other: -other.held))

    def _look_again(self) -> None:
        self._timer = None
        self._divide()
