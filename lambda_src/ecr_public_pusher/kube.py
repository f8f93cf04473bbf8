"""The Kubernetes API, as far as it is needed: list namespaces, apply one Secret. One session per cluster, explicit, never shared.

Answers are told apart by status, reason and causes; nothing of a body is ever repeated in a message, since whatever answers may
echo our own request. Retrying happens here, under the lease; urllib3's is off, and no redirect is followed: with the client's
defaults a 307 takes the Secret to another host, in plain HTTP.
"""

import json
import random
import ssl
import threading
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from kubernetes.client import ApiClient, Configuration

from ecr_public_pusher.answers import PASSING_STATUS, Refused, phrase, refused
from ecr_public_pusher.eks import Endpoint
from ecr_public_pusher.errors import ApiError, LeaseEnded, SignInError, UnreachableError
from ecr_public_pusher.lease import Lease
from ecr_public_pusher.model import FIELD_MANAGER, RBAC_GROUP, Namespace
from ecr_public_pusher.no_answer import Final, NoConnection, why
from ecr_public_pusher.transport import AnswerTooLong, Patience, Wire

# Metadata only: no secret data comes back.
_ONE = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_MANY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_APPLY = "application/apply-patch+yaml"  # any JSON is YAML

PAGE = 500  # namespaces a page, kubectl's own chunk size


class Session:
    """One cluster's connections, kept alive, and its sign-in token, renewed once when refused. Thread-safe."""

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

    def namespaces(self, selector: str | None = None) -> list[Namespace]:
        """All namespaces that `selector` holds, page by page. Raises Refused, SignInError, UnreachableError, ApiError."""
        found: list[Namespace] = []
        parameters = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
        while True:
            _, page = self._send("GET", f"/api/v1/namespaces?{urlencode(parameters)}", accept=_MANY, kind="PartialObjectMetadataList")
            try:
                found += [_namespace(item["metadata"]) for item in page["items"] or ()]
                onward = page["metadata"].get("continue")
            except (KeyError, TypeError, ValueError, AttributeError):
                raise self._nonsense() from None
            if not onward:
                return found
            parameters["continue"] = str(onward)

    def apply_secret(self, namespace: str, name: str, body: bytes, *, force: bool = False, dry_run: bool = False) -> bool:
        """Server-side applies `body`: True when the Secret was created, False when it was there. Raises as `namespaces` does."""
        parameters = {"fieldManager": FIELD_MANAGER} | ({"force": "true"} if force else {}) | ({"dryRun": "All"} if dry_run else {})
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets/{quote(name, safe='')}?{urlencode(parameters)}"
        status, answer = self._send("PATCH", path, accept=_ONE, kind="PartialObjectMetadata", body=body)
        metadata = answer.get("metadata")
        if not isinstance(metadata, dict) or (metadata.get("name"), metadata.get("namespace")) != (name, namespace):
            raise self._nonsense()
        return status == HTTPStatus.CREATED

    def _send(self, method: str, path: str, *, accept: str, kind: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """One request, retried where that may help, until it has a final answer: its status and object."""
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            token = self._token
            try:
                code, data, retry_after = self._exchange(method, path, accept, body, token)
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

    def _exchange(self, method: str, path: str, accept: str, body: bytes | None, token: str) -> tuple[int, bytes, str | None]:
        headers = {"Authorization": f"Bearer {token}", "Accept": accept, "User-Agent": FIELD_MANAGER}
        if body is not None:
            headers["Content-Type"] = _APPLY
        try:
            # Undecoded: we ask for no compression, and what unfolds to gigabytes is not asked to.
            response = self._pool.urlopen(
                method, self._prefix + path, body, headers, retries=False, redirect=False, timeout=self._timeout, decode_content=False
            )
            return response.status, response.data, response.headers.get("Retry-After")
        except AnswerTooLong:
            raise self._nonsense() from None
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
            raise self._nonsense()
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

    def _nonsense(self) -> ApiError:
        return ApiError(
            f"{self._host} did not answer as a Kubernetes API does",
            remedy="Something between the function and the cluster answers in its place: see DNS, proxies and the endpoint EKS names.",
        )


def _namespace(metadata: dict[str, Any]) -> Namespace:
    labels = metadata.get("labels") or {}
    if not isinstance(labels, dict):
        raise TypeError
    created_at = datetime.fromisoformat(metadata["creationTimestamp"]) if metadata.get("creationTimestamp") else None
    if created_at is not None and created_at.tzinfo is None:
        raise ValueError
    return Namespace(str(metadata["name"]), labels, terminating="deletionTimestamp" in metadata, created_at=created_at)
