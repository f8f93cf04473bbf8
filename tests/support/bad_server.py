"""A TLS server on loopback that answers each connection by a script.

The scripts are the ways in which a cluster's endpoint can fail.
"""

import contextlib
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.local.kube.certificates import Certificate, issue

type Script = Callable[["Exchange"], None]


class Exchange:
    """An accepted connection.

    `request()` reads one whole request; the script answers with `connection.sendall`.
    """

    def __init__(self, connection: socket.socket, server: "BadServer") -> None:
        self.connection = connection
        self.server = server

    def request(self) -> bytes:
        """Return head and body of one request as received; empty when the peer hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (chunk := self.connection.recv(65536)):
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ),
            0,
        )
        while len(body) < length:
            if not (chunk := self.connection.recv(65536)):
                break
            body += chunk
        whole = head + b"\r\n\r\n" + body
        self.server.requests.append(whole)
        return whole

    def answer(self, status: str, body: bytes = b"", *headers: str) -> None:
        head = [
            f"HTTP/1.1 {status}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *headers,
        ]
        self.connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)


class BadServer:
    """Serves `script`, once per connection, each on its own thread.

    `requests`: what arrived, in order. `plain`: without TLS.

    `before_handshake` runs on an accepted connection before TLS begins. `receive_buffer`: bytes
    that its kernel takes before it is read from.
    """

    def __init__(
        self,
        script: Script,
        *,
        certificate: Certificate | None = None,
        plain: bool = False,
        before_handshake: Callable[[], object] = lambda: None,
        receive_buffer: int | None = None,
    ) -> None:
        self.certificate = certificate or issue("bad")
        self.requests: list[bytes] = []
        self.connections = 0
        self._script = script
        self._plain = plain
        self._before_handshake = before_handshake
        self._context = _server_context(self.certificate)
        self._listener = socket.socket()
        if receive_buffer is not None:  # inherited by the connections it accepts
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(
                socket.SHUT_RDWR
            )  # a thread that waits in accept would take one more connection
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            if self._plain:
                self._script(Exchange(connection, self))
            else:
                self._before_handshake()
                with self._context.wrap_socket(connection, server_side=True) as tls:
                    self._script(Exchange(tls, self))


@contextlib.contextmanager
def serving(
    script: Script,
    *,
    certificate: Certificate | None = None,
    plain: bool = False,
    before_handshake: Callable[[], object] = lambda: None,
    receive_buffer: int | None = None,
) -> Iterator[BadServer]:
    server = BadServer(
        script,
        certificate=certificate,
        plain=plain,
        before_handshake=before_handshake,
        receive_buffer=receive_buffer,
    )
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def hanging_at_connect() -> Iterator[str]:
    """Return the URL of an address that neither accepts nor refuses connections.

    Its backlog is full.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


def drip(exchange: Exchange) -> None:
    """Send a response byte by byte, for ever: no read ever times out."""
    exchange.request()
    for byte in (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        + b" " * 100000
    ):
        exchange.connection.sendall(bytes([byte]))
        time.sleep(0.05)


def _server_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.write_text(certificate.certificate_pem + certificate.key_pem)
        context.load_cert_chain(path)
    return context
