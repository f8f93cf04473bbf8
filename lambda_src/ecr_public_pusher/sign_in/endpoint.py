"""Endpoint of a cluster, and the authority that the cluster must prove itself with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
