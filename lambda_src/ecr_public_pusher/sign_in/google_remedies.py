"""Commands that make Google, and a cluster of its own, trust the function. Pure.

docs/gke.md shows them in their order.
"""

from dataclasses import dataclass

from ecr_public_pusher.configuration.cluster_config import Google
from ecr_public_pusher.configuration.kubectl_commands import UNKNOWN_CONTEXT, bind_cluster_role
from ecr_public_pusher.configuration.rbac_subject import Subject
from ecr_public_pusher.kubernetes_api.server_version import Version
from ecr_public_pusher.ownership import PRODUCT
from ecr_public_pusher.sign_in.api_server_trust import Claims
from ecr_public_pusher.sign_in.google_tokens import Cause, NoGoogleToken, Service
from ecr_public_pusher.sign_in.named_endpoint import NamedEndpointRemedies

_KUBECTL = f"kubectl --context {UNKNOWN_CONTEXT}"
_PAGE = "docs/gke.md"
# Source: IAM, google.subject
MAX_SUBJECT = 127
# By the code of STS: what the provider is.
_TRUST = {
    "invalid_target": "There is no such provider, or it or its pool is disabled.",
    "invalid_grant": "The provider does not trust this issuer or audience.",
    "unauthorized_client": "The provider's attribute condition does not accept this subject.",
}
_API = {
    Service.STS: "sts.googleapis.com",
    Service.IAM_CREDENTIALS: "iamcredentials.googleapis.com",
}


@dataclass(frozen=True)
class GoogleRemedies(NamedEndpointRemedies):
    """Remedies for a cluster that accepts Google's access tokens.

    `role`: the ARN of the role whose token of AWS's is exchanged.
    """

    choice: Google
    claims: Claims
    role: str

    def not_admitted(
        self, principal: str, groups: tuple[str, ...], version: Version | None = None
    ) -> str:
        account = self.choice.service_account
        member = f"serviceAccount:{account}" if account else self.choice.member(self.role)
        bind = bind_cluster_role(_KUBECTL, PRODUCT, Subject("user", principal))
        return (
            "Let the identity get the cluster, and bind infra/rbac's role to it, since GKE assigns"
            f" it no group ({_PAGE}):\n"
            "`gcloud projects add-iam-policy-binding PROJECT --condition=None"
            f" --role=roles/container.clusterViewer --member={member}`\n"
            f"`{_KUBECTL} apply -f infra/rbac/cluster.yaml`\n"
            f"`{bind}`"
        )

    def no_token(self, error: NoGoogleToken) -> str:
        """Return the remedy for a token that Google did not give."""
        api = _API[error.service]
        match error.cause:
            case Cause.UNAVAILABLE:
                return f"{api} is unavailable or throttling: the cluster is retried automatically."
            case Cause.UNREACHABLE | Cause.FOREIGN:
                return (
                    f"The function must reach {api} itself, without a proxy that decrypts: from a"
                    " VPC, through a NAT gateway."
                )
        if error.code == "SERVICE_DISABLED":
            return f"`gcloud services enable {api} --project=PROJECT`"
        return self._trust(error.code) if error.service is Service.STS else self._impersonation

    def _trust(self, code: str) -> str:
        # //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/...
        *_, number, _, _, _, pool, _, provider = self.choice.provider.split("/")
        claims = self.claims
        flags = (
            f"--workload-identity-pool={pool} --issuer-uri={claims.issuer}"
            f" --allowed-audiences={claims.audience}"
            " --attribute-mapping=google.subject=assertion.sub"
            f" --attribute-condition=\"assertion.sub == '{claims.subject}'\""
        )
        said = _TRUST.get(code, "The provider does not accept the token.")
        if len(claims.subject) > MAX_SUBJECT:
            said = (
                f"The subject has {len(claims.subject)} characters, and Google allows"
                f" {MAX_SUBJECT}: shorten the role's name or path."
            )
        return (
            f"{said} In the project {number} ({_PAGE}), create the pool and the provider:\n"
            f"`gcloud iam workload-identity-pools create {pool} --project=PROJECT"
            " --location=global`\n"
            "`gcloud iam workload-identity-pools providers create-oidc"
            f" {provider} --project=PROJECT --location=global {flags}`\n"
            "Or correct the provider:\n"
            "`gcloud iam workload-identity-pools providers update-oidc"
            f" {provider} --project=PROJECT --location=global {flags}`"
        )

    @property
    def _impersonation(self) -> str:
        return (
            "The service account must exist, and let the federated identity become it"
            f" ({_PAGE}):\n"
            "`gcloud iam service-accounts add-iam-policy-binding"
            f" {self.choice.service_account} --project=PROJECT"
            f" --role=roles/iam.workloadIdentityUser --member={self.choice.member(self.role)}`"
        )
