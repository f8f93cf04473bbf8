"""Requests to Google's token services: a token of AWS's issuer for an access token of Google's.

One POST exchanges it (RFC 8693); a second one, where a service account is named, gets that
account's token. No redirect is followed, and of a refusal only codes that are known here are
repeated: an answer may echo the token.

https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from pydantic_core import from_json
from yarl import URL

from ecr_public_pusher.errors import (
    RETRYABLE_STATUS,
    CertificateMismatch,
    ConnectionFailed,
    DeadlineReached,
    WrongAnswer,
)
from ecr_public_pusher.kubernetes_api.client import DeadlinedBody
from ecr_public_pusher.kubernetes_api.connection_errors import classify
from ecr_public_pusher.kubernetes_api.sockets import close_in_peace
from ecr_public_pusher.kubernetes_api.tls import Connector, Resolver, verifying_context
from ecr_public_pusher.ownership import USER_AGENT
from ecr_public_pusher.sign_in.network import Network

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JSON_WEB_TOKEN = "urn:ietf:params:oauth:token-type:jwt"
# As gke-gcloud-auth-plugin (kubernetes/cloud-provider-gcp). Without the second one, GKE knows a
# service account by its number only.
GKE_SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/userinfo.email",
)
# Enough for generateAccessToken, and as google-auth requests it.
IAM_SCOPES = ("https://www.googleapis.com/auth/iam",)
# The shortest life that Google's own libraries allow; the exchange itself has no such field.
LIFE_SECONDS = 600

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# A token has a few kilobytes at most.
MAX_ANSWER_BYTES = 64 * 1024
MAX_TOKEN_BYTES = 16 * 1024
# Source: RFC 6750, 2.1, which is what may stand in the header.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# Connections are aborted, which takes a turn of the event loop.
_CLOSE_SECONDS = 1.0
# Sources: RFC 6749, 5.2, and RFC 8693, 2.2.2; google.rpc.Code; google.api.ErrorReason.
_CODES = frozenset(
    (
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "unauthorized_client",
        "unsupported_grant_type",
        "INVALID_ARGUMENT",
        "FAILED_PRECONDITION",
        "NOT_FOUND",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "RESOURCE_EXHAUSTED",
        "INTERNAL",
        "UNAVAILABLE",
        "SERVICE_DISABLED",
    )
)


class Service(Enum):
    """A token service of Google's."""

    STS = "Security Token Service"
    IAM_CREDENTIALS = "IAM Service Account Credentials"


class Cause(Enum):
    """The kinds of failure, by who can correct them."""

    REFUSED = "the service refused the request"
    UNREACHABLE = "the service cannot be reached"
    FOREIGN = "something else responds in its place"
    UNAVAILABLE = "the service is unavailable or throttling"


class NoGoogleToken(Exception):
    """A token that was not given: by which service, and why.

    `code`: what the service named as the reason, where it is one of the known codes. The text is
    safe to print.
    """

    def __init__(self, service: Service, cause: Cause, said: str, code: str = "") -> None:
        super().__init__(said)
        self.service = service
        self.cause = cause
        self.said = said
        self.code = code


class GoogleTokens:
    """Google's token services, over connections of the invocation that are closed after use."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def exchange(self, subject_token: str, *, provider: str, scopes: Sequence[str]) -> str:
        """Return Google's access token for a token that the provider trusts.

        Raise NoGoogleToken, DeadlineReached.
        """
        form = {
            "grant_type": GRANT_TYPE,
            "audience": provider,
            "scope": " ".join(scopes),
            "requested_token_type": ACCESS_TOKEN,
            "subject_token": subject_token,
            "subject_token_type": JSON_WEB_TOKEN,
        }
        answer = await self._post(
            Service.STS,
            f"{self._network.google.sts}/v1/token",
            urlencode(form).encode(),
            {"Content-Type": FORM},
        )
        return _token_in(answer, "access_token", Service.STS)

    async def impersonate(self, access_token: str, *, account: str) -> str:
        """Return the access token of the service account, an email.

        Raise NoGoogleToken, DeadlineReached.
        """
        body = {"scope": list(GKE_SCOPES), "lifetime": f"{LIFE_SECONDS}s"}
        answer = await self._post(
            Service.IAM_CREDENTIALS,
            f"{self._network.google.iam_credentials}/v1/projects/-/serviceAccounts/"
            f"{quote(account, safe='@')}:generateAccessToken",
            json.dumps(body).encode(),
            {"Content-Type": JSON, "Authorization": f"Bearer {access_token}"},
        )
        return _token_in(answer, "accessToken", Service.IAM_CREDENTIALS)

    async def _post(
        self, service: Service, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """Return the answer to a POST, which is tried again where that may help."""
        policy = self._network.retry_policy
        attempt = 1
        while True:
            retry_after = None
            try:
                status, data, retry_after = await self._send(service, url, body, headers)
            except NoGoogleToken as error:
                failure = error
            else:
                if status not in RETRYABLE_STATUS:
                    return _answer(service, status, data)
                failure = NoGoogleToken(service, Cause.UNAVAILABLE, f"it responded {status}")
            seconds = policy.pause(attempt, retry_after)
            most = {
                Cause.UNAVAILABLE: policy.attempts,
                Cause.UNREACHABLE: policy.connect_attempts,
            }.get(failure.cause, 1)
            if attempt >= most or seconds >= self._network.deadline.remaining:
                raise failure from None
            await self._network.deadline.sleep(seconds)
            attempt += 1

    async def _send(
        self, service: Service, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, str | None]:
        """Return status, body and Retry-After of the answer to one request."""
        network = self._network
        opened: list[asyncio.Transport] = []
        error: NoGoogleToken | DeadlineReached
        async with network.sockets.budget.one(), self._session(opened) as session:
            try:
                network.deadline.check()
                async with session.post(
                    URL(url, encoded=True),
                    data=DeadlinedBody(body, network.deadline),
                    headers={"User-Agent": USER_AGENT, **headers},
                    allow_redirects=False,
                ) as response:
                    data = await _read(response)
            except _AnswerTooLong:
                said = f"it responded with more than {MAX_ANSWER_BYTES >> 10} KiB"
                error = NoGoogleToken(service, Cause.FOREIGN, said)
            except (aiohttp.ClientError, OSError, ValueError) as failure:
                error = _unanswered(service, failure, urlsplit(url).netloc)
            else:
                for connection in opened:
                    close_in_peace(connection)
                return response.status, data, response.headers.get("Retry-After")
        raise error from None

    @asynccontextmanager
    async def _session(
        self, opened: list[asyncio.Transport]
    ) -> AsyncIterator[aiohttp.ClientSession]:
        """Yield a session for one request, whose connection is put into `opened`."""
        network = self._network
        connect = network.retry_policy.connect_seconds
        session = aiohttp.ClientSession(
            connector=Connector(
                verifying_context(""),
                Resolver(network.blocking, connect),
                make_socket=lambda address: network.sockets.make(address, lambda: None),
                on_connect=opened.append,
            ),
            timeout=aiohttp.ClientTimeout(
                total=connect + network.retry_policy.request_seconds,
                sock_connect=connect,
                ceil_threshold=60,
            ),
            # Without Accept-Encoding, since a compressed response could expand.
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
            auto_decompress=False,
            trust_env=False,
        )
        try:
            yield session
        finally:
            with contextlib.suppress(TimeoutError):  # the invocation closes what is left
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await session.close()


class _AnswerTooLong(Exception):
    """The answer exceeds MAX_ANSWER_BYTES."""


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole answer. Raise _AnswerTooLong before it fills the memory."""
    data = b""
    async for part in response.content.iter_any():
        data += part
        if len(data) > MAX_ANSWER_BYTES:
            response.close()
            raise _AnswerTooLong
    return data


def _unanswered(
    service: Service, failure: BaseException, host: str
) -> NoGoogleToken | DeadlineReached:
    error = classify(failure, host)
    if isinstance(error, DeadlineReached):
        return error
    if isinstance(error, CertificateMismatch):
        said = f"the TLS certificate of {host} is not one that a public authority signed for it"
        return NoGoogleToken(service, Cause.FOREIGN, said)
    if isinstance(error, WrongAnswer):
        return NoGoogleToken(service, Cause.FOREIGN, f"{host} does not speak HTTP")
    connected = not isinstance(error, ConnectionFailed)
    cause = Cause.UNAVAILABLE if connected else Cause.UNREACHABLE
    return NoGoogleToken(service, cause, error.message)


def _answer(service: Service, status: int, data: bytes) -> Mapping[str, Any]:
    """Return the fields of a good answer. Raise NoGoogleToken for any other."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        said = f"it responded with a redirect ({status}), which is never followed"
        raise NoGoogleToken(service, Cause.FOREIGN, said)
    try:
        answer = from_json(data)
    except ValueError:
        answer = None
    if status != HTTPStatus.OK:
        code = _code(answer)
        said = f"it responded {status}{code and f' ({code})'}"
        raise NoGoogleToken(service, Cause.REFUSED, said, code)
    if not isinstance(answer, dict):
        raise _nonsense(service)
    return answer


def _code(answer: Any) -> str:
    """Return the known code of a refusal, the most specific one; empty if there is none.

    OAuth's is a text; Google's other services have a mapping, with details.
    """
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        found = [error]
    else:
        details = error.get("details")
        found = [
            one.get("reason")
            for one in (details if isinstance(details, list) else ())
            if isinstance(one, dict)
        ]
        found.append(error.get("status"))
    return next((one for one in found if isinstance(one, str) and one in _CODES), "")


def _token_in(answer: Mapping[str, Any], name: str, service: Service) -> str:
    """Return the token in the answer. Raise NoGoogleToken if no header may contain it."""
    token = answer.get(name)
    if (
        not isinstance(token, str)
        or len(token) > MAX_TOKEN_BYTES
        or not _TOKEN.fullmatch(token)
        or str(answer.get("token_type", "Bearer")).lower() != "bearer"
    ):
        raise _nonsense(service)
    return token


def _nonsense(service: Service) -> NoGoogleToken:
    return NoGoogleToken(service, Cause.FOREIGN, "its response has no access token")
