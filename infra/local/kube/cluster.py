"""A local cluster as its users see it: endpoint, CA, administrator, and the requests received.

Tests and the local stack depend only on this, so the embedded server and the real control plane
can replace each other.
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Protocol, Self

from ..closable import Closable
from ..identity import AccessEntries
from .auth.jwts import TrustedIssuer
from .auth.x509 import ClientAuthority
from .certificates import LIFETIME
from .http.client import AdminClient
from .kinds import BY_KIND, Object

REDACTED = "[redacted]"


@dataclass
class SeenRequest:
    """A request as it arrived.

    `path` includes the query; header names are lower case; `status` is 0 until it is answered.
    """

    method: str
    path: str
    user: str
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Response:
    """An answer.

    `raw`, when given, is sent chunk by chunk as it is iterated, and then the connection is closed:
    for truncated, slow and malformed answers.
    """

    status: int = 200
    body: Mapping[str, Any] | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False
    raw: Iterable[bytes] | None = None


type Intercept = Callable[[SeenRequest], Response | None]


class ClusterError(RuntimeError):
    """A cluster that does not start, or refuses a manifest."""


class Cluster(Protocol):
    """A running cluster; `Administered` documents its methods."""

    name: str
    region: str
    endpoint: str
    ca_pem: str
    intercept: Intercept | None
    access_entries: AccessEntries

    @property
    def requests(self) -> list[SeenRequest]: ...

    @property
    def sign_in_failures(self) -> list[str]: ...

    def admin(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> tuple[int, Object]: ...

    def apply(self, *documents: Object) -> None: ...

    def kubeconfig(self) -> Object: ...

    def client_kubeconfig(
        self, username: str, groups: Sequence[str], *, life: timedelta = LIFETIME
    ) -> Object: ...

    def trust(self, *issuers: TrustedIssuer) -> None: ...

    def compact(self) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Administered(Closable):
    """The administrator's half of a cluster: its requests and its kubeconfig."""

    name: str
    endpoint: str
    ca_pem: str
    _admin_token: str
    _clients: ClientAuthority
    _client: AdminClient

    def admin(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> tuple[int, Object]:
        """Send a request as administrator; return status and decoded answer, also of a refusal."""
        return self._client.send(method, path, body, content_type)

    def apply(self, *documents: Object) -> None:
        """Create the objects, or replace those that exist.

        Raise ClusterError at the first that is refused.
        """
        for document in documents:
            kind = BY_KIND.get((document.get("apiVersion", ""), document.get("kind", "")))
            if kind is None:
                raise ClusterError(
                    f"{document.get('apiVersion')} {document.get('kind')}: not a kind this cluster"
                    " can be given"
                )
            path = kind.path(document["metadata"].get("namespace", "default"))
            status, answer = self.admin("POST", path, document)
            if status == 409 and answer.get("reason") == "AlreadyExists":
                status, answer = self.admin(
                    "PUT", f"{path}/{document['metadata']['name']}", document
                )
            if status >= 300:
                raise ClusterError(
                    f"{kind.kind} {document['metadata'].get('name')}: {status}"
                    f" {answer.get('message')}"
                )

    def kubeconfig(self) -> Object:
        """Return a kubeconfig for kubectl, as administrator."""
        return self._kubeconfig("admin", {"token": self._admin_token})

    def client_kubeconfig(
        self, username: str, groups: Sequence[str], *, life: timedelta = LIFETIME
    ) -> Object:
        """Return a kubeconfig of a user who signs in with a client certificate."""
        certificate, key = self._clients.issue(username, groups, life)
        return self._kubeconfig(
            username,
            {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)},
        )

    def _kubeconfig(self, username: str, user: Object) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.name,
            "clusters": [
                {
                    "name": self.name,
                    "cluster": {
                        "server": self.endpoint,
                        "certificate-authority-data": _base64(self.ca_pem),
                    },
                }
            ],
            "users": [{"name": username, "user": user}],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": username}}],
        }

    def compact(self) -> None:
        """Forget old versions, as API servers do every five minutes: tokens of pages expire."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop the cluster and everything it started."""
        raise NotImplementedError


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
