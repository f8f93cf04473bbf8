"""A TLS proxy before a cluster, which passes requests on until a fault says otherwise."""

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import urllib3

from infra.local.kube.certificates import Certificate, issue
from infra.local.kube.cluster import Response
from infra.local.kube.http.client import TIMEOUT, context
from infra.local.kube.http.server import HttpRequest, HttpsServer
from tests.support.described import Described

_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding"})
_KEPT = ("Content-Type", "Retry-After")
_LIMIT = re.compile(r"\blimit=(\d+)")
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

type Forward = Callable[[], Response]
type AnswerFault = Callable[[HttpRequest, Forward], Response]


@dataclass(frozen=True)
class Arrival:
    """A request as it arrived. `at`: on the monotonic clock.

    `request`: kept, so that no other has its id.
    """

    at: float
    method: str
    target: str
    bearer: str = field(repr=False)
    request: HttpRequest = field(repr=False)


class FaultyProxy(HttpsServer):
    """`fault` gets each request, and passes it on or not. `abrupt`: closing means a reset.

    `own`: its certificate (a new one by default), whose authority is `described_ca`.
    `certificate`: what it shows instead. `page`: the most objects in a page of a list.
    `connections`: the number of those accepted. `stall`: the number of requests that it reads; it
    takes few bytes of others, and reads on only when `release` is set. `unread`: the number of
    these, and `unaborted`: of these, the Secrets that came whole nevertheless, because their
    connection was not aborted.
    """

    def __init__(
        self,
        cluster: Described,
        *,
        fault: AnswerFault | None = None,
        abrupt: bool = False,
        own: Certificate | None = None,
        certificate: Certificate | None = None,
        page: int | None = None,
        stall: int | None = None,
        release: threading.Event | None = None,
    ) -> None:
        own = own or issue(cluster.name)
        self.connections = 0
        self.unread = 0
        self.unaborted = 0
        self._stall = stall
        self._release = release or threading.Event()
        self._reads = count(1)
        self._of_thread = threading.local()
        self._page = page
        self.described_ca = own.ca_pem
        self.shown_ca = (certificate or own).ca_pem
        self.arrivals: list[Arrival] = []
        self.fault = fault
        self._abrupt = abrupt
        self._cluster = cluster
        self._busy = 0
        self._idle = threading.Condition()
        self._pool = urllib3.PoolManager(
            ssl_context=context(cluster.ca_pem), retries=False, maxsize=16, timeout=TIMEOUT
        )
        super().__init__(self._respond, certificate or own)
        if stall is not None:  # inherited by the connections that it accepts
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.start()

    def close(self) -> None:
        super().close()
        self._pool.clear()

    def before_reading(self) -> None:
        self._of_thread.stalled = self._stall is not None and next(self._reads) > self._stall
        if self._of_thread.stalled:
            self.unread += 1
            self._release.wait()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections += 1
        if self._abrupt:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close without the farewell that would make a reset an ordinary end."""
        if self._abrupt:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def drained(self, seconds: float) -> bool:
        """Wait until every request that was passed on has its answer; return whether it has."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, seconds)

    def _respond(self, request: HttpRequest) -> Response:
        if self._of_thread.stalled:
            if request.method == "PATCH" and "/secrets/" in request.target:
                self.unaborted += 1
            raise ConnectionResetError
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.arrivals.append(
            Arrival(time.monotonic(), request.method, request.target, bearer, request)
        )
        with self._working():
            if self.fault is None:
                return self._forward(request)
            return self.fault(request, lambda: self._forward(request))

    @contextlib.contextmanager
    def _working(self) -> Any:
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def _forward(self, request: HttpRequest) -> Response:
        headers = {
            name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP
        }
        try:
            answer = self._pool.request(
                request.method,
                self._cluster.endpoint + self._shortened(request.target),
                body=request.body,
                headers=headers,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionResetError from error
        kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        return Response(answer.status, answer.data, kept)

    def _shortened(self, target: str) -> str:
        """Return the target with no more objects in a page than a page has here."""
        if self._page is None:
            return target
        least = self._page
        return _LIMIT.sub(lambda found: f"limit={min(int(found[1]), least)}", target)
