"""The HTTPS edge: connections, TLS and HTTP/1.1 framing, without Kubernetes.

The request is parsed here and not by http.server, whose e-mail parser costs more than the rest of
an answer; a server that is the bottleneck would make every measurement of the function worthless.
Headers and body leave in one send, with Nagle's delay off.
"""

import contextlib
import http
import json
import os
import socket
import socketserver
import ssl
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from ..certificates import Certificate
from ..cluster import Response
from ..status import failure

MAX_BODY = 3 << 20
"""kube-apiserver's limit."""
TOO_LARGE = f"Request entity too large: limit is {MAX_BODY}"
MAX_LINE = 64 << 10
HANDSHAKE_SECONDS = 10.0
IDLE_SECONDS = 300.0
POLL_SECONDS = 0.02
_PHRASES = {status.value: status.phrase for status in http.HTTPStatus}


@dataclass(frozen=True)
class HttpRequest:
    """A received request; header names are lower case; `client_certificate` is DER, verified."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    client_certificate: bytes | None = None


type Application = Callable[[HttpRequest], Response]


class HttpsServer(ThreadingHTTPServer):
    """A server on a loopback port from `start` to `close`, with a thread per connection.

    `client_ca_pem`: the authority of the accepted client certificates. One of another authority, or
    out of date, fails the handshake: Python's TLS cannot leave that to the application, as a real
    API server does, which answers 401.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(
        self,
        application: Application,
        certificate: Certificate,
        port: int = 0,
        *,
        client_ca_pem: str = "",
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self.application = application
        self._tls = _context(certificate, client_ca_pem)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(poll_seconds,), name="local-kube", daemon=True
        )

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of the host's own name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)

    @property
    def endpoint(self) -> str:
        """The server's URL."""
        return f"https://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop the server and cut every connection."""
        self.shutdown()
        self.server_close()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept without the TLS handshake, so that a slow client delays nobody else."""
        connection, address = self.socket.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(HANDSHAKE_SECONDS)
        return (
            self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False),
            address,
        )

    def before_reading(self) -> None:
        """Do nothing: a server that is slow to read overrides this, called before each request."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken connections; errors of our own are answered with a 500 already."""

    @contextlib.contextmanager
    def tracked(self, connection: socket.socket) -> Any:
        """Keep the connection in the list that `close` cuts."""
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)


class _Connection(socketserver.StreamRequestHandler):
    server: HttpsServer
    request: ssl.SSLSocket

    def handle(self) -> None:
        with self.server.tracked(self.request), contextlib.suppress(OSError, ValueError):
            self.request.do_handshake()
            self.request.settimeout(IDLE_SECONDS)
            self._certificate = self.request.getpeercert(binary_form=True)
            while (request := self._read()) and self._answer(request):
                pass

    def _read(self) -> HttpRequest | None:
        self.server.before_reading()
        line = self.rfile.readline(MAX_LINE)
        if not line.strip():
            return None
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(MAX_LINE)) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return HttpRequest(method, target, headers, self._body(headers), self._certificate)

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        length = int(headers.get("content-length") or 0)
        if not 0 <= length <= MAX_BODY:
            self.request.sendall(
                encoded(
                    Response(
                        413,
                        failure(413, TOO_LARGE, reason="RequestEntityTooLarge"),
                        close=True,
                    )
                )
            )
            raise ValueError("body too large")
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise ValueError("the client went away")
        return body

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := int(self.rfile.readline(MAX_LINE).split(b";")[0], 16):
            if size + sum(map(len, parts)) > MAX_BODY:
                raise ValueError("body too large")
            parts.append(self.rfile.read(size))
            self.rfile.readline(MAX_LINE)
        while self.rfile.readline(MAX_LINE).strip():
            pass
        return b"".join(parts)

    def _answer(self, request: HttpRequest) -> bool:
        answer = self.server.application(request)
        if answer.raw is not None:
            for piece in answer.raw:
                self.request.sendall(piece)
            return False
        closing = answer.close or request.headers.get("connection", "").lower() == "close"
        self.request.sendall(encoded(answer, closing=closing, bodiless=request.method == "HEAD"))
        return not closing

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()


def encoded(answer: Response, *, closing: bool = False, bodiless: bool = False) -> bytes:
    """Return the answer's bytes: status line, headers, body."""
    body = encoded_body(answer)
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-cache, private",
        **answer.headers,
    }
    if "Content-Length" not in headers:
        headers["Content-Length"] = str(len(body))
    if closing or answer.close:
        headers["Connection"] = "close"
    lines = [
        f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, 'Unknown')}",
        *(f"{k}: {v}" for k, v in headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1") + (b"" if bodiless else body)


def encoded_body(answer: Response) -> bytes:
    """Return the answer's body, a JSON object as its bytes."""
    if isinstance(answer.body, bytes):
        return answer.body
    return json.dumps(answer.body, separators=(",", ":"), ensure_ascii=False).encode()


def _context(certificate: Certificate, client_ca_pem: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if client_ca_pem:
        made.verify_mode = ssl.CERT_OPTIONAL
        made.load_verify_locations(cadata=client_ca_pem)
    handle, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(certificate.certificate_pem + certificate.key_pem)
        made.load_cert_chain(path)
    finally:
        os.unlink(path)
    return made
