"""Reachability of a cluster's endpoint: DNS, TCP and TLS.

Each is checked separately, since different people correct each.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from urllib.parse import urlsplit

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, RouteRemedies
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.tls import verifying_context
from ecr_public_pusher.results import Check, Finding

# An EKS endpoint has an address in two or three zones; a dead one must not use up the time of the
# others.
MAX_ADDRESSES = 4


class Route:
    """Network path to one endpoint.

    `resolve`, `connect` and `shake_hands` go it step by step, each with the result of the one
    before.

    It takes one connection, which the caller must hold of the invocation's budget.
    """

    def __init__(
        self,
        access: ClusterAccess,
        remedies: RouteRemedies,
        *,
        deadline: Deadline,
        blocking: BlockingCalls,
        retry_policy: RetryPolicy,
    ) -> None:
        parts = urlsplit(access.url)
        self._ca_pem = access.ca_pem
        self._remedies = remedies
        self._deadline = deadline
        self._blocking = blocking
        self._connect_seconds = retry_policy.connect_seconds
        self._host = parts.hostname or ""
        self._port = parts.port or 443
        self._addresses: list[str] = []
        self._socket: socket.socket | None = None

    async def resolve(self) -> Finding:
        """Resolve the host name.

        It has a time limit of its own: a resolver may hang for longer than everything else takes.
        """
        try:
            async with asyncio.timeout(2 * self._connect_seconds):
                answers = await self._blocking.run(
                    lambda: socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                )
        except TimeoutError:
            self._deadline.check()  # raises if our own time is up
            return Finding(
                Check.DNS,
                False,
                f"{self._host} was not resolved in time (DNS)",
                self._remedies.name_not_resolved(),
            )
        except (OSError, UnicodeError):
            return Finding(
                Check.DNS,
                False,
                f"{self._host} has no address (DNS)",
                self._remedies.name_not_resolved(),
            )
        self._addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        return Finding(
            Check.DNS, True, f"{self._host} is {', '.join(self._addresses[:MAX_ADDRESSES])}"
        )

    async def connect(self) -> Finding:
        """Connect to the first address that accepts."""
        wrong = []
        for address in self._addresses[:MAX_ADDRESSES]:
            try:
                self._socket = await self._connected(address)
                return Finding(Check.TCP, True, f"connected to {address} port {self._port}")
            except TimeoutError:
                self._deadline.check()
                wrong.append(f"{address} port {self._port} does not respond (timeout)")
            except ConnectionRefusedError:
                wrong.append(f"{address} port {self._port} refuses connections")
            except OSError as error:
                wrong.append(
                    f"{address} port {self._port} cannot be reached ({type(error).__name__})"
                )
        return Finding(
            Check.TCP, False, "; ".join(wrong), self._remedies.not_connected(private=self._private)
        )

    async def shake_hands(self) -> Finding:
        """Do a TLS handshake that verifies the cluster's own certificate authority."""
        assert self._socket is not None
        remedy = self._remedies.not_the_cluster()
        with contextlib.closing(self._socket) as connection:
            try:
                context = verifying_context(self._ca_pem)
            except (ssl.SSLError, ValueError):
                return Finding(
                    Check.TLS,
                    False,
                    "the certificate authority for the cluster is invalid",
                    remedy,
                )
            try:
                async with asyncio.timeout(2 * self._connect_seconds):
                    transport, _ = await asyncio.get_running_loop().create_connection(
                        asyncio.Protocol, ssl=context, sock=connection, server_hostname=self._host
                    )
                version = transport.get_extra_info("ssl_object").version()
                transport.abort()
            except ssl.SSLCertVerificationError as error:
                what = f"the certificate is not the cluster's: {str(error.verify_message)[:200]}"
                return Finding(
                    Check.TLS,
                    False,
                    what,
                    "Something else responds at the cluster's address, or its certificate"
                    f" authority was renewed: {remedy}",
                )
            except TimeoutError:
                self._deadline.check()
                return Finding(
                    Check.TLS,
                    False,
                    "the connection is accepted, but nothing responds (timeout in the TLS"
                    " handshake)",
                    remedy,
                )
            except (OSError, ValueError) as error:
                return Finding(
                    Check.TLS,
                    False,
                    f"the server does not speak TLS ({type(error).__name__})",
                    remedy,
                )
        return Finding(
            Check.TLS, True, f"{version}, with a certificate of the cluster's own authority"
        )

    async def _connected(self, address: str) -> socket.socket:
        # An address needs no DNS, so this does not block.
        family, kind, protocol, _, where = socket.getaddrinfo(
            address, self._port, type=socket.SOCK_STREAM
        )[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setblocking(False)
            async with asyncio.timeout(self._connect_seconds):
                await asyncio.get_running_loop().sock_connect(made, where)
        except BaseException:
            made.close()
            raise
        return made

    @property
    def _private(self) -> bool:
        """Return whether no address is public.

        `is_private` does not tell: a VPC may have addresses of 100.64.0.0/10 too.
        """
        return not any(
            ipaddress.ip_address(address.split("%")[0]).is_global for address in self._addresses
        )
