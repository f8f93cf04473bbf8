"""Where a cluster is, and whom it must prove to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
