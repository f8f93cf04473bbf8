"""HTTP client of one cluster: kept-alive connections, sign-in, and retries. Never shared.

Answers are distinguished by status, reason and causes. Nothing of a body is ever repeated in a
message, since an answer may echo our own request. Retries happen here, under the deadline (aiohttp
itself repeats a GET or DELETE at most once, on a kept connection that turns out to be dead). No
redirect is followed: a 307 would take the Secret to another host.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from pydantic_core import from_json
from yarl import URL

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import (
    RETRYABLE_STATUS,
    AnswerTooLong,
    ApiError,
    ApiStatusError,
    CertificateMismatch,
    ConnectionFailed,
    PusherError,
    SignInError,
    SignInRefused,
    TooManyValues,
    UnreachableError,
    WrongAnswer,
)
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.connection_errors import NOT_THE_API, classify
from ecr_public_pusher.kubernetes_api.connection_share import GaveWay, Turn
from ecr_public_pusher.kubernetes_api.names import Names
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sent import Sent
from ecr_public_pusher.kubernetes_api.sockets import Sockets, close_in_peace
from ecr_public_pusher.kubernetes_api.status import is_denial, phrase, status_error
from ecr_public_pusher.kubernetes_api.tls import (
    Connector,
    Resolver,
    client_context,
    verifying_context,
)
from ecr_public_pusher.ownership import USER_AGENT

JSON = "application/json"
# An apply's metadata is about 1 KB and a page of 500 namespaces below 1 MB; a longer response does
# not come from a Kubernetes API.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
# Values in a response, each of which takes some 64 bytes once parsed; many times what a page has.
MAX_ANSWER_VALUES = 500_000

# Connections are aborted, which takes a turn of the event loop.
_CLOSE_SECONDS = 1.0
# The turn of the request that the current task sends.
_TURN: ContextVar[Turn] = ContextVar("turn")


class _AnswerTooLong(Exception):
    """The answer exceeds MAX_ANSWER_BYTES."""


@dataclass(frozen=True)
class Patience:
    """Number of tries of a request, and seconds for each.

    None: as the retry policy says.
    """

    attempts: int | None = None
    seconds: float | None = None


PATIENT = Patience()
_READING = ("GET", "POST")  # reviews are posted, and write nothing


class Client:
    """Connections to one cluster and the credential for it, renewed once when refused.

    Used with `async with`, on one event loop.
    """

    def __init__(
        self,
        access: ClusterAccess,
        *,
        deadline: Deadline,
        blocking: BlockingCalls,
        sockets: Sockets,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self._access = access
        self._deadline = deadline
        self._base = access.url.rstrip("/")
        self._host = urlsplit(access.url).netloc
        self.retry_policy = retry_policy or RetryPolicy()
        self._signed_in: _SignedIn | None = None
        self._signing_in = asyncio.Lock()
        self._admitted: _SignedIn | None = None  # the last credential that was accepted
        self._sign_in_failure: PusherError | None = None
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}
        self._sent = Sent()
        self.names = Names(self._sent.holds)  # checks names in answers
        self._last_body: bytes | None = None
        self._last_payload: DeadlinedBody | None = None
        self.answered = False  # the cluster has answered a request completely
        try:
            context = verifying_context(access.ca_pem)
        except (ssl.SSLError, ValueError):
            raise UnreachableError(
                f"the certificate authority for {self._host} is invalid",
                remedy=(
                    "Correct certificateAuthority in the document; for an EKS cluster, it"
                    " comes from EKS: contact AWS Support."
                ),
            ) from None
        policy = self.retry_policy
        share = sockets.budget.share(stalled_after=policy.stalled_seconds, close=close_in_peace)

        def make_socket(address_info: Any) -> socket.socket:
            made = sockets.make(address_info, share.closed)
            share.opened()
            return made

        self._share = share
        self._session = aiohttp.ClientSession(
            connector=Connector(
                context,
                Resolver(blocking, policy.connect_seconds),
                make_socket=make_socket,
                on_connect=lambda connection: share.connected(_TURN.get(), connection),
            ),
            timeout=self._timeout(policy.request_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Without Accept-Encoding, since a compressed response could expand to gigabytes.
            skip_auto_headers=("Accept-Encoding", "User-Agent", "Content-Type"),
            auto_decompress=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection.

        One whose request has no answer is reset, so that nothing more of it is sent.
        """
        self._share.end()
        with contextlib.suppress(TimeoutError):  # the invocation closes what is left
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._session.close()

    async def send(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        kind: str | tuple[str, ...],
        accept: str = JSON,
        body: bytes | None = None,
        content_type: str = JSON,
        patience: Patience = PATIENT,
        secret: bool = False,
    ) -> tuple[int, dict[str, Any]]:
        """Send one request, retried where that may help; return the final status and object.

        The object must be of `kind`, or one of several; an empty tuple accepts any. `path` and
        `query` must be encoded. `secret`: the body is a Secret, nothing of which may be shown.

        Raise ApiStatusError, SignInError, UnreachableError, ApiError; DeadlineReached when nothing
        may be sent any more.
        """
        url = URL(f"{self._base}{path}?{query}" if query else f"{self._base}{path}", encoded=True)
        headers = {"Accept": accept, "User-Agent": USER_AGENT}
        if body is not None:
            headers["Content-Type"] = content_type
            if secret:
                self._sent.secret(body)
        seconds = patience.seconds or (
            self.retry_policy.request_seconds
            if method in _READING
            else self.retry_policy.write_seconds
        )
        attempts = patience.attempts or self.retry_policy.attempts
        renewed = False
        attempt = 1
        while True:
            signed_in = await self._sign_in()
            try:
                code, data, retry_after = await self._exchange(
                    method, url, headers, body, signed_in, seconds
                )
            except GaveWay:
                continue
            except UnreachableError as error:
                if attempt >= min(attempts, self._attempts(error)):
                    raise
                await self._pause(attempt, None, error)
            else:
                self.answered = True
                denied = code >= HTTPStatus.BAD_REQUEST and is_denial(_json(data))
                refused = code == HTTPStatus.UNAUTHORIZED and not denied
                if not refused:
                    self._admitted = signed_in
                if refused and not renewed and await self._renew(signed_in):
                    renewed = True
                elif code in RETRYABLE_STATUS and not denied and attempt < attempts:
                    await self._pause(attempt, retry_after, ApiStatusError(code, phrase(code)))
                else:
                    kinds = (kind,) if isinstance(kind, str) else kind
                    return code, self._answer(code, data, retry_after, kinds)
            attempt += 1

    async def _exchange(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        signed_in: "_SignedIn",
        seconds: float,
    ) -> tuple[int, bytes, str | None]:
        turn = await self._share.take()
        answered = False
        of_task = _TURN.set(turn)
        try:
            self._deadline.check()
            response = await self._session.request(
                method,
                url,
                data=self._payload(body),
                headers={**signed_in.headers, **headers},
                ssl=signed_in.tls,
                allow_redirects=False,
                timeout=self._timeout(seconds),
            )
            try:
                data = await _read(response)
            except BaseException:
                # not released: half a response must not be read as the next one
                response.close()
                raise
            answered = True
        except asyncio.CancelledError:
            if turn.gave_way():
                raise GaveWay from None
            raise
        except _AnswerTooLong:
            error: PusherError = AnswerTooLong(
                f"{self._host} responded with more than {MAX_ANSWER_BYTES >> 20} MiB, and was"
                " cut off",
                remedy=NOT_THE_API,
            )
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            error = classify(failure, self._host)
        else:
            return (
                response.status,
                data,
                (
                    response.headers.get("Retry-After")
                    if response.status in RETRYABLE_STATUS
                    else None
                ),
            )
        finally:
            _TURN.reset(of_task)
            self._share.leave(turn, answered=answered)
        raise error from None

    def _timeout(self, seconds: float) -> aiohttp.ClientTimeout:
        """Return the timeouts of a request that may take `seconds` once it is connected.

        Connecting, with the TLS handshake, has its own limit. The total also ends an answer that
        drips. DNS has a timeout in the resolver.
        """
        if seconds not in self._timeouts:
            connect = self.retry_policy.connect_seconds
            self._timeouts[seconds] = aiohttp.ClientTimeout(
                total=connect + seconds, sock_connect=connect, ceil_threshold=60
            )
        return self._timeouts[seconds]

    def _payload(self, body: bytes | None) -> "DeadlinedBody | None":
        """Return the body as aiohttp sends it.

        The same Secret goes to every namespace, so the last payload is kept and mostly used again.
        """
        if body is None:
            return None
        if self._last_body is not body:
            self._last_body = body
            self._last_payload = DeadlinedBody(body, self._deadline)
        return self._last_payload

    def _answer(
        self, status: int, data: bytes, retry_after: str | None, kinds: tuple[str, ...]
    ) -> dict[str, Any]:
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise ApiError(
                f"{self._host} responded with a redirect ({status}), which is never followed",
                remedy=NOT_THE_API,
            )
        if data.count(b",") > MAX_ANSWER_VALUES:
            raise TooManyValues(
                f"{self._host} responded with more than {MAX_ANSWER_VALUES:,} values, which no"
                " Kubernetes API does",
                remedy=NOT_THE_API,
            )
        answer = _json(data)
        if status == HTTPStatus.UNAUTHORIZED and not is_denial(answer):
            said = f"{self._host} refused the sign-in: it {self._access.refusal}"
            raise SignInRefused(said, remedy=self._access.sign_in_remedy)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise status_error(status, answer, self.names, retry_after=retry_after)
        if not isinstance(answer, dict) or (kinds and answer.get("kind") not in kinds):
            raise self.nonsense()
        return answer

    async def _sign_in(self) -> "_SignedIn":
        """Return the credential in use, made when first needed; wait while it is being replaced."""
        if self._signed_in is None or self._signing_in.locked():
            async with self._signing_in:
                self._check_sign_in()
                return self._signed_in or await self._make_credential()
        return self._signed_in

    async def _renew(self, refused: "_SignedIn") -> bool:
        """Replace a refused credential, after a pause; return whether there is one to try.

        All requests that were refused share the pause and its result. The pause is for what
        verifies credentials: where STS throttles aws-iam-authenticator, good tokens are refused
        too. A credential that is refused after the pause, and was never accepted, is not replaced
        again.
        """
        async with self._signing_in:
            self._check_sign_in()
            if self._signed_in is not refused:
                return True
            if refused.is_last(self._admitted):
                return False
            seconds = self.retry_policy.sign_in_pause()
            if seconds >= self._deadline.remaining:
                return False
            await asyncio.sleep(seconds)
            await self._make_credential()
            return True

    def _check_sign_in(self) -> None:
        """Raise the failure of an earlier sign-in, which would only be repeated."""
        if self._sign_in_failure is not None:
            raise self._sign_in_failure

    async def _make_credential(self) -> "_SignedIn":
        try:
            made = self._with(await self._access.get_credential())
        except PusherError as error:
            self._sign_in_failure = error
            raise
        self._signed_in = replace(made, renewed=self._signed_in is not None)
        return self._signed_in

    def _with(self, credential: Credential) -> "_SignedIn":
        if credential.token:
            self._sent.token(credential.token)
        certificate = credential.client_certificate
        if certificate is None:
            return _SignedIn(credential)
        try:
            return _SignedIn(credential, client_context(self._access.ca_pem, certificate))
        except (ssl.SSLError, ValueError):
            raise SignInError(
                f"the client certificate for {self._host} is invalid, or its private key does not"
                " match",
                remedy=self._access.sign_in_remedy,
            ) from None

    def _attempts(self, error: UnreachableError) -> int:
        if isinstance(error, (CertificateMismatch, WrongAnswer)):
            return 1
        return (
            self.retry_policy.connect_attempts
            if isinstance(error, ConnectionFailed)
            else self.retry_policy.attempts
        )

    async def _pause(self, attempt: int, retry_after: str | None, error: PusherError) -> None:
        """Wait before the next try. Raise `error` if the deadline leaves no time for it."""
        seconds = self.retry_policy.pause(attempt, retry_after)
        if seconds >= self._deadline.remaining:
            raise error
        await asyncio.sleep(seconds)

    def nonsense(self) -> ApiError:
        """Return the error for an answer that no Kubernetes API gives."""
        return ApiError(
            f"{self._host} did not respond as a Kubernetes API does", remedy=NOT_THE_API
        )


@dataclass(frozen=True)
class _SignedIn:
    """A credential in use.

    `tls`: the context of connections that present its certificate; True for the client's own,
    without one. `renewed`: it replaced another.

    aiohttp keeps connections by their context, so that one with an older certificate serves no
    request with a newer one.
    """

    credential: Credential
    tls: ssl.SSLContext | bool = True
    renewed: bool = False

    def is_last(self, admitted: "_SignedIn | None") -> bool:
        """Return whether this credential, once refused, is not replaced.

        That is so if it is anonymous, or replaced another and was never accepted itself.
        """
        return self.credential == Credential() or (self.renewed and self is not admitted)

    @property
    def headers(self) -> dict[str, str]:
        token = self.credential.token
        return {"Authorization": f"Bearer {token}"} if token else {}


class DeadlinedBody(BytesPayload):
    """A request body that raises instead of being sent once the deadline has passed.

    This is the last check, after connecting and right before the first byte.
    """

    def __init__(self, body: bytes, deadline: Deadline) -> None:
        super().__init__(body)
        self._deadline = deadline

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        self._deadline.check()
        await super().write_with_length(writer, content_length)


def _json(data: bytes) -> Any:
    """Return the parsed answer; None if it is not JSON.

    pydantic's parser takes half of the standard library's time for a page of objects. Only
    keys are kept for the next answers, never values.
    """
    try:
        return from_json(data, cache_strings="keys")
    except ValueError:
        return None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole answer. Raise _AnswerTooLong before it fills the memory."""
    length = response.content_length
    if length is not None and length <= MAX_ANSWER_BYTES:
        return await response.read()
    parts = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise _AnswerTooLong
    return b"".join(parts)
