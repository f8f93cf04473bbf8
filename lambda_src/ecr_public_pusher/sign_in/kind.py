"""The interface of a sign-in, which each kind implements in a module of its own."""

from typing import Protocol

from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.route_remedies import RouteRemedies
from ecr_public_pusher.kubernetes_api.server_version import Version
from ecr_public_pusher.sign_in.endpoint import Endpoint


class Remedies(RouteRemedies, Protocol):
    """Remedies for a cluster that cannot be reached, or does not admit the signed-in identity."""

    def not_admitted(self, principal: str, groups: tuple[str, ...], version: Version | None) -> str:
        """Return what makes the cluster admit `principal` as our group.

        `groups`: those it is in already. `version`: Kubernetes', if it is known.
        """

    def granted_by_policy(self, principal: str) -> str:
        """Return how to see rights of the principal that no RBAC binding grants."""


class SignIn(Protocol):
    """Lookup of one document's cluster, and the sign-in to it.

    Each method raises RoleError and SignInError; those about the endpoint EksError.
    """

    asks_eks: bool  # EKS names the endpoint

    def remembered(self) -> Endpoint | None:
        """Return the endpoint as far as it is known without asking; None if it is not."""

    def forget(self) -> None:
        """Forget the endpoint that is remembered: the cluster does not answer there."""

    async def described(self) -> Endpoint:
        """Return the endpoint that its source names now."""

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        """Return the access to the cluster at that endpoint."""

    async def describe_caller(self) -> str:
        """Return whose AWS credentials are used, for a check."""

    async def credential(self) -> Credential:
        """Return a new credential for the cluster, made or read now."""

    def describe_credential(self, credential: Credential) -> str:
        """Return what a check may show of the credential: never the credential itself."""

    def principal(self) -> str:
        """Return the identity that the cluster must admit."""

    def remedies(self, endpoint: Endpoint) -> Remedies:
        """Return the remedies, by what is known of the endpoint."""
