"""Sign-in by a JSON Web Token of AWS's own issuer: any Kubernetes, with nothing stored anywhere.

The API server must trust the issuer. Each document's token has an audience made of its id, so that
it is worthless to every other API server.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

import re
from typing import Any

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, Failure, call_aws, error_code, failure_of
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Server
from ecr_public_pusher.errors import SignInError
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.ownership import PRODUCT
from ecr_public_pusher.sign_in.api_server_trust import Claims, TrustRemedies
from ecr_public_pusher.sign_in.kind import Endpoint, Remedies
from ecr_public_pusher.sign_in.named_endpoint import NamedEndpoint

LIFE_SECONDS = 300
ALGORITHM = "RS256"  # accepted by the API server's older --oidc flags, too
# Three parts in base64url (RFC 7515, compact serialization), which may stand in a header.
_JSON_WEB_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
SWITCH = "aws iam enable-outbound-web-identity-federation"

_REMEDIES = {
    Failure.REFUSED: (
        "The execution role (or roleArn) needs sts:GetWebIdentityToken, as template.yaml grants it"
        " where AllowedEndpoints names a host."
    ),
    Failure.UNREACHABLE: (
        "The function must reach STS in its region: from a VPC, through a NAT gateway or the"
        " endpoint com.amazonaws.REGION.sts."
    ),
    Failure.UNAVAILABLE: "STS is unavailable or throttling: the cluster is retried automatically.",
}


class WebIdentitySignIn(NamedEndpoint):
    """SignIn by a web identity token."""

    def __init__(self, config: ClusterConfig, server: Server, callers: Callers) -> None:
        super().__init__(config, server, callers)
        self._claims = Claims(self.audience)  # of the last token

    @property
    def audience(self) -> str:
        """Return the token's audience.

        It cannot be chosen: a document can only have tokens made for itself.
        """
        return f"{PRODUCT}:{self.config.id}"

    async def credential(self) -> Credential:
        caller = await self.caller()
        token = await self._callers.blocking.run(
            lambda: self._issued(caller.signature), service="sts"
        )
        self._claims = Claims.of(token, self.audience)
        return Credential(token)

    def describe_credential(self, credential: Credential) -> str:
        token = credential.token or ""
        claims = Claims.of(token, self.audience)
        return (
            f"{len(token)} bytes, of the issuer {claims.issuer}, subject {claims.subject}, audience"
            f" {claims.audience}"
        )

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        return ClusterAccess(
            endpoint.url,
            endpoint.ca_pem,
            self.credential,
            'Send {"action": "check"}: it prints the AuthenticationConfiguration.',
            f"does not admit {self.principal()}",
        )

    def remedies(self, endpoint: Endpoint) -> Remedies:
        return TrustRemedies(endpoint, self._claims)

    def _issued(self, signature: dict[str, Any]) -> str:
        sts = self._callers.clients.client("sts")
        try:
            token = call_aws(
                lambda: sts.get_web_identity_token(
                    Audience=[self.audience],
                    SigningAlgorithm=ALGORITHM,
                    DurationSeconds=LIFE_SECONDS,
                    **signature,
                )["WebIdentityToken"]
            )
        except AWS_ERRORS as error:
            code = error_code(error)
            said = f"STS gave no web identity token for {self.config.id}: {code}"
            if "OutboundWebIdentityFederationDisabled" in code:
                raise SignInError(
                    said,
                    remedy=f"Enable outbound web identity federation, once per account: {SWITCH}",
                ) from None
            raise SignInError(said, remedy=_REMEDIES[failure_of(error)]) from None
        if not isinstance(token, str) or not _JSON_WEB_TOKEN.fullmatch(token):
            raise SignInError(
                f"STS's web identity token for {self.config.id} is not a JSON Web Token",
                remedy="Try again; if it persists, contact AWS Support.",
            )
        return token
