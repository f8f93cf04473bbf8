"""The interface that each kind of sign-in fills in a module of its own, the endpoint that it signs
in to, and the base of the kinds that use AWS credentials.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """Where a cluster is, and the PEM certificate authority it must prove itself with (empty: the
    public ones).

    `local_id`: of an EKS cluster that is local to an Outpost: what its sign-in tokens are for,
    instead of its name. What EKS says beside that, for hints only: whether the endpoint is public,
    and to whom; how the cluster authenticates; its security group.
    `tags`: the cluster's, for discovery. `status`: what EKS says that it is doing with the cluster.
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
        """Return whether the cluster is neither being created nor deleted, and its creation has not
        failed.
        """
        return self.status not in NOT_READY

    @property
    def has_access_entries(self) -> bool:
        """Return whether access entries count: local clusters go by aws-auth, unless EKS says
        otherwise.
        """
        return self.authentication_mode != CONFIG_MAP and not (
            self.local_id and not self.authentication_mode
        )


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


class RoleCaller:
    """The part of a SignIn that is about whose AWS credentials are used: the execution role's, or
    those of the document's roleArn.
    """

    def __init__(self, config: ClusterConfig, callers: Callers) -> None:
        self.config, self._callers = config, callers

    async def caller(self) -> Caller:
        """Raises RoleError, SignInError."""
        return await self._callers.caller(self.config.role_arn, self.config.external_id)

    async def describe_caller(self) -> str:
        await self.caller()
        return f"assumed {self.config.role_arn}" if self.config.role_arn else "the function's own"

    def principal(self) -> str:
        """Return the ARN of the role."""
        return self._callers.principal(self.config.role_arn)
