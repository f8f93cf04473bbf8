"""Sign-in to clusters whose API server runs aws-iam-authenticator (EKS Anywhere, kOps).

The token is EKS's, with the authenticator's cluster id signed.
"""

from dataclasses import dataclass

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.configuration.access_entries import mapped_role
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, IamAuthenticator
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.server_version import Version
from ecr_public_pusher.sign_in.kind import Endpoint
from ecr_public_pusher.sign_in.named_endpoint import NamedEndpoint, NamedEndpointRemedies
from ecr_public_pusher.sign_in.sts_token import (
    MAX_TOKEN_BYTES,
    not_admitted_by_authenticator,
    sts_token,
)


class IamAuthenticatorSignIn(NamedEndpoint):
    """SignIn by a token for aws-iam-authenticator."""

    def __init__(self, config: ClusterConfig, choice: IamAuthenticator, callers: Callers) -> None:
        super().__init__(config, choice.server, callers)
        self._cluster_id = choice.cluster_id

    async def credential(self) -> Credential:
        caller = await self.caller()
        return Credential(
            sts_token(
                self._callers.clients, caller, region=self.config.region, cluster=self._cluster_id
            )
        )

    def describe_credential(self, credential: Credential) -> str:
        return (
            f"{len(credential.token or '')} of at most {MAX_TOKEN_BYTES} bytes, for the cluster id"
            f" {self._cluster_id}"
        )

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        principal = self.principal()
        return ClusterAccess(
            endpoint.url,
            endpoint.ca_pem,
            self.credential,
            self.remedies(endpoint).not_admitted(principal, ()),
            not_admitted_by_authenticator(principal),
        )

    def remedies(self, endpoint: Endpoint) -> "IamAuthenticatorRemedies":
        return IamAuthenticatorRemedies(endpoint, self._cluster_id)


@dataclass(frozen=True)
class IamAuthenticatorRemedies(NamedEndpointRemedies):
    """Remedies for a cluster whose API server runs aws-iam-authenticator."""

    cluster_id: str

    def not_admitted(
        self, principal: str, groups: tuple[str, ...], version: Version | None = None
    ) -> str:
        return (
            f"Its clusterID must be {self.cluster_id}, and its API server must reach STS in the"
            " document's region. Map the role in aws-iam-authenticator (mapRoles; EKS Anywhere:"
            f" AWSIamConfig):\n{mapped_role(principal)}"
        )
