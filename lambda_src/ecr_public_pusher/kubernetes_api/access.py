"""What is needed to speak to one cluster, and the remedies where it cannot be reached."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate (and those that lead to its authority) and its private key without a
    passphrase, in PEM.
    """

    certificate_pem: str = field(repr=False)
    key_pem: str = field(repr=False)


@dataclass(frozen=True)
class Credential:
    """How a request proves whose it is: a bearer token, a certificate in the TLS handshake, or
    both. With neither it is anonymous.
    """

    token: str | None = field(repr=False, default=None)
    client_certificate: ClientCertificate | None = field(repr=False, default=None)


@dataclass(frozen=True)
class ClusterAccess:
    """Where a cluster is, the PEM certificate authority it must prove itself with, and how to sign
    in.

    `get_credential` makes one anew each time it is asked; it raises SignInError. `sign_in_remedy`:
    what to do when the cluster refuses it.
    `refusal`: what a 401 may mean, as the rest of a sentence about the cluster.
    """

    url: str
    ca_pem: str = field(repr=False)
    get_credential: Callable[[], Awaitable[Credential]] = field(repr=False)
    sign_in_remedy: str
    refusal: str = "does not admit the credential"


# Beside `reachability`, which only a check imports: every sign-in has these.
class RouteRemedies(Protocol):
    """What to do about each way in which the endpoint cannot be reached, by whoever knows where the
    cluster is.
    """

    def name_not_resolved(self) -> str:
        """Its host name has no address."""

    def not_connected(self, *, private: bool) -> str:
        """No address accepts a connection; `private`: none of them is public."""

    def not_the_cluster(self) -> str:
        """What answers there does not speak TLS as the cluster's certificate authority
        vouches for.
        """
