"""The sockets of one invocation, which discard unsent data when it ends.

A write that hangs lies in the kernel's buffer, and is delivered later, after a thaw too, as long as
its socket is open or was closed in the ordinary way. Closed with SO_LINGER (1, 0), the connection
is reset, and the buffer's content is gone (Linux, socket(7)).
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any, Self

from ecr_public_pusher.kubernetes_api.connection_budget import ConnectionBudget

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_FINISH_ON_CLOSE = struct.pack("ii", 0, 0)


class Sockets:
    """Factory of sockets, which at its end closes those still open.

    It does so outside the event loop, whose own graceful close may never complete. `budget`: limit
    on connections.
    """

    def __init__(self, budget: ConnectionBudget | None = None) -> None:
        self.budget = budget or ConnectionBudget()
        self._open: set[_Socket] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for made in list(self._open):
            made.on_close = None  # nobody waits for a connection any more
            with contextlib.suppress(OSError):
                made.close()

    def make(self, address_info: Any, on_close: Callable[[], object]) -> socket.socket:
        """Return a socket for one result of getaddrinfo; it calls `on_close` when it is closed."""
        family, kind, protocol, _, _ = address_info
        made = _Socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._open.add(made)

        def closed() -> None:
            self._open.discard(made)
            on_close()

        made.on_close = closed
        return made


class _Socket(socket.socket):
    """A socket with a callback for when it is closed, a loop turn after its transport."""

    on_close: Callable[[], object] | None = None

    def close(self) -> None:
        super().close()
        on_close = self.on_close
        self.on_close = None
        if on_close is not None:
            on_close()


def close_in_peace(transport: asyncio.Transport) -> None:
    """Close a connection in the ordinary way, since every request has its answer.

    A reset would look like trouble to the cluster.
    """
    made = transport.get_extra_info("socket")
    if made is not None and made.fileno() >= 0:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FINISH_ON_CLOSE)
    transport.abort()  # nobody waits for the answer to TLS's close_notify
