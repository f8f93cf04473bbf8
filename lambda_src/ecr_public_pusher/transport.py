"""TLS connections that check the lease right before every byte they send, and give up on an answer that only drips.

urllib3's own time-outs start anew with every byte that arrives, and nothing in it knows that Lambda may freeze the process between
connecting and sending. Both are settled in the socket itself, the last place before the wire.
"""

import contextlib
import socket
import ssl
import struct
import time
import weakref
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from ecr_public_pusher.lease import Lease

# An apply's metadata is about 1 KB and a page of 500 namespaces below 1 MB; what is longer is not a Kubernetes API's.
MAX_ANSWER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Patience:
    """How long and how often a cluster is tried. `request_seconds`: one request, from its first byte to the last of its answer."""

    connect_seconds: float = 5.0
    request_seconds: float = 15.0
    attempts: int = 5
    connect_attempts: int = 3  # a cluster that accepts no connection is known sooner than one that stumbles
    backoff_seconds: float = 0.25  # doubled each time, with full jitter
    backoff_limit_seconds: float = 8.0


class AnswerTooLong(OSError):
    """The answer goes on beyond MAX_ANSWER_BYTES."""


class _LeasedSocket(ssl.SSLSocket):
    """A TLS socket of one lease. The handshake comes before the lease is set, and has the connect time-out."""

    lease: Lease | None = None
    give_up_at: float = float("inf")  # monotonic seconds
    left_to_read: int = MAX_ANSWER_BYTES

    def send(self, data: Any, flags: int = 0) -> int:
        if self.lease is not None:
            self.lease.check()
            self.settimeout(self._patience())
        return super().send(data, flags)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        if self.lease is None:
            return super().recv_into(buffer, nbytes, flags)
        self.settimeout(self._patience())
        got = super().recv_into(buffer, nbytes, flags)
        self.left_to_read -= got
        if self.left_to_read < 0:
            raise AnswerTooLong
        return got

    def _patience(self) -> float:
        assert self.lease is not None
        left = min(self.give_up_at - time.monotonic(), self.lease.remaining)
        if left <= 0:
            raise TimeoutError("the whole request took too long")
        return left


class _LeasedConnection(HTTPSConnection):
    """A connection whose socket carries the lease of its pool."""

    lease: Lease
    request_seconds: float
    sockets: "weakref.WeakSet[_LeasedSocket]"

    def connect(self) -> None:
        self.lease.check()
        try:
            super().connect()
        except TimeoutError as error:  # in the handshake: urllib3 would call it a read time-out
            raise urllib3.exceptions.ConnectTimeoutError("no TLS handshake in time") from error
        assert isinstance(self.sock, _LeasedSocket)
        self.sock.lease = self.lease
        self.sockets.add(self.sock)

    def request(self, *args: Any, **named: Any) -> None:
        if self.sock is None:
            self.connect()
        if isinstance(self.sock, _LeasedSocket):
            self.sock.give_up_at = time.monotonic() + self.request_seconds
            self.sock.left_to_read = MAX_ANSWER_BYTES
        super().request(*args, **named)


class Wire:
    """What a session's connections share: the lease they send under, and the means to cut them all."""

    def __init__(self, lease: Lease, request_seconds: float) -> None:
        self._sockets: weakref.WeakSet[_LeasedSocket] = weakref.WeakSet()
        shared = {"lease": lease, "request_seconds": request_seconds, "sockets": self._sockets}
        connection = type("LeasedConnection", (_LeasedConnection,), shared)
        self._pool_class = type("LeasedPool", (HTTPSConnectionPool,), {"ConnectionCls": connection})

    def install(self, manager: urllib3.PoolManager, url: str, ca_pem: str) -> urllib3.HTTPSConnectionPool:
        """Makes `manager` use this wire, trust `ca_pem` alone, and know no other scheme than https. Returns its pool for `url`.

        Raises ssl.SSLError for a CA that is none.
        """
        manager.connection_pool_kw["ssl_context"] = verifying_context(ca_pem)
        manager.pool_classes_by_scheme = {"https": self._pool_class}
        pool = manager.connection_from_url(url)
        assert isinstance(pool, HTTPSConnectionPool)
        return pool

    def cut(self) -> None:
        """Resets every connection: what a hung write left in the kernel's buffer is thrown away, not sent after a thaw."""
        for connection in list(self._sockets):
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def verifying_context(ca_pem: str) -> ssl.SSLContext:
    """Chain and host name verified against the cluster's own CA.

    Only VERIFY_X509_STRICT is cleared: EKS CAs often lack the key identifiers that it demands since Python 3.13
    (kubernetes-client/python#2394).
    """
    context = ssl.create_default_context(cadata=ca_pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _LeasedSocket
    return context
