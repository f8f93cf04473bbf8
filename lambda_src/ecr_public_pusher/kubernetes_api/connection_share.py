"""One cluster's part of the invocation's connections: in use, idle, or being closed."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol


class Budget(Protocol):
    """Source of connections, as a share sees it."""

    def may_take(self, share: "Share") -> bool:
        """Return whether the share may have one more, if nobody else waits."""

    def wanted_from(self, share: "Share") -> bool:
        """Return whether the share should give one to another."""

    def changed(self, by: int) -> None:
        """Change the number of connections held by `by`."""

    def waits(self, share: "Share") -> None:
        """Register that the share has asked for one more."""

    def end(self, share: "Share") -> None:
        """Forget a share that asks for nothing more."""


class GaveWay(Exception):
    """A request had to leave its connection to another cluster before it was answered.

    It must be sent again.
    """


class Turn:
    """One request of a task, from its promised connection to its answer."""

    __slots__ = ("_cancelling", "connections", "cut_off", "since", "task")

    def __init__(self, since: float, task: "asyncio.Task[object]") -> None:
        self.since = since
        self.task = task
        self.connections: list[asyncio.Transport] = []
        self.cut_off = False
        self._cancelling = 0

    def cut(self) -> None:
        """Cancel the task, which learns from `gave_way` that only its request is meant."""
        self.cut_off = True
        self._cancelling = self.task.cancelling()
        self.task.cancel()

    def gave_way(self) -> bool:
        """Return, once cancelled, whether only `cut` did that, so that the task may continue."""
        return self.cut_off and self.task.uncancel() <= self._cancelling


class Share:
    """One cluster's connections. Made by ConnectionBudget.

    `stalled_after`: seconds without an answer after which the cluster hangs. `close` closes a
    connection whose requests are all answered.
    """

    def __init__(
        self, budget: Budget, *, stalled_after: float, close: Callable[[asyncio.Transport], object]
    ) -> None:
        self._budget = budget
        self._stalled_after = stalled_after
        self._close = close
        self.held = 0
        self._open = 0  # sockets
        self._turns: set[Turn] = set()
        self._unconnected = 0  # of the turns
        self._idle: set[asyncio.Transport] = set()
        self._waiting: deque[tuple[asyncio.Future[Turn], asyncio.Task[object]]] = deque()
        self._silent_since = 0.0
        self._hangs = False

    @property
    def busy(self) -> bool:
        return bool(self._turns)

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    @property
    def hangs(self) -> bool:
        """Return whether nothing was answered for too long while requests were under way."""
        self._listen()
        return self._hangs

    @property
    def leaving(self) -> int:
        """Return the number of connections that are about to be closed."""
        return sum(turn.cut_off for turn in self._turns) + max(0, self._open - self._used)

    async def take(self) -> Turn:
        """Return a turn as soon as there is a connection for it."""
        task = asyncio.current_task()
        assert task is not None
        if not self._waiting and (self._has_idle or self._budget.may_take(self)):
            return self._begin(task)
        place: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        waiting = place, task
        self._waiting.append(waiting)
        self._budget.waits(self)
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave(place.result(), answered=False)
            elif waiting in self._waiting:
                self._waiting.remove(waiting)
            raise

    def connected(self, turn: Turn, connection: asyncio.Transport) -> None:
        """Register the connection that carries the turn's request.

        It is a second one if the first was dead.
        """
        if not turn.connections:
            self._unconnected -= 1
        turn.connections.append(connection)
        self._idle.discard(connection)

    def leave(self, turn: Turn, *, answered: bool) -> None:
        """End a turn.

        The connection of an unanswered request is reset, so that it is never delivered later.
        """
        self._listen()
        self._turns.discard(turn)
        if not turn.connections:
            self._unconnected -= 1
        lost = list(turn.connections)
        if answered and lost:
            last = lost.pop()  # the one before was dead, if there was one
            self._silent_since = asyncio.get_running_loop().time()
            self._hangs = False
            if last.is_closing() or self._budget.wanted_from(self):
                self._close(last)
            else:
                self._idle.add(last)
        for connection in lost:
            connection.abort()
        if self._waiting and self._has_idle:
            self.admit()
        self._count()

    def admit(self) -> None:
        """Give the first waiting request its turn."""
        place, task = self._waiting.popleft()
        if not place.done():
            place.set_result(self._begin(task))

    def cut(self) -> bool:
        """Cut off the youngest request that hangs; return whether there was one."""
        until = asyncio.get_running_loop().time() - self._stalled_after
        hung = [turn for turn in self._turns if turn.since <= until and not turn.cut_off]
        if hung:
            max(hung, key=lambda turn: turn.since).cut()
        return bool(hung)

    def close_idle(self) -> bool:
        """Close a connection that no request uses; return whether there was one."""
        if not self._has_idle:
            return False
        self._close(self._idle.pop())
        return True

    def end(self) -> None:
        """Close idle connections.

        Those in use stay open; their sockets are reset when the invocation ends.
        """
        while self._idle:
            self._close(self._idle.pop())
        self._budget.end(self)

    def opened(self) -> None:
        """Count an opened socket."""
        self._open += 1
        self._count()

    def closed(self) -> None:
        """Count a closed socket."""
        self._open -= 1
        self._idle = {connection for connection in self._idle if not connection.is_closing()}
        self._count()

    @property
    def _has_idle(self) -> bool:
        return len(self._idle) > self._unconnected

    @property
    def _used(self) -> int:
        return len(self._turns) - self._unconnected + max(len(self._idle), self._unconnected)

    def _listen(self) -> None:
        if self._turns and not self._hangs:
            silent = asyncio.get_running_loop().time() - self._silent_since
            self._hangs = silent >= self._stalled_after

    def _begin(self, task: "asyncio.Task[object]") -> Turn:
        now = asyncio.get_running_loop().time()
        if not self._turns:
            self._silent_since = now
        turn = Turn(now, task)
        self._turns.add(turn)
        self._unconnected += 1
        self._count()
        return turn

    def _count(self) -> None:
        held = max(self._used, self._open)
        change = held - self.held
        self.held = held
        if change:
            self._budget.changed(change)
