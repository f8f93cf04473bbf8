"""TLS to a cluster, verified against its own certificate authority."""

import asyncio
import asyncio.sslproto
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from ecr_public_pusher.anonymous_file import anonymous_file
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.kubernetes_api.access import ClientCertificate

# asyncio's read buffer of each connection: 256 KiB by default, 16 times a record of TLS (RFC 8446,
# 5.1), and most of the memory that a connection takes.
READ_BYTES = 64 * 1024
asyncio.sslproto.SSLProtocol.max_size = READ_BYTES

# More clusters than one function usually serves; some 20 KB each.
CONTEXTS_KEPT = 512


@lru_cache(maxsize=CONTEXTS_KEPT)
def verifying_context(ca_pem: str) -> ssl.SSLContext:
    """Return a context that verifies chain and host name against the cluster's own CA.

    Raise ssl.SSLError for an invalid CA.

    Made once for each authority, since it costs as much as a request; it holds nothing but the
    authority's certificates. Only VERIFY_X509_STRICT is cleared: EKS CAs often lack the key
    identifiers that it demands since Python 3.13 (kubernetes-client/python#2394).
    """
    return _context(ca_pem)


def client_context(ca_pem: str, client: ClientCertificate) -> ssl.SSLContext:
    """Return a verifying context whose connections present the client certificate.

    It is never cached, since it holds one cluster's private key.

    Raise ssl.SSLError, ValueError for a certificate or key that is invalid, or has a passphrase.
    """
    context = _context(ca_pem)
    bear(context, client)
    return context


def bear(context: ssl.SSLContext, client: ClientCertificate) -> None:
    """Make the context's connections present the certificate. Raise as client_context does."""
    with anonymous_file(f"{client.certificate_pem}\n{client.key_pem}\n".encode()) as path:
        context.load_cert_chain(path, password=_no_passphrase)


def _context(ca_pem: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca_pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _no_passphrase() -> str:
    """Raise ValueError: OpenSSL would ask at the terminal."""
    raise ValueError("the private key has a passphrase")


class Resolver(AbstractResolver):
    """DNS on the invocation's own threads.

    The event loop would wait for its own ones at its end, however long a resolver hangs.
    """

    def __init__(self, blocking: BlockingCalls, seconds: float) -> None:
        self._blocking = blocking
        self._seconds = seconds

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            async with asyncio.timeout(self._seconds):
                answers = await self._blocking.run(
                    lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
                )
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "no response in time") from None
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=its_family,
                proto=protocol,
                flags=0,
            )
            for its_family, _, protocol, _, address in answers
        ]

    async def close(self) -> None:
        """Do nothing: the threads are the invocation's."""


class Connector(aiohttp.TCPConnector):
    """Connections to one cluster.

    `on_connect` is called with the connection that the current request uses. Their number follows
    from the number of requests under way.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        resolver: Resolver,
        *,
        make_socket: Callable[[Any], socket.socket],
        on_connect: Callable[[asyncio.Transport], object],
    ) -> None:
        super().__init__(ssl=context, limit=0, resolver=resolver, socket_factory=make_socket)
        self._on_connect = on_connect

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        if connection.transport is not None:
            self._on_connect(connection.transport)
        return connection
