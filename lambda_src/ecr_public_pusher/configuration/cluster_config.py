"""One cluster's settings, as its document and the defaults make them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.configuration.schema import DEFAULT_SECRET_NAME, SignInType


@dataclass(frozen=True)
class Server:
    """The address of a cluster that is not EKS, as its document says, in its normal form.

    `ca_pem`: the PEM authority it must prove itself with (empty: the public ones).
    """

    endpoint: str
    ca_pem: str = field(default="", repr=False)


@dataclass(frozen=True)
class Eks:
    """EKS says where the cluster is."""

    type: ClassVar[SignInType] = "eks"


@dataclass(frozen=True)
class IamAuthenticator:
    """A cluster whose aws-iam-authenticator runs with `cluster_id`."""

    type: ClassVar[SignInType] = "iamAuthenticator"
    server: Server
    cluster_id: str


@dataclass(frozen=True)
class WebIdentity:
    """A cluster that trusts AWS's issuer of JSON Web Tokens."""

    type: ClassVar[SignInType] = "webIdentity"
    server: Server


@dataclass(frozen=True)
class StoredKubeconfig:
    """A cluster that a kubeconfig in Secrets Manager says everything of.

    `secret_arn`: the complete one.
    """

    type: ClassVar[SignInType] = "kubeconfig"
    secret_arn: str


type SignInChoice = Eks | IamAuthenticator | WebIdentity | StoredKubeconfig


@dataclass(frozen=True)
class PrivateRegistry:
    """A private ECR registry, and the role that asks for its token: never the function's own, whose
    rights the token would bear.
    """

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
    sign_in: SignInChoice = Eks()

    @property
    def target(self) -> tuple[str, str, str]:
        """What makes two documents mean the same cluster: of EKS, account (the role's, or the
        function's), region, name; else where it is.

        Where a kubeconfig's cluster is, is known only once the secret has been read: documents are
        the same cluster's where they name one secret.
        """
        if self.server is not None:
            return ("", "", self.server.endpoint)
        if isinstance(self.sign_in, StoredKubeconfig):
            return ("", "", self.sign_in.secret_arn)
        return (
            self.role_arn.split(":")[4] if self.role_arn else self.function_account,
            self.region,
            self.cluster,
        )

    @property
    def discovered(self) -> bool:
        """Return whether a discovery found the cluster: no document's own id has a slash."""
        return "/" in self.id

    @property
    def server(self) -> Server | None:
        """Of a cluster whose document says where it is."""
        return (
            self.sign_in.server
            if isinstance(self.sign_in, (IamAuthenticator, WebIdentity))
            else None
        )

    @property
    def place(self) -> str:
        """Where the cluster is, for a sentence, as far as the document says."""
        if self.server is not None:
            return self.server.endpoint
        if isinstance(self.sign_in, StoredKubeconfig):
            return f"of the kubeconfig in {self.sign_in.secret_arn}"
        return f"{self.cluster} in {self.region}"
