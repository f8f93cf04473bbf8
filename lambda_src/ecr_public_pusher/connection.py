"""One cluster's connections, kept alive, its sign-in, and requests that are retried where that may help. Explicit, never shared.

Answers are told apart by status, reason and causes; nothing of a body is ever repeated in a message, since whatever answers may
echo our own request. Retrying happens here, under the lease; urllib3's is off, and no redirect is followed: with the client's
defaults a 307 takes the Secret to another host, in plain HTTP.
"""

import json
import random
import ssl
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from kubernetes.client import ApiClient, Configuration

from ecr_public_pusher.answers import PASSING_STATUS, Refused, phrase, refused
from ecr_public_pusher.eks import Endpoint
from ecr_public_pusher.errors import ApiError, LeaseEnded, SignInError, UnreachableError
from ecr_public_pusher.lease import Lease
from ecr_public_pusher.model import FIELD_MANAGER, RBAC_GROUP
from ecr_public_pusher.no_answer import Final, NoConnection, why
from ecr_public_pusher.transport import AnswerTooLong, Patience, Wire

JSON = "application/json"


class Connection:
    """One cluster's connections, and its sign-in token, renewed once when refused. Thread-safe."""

    def __init__(self, endpoint: Endpoint, sign_in: Callable[[], str], *, lease: Lease, connections: int, patience: Patience | None = None) -> None:
        self._host = urlsplit(endpoint.url).netloc
        self._prefix = urlsplit(endpoint.url).path
        self._lease = lease
        self._patience = patience or Patience()
        self._sign_in = sign_in
        self._lock = threading.Lock()
        configuration = Configuration(host=endpoint.url)
        configuration.proxy = None  # straight to the endpoint, whatever the environment says
        configuration.connection_pool_maxsize = connections
        self._wire = Wire(lease, self._patience.request_seconds)
        self._timeout = urllib3.Timeout(connect=self._patience.connect_seconds, read=self._patience.request_seconds)
        try:
            # One pool, held: a manager looks it up anew, by sixteen keys, for each of a thousand requests.
            self._pool = self._wire.install(ApiClient(configuration).rest_client.pool_manager, endpoint.url, endpoint.ca_pem)
        except ssl.SSLError:
            raise UnreachableError(
                f"EKS names a certificate authority for {self._host} that is none", remedy="See `aws eks describe-cluster`."
            ) from None
        self._token = sign_in()

    def close(self) -> None:
        """Cuts every connection, idle or hung."""
        self._wire.cut()
        self._pool.close()

    def send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        kind: str,
        accept: str = JSON,
        body: bytes | None = None,
        content_type: str = JSON,
    ) -> tuple[int, dict[str, Any]]:
        """One request, retried where that may help, until it has a final answer: its status, and its object, which must be of `kind`.

        Raises Refused, SignInError, UnreachableError, ApiError; LeaseEnded when nothing may be sent any more.
        """
        path = f"{path}?{urlencode(parameters)}" if parameters else path
        asked = {"Accept": accept, "User-Agent": FIELD_MANAGER} | ({"Content-Type": content_type} if body is not None else {})
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            token = self._token
            try:
                code, data, retry_after = self._exchange(method, path, asked, body, token)
            except UnreachableError as error:
                if isinstance(error, Final) or attempt >= self._tries(error):
                    raise
                self._pause(attempt, None, error)
                continue
            if code == HTTPStatus.UNAUTHORIZED and not renewed:
                renewed = True
                self._renew(token)
                continue
            if code in PASSING_STATUS and attempt < self._patience.attempts:
                self._pause(attempt, retry_after, Refused(code, phrase(code)))
                continue
            return code, self._answer(code, data, kind, sent=(body or b"", token.encode()))

    def _exchange(self, method: str, path: str, asked: dict[str, str], body: bytes | None, token: str) -> tuple[int, bytes, str | None]:
        headers = {"Authorization": f"Bearer {token}", **asked}
        try:
            # Undecoded: we ask for no compression, and what unfolds to gigabytes is not asked to.
            response = self._pool.urlopen(
                method, self._prefix + path, body, headers, retries=False, redirect=False, timeout=self._timeout, decode_content=False
            )
            return response.status, response.data, response.headers.get("Retry-After")
        except AnswerTooLong:
            raise self.nonsense() from None
        except LeaseEnded:
            raise
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise why(error, self._host) from None

    def _answer(self, status: int, data: bytes, kind: str, *, sent: tuple[bytes, ...]) -> dict[str, Any]:
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise ApiError(
                f"{self._host} answered with a redirect ({status}), which is never followed",
                remedy="Something between the function and the cluster answers in its place: see DNS, proxies and the endpoint EKS names.",
            )
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            answer = None
        if status == HTTPStatus.UNAUTHORIZED:
            raise SignInError(
                f"{self._host} refused the sign-in, also with a fresh token",
                remedy="Give the role that signs an access entry: aws eks create-access-entry --cluster-name CLUSTER --principal-arn ROLE"
                f" --type STANDARD --kubernetes-groups {RBAC_GROUP} (a role made anew under its old name needs a new entry too).",
            )
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise refused(status, answer, sent)
        if not isinstance(answer, dict) or answer.get("kind") != kind:
            raise self.nonsense()
        return answer

    def _renew(self, refused: str) -> None:
        with self._lock:
            if self._token == refused:  # another thread may have been quicker
                self._token = self._sign_in()

    def _tries(self, error: UnreachableError) -> int:
        return self._patience.connect_attempts if isinstance(error, NoConnection) else self._patience.attempts

    def _pause(self, attempt: int, retry_after: str | None, error: ApiError | UnreachableError) -> None:
        """Waits before the next try. Raises `error` at once when the lease leaves no time for it."""
        seconds = random.uniform(0, min(self._patience.backoff_limit_seconds, self._patience.backoff_seconds * 2**attempt))  # noqa: S311 - jitter, no secret
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            seconds += float(retry_after[:9])
        if seconds >= self._lease.remaining:
            raise error
        self._lease.sleep(seconds)

    def nonsense(self) -> ApiError:
        """The error for an answer that no Kubernetes API gives."""
        return ApiError(
            f"{self._host} did not answer as a Kubernetes API does",
            remedy="Something between the function and the cluster answers in its place: see DNS, proxies and the endpoint EKS names.",
        )
