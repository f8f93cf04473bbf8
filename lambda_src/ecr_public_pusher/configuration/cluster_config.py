"""One cluster's settings, as its document and the defaults make them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.configuration.schema import DEFAULT_SECRET_NAME

type SignInType = Literal["eks", "iamAuthenticator", "webIdentity"]


@dataclass(frozen=True)
class PrivateRegistry:
    """A private ECR registry, and the role that asks for its token: never the function's own, whose rights the token would bear."""

    account: str
    region: str
    role_arn: str
    external_id: str | None = None


@dataclass(frozen=True)
class ClusterConfig:
    """One cluster's settings, defaults merged in."""

    id: str
    cluster: str
    region: str
    selection: Selection
    role_arn: str | None = None
    external_id: str | None = None
    enabled: bool = True
    secret_name: str = DEFAULT_SECRET_NAME
    service_accounts: tuple[str, ...] = ()
    take_ownership: bool = False
    prune: bool = False
    allow_empty: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    function_account: str = ""
    public_registry: bool = True
    private_registries: tuple[PrivateRegistry, ...] = ()
    sign_in: SignInType = "eks"
    endpoint: str | None = None
    ca_pem: str = field(default="", repr=False)
    cluster_id: str | None = None

    @property
    def target(self) -> tuple[str, str, str]:
        """What makes two documents mean the same cluster: of EKS, account (the role's, or the function's), region, name; else where it is."""
        if self.endpoint is not None:
            return ("", "", self.endpoint)
        return (self.role_arn.split(":")[4] if self.role_arn else self.function_account, self.region, self.cluster)
