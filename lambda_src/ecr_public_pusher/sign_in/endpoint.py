"""Where a cluster is, and whom it must prove to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Endpoint:
    """Where a cluster is, and the PEM certificate authority it must prove itself with (empty: the public ones).

    What EKS says beside that, for hints only: whether the endpoint is public, and to whom; how the cluster authenticates; its security group.
    `tags`: the cluster's, for discovery.
    """

    url: str
    ca_pem: str = field(repr=False)
    public: bool = True
    public_cidrs: tuple[str, ...] = ()
    authentication_mode: str = ""
    security_group: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
