"""The interface of a sign-in, which each kind implements in a module of its own.

With it, the endpoint that it signs in to, and the base of the kinds that use AWS credentials.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ecr_public_pusher.aws_api.assumed_role import Caller, Callers
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential, RouteRemedies
from ecr_public_pusher.kubernetes_api.server_version import Version

CONFIG_MAP = "CONFIG_MAP"  # an authentication mode of EKS's
DELETING = "DELETING"
# Source: EKS DescribeCluster, `status`
NOT_READY = frozenset({"CREATING", "PENDING", DELETING, "FAILED"})


@dataclass(frozen=True)
class Endpoint:
    """A cluster's URL and its PEM certificate authority (empty: the public ones).

    `local_id`: for an EKS cluster local to an Outpost, the id that its sign-in tokens are for,
    instead of its name.

    `public`, `public_cidrs`, `authentication_mode`, `security_group`: further facts from EKS, for
    remedies only.

    `tags`: the cluster's, for discovery. `status`: the status that EKS gives the cluster.
    """

    url: str
    ca_pem: str = field(repr=False)
    local_id: str = ""
    public: bool = True
    public_cidrs: tuple[str, ...] = ()
    authentication_mode: str = ""
    security_group: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    status: str = field(default="", compare=False)

    @property
    def is_ready(self) -> bool:
        """Return whether the cluster is usable.

        It is not while it is being created or deleted, or if its creation has failed.
        """
        return self.status not in NOT_READY

    @property
    def has_access_entries(self) -> bool:
        """Return whether access entries count.

        Local clusters go by aws-auth, unless EKS says otherwise.
        """
        return self.authentication_mode != CONFIG_MAP and not (
            self.local_id and not self.authentication_mode
        )


class Remedies(RouteRemedies, Protocol):
    """Remedies for a cluster that cannot be reached, or does not admit the signed-in identity."""

    def not_admitted(self, principal: str, groups: tuple[str, ...], version: Version | None) -> str:
        """Return what makes the cluster admit `principal` as our group.

        `groups`: those it is in already. `version`: Kubernetes', if it is known.
        """

    def granted_by_policy(self, principal: str) -> str:
        """Return how to see rights of the principal that no RBAC binding grants."""


@dataclass(frozen=True)
class CredentialEnd:
    """The end of a stored credential, and the remedy that replaces it in time."""

    at: datetime
    renewal: str


class SignIn(Protocol):
    """Lookup of one document's cluster, and the sign-in to it.

    Each method raises RoleError and SignInError; those about the endpoint EksError.
    """

    asks_eks: bool  # EKS names the endpoint
    # The end of a stored credential, once it was read; None for a credential that is made anew.
    credential_end: CredentialEnd | None

    def remembered(self) -> Endpoint | None:
        """Return the endpoint if it is known without a call; else None."""

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
        """Return the remedies that fit the known endpoint."""


class RoleCaller:
    """Base of SignIns that use AWS credentials.

    They are the execution role's, or those of the document's roleArn.
    """

    credential_end: CredentialEnd | None = None

    def __init__(self, config: ClusterConfig, callers: Callers) -> None:
        self.config = config
        self._callers = callers

    async def caller(self) -> Caller:
        """Return the AWS credentials to use. Raise RoleError, SignInError."""
        return await self._callers.caller(self.config.role_arn, self.config.external_id)

    async def describe_caller(self) -> str:
        await self.caller()
        return f"assumed {self.config.role_arn}" if self.config.role_arn else "the function's own"

    def principal(self) -> str:
        """Return the ARN of the role."""
        return self._callers.principal(self.config.role_arn)
