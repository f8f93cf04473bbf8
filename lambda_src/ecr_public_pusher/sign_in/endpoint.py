"""Where a cluster is, and whom it must prove to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

CONFIG_MAP = "CONFIG_MAP"  # an authentication mode of EKS's


@dataclass(frozen=True)
class Endpoint:
    """Where a cluster is, and the PEM certificate authority it must prove itself with (empty: the public ones).

    `local_id`: of an EKS cluster that is local to an Outpost: what its sign-in tokens are for, instead of its name.
    What EKS says beside that, for hints only: whether the endpoint is public, and to whom; how the cluster authenticates; its security group.
    `tags`: the cluster's, for discovery.
    """

    url: str
    ca_pem: str = field(repr=False)
    local_id: str = ""
    public: bool = True
    public_cidrs: tuple[str, ...] = ()
    authentication_mode: str = ""
    security_group: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_access_entries(self) -> bool:
        """Whether access entries admit to the cluster: local ones go by the ConfigMap aws-auth where EKS does not say otherwise."""
        return self.authentication_mode != CONFIG_MAP and not (self.local_id and not self.authentication_mode)
