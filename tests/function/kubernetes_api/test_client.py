"""The Kubernetes session with servers that fail in every way an endpoint can.

Each failure is a typed error with nothing secret in it.
"""

import asyncio
import contextlib
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Clock, Deadline
from ecr_public_pusher.errors import (
    ApiError,
    ApiStatusError,
    DeadlineReached,
    PusherError,
    SignInError,
    SignInRefused,
    UnreachableError,
)
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.connection_budget import ConnectionBudget
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from infra.local.kube.certificates import Certificate, issue
from tests.support.bad_server import BadServer, Exchange, Script, drip, hanging_at_connect, serving
from tests.support.recorded_answers import RecordedAnswer, recorded, secret_applied
from tests.support.resolver import Resolver

IMPATIENT = RetryPolicy(
    connect_seconds=0.3,
    request_seconds=0.4,
    write_seconds=0.4,
    attempts=3,
    connect_attempts=2,
    backoff_seconds=0.01,
    backoff_limit_seconds=0.05,
    sign_in_seconds=0.02,
)
BEARER = "k8s-aws-v1.bearer-of-a-test"
PASSWORD = "cGFzc3dvcmQtb2YtYS10ZXN0"
BODY = json.dumps(
    {
        "kind": "Secret",
        "metadata": {"name": "ecr-public-token"},
        "data": {".dockerconfigjson": PASSWORD},
    }
).encode()
APPLIED = secret_applied("team-a").body
UNAUTHORIZED = (recorded("bad-token").status_line, recorded("bad-token").body)


class Calls:
    """A cluster's client on an event loop of its own, for tests that speak to it call by call."""

    def __init__(
        self,
        url: str,
        ca_pem: str,
        *,
        deadline: Deadline | None = None,
        sign_in: Callable[[], str | None] = lambda: BEARER,
        retry_policy: RetryPolicy = IMPATIENT,
    ) -> None:
        async def credential() -> Credential:
            return Credential(sign_in())

        async def connect() -> KubernetesApi:
            access = ClusterAccess(url, ca_pem, credential, "aws eks create-access-entry")
            return KubernetesApi(
                access,
                field_manager="a-manager",
                deadline=deadline or Deadline.of_invocation(30),
                blocking=BlockingCalls(),
                sockets=Sockets(),
                retry_policy=retry_policy,
            )

        self._runner = asyncio.Runner()
        try:
            self.api = self._runner.run(connect())
        except PusherError:
            self._runner.close()
            raise

    def apply(self) -> bool:
        return self._runner.run(self.api.apply_secret("team-a", "ecr-public-token", BODY)).created

    def look(self) -> object:
        """Return the result of a GET of the Secret's metadata."""
        asking = self.api.secret_metadata("team-a", "ecr-public-token", lambda found, _: found)
        return self._runner.run(asking)

    def get(self, path: str, query: str) -> int:
        """Return the status of a GET of any path."""
        status, _ = self._runner.run(self.api.send("GET", path, query, kind=()))
        return status

    def apply_at_once(self, count: int) -> list[bool | BaseException]:
        """Start this many applies concurrently, and return the result of each."""

        async def one() -> bool:
            return (await self.api.apply_secret("team-a", "ecr-public-token", BODY)).created

        async def all_of_them() -> list[bool | BaseException]:
            return await asyncio.gather(*(one() for _ in range(count)), return_exceptions=True)

        return self._runner.run(all_of_them())

    def apply_both(self, *namespaces: str) -> None:
        """Apply both concurrently, whatever the results."""

        async def both() -> None:
            await asyncio.gather(
                *(
                    self.api.apply_secret(namespace, "ecr-public-token", BODY)
                    for namespace in namespaces
                ),
                return_exceptions=True,
            )

        self._runner.run(both())

    def close(self) -> None:
        self._runner.run(self.api.__aexit__())
        self._runner.close()


def apply(
    url: str, ca_pem: str, *, seconds: float = 30, sign_in: Callable[[], str] = lambda: BEARER
) -> bool:
    """Apply once, and return whether it created the Secret."""
    with contextlib.closing(
        Calls(url, ca_pem, deadline=Deadline.of_invocation(seconds), sign_in=sign_in)
    ) as calls:
        return calls.apply()


def failure(
    script: Script, *, certificate: Certificate | None = None, plain: bool = False
) -> tuple[PusherError, BadServer]:
    """Return the error of an apply against `script`.

    Whatever it is, it has a remedy and reveals nothing that was sent.
    """
    with (
        serving(script, certificate=certificate, plain=plain) as server,
        pytest.raises(PusherError) as caught,
    ):
        apply(server.url, server.certificate.ca_pem)
    error = caught.value
    assert error.remedy
    said = f"{error!r} {error.message} {error.remedy}"
    assert BEARER not in said
    assert PASSWORD not in said
    assert error.__suppress_context__ or error.__context__ is None
    return error, server


def answering(status: str, body: bytes = b"", *headers: str) -> Script:
    def script(exchange: Exchange) -> None:
        while exchange.request():
            exchange.answer(status, body, *headers)

    return script


def silent(exchange: Exchange) -> None:
    exchange.request()
    time.sleep(5)


def garbage(exchange: Exchange) -> None:
    exchange.request()
    exchange.connection.sendall(b"\x00\x01\x02\r\n\r\n")


def refusing(name: str) -> Script:
    """Answer each request as kube-apiserver was recorded to."""
    return lambda exchange: answer_all(exchange, recorded(name))


def answer_all(exchange: Exchange, answer: RecordedAnswer) -> None:
    while exchange.request():
        answer.send(exchange)


def in_turn(*answers: tuple[str, bytes]) -> Script:
    """Return a script that gives one answer after the other, across connections; the last stays."""
    left = list(answers)

    def script(exchange: Exchange) -> None:
        while exchange.request():
            status, body = left.pop(0) if len(left) > 1 else left[0]
            exchange.answer(status, body)

    return script


@pytest.mark.parametrize("style", ["modern", "legacy"])
def test_old_and_new_certificate_authorities_are_trusted(
    style: Literal["modern", "legacy"],
) -> None:
    with serving(answering("201 Created", APPLIED), certificate=issue("cluster", style)) as server:
        assert apply(server.url, server.certificate.ca_pem) is True


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would get a CONNECT at best; nothing vouches for the environment's proxies."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, address)
        with serving(answering("201 Created", APPLIED)) as server:
            assert apply(server.url, server.certificate.ca_pem) is True


def test_no_cookie_comes_back() -> None:
    """Requests to names carry what a cookie jar keeps, those to addresses do not."""
    script = answering("201 Created", APPLIED, "Set-Cookie: route=a; Secure")
    with serving(script) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        with contextlib.closing(Calls(url, server.certificate.ca_pem)) as calls:
            assert [calls.apply() for _ in range(2)] == [True, True]
    assert len(server.requests) == 2
    assert [one for one in server.requests if b"cookie" in one.lower()] == []


def test_another_certificate_authority_is_refused_at_once() -> None:
    with (
        serving(answering("200 OK", APPLIED)) as server,
        pytest.raises(UnreachableError, match="is not the cluster's"),
    ):
        apply(server.url, issue("other").ca_pem)
    assert server.requests == []
    assert server.connections == 1


def test_another_host_name_is_refused_at_once() -> None:
    error, server = failure(
        answering("200 OK", APPLIED), certificate=issue("cluster", hosts=("elsewhere.example",))
    )
    assert "is not the cluster's" in error.message
    assert server.requests == []
    assert server.connections == 1


def test_a_certificate_authority_that_is_invalid() -> None:
    with pytest.raises(UnreachableError, match="certificate authority"):
        apply(
            "https://127.0.0.1:1",
            "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n",
        )


def test_a_closed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError, match="refuses connections"):
        apply(f"https://127.0.0.1:{port}", issue("x").ca_pem)


def test_a_host_without_an_address() -> None:
    with pytest.raises(UnreachableError, match="DNS"):
        apply("https://cluster.invalid", issue("x").ca_pem)


def test_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver({"cluster.example": 2.0}))
    with pytest.raises(UnreachableError, match="DNS"):
        apply("https://cluster.example", issue("x").ca_pem)


def test_a_hang_at_connect() -> None:
    with (
        hanging_at_connect() as url,
        pytest.raises(UnreachableError, match="did not accept a connection in time"),
    ):
        apply(url, issue("x").ca_pem)


def test_a_hang_in_tls() -> None:
    error, server = failure(lambda exchange: time.sleep(5), plain=True)
    assert isinstance(error, UnreachableError)
    assert server.connections == IMPATIENT.connect_attempts


def test_no_tls_at_all() -> None:
    error, _ = failure(
        lambda exchange: exchange.connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        plain=True,
    )
    assert isinstance(error, UnreachableError)
    assert "TLS" in error.message


def test_a_hang_after_the_request() -> None:
    error, server = failure(silent)
    assert isinstance(error, UnreachableError)
    assert "did not complete its response in time" in error.message
    assert len(server.requests) == IMPATIENT.attempts


def test_a_slow_drip_is_not_waited_for() -> None:
    error, _ = failure(drip)
    assert isinstance(error, UnreachableError)
    assert "did not complete its response in time" in error.message


def test_half_a_response() -> None:
    def script(exchange: Exchange) -> None:
        exchange.request()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {2 * len(APPLIED)}\r\n\r\n"
        exchange.connection.sendall(head.encode() + APPLIED)

    error, server = failure(script)
    assert isinstance(error, UnreachableError)
    assert len(server.requests) == IMPATIENT.attempts


def test_a_connection_broken_off_is_tried_again() -> None:
    seen: list[bytes] = []

    def script(exchange: Exchange) -> None:
        seen.append(exchange.request())
        if len(seen) > 1:
            exchange.answer("200 OK", APPLIED)

    with serving(script) as server:
        assert apply(server.url, server.certificate.ca_pem) is False
    assert len(seen) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe garbage",
        b"<html><body>Welcome</body></html>",
        b"[]",
        b"null",
        b"{}",
        b'{"kind": "PartialObjectMetadata"}',
        (
            b'{"kind": "PartialObjectMetadata", "metadata": {"name": "another", "namespace":'
            b' "team-a"}}'
        ),
        BODY,
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_no_kubernetes_answer(body: bytes) -> None:
    error, _ = failure(answering("200 OK", body))
    assert isinstance(error, ApiError)
    assert "did not respond as a Kubernetes API does" in error.message


def test_garbage_instead_of_http() -> None:
    error, server = failure(garbage)
    assert isinstance(error, UnreachableError)
    assert "did not respond as a Kubernetes API does (not even in HTTP)" in error.message
    assert server.connections == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 418, 500])
def test_our_own_request_echoed_back_is_not_repeated(status: int) -> None:
    def script(exchange: Exchange) -> None:
        while whole := exchange.request():
            text = whole.decode(errors="replace")
            cause = {
                "reason": "FieldManagerConflict",
                "message": f'conflict with "{PASSWORD}" using v1: {text}',
                "field": ".data",
            }
            answer = {
                "kind": "Status",
                "message": text,
                "reason": text,
                "details": {"kind": text, "causes": [cause]},
            }
            exchange.answer(f"{status} {BEARER}", json.dumps(answer).encode())

    error, _ = failure(script)
    assert isinstance(error, ApiStatusError)
    assert error.conflict is not None
    assert error.conflict.managers == ()


@pytest.mark.parametrize("details", [7, [], {"causes": 7}, {"causes": [7, {}], "kind": []}])
def test_a_refusal_whose_parts_make_no_sense(details: object) -> None:
    error, _ = failure(
        answering("409 Conflict", json.dumps({"kind": "Status", "details": details}).encode())
    )
    assert isinstance(error, ApiStatusError)
    assert error.conflict is None


@pytest.mark.parametrize(
    "status",
    [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ],
)
def test_a_redirect_is_refused_and_the_other_server_sees_nothing(status: str) -> None:
    other = answering("200 OK", APPLIED)
    with serving(other, plain=True) as plain, serving(other) as secure:
        for target in (f"http://127.0.0.1:{plain.port}/", f"{secure.url}/", "/elsewhere"):
            error, server = failure(answering(status, b"", f"Location: {target}"))
            assert isinstance(error, ApiError)
            assert "redirect" in error.message
            assert len(server.requests) == 1
        assert (plain.connections, secure.connections) == (0, 0)


@pytest.mark.parametrize(
    "status",
    [
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ],
)
def test_a_passing_failure_is_tried_again(status: str) -> None:
    """A proxy or a load balancer answers so, with any body."""
    with serving(in_turn((status, b"busy"), ("200 OK", APPLIED))) as server:
        assert apply(server.url, server.certificate.ca_pem) is False
        assert len(server.requests) == 2
        assert server.connections == 1


@pytest.mark.parametrize(
    "name", ["apply-while-etcd-hangs", "webhook-hangs", "webhook-http-500", "webhook-unreachable"]
)
def test_a_passing_failure_that_lasts_is_an_error(name: str) -> None:
    error, server = failure(refusing(name))
    assert isinstance(error, ApiStatusError)
    assert error.status == recorded(name).status
    assert len(server.requests) == IMPATIENT.attempts


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_load_balancers_passing_failure_that_lasts_is_an_error(status: str) -> None:
    error, server = failure(answering(status))
    assert isinstance(error, ApiStatusError)
    assert error.status == int(status[:3])
    assert len(server.requests) == IMPATIENT.attempts


@pytest.mark.parametrize(
    "name",
    [
        "apply-name-mismatch",
        "pusher-may-not-write-another-secret",
        "apply-missing-namespace",
        "apply-conflicts-with-foreign",
        "apply-with-a-stale-version",
        "apply-type-immutable",
        "apply-with-another-uid",
        "apply-over-quota",
        "webhook-denies-500",
    ],
)
def test_a_final_answer_is_not_asked_for_twice(name: str) -> None:
    error, server = failure(refusing(name))
    assert isinstance(error, ApiStatusError)
    assert error.status == recorded(name).status
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "404 Not Found"])
def test_a_proxys_final_answer_is_not_asked_for_twice(status: str) -> None:
    error, server = failure(answering(status, b"{}"))
    assert isinstance(error, ApiStatusError)
    assert len(server.requests) == 1


def test_a_servers_retry_after_is_honoured() -> None:
    """Two seconds, by priority and fairness."""
    answers = iter((recorded("apply-without-a-seat"), secret_applied("team-a")))
    times: list[float] = []

    def script(exchange: Exchange) -> None:
        while exchange.request():
            times.append(time.monotonic())
            next(answers).send(exchange)

    with serving(script) as server:
        apply(server.url, server.certificate.ca_pem)
    assert times[1] - times[0] >= 2


def test_a_load_balancers_retry_after_is_honoured() -> None:
    times: list[float] = []
    status = "503 Service Unavailable"

    def script(exchange: Exchange) -> None:
        while exchange.request():
            times.append(time.monotonic())
            exchange.answer(
                *((status, b"", "Retry-After: 1") if len(times) == 1 else ("200 OK", APPLIED))
            )

    with serving(script) as server:
        apply(server.url, server.certificate.ca_pem)
    assert times[1] - times[0] >= 1


def test_a_retry_after_beyond_the_deadline_is_not_waited_for() -> None:
    with serving(answering("429 Too Many Requests", b"", "Retry-After: 3600")) as server:
        began = time.monotonic()
        with pytest.raises(ApiStatusError):
            apply(server.url, server.certificate.ca_pem, seconds=10)
        assert time.monotonic() - began < 5
    assert len(server.requests) == 1


def test_a_401_gets_one_fresh_token() -> None:
    tokens = iter(["stale", "fresh"])
    with serving(in_turn(UNAUTHORIZED, ("200 OK", APPLIED))) as server:
        apply(server.url, server.certificate.ca_pem, sign_in=lambda: next(tokens))
    assert [b"Bearer fresh" in request for request in server.requests] == [False, True]


def test_a_401_that_lasts_is_a_sign_in_error_with_the_access_entry_as_remedy() -> None:
    error, server = failure(answering(*UNAUTHORIZED))
    assert isinstance(error, SignInError)
    assert "create-access-entry" in error.remedy
    assert len(server.requests) == 2


@dataclass(frozen=True)
class Counted(RetryPolicy):
    """An impatient retry policy that records each pause before a sign-in is retried."""

    sign_in_seconds: float = 0.02
    pauses: list[float] = field(default_factory=list)

    def sign_in_pause(self) -> float:
        self.pauses.append(super().sign_in_pause())
        return self.pauses[-1]


def admitting(*tokens: str) -> Script:
    """Return a script that answers 401 to every other token."""

    def script(exchange: Exchange) -> None:
        while request := exchange.request():
            admitted = any(f"Bearer {token}\r\n".encode() in request for token in tokens)
            exchange.answer(*(("200 OK", APPLIED) if admitted else UNAUTHORIZED))

    return script


def test_requests_that_are_refused_side_by_side_share_one_new_token_and_one_pause() -> None:
    made: list[str] = []
    policy = Counted()

    def sign_in() -> str:
        made.append(f"token-{len(made)}")
        return made[-1]

    with serving(admitting("token-1")) as server:
        calls = Calls(server.url, server.certificate.ca_pem, sign_in=sign_in, retry_policy=policy)
        with contextlib.closing(calls):
            assert calls.apply_at_once(8) == [False] * 8
    assert (len(made), len(policy.pauses)) == (2, 1)


def test_a_token_that_is_refused_after_the_pause_is_not_replaced_for_others() -> None:
    made: list[str] = []
    policy = Counted()

    def sign_in() -> str:
        made.append(f"token-{len(made)}")
        return made[-1]

    with serving(admitting()) as server:
        calls = Calls(server.url, server.certificate.ca_pem, sign_in=sign_in, retry_policy=policy)
        with contextlib.closing(calls):
            for count in (8, 1):
                assert {type(result) for result in calls.apply_at_once(count)} == {SignInRefused}
    assert (len(made), len(policy.pauses)) == (2, 1)


def test_requests_share_the_failure_of_the_second_sign_in_too() -> None:
    tries: list[int] = []
    policy = Counted()

    def sign_in() -> str:
        tries.append(1)
        if len(tries) > 1:
            raise SignInError("STS is unwell", remedy="Wait.")
        return "token"

    with serving(admitting()) as server:
        calls = Calls(server.url, server.certificate.ca_pem, sign_in=sign_in, retry_policy=policy)
        with contextlib.closing(calls):
            assert {str(result) for result in calls.apply_at_once(8)} == {"STS is unwell"}
    assert (len(tries), len(policy.pauses)) == (2, 1)


def test_a_verifier_that_is_throttled_for_a_moment_is_waited_for() -> None:
    """The second try comes when the first is a few seconds old, by default; here sooner."""
    first: list[float] = []

    def script(exchange: Exchange) -> None:
        while exchange.request():
            first.append(time.monotonic())
            throttled = time.monotonic() - first[0] < 0.25
            exchange.answer(*(UNAUTHORIZED if throttled else ("200 OK", APPLIED)))

    with serving(script) as server:
        policy = replace(IMPATIENT, sign_in_seconds=0.6)
        calls = Calls(server.url, server.certificate.ca_pem, retry_policy=policy)
        with contextlib.closing(calls):
            assert calls.apply_at_once(1) == [False]


def test_the_pause_is_of_seconds_and_scattered() -> None:
    pauses = {RetryPolicy().sign_in_pause() for _ in range(50)}
    assert (min(pauses) >= 2, max(pauses) <= 5, len(pauses) > 10) == (True, True, True)


def test_a_sign_in_is_not_tried_again_beyond_the_deadline() -> None:
    patient = replace(IMPATIENT, sign_in_seconds=3600)
    with serving(admitting()) as server:
        calls = Calls(server.url, server.certificate.ca_pem, retry_policy=patient)
        with contextlib.closing(calls):
            assert [type(result) for result in calls.apply_at_once(1)] == [SignInRefused]
    assert len(server.requests) == 1


def test_a_client_without_a_token_is_refused_once() -> None:
    with serving(admitting()) as server:
        calls = Calls(server.url, server.certificate.ca_pem, sign_in=lambda: None)
        with contextlib.closing(calls):
            calls.apply_at_once(1)
    assert len(server.requests) == 1


@pytest.mark.alone
def test_an_endless_answer_is_cut_off() -> None:
    def script(exchange: Exchange) -> None:
        exchange.request()
        exchange.connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        while True:
            exchange.connection.sendall(chunk)

    error, server = failure(script)
    assert "responded with more than 16 MiB, and was cut off" in error.message
    assert server.connections == 1


def test_headers_without_end_are_not_waited_for_again() -> None:
    def script(exchange: Exchange) -> None:
        exchange.request()
        exchange.connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            exchange.connection.sendall(b"X: " + b"x" * 0x10000)

    error, server = failure(script)
    assert "not even in HTTP" in error.message
    assert server.connections == 1


@pytest.mark.parametrize("request_of", [Calls.apply, Calls.look])
def test_nothing_is_sent_once_the_deadline_has_passed(
    request_of: Callable[[Calls], object],
) -> None:
    wall = [1_000.0]
    deadline = Deadline(1_030.0, Clock(wall=lambda: wall[0]))
    with (
        serving(answering("200 OK", APPLIED)) as server,
        contextlib.closing(
            Calls(server.url, server.certificate.ca_pem, deadline=deadline)
        ) as calls,
    ):
        assert calls.apply() is False
        wall[0] += 60
        with pytest.raises(DeadlineReached):
            request_of(calls)
        assert len(server.requests) == 1


def test_a_deadline_that_passes_during_the_handshake_sends_nothing() -> None:
    """Lambda may freeze between connecting and sending.

    The wall clock has moved then, and nothing was cancelled yet.
    """
    wall = [1_000.0]

    def freeze() -> None:
        wall[0] += 60

    with (
        serving(answering("200 OK", APPLIED), before_handshake=freeze) as server,
        contextlib.closing(
            Calls(
                server.url,
                server.certificate.ca_pem,
                deadline=Deadline(1_030.0, Clock(wall=lambda: wall[0])),
            )
        ) as calls,
        pytest.raises(DeadlineReached),
    ):
        calls.apply()
    assert server.connections == 1
    assert server.requests == []


@pytest.mark.parametrize("time", ["first", "second", "third"])
@pytest.mark.parametrize("end", ["it is cancelled", "its time is up", "it gives way"])
def test_a_write_without_an_answer_is_thrown_away_with_what_the_kernel_holds(
    end: str, time: str
) -> None:
    """The peer reads nothing until the writer has gone.

    Data in buffers must not arrive then.
    """
    arrived: list[int] = []
    go_on = threading.Event()
    done = threading.Event()
    patience = replace(
        IMPATIENT,
        attempts=1,
        write_seconds=0.4 if end == "its time is up" else 30,
        stalled_seconds=0.1,
    )
    failure = UnreachableError if end == "its time is up" else TimeoutError

    def script(exchange: Exchange) -> None:
        go_on.wait(10)
        try:
            while chunk := exchange.connection.recv(1 << 20):
                arrived.append(len(chunk))
        finally:
            done.set()

    async def write(url: str, ca_pem: str, sockets: Sockets) -> None:
        async def credential() -> Credential:
            return Credential(BEARER)

        async with BlockingCalls() as blocking:
            access = ClusterAccess(url, ca_pem, credential, "")
            deadline = Deadline.of_invocation(30)
            api = KubernetesApi(
                access,
                field_manager="a-manager",
                deadline=deadline,
                blocking=blocking,
                sockets=sockets,
                retry_policy=patience,
            )
            writing = api.apply_secret("team-a", "ecr-public-token", b"x" * 200_000)
            if end == "it gives way":
                other = sockets.budget.share(stalled_after=1, close=lambda connection: None)
                waiting = asyncio.create_task(other.take())
            with pytest.raises(failure):
                async with asyncio.timeout(20 if end == "its time is up" else 0.7), api:
                    await writing
            if end == "it gives way":
                assert waiting.done()

    with serving(script, receive_buffer=4096) as server:
        with Sockets(ConnectionBudget(1)) as sockets:
            asyncio.run(write(server.url, server.certificate.ca_pem, sockets))
        go_on.set()
        assert done.wait(10)
    assert sum(arrived) < 200_000


def test_what_was_answered_is_closed_in_the_ordinary_way_beside_what_was_not() -> None:
    ends: dict[str, str] = {}
    ended = threading.Barrier(3)

    def script(exchange: Exchange) -> None:
        hangs = b"/namespaces/hangs/" in exchange.request()
        if not hangs:
            exchange.answer("200 OK", APPLIED)
        try:
            while socket.socket.recv(
                exchange.connection, 1 << 16
            ):  # below TLS, with its close_notify or without
                pass
            end = "closed"
        except ConnectionResetError:
            end = "reset"
        ends["hangs" if hangs else "answers"] = end
        ended.wait(5)

    with serving(script) as server:
        with contextlib.closing(
            Calls(
                server.url, server.certificate.ca_pem, retry_policy=replace(IMPATIENT, attempts=1)
            )
        ) as calls:
            calls.apply_both("hangs", "team-a")
        ended.wait(5)
    assert ends == {"hangs": "reset", "answers": "closed"}


def test_connections_are_closed_in_the_ordinary_way_when_all_is_answered() -> None:
    """A reset for each would show in the load balancer's metrics as trouble."""
    ends: list[str] = []
    ended = threading.Event()

    def script(exchange: Exchange) -> None:
        exchange.request()
        exchange.answer("200 OK", APPLIED)
        try:
            exchange.connection.recv(1)
            ends.append("closed")
        except ConnectionResetError:
            ends.append("reset")
        except OSError:  # the end without TLS's close_notify
            ends.append("closed")
        ended.set()

    with serving(script) as server:
        apply(server.url, server.certificate.ca_pem)
        assert ended.wait(5)
    assert ends == ["closed"]


def test_a_connection_takes_little_memory() -> None:
    """The buffers of connections take most of the memory while very many clusters hang."""
    count = 20
    go_on = threading.Event()

    def script(exchange: Exchange) -> None:
        exchange.request()
        go_on.wait(10)
        exchange.answer("200 OK", APPLIED)

    with (
        serving(script) as server,
        contextlib.closing(Calls(server.url, server.certificate.ca_pem)) as calls,
    ):
        tracemalloc.start()
        try:
            threading.Timer(0.3, go_on.set).start()
            calls.apply_both(*["team-a"] * count)
            taken, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert server.connections >= count
    assert taken / count < 128 * 1024


def test_two_clusters_share_nothing() -> None:
    with serving(answering("200 OK", APPLIED)) as one, serving(answering("200 OK", APPLIED)) as two:
        first = Calls(one.url, one.certificate.ca_pem, sign_in=lambda: "for-one")
        second = Calls(two.url, two.certificate.ca_pem, sign_in=lambda: "for-two")
        with contextlib.closing(first), contextlib.closing(second):
            for _ in range(2):
                first.apply()
                second.apply()
        assert [b"for-one" in request for request in one.requests] == [True, True]
        assert [b"for-two" in request for request in two.requests] == [True, True]
        assert (one.connections, two.connections) == (1, 1)


def test_a_query_is_sent_as_it_was_encoded() -> None:
    with (
        serving(answering("200 OK", APPLIED)) as server,
        contextlib.closing(Calls(server.url, server.certificate.ca_pem)) as calls,
    ):
        calls.get("/api/v1/namespaces", "fieldManager=a%2Fb%3Ac&x=%7e")
    (request,) = server.requests
    assert request.split(b" ")[1] == b"/api/v1/namespaces?fieldManager=a%2Fb%3Ac&x=%7e"


def test_an_answer_of_another_kind_is_no_answer() -> None:
    error, _ = failure(answering("200 OK", APPLIED.replace(b"PartialObjectMetadata", b"Pod")))
    assert isinstance(error, ApiError)
    assert "did not respond as a Kubernetes API does" in error.message


def test_a_new_token_that_was_accepted_is_replaced_in_its_turn() -> None:
    made: list[str] = []
    admitted = ["token-1"]

    def sign_in() -> str:
        made.append(f"token-{len(made)}")
        return made[-1]

    def script(exchange: Exchange) -> None:
        while request := exchange.request():
            known = f"Bearer {admitted[-1]}\r\n".encode() in request
            exchange.answer(*(("200 OK", APPLIED) if known else ("401 Unauthorized", b"")))

    with (
        serving(script) as server,
        contextlib.closing(Calls(server.url, server.certificate.ca_pem, sign_in=sign_in)) as calls,
    ):
        assert calls.apply_at_once(1) == [False]
        admitted.append("token-2")
        assert calls.apply_at_once(1) == [False]
    assert made == ["token-0", "token-1", "token-2"]
