"""What is needed to speak to one cluster, however it is signed in to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ClusterAccess:
    """Where a cluster is, the PEM certificate authority it must prove itself with, and how to sign in.

    `get_token` makes a bearer token, anew each time it is asked; it raises SignInError. `sign_in_remedy`: what to do when the cluster refuses it.
    """

    url: str
    ca_pem: str = field(repr=False)
    get_token: Callable[[], Awaitable[str]] = field(repr=False)
    sign_in_remedy: str
