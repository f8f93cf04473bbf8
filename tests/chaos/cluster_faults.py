"""The faults between the function and one cluster's API server.

Each says what happens, to which requests, and how often.
"""

import contextlib
import json
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Literal

from infra.local.kube.certificates import Certificate, issue
from infra.local.kube.cluster import Response
from infra.local.kube.http.server import HttpRequest, encoded
from tests.chaos.proxy import RESET_ON_CLOSE, AnswerFault, FaultyProxy, Forward
from tests.support.bad_server import Exchange, hanging_at_connect, serving
from tests.support.described import Described

HUNDRED_MB = 100_000_000
DRIP_SECONDS = 0.05

# The clusters' requests, as the table of coverage tells them apart.
STAGES = ("connect", "list", "page 2", "look", "review", "apply", "account", "delete")
POSITIONS = ("first", "middle", "last")
# A fault's target that is no cluster.
GOOGLE = "Google"
_SECRET = re.compile(r"/namespaces/([^/]+)/secrets/")
# Somebody else between a look and a write: another run, or another owner.
RENEWED = "renewed meanwhile"
REPLACED = "replaced meanwhile"
MEDDLERS = (RENEWED, REPLACED)
_LISTS = ("/namespaces", "/secrets", "/serviceaccounts")

type Which = Literal["all", "reads", "writes", "page 2"]
# "later": one request after the first; "from then on": that one and all after it.
type Often = Literal["always", "once", "sometimes", "later", "from then on"]
type Maker = Callable[["Setting"], AnswerFault]
# URL and authority, and the number of connections so far where the server can see them.
type Unreachable = tuple[str, str, Callable[[], int] | None]


@dataclass(frozen=True)
class Setting:
    """The means of a fault.

    `release`: set when the invocations have ended; nothing hangs longer.

    `trap`: the URL of a server that nothing may ever be sent to. `met`: targets, and the faults
    that a request to them ran into. `hits`: the ids of the requests to clusters that ran into one.
    `target`: the name of the cluster. `meddle`: has somebody else change the Secret in a namespace
    of a cluster, once.
    """

    rng: random.Random
    release: threading.Event
    trap: str
    met: set[tuple[str, str]] = field(default_factory=set)
    hits: set[int] = field(default_factory=set)
    target: str = ""
    meddle: Callable[[str, str, str], None] = lambda cluster, namespace, what: None


@dataclass(frozen=True)
class ClusterFault:
    """A fault as a round uses it. `which` and `often` have no meaning for connections."""

    name: str
    which: Which = "all"
    often: Often = "always"

    def __str__(self) -> str:
        if self.name in CONNECTION_FAULTS:
            return self.name
        return f"{self.name} ({self.which}, {self.often})"


@dataclass
class Place:
    """The endpoint of a cluster in a round.

    `proxy`: None where no request gets through. `connections`: the number of connections that a
    fault of connections has seen; None where only the function can see that it failed.
    """

    described: Described
    proxy: FaultyProxy | None = None
    connections: Callable[[], int] | None = None


@contextlib.contextmanager
def place(
    cluster: Described,
    fault: ClusterFault | None,
    setting: Setting,
    *,
    page: int | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Place]:
    """Yield the address that the function is to find `cluster` at.

    `page`: the objects in a page of a list, at most. `certificate`: of the address, if it needs a
    certain one.
    """
    if fault is not None and fault.name in UNREACHABLE:
        with UNREACHABLE[fault.name]() as (url, ca_pem, connections):
            yield Place(Described(cluster.name, url, ca_pem), connections=connections)
        return
    wrong = fault is not None and fault.name in WRONG_CERTIFICATES
    proxy = FaultyProxy(
        cluster,
        fault=None
        if fault is None or fault.name in CONNECTION_FAULTS
        else _limited(cluster.name, fault, setting),
        abrupt=fault is not None and fault.name.startswith("reset"),
        own=certificate,
        certificate=WRONG_CERTIFICATES[fault.name]() if fault is not None and wrong else None,
        page=page,
        stall=setting.rng.randrange(8) if fault is not None and fault.name == UNREAD else None,
        release=setting.release,
    )
    with contextlib.closing(proxy):
        ca_pem = proxy.described_ca
        if fault is not None and fault.name == "another host name":
            ca_pem = proxy.shown_ca
        yield Place(
            Described(cluster.name, proxy.endpoint, ca_pem),
            proxy,
            (lambda: proxy.connections) if wrong else (lambda: proxy.unread),
        )


def stage_of(method: str, target: str) -> str:
    """Return the stage of a request to a cluster."""
    path, _, query = target.partition("?")
    if method == "GET" and "continue=" in query:
        return "page 2"
    if method == "GET":
        return "list" if path.endswith(_LISTS) else "look"
    if method == "DELETE":
        return "delete"
    if path.endswith("reviews"):
        return "review"
    return "account" if "/serviceaccounts/" in path else "apply"


def position_of(index: int, count: int) -> str:
    """Return the position of a request among all those to its cluster."""
    return "first" if index == 0 else "last" if index == count - 1 else "middle"


def _limited(target: str, fault: ClusterFault, setting: Setting) -> AnswerFault:
    """Return the fault for the requests that it is meant for; others are passed on."""
    break_it = ANSWER_FAULTS[fault.name](replace(setting, target=target))
    turns = count()
    chances = [setting.rng.random() < 0.5 for _ in range(64)]
    later = setting.rng.randrange(1, 8)
    due: dict[Often, Callable[[int], bool]] = {
        "always": lambda turn: True,
        "once": lambda turn: turn == 0,
        "sometimes": lambda turn: chances[turn % len(chances)],
        "later": lambda turn: turn == later,
        "from then on": lambda turn: turn >= later,
    }

    def respond(request: HttpRequest, forward: Forward) -> Response:
        stage = stage_of(request.method, request.target)
        meant = {
            "all": True,
            "reads": request.method == "GET",
            "writes": request.method != "GET",
            "page 2": stage == "page 2",
        }
        if not meant[fault.which] or not due[fault.often](next(turns)):
            return forward()
        setting.met.add((GOOGLE if target == GOOGLE else stage, fault.name))
        setting.hits.add(id(request))
        return break_it(request, forward)

    return respond


def _reset_before(setting: Setting) -> AnswerFault:
    def respond(request: HttpRequest, forward: Forward) -> Response:
        raise ConnectionResetError

    return respond


def _reset_after(setting: Setting) -> AnswerFault:
    def respond(request: HttpRequest, forward: Forward) -> Response:
        forward()
        raise ConnectionResetError

    return respond


def _meddled(what: str) -> Maker:
    """Have somebody else change the Secret between the function's look at it and its write."""

    def maker(setting: Setting) -> AnswerFault:
        def respond(request: HttpRequest, forward: Forward) -> Response:
            found = _SECRET.search(request.target)
            if found and request.method != "GET" and "dryRun" not in request.target:
                setting.meddle(setting.target, found[1], what)
            return forward()

        return respond

    return maker


def _half(setting: Setting) -> AnswerFault:
    def respond(request: HttpRequest, forward: Forward) -> Response:
        whole = encoded(forward())
        return Response(raw=[whole[: setting.rng.randrange(1, len(whole))]])

    return respond


def _half_then_hang(setting: Setting) -> AnswerFault:
    def pieces(whole: bytes) -> Iterator[bytes]:
        yield whole[: len(whole) // 2]
        setting.release.wait()

    return lambda request, forward: Response(raw=pieces(encoded(forward())))


def _drip(setting: Setting) -> AnswerFault:
    def pieces(whole: bytes) -> Iterator[bytes]:
        for byte in whole:
            yield bytes([byte])
            if setting.release.wait(DRIP_SECONDS):
                return

    return lambda request, forward: Response(raw=pieces(encoded(forward())))


def _hang(setting: Setting) -> AnswerFault:
    def respond(request: HttpRequest, forward: Forward) -> Response:
        setting.release.wait()
        raise ConnectionResetError

    return respond


def _hang_late(setting: Setting) -> AnswerFault:
    """Carry the request out after the function has gone, as a server does that was paused."""

    def respond(request: HttpRequest, forward: Forward) -> Response:
        setting.release.wait()
        forward()
        raise ConnectionResetError

    return respond


def _slow(setting: Setting) -> AnswerFault:
    def respond(request: HttpRequest, forward: Forward) -> Response:
        setting.release.wait(setting.rng.uniform(0.05, 0.6))
        return forward()

    return respond


def _hundred_megabytes(setting: Setting) -> AnswerFault:
    def pieces() -> Iterator[bytes]:
        yield (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % HUNDRED_MB
        ) + b'{"kind": "PartialObjectMetadataList", "items": ['
        for _ in range(HUNDRED_MB >> 20):
            yield b" " * (1 << 20)
            if setting.release.is_set():
                return

    return lambda request, forward: Response(raw=pieces())


def _status(code: int, retry_after: str | None = None, *, page: bool = False) -> Maker:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "x"}
    headers = {"Retry-After": retry_after} if retry_after else {}
    answer = (
        Response(code, b"<html>bad gateway</html>", {**headers, "Content-Type": "text/html"})
        if page
        else Response(code, body, headers)
    )
    return lambda setting: lambda request, forward: answer


def _redirect(code: int) -> Maker:
    return lambda setting: (
        lambda request, forward: Response(code, b"", {"Location": setting.trap + request.target})
    )


def _lie(setting: Setting) -> AnswerFault:
    """Answer 200 with JSON that is no answer to the question, or that repeats what was sent."""

    def respond(request: HttpRequest, forward: Forward) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        sent = request.body.decode(errors="replace") or token
        listed = {"kind": "PartialObjectMetadataList", "metadata": {}}
        if "/serviceaccounts" in request.target:
            listed["kind"] = "ServiceAccountList"
        items: list[object] = [
            {"metadata": {"name": token, "namespace": token}},
            {"metadata": {"name": "team-0", "namespace": "../../team-0"}},
            {"metadata": {"name": "x", "namespace": "team-0", "labels": ["x"]}},
            {"metadata": None},
            [],
            token,
        ]
        bodies: list[bytes] = [
            *(b"", b"[]", b"null", b"{}", b"0", b'"text"', b"{", b"[" * 100_000, b"<html></html>"),
            json.dumps({**listed, "items": [setting.rng.choice(items)]}).encode(),
            json.dumps({**listed, "items": {}}).encode(),
            json.dumps({**listed, "metadata": {"continue": token}, "items": []}).encode(),
            json.dumps({"kind": "Status", "message": sent, "reason": sent}).encode(),
            json.dumps({"kind": "PartialObjectMetadata", "metadata": {"name": sent}}).encode(),
        ]
        return Response(200, setting.rng.choice(bodies))

    return respond


def _echo(setting: Setting) -> AnswerFault:
    """Refuse, and repeat the request, token and body, wherever an answer has room for text."""

    def respond(request: HttpRequest, forward: Forward) -> Response:
        sent = request.headers.get("authorization", "") + request.body.decode(errors="replace")
        cause = {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{sent[-120:]}"',
            "field": sent[-100:],
        }
        body = {
            "kind": "Status",
            "code": 409,
            "message": sent,
            "reason": "Conflict",
            "details": {"name": sent, "kind": sent[-60:], "causes": [cause]},
        }
        return Response(setting.rng.choice((403, 409, 422, 500)), body, {"Warning": sent[-200:]})

    return respond


@contextlib.contextmanager
def refused() -> Iterator[Unreachable]:
    with contextlib.closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))  # held, so that nobody else listens there meanwhile
        yield f"https://127.0.0.1:{bound.getsockname()[1]}", issue("x").ca_pem, None


@contextlib.contextmanager
def silent() -> Iterator[Unreachable]:
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        listening.setblocking(False)
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        yield url, issue("x").ca_pem, lambda: int(accepted(listening))


@contextlib.contextmanager
def hangs_at_connect() -> Iterator[Unreachable]:
    with hanging_at_connect() as url:
        yield url, issue("x").ca_pem, None


@contextlib.contextmanager
def closes() -> Iterator[Unreachable]:
    with serving(lambda exchange: None, plain=True) as server:
        yield server.url, server.certificate.ca_pem, lambda: server.connections


@contextlib.contextmanager
def resets() -> Iterator[Unreachable]:
    """Reset each connection once the client has begun to speak."""

    def reset(exchange: Exchange) -> None:
        exchange.connection.recv(1)
        exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    with serving(reset, plain=True) as server:
        yield server.url, server.certificate.ca_pem, lambda: server.connections


@contextlib.contextmanager
def _no_tls() -> Iterator[Unreachable]:
    with serving(lambda exchange: exchange.answer("200 OK", b"{}"), plain=True) as server:
        yield server.url, server.certificate.ca_pem, lambda: server.connections


def accepted(listening: socket.socket) -> bool:
    """Return whether a connection waits at a socket that does not block; close it."""
    try:
        connection, _ = listening.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


UNREACHABLE: dict[str, Callable[[], contextlib.AbstractContextManager[Unreachable]]] = {
    "refused": refused,
    "hang at connect": hangs_at_connect,
    "hang at TLS": silent,
    "closed at TLS": closes,
    "reset at TLS": resets,
    "HTTP without TLS": _no_tls,
}
WRONG_CERTIFICATES = {
    "another authority": lambda: issue("impostor"),
    "another host name": lambda: issue("impostor", hosts=("elsewhere.example.com",)),
}
ANSWER_FAULTS: dict[str, Maker] = {
    "reset before the answer": _reset_before,
    "reset after the work": _reset_after,
    "half an answer": _half,
    "half an answer, then hang": _half_then_hang,
    "drip": _drip,
    "hang at read": _hang,
    "hang, and work after the end": _hang_late,
    "slow": _slow,
    "100 MB": _hundred_megabytes,
    "429": _status(429),
    "429, Retry-After 1": _status(429, "1"),
    "429, Retry-After 3600": _status(429, "3600"),
    "429, Retry-After nonsense": _status(429, "9" * 400),
    **{str(code): _status(code) for code in range(500, 505)},
    "502 of a load balancer": _status(502, page=True),
    "503, Retry-After 1": _status(503, "1"),
    "401": _status(401),
    "403": _status(403),
    "410": _status(410),
    **{f"redirect {code}": _redirect(code) for code in (301, 302, 307, 308)},
    "JSON that lies": _lie,
    "echo": _echo,
    **{what: _meddled(what) for what in MEDDLERS},
}
# Its kernel takes the bytes: only a connection that is aborted takes them back.
UNREAD = "not read before the end"
CONNECTION_FAULTS = (*UNREACHABLE, *WRONG_CERTIFICATES, UNREAD)


def draw(rng: random.Random, *, meddlers: bool = True) -> ClusterFault:
    """Return a random fault. `meddlers`: it may be one of these.

    Those that need a write at the right moment to be of use are likelier than others.
    """
    others = [name for name in ANSWER_FAULTS if name not in MEDDLERS]
    likelier = (*(UNREAD,) * 3, *(MEDDLERS * 4 if meddlers else ()))
    name = rng.choice((*CONNECTION_FAULTS, *others, *likelier))
    if name in MEDDLERS:
        return ClusterFault(name, "writes")
    return ClusterFault(
        name,
        rng.choice(("all", "all", "reads", "writes", "writes", "page 2")),
        rng.choice(("always", "always", "once", "sometimes", "later", "from then on")),
    )
