"""What a way of signing in is: the one small interface that each kind fills, in a module of its
own.
"""

from typing import Protocol

from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.route_remedies import RouteRemedies
from ecr_public_pusher.kubernetes_api.server_version import Version
from ecr_public_pusher.sign_in.endpoint import Endpoint


class Remedies(RouteRemedies, Protocol):
    """What to do when a cluster cannot be reached, or does not admit whoever signs in."""

    def not_admitted(self, principal: str, groups: tuple[str, ...], version: Version | None) -> str:
        """What makes the cluster admit `principal` as our group; `groups`: those it is in already;
        `version`: Kubernetes', where it is known.
        """

    def granted_by_policy(self, principal: str) -> str:
        """How to see what grants the principal rights that RBAC shows no binding for."""


class SignIn(Protocol):
    """How one document's cluster is found and signed in to.

    Each method raises RoleError and SignInError; those about the endpoint EksError.
    """

    asks_eks: bool  # where the cluster is, EKS says

    def remembered(self) -> Endpoint | None:
        """Where the cluster is, as far as is known without asking."""

    def forget(self) -> None:
        """Nothing answers there as the cluster would."""

    async def described(self) -> Endpoint:
        """Where the cluster is, by whoever knows it, now."""

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        """The way to sign in there."""

    async def describe_caller(self) -> str:
        """Whose AWS credentials are used, for a check."""

    async def credential(self) -> Credential:
        """A credential for the cluster, made or read anew."""

    def describe_credential(self, credential: Credential) -> str:
        """What may be said of it, for a check: never itself."""

    def principal(self) -> str:
        """Whom the cluster is to admit."""

    def remedies(self, endpoint: Endpoint) -> Remedies:
        """By what is known of the endpoint."""
