"""One cluster's settings, from its document and the defaults. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from ecr_public_pusher.configuration.account_selector import NO_ACCOUNTS, AccountSelection
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.configuration.schema import DEFAULT_SECRET_NAME, SignInType


@dataclass(frozen=True)
class Server:
    """The address of a cluster that is not EKS, from its document, in normal form.

    `ca_pem`: the PEM authority that must have signed its certificate (empty: the public ones).
    """

    endpoint: str
    ca_pem: str = field(default="", repr=False)


@dataclass(frozen=True)
class Eks:
    """An EKS cluster, whose address EKS gives."""

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
class Google:
    """A cluster that accepts access tokens of Google's, which are given for AWS's web identity.

    `provider`: the full name of the workload identity provider that trusts AWS's issuer.
    `service_account`: the email of the service account to become; None: the federated identity.
    """

    type: ClassVar[SignInType] = "google"
    server: Server
    provider: str
    service_account: str | None = None

    @property
    def pool(self) -> str:
        """The full name of the provider's pool."""
        return self.provider.partition("/providers/")[0]

    def member(self, subject: str) -> str:
        """Return the federated identity of `subject`, as IAM's policies and GKE name it."""
        return f"principal:{self.pool}/subject/{subject}"

    def user(self, subject: str) -> str:
        """Return the name under which the cluster knows `subject`, a role's ARN."""
        return self.service_account or self.member(subject)


@dataclass(frozen=True)
class StoredKubeconfig:
    """A cluster that is described by a kubeconfig in Secrets Manager.

    `secret_arn`: the secret's complete ARN.
    """

    type: ClassVar[SignInType] = "kubeconfig"
    secret_arn: str


# The key of a cluster and a Secret name.
type SecretsKey = tuple[str, str, str, str]
type SignInChoice = Eks | IamAuthenticator | WebIdentity | Google | StoredKubeconfig


@dataclass(frozen=True)
class PrivateRegistry:
    """A private ECR registry, and the role that requests its token.

    The role is never the function's own, whose rights the token would have.
    """

    account: str
    region: str
    role_arn: str
    external_id: str | None = None


@dataclass(frozen=True)
class Repository:
    """A chart repository whose Secret Argo CD reads.

    `name`: the Secret's. `template`: credentials of all repositories whose URL starts with `url`.
    `registry`: the private registry that it is in; None for ECR Public.
    """

    namespace: str
    name: str
    url: str
    template: bool = False
    registry: PrivateRegistry | None = None


@dataclass(frozen=True)
class ClusterConfig:
    """One cluster's settings, defaults merged in.

    `repositories`: those whose Secrets are kept beside the pull Secret.
    `repository`: set in the settings of one of these Secrets (`of_repositories`).
    """

    id: str
    cluster: str
    region: str
    selection: Selection
    role_arn: str | None = None
    external_id: str | None = None
    enabled: bool = True
    secret_name: str = DEFAULT_SECRET_NAME
    service_accounts: AccountSelection = NO_ACCOUNTS
    take_ownership: bool = False
    prune: bool = False
    allow_empty: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    function_account: str = ""
    public_registry: bool = True
    private_registries: tuple[PrivateRegistry, ...] = ()
    sign_in: SignInChoice = Eks()
    repositories: tuple[Repository, ...] = ()
    repository: Repository | None = None

    @property
    def of_repositories(self) -> "tuple[ClusterConfig, ...]":
        """The settings of each repository's Secret, as if a document asked for it alone."""
        return tuple(
            replace(
                self,
                secret_name=one.name,
                selection=Selection((one.namespace,)),
                service_accounts=NO_ACCOUNTS,
                prune=False,  # its one namespace is always selected
                public_registry=one.registry is None,
                private_registries=() if one.registry is None else (one.registry,),
                repositories=(),
                repository=one,
            )
            for one in self.repositories
        )

    @property
    def within(self) -> str | None:
        """The only namespace in which this Secret is; None for a pull Secret."""
        return self.repository.namespace if self.repository else None

    @property
    def target(self) -> tuple[str, str, str]:
        """The key by which two documents mean the same cluster.

        For EKS: account (the role's, or the function's), region and name; otherwise its address. A
        kubeconfig's cluster is known only once the secret has been read, so documents mean the same
        cluster where they name the same secret.
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
    def secrets(self) -> SecretsKey:
        """The key by which two documents mean the same Secrets, in the same namespaces.

        It is the cluster's (`target`) with the Secret's name.
        """
        return (*self.target, self.secret_name)

    @property
    def discovered(self) -> bool:
        """Return whether a discovery found the cluster: no document's own id has a slash."""
        return "/" in self.id

    @property
    def server(self) -> Server | None:
        """The cluster's server, if its document names one."""
        return (
            self.sign_in.server
            if isinstance(self.sign_in, (IamAuthenticator, WebIdentity, Google))
            else None
        )

    @property
    def place(self) -> str:
        """The cluster's location according to the document, as part of a sentence."""
        if self.server is not None:
            return self.server.endpoint
        if isinstance(self.sign_in, StoredKubeconfig):
            return f"of the kubeconfig in {self.sign_in.secret_arn}"
        return f"{self.cluster} in {self.region}"
