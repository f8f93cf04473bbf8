"""The sockets of one invocation, which throw away what they have not sent by its end.

A write that hangs lies in the kernel's buffer, and is delivered later, after a thaw too, as long as its socket is open or was closed in the
ordinary way. Closed with SO_LINGER (1, 0), the connection is reset, and the buffer's content is gone (Linux, socket(7)).
"""

import contextlib
import socket
import struct
from collections.abc import Iterable
from typing import Any, Self

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_FINISH_ON_CLOSE = struct.pack("ii", 0, 0)


class Sockets:
    """Makes them, and at its end closes those still open: outside the event loop, whose own graceful close may never complete."""

    def __init__(self) -> None:
        self._made: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for made in self._made:
            with contextlib.suppress(OSError):
                made.close()

    def make(self, address_info: Any) -> socket.socket:
        """A socket for one entry of getaddrinfo's, as aiohttp.TCPConnector(socket_factory=...) asks for it."""
        family, kind, protocol, _, _ = address_info
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._made.append(made)
        return made


def finish(sockets: Iterable[socket.socket]) -> None:
    """From here on these are closed in the ordinary way: every request has its answer, and a reset would look like trouble to the cluster."""
    for made in sockets:
        if made.fileno() >= 0:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FINISH_ON_CLOSE)
