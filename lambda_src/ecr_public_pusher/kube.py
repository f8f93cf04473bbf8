"""The Kubernetes API, as far as it is needed: list namespaces, apply one Secret. One session per cluster, explicit, never shared.

Answers are told apart by status, reason and causes; nothing of a body is ever repeated in a message, since whatever answers may
echo our own request. Retrying happens here, under the lease; urllib3's is off, and no redirect is followed: with the client's
defaults a 307 takes the Secret to another host, in plain HTTP.
"""

import json
import random
import re
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from kubernetes.client import ApiClient, Configuration

from ecr_public_pusher.eks import Endpoint
from ecr_public_pusher.errors import ApiError, LeaseEnded, NoAnswerError, SignInError, UnreachableError
from ecr_public_pusher.lease import Lease
from ecr_public_pusher.model import FIELD_MANAGER, RBAC_GROUP, Namespace
from ecr_public_pusher.transport import AnswerTooLong, Patience, Wire

# Metadata only: no secret data comes back.
_ONE = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_MANY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_APPLY = "application/apply-patch+yaml"  # any JSON is YAML

PAGE = 500  # namespaces a page, kubectl's own chunk size

_PASSING_STATUS = frozenset({408, 429, 500, 502, 503, 504})

_MANAGER = re.compile(r'conflict with "([A-Za-z0-9 ._/:@-]{1,128})"')


_UNWELL = "The API server is overloaded or unwell; the next run tries again. See its own metrics and log."
_AUDIT = "See the API server's audit log for this request."


@dataclass(frozen=True)
class Conflict:
    """Fields of a Secret that other field managers hold."""

    managers: tuple[str, ...]
    fields: tuple[str, ...]


class Refused(ApiError):
    """A final answer other than success: its HTTP status, reason, the kind of object meant, and the causes' reasons and fields."""

    def __init__(self, status: int, reason: str, *, kind: str = "", causes: tuple[str, ...] = (), conflict: Conflict | None = None) -> None:
        super().__init__(f"the API server answered {status} {reason}".rstrip(), remedy=_UNWELL if status in _PASSING_STATUS else _AUDIT)
        self.status, self.reason, self.kind, self.causes, self.conflict = status, reason, kind, causes, conflict


class Session:
    """One cluster's connections, kept alive, and its sign-in token, renewed once when refused. Thread-safe."""

    def __init__(self, endpoint: Endpoint, sign_in: Callable[[], str], *, lease: Lease, connections: int, patience: Patience | None = None) -> None:
        self._host = urlsplit(endpoint.url).netloc
        self._prefix = urlsplit(endpoint.url).path
        self._lease = lease
        self._patience = patience or Patience()
        self._sign_in = sign_in
        self._lock = threading.Lock()
        self._configuration = Configuration(host=endpoint.url)
        self._configuration.proxy = None  # straight to the endpoint, whatever the environment says
        self._configuration.connection_pool_maxsize = connections
        self._wire = Wire(lease, self._patience.request_seconds)
        self._timeout = urllib3.Timeout(connect=self._patience.connect_seconds, read=self._patience.request_seconds)
        try:
            # One pool, held: a manager looks it up anew, by sixteen keys, for each of a thousand requests.
            self._pool = self._wire.install(ApiClient(self._configuration).rest_client.pool_manager, endpoint.url, endpoint.ca_pem)
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
            except (KeyError, TypeError, AttributeError):
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
                if isinstance(error, _FinalUnreachable) or attempt >= self._tries(error):
                    raise
                self._pause(attempt, None, error)
                continue
            if code == HTTPStatus.UNAUTHORIZED and not renewed:
                renewed = True
                self._renew(token)
                continue
            if code in _PASSING_STATUS and attempt < self._patience.attempts:
                self._pause(attempt, retry_after, Refused(code, _reason(code)))
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
            raise self._unreachable(error) from None

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
            raise _refused(status, answer, sent)
        if not isinstance(answer, dict) or answer.get("kind") != kind:
            raise self._nonsense()
        return answer

    def _renew(self, refused: str) -> None:
        with self._lock:
            if self._token == refused:  # another thread may have been quicker
                self._token = self._sign_in()

    def _tries(self, error: UnreachableError) -> int:
        return self._patience.connect_attempts if isinstance(error, _NoConnection) else self._patience.attempts

    def _pause(self, attempt: int, retry_after: str | None, error: ApiError | UnreachableError) -> None:
        """Waits before the next try. Raises `error` at once when the lease leaves no time for it."""
        seconds = random.uniform(0, min(self._patience.backoff_limit_seconds, self._patience.backoff_seconds * 2**attempt))  # noqa: S311 - jitter, no secret
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            seconds += float(retry_after[:9])
        if seconds >= self._lease.remaining:
            raise error
        self._lease.sleep(seconds)

    def _unreachable(self, error: Exception) -> UnreachableError:
        """Which of the ways in which there is no answer it was: by type, never by text."""
        chain = list(_causes(error))
        for link in chain:
            if isinstance(link, LeaseEnded):
                raise link
        if certificate := next((link for link in chain if isinstance(link, ssl.SSLCertVerificationError)), None):
            return _FinalUnreachable(
                f"the TLS certificate of {self._host} is not the cluster's: {str(certificate.verify_message)[:200]}",
                remedy="Something answers in the cluster's place, or its certificate authority was renewed: see `aws eks describe-cluster`.",
            )
        for kinds, what, remedy, type_ in _NO_ANSWER:
            if any(isinstance(link, kinds) for link in chain):
                return type_(f"{self._host} {what}", remedy=remedy)
        return NoAnswerError(f"{self._host} broke off the connection ({type(error).__name__})", remedy=_NETWORK)

    def _nonsense(self) -> ApiError:
        return ApiError(
            f"{self._host} did not answer as a Kubernetes API does",
            remedy="Something between the function and the cluster answers in its place: see DNS, proxies and the endpoint EKS names.",
        )


class _NoConnection(UnreachableError):
    """No connection came about; three tries are enough to know."""

    code = "UnreachableError"


class _FinalUnreachable(UnreachableError):
    """Trying again cannot help."""

    code = "UnreachableError"


_NETWORK = "Is the cluster's endpoint public, or the function in its VPC? The cluster's security group must admit 443 from the function."
_NO_ANSWER: tuple[tuple[tuple[type[BaseException], ...], str, str, type[UnreachableError]], ...] = (
    ((urllib3.exceptions.NameResolutionError,), "has no address (DNS)", _NETWORK, _NoConnection),
    ((urllib3.exceptions.NewConnectionError, ConnectionRefusedError), "refuses connections", _NETWORK, _NoConnection),
    ((urllib3.exceptions.ConnectTimeoutError,), "did not accept a connection in time", _NETWORK, _NoConnection),
    ((ssl.SSLError,), "does not speak TLS as expected", _NETWORK, _NoConnection),
    ((urllib3.exceptions.ReadTimeoutError, TimeoutError), "gave no whole answer in time", _NETWORK, NoAnswerError),
    ((urllib3.exceptions.IncompleteRead,), "broke off in the middle of its answer", _NETWORK, NoAnswerError),
)


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    """An exception, what caused it, and what urllib3 wraps in its arguments."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__, *(part for part in link.args if isinstance(part, BaseException))]


def _namespace(metadata: dict[str, Any]) -> Namespace:
    return Namespace(str(metadata["name"]), metadata.get("labels") or {}, terminating="deletionTimestamp" in metadata)


def _refused(status: int, answer: Any, sent: tuple[bytes, ...]) -> Refused:
    """A Status answer, reduced to what is known to be safe: nothing of what was `sent` comes back in a message."""
    details = answer.get("details") if isinstance(answer, dict) and answer.get("kind") == "Status" else None
    if not isinstance(details, dict):
        return Refused(status, _reason(status))
    causes = [cause for cause in details.get("causes") or () if isinstance(cause, dict)]
    held = [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]
    managers = {found[1] for cause in held if (found := _MANAGER.search(str(cause.get("message"))))}
    conflict = Conflict(
        managers=tuple(sorted(manager for manager in managers if not any(manager.encode() in part for part in sent))),
        fields=tuple(str(cause.get("field"))[:80] for cause in held),
    )
    known = tuple(
        str(cause.get("reason")) for cause in causes if cause.get("reason") in ("NamespaceTerminating", "FieldValueInvalid", "FieldValueForbidden")
    )
    return Refused(status, _reason(status), kind=str(details.get("kind"))[:40], causes=known, conflict=conflict if held else None)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
