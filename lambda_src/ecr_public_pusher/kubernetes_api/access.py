"""Endpoint, authority and credential of one cluster, and the remedies if it is unreachable."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class ClientCertificate:
    """A client certificate and its private key, in PEM.

    The certificate comes with those that lead to its authority, the key without a passphrase.
    """

    certificate_pem: str = field(repr=False)
    key_pem: str = field(repr=False)


@dataclass(frozen=True)
class Credential:
    """A request's proof of identity: a bearer token, a client certificate, or both.

    Without either, the request is anonymous.
    """

    token: str | None = field(repr=False, default=None)
    client_certificate: ClientCertificate | None = field(repr=False, default=None)


@dataclass(frozen=True)
class ClusterAccess:
    """A cluster's URL, its PEM certificate authority, and the way to sign in.

    `get_credential` makes a new credential each time; it raises SignInError. `sign_in_remedy`: what
    to do when the cluster refuses it.

    `refusal`: what a 401 may mean, as the rest of a sentence about the cluster.
    """

    url: str
    ca_pem: str = field(repr=False)
    get_credential: Callable[[], Awaitable[Credential]] = field(repr=False)
    sign_in_remedy: str
    refusal: str = "does not admit the credential"


# Beside `reachability`, which only a check imports: every sign-in has these.
class RouteRemedies(Protocol):
    """Remedies for each way in which a cluster's endpoint cannot be reached."""

    def name_not_resolved(self) -> str:
        """Return the remedy for a host name without an address."""

    def not_connected(self, *, private: bool) -> str:
        """Return the remedy if no address accepts a connection; `private`: none is public."""

    def not_the_cluster(self) -> str:
        """Return the remedy for a server that the cluster's authority does not vouch for."""
