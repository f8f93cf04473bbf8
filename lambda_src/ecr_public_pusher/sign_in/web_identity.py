"""Any Kubernetes, with nothing stored anywhere: a JSON Web Token of AWS's own issuer, which the API server is told to trust.

Each document's token has an audience made of its id, so that it is worthless to every other API server.
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from ecr_public_pusher.aws_api.errors import AWS_ERRORS, Failure, call_aws, error_code, failure_of
from ecr_public_pusher.errors import SignInError
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.ownership import PRODUCT, RBAC_GROUP
from ecr_public_pusher.sign_in.endpoint import Endpoint
from ecr_public_pusher.sign_in.named_endpoint import NamedEndpoint, NamedEndpointRemedies

LIFE_SECONDS = 300
ALGORITHM = "RS256"  # what the API server's older --oidc flags take, too
SWITCH = "aws iam enable-outbound-web-identity-federation"

_REMEDIES = {
    Failure.REFUSED: "The execution role (or roleArn) needs sts:GetWebIdentityToken, as template.yaml grants it where AllowedEndpoints names a host.",
    Failure.UNREACHABLE: "The function must reach STS in its region: from a VPC, through a NAT gateway or the endpoint com.amazonaws.REGION.sts.",
    Failure.UNWELL: "STS is unwell, or throttles: the cluster is tried again by itself.",
}


@dataclass(frozen=True)
class Claims:
    """What a token says of itself: who gave it, for whom, for which API server."""

    issuer: str = "https://ISSUER.tokens.sts.global.api.aws"
    subject: str = "ROLE_ARN"
    audience: str = field(default="")

    @classmethod
    def of(cls, token: str, audience: str) -> "Claims":
        """Read, not verified: that is the API server's part. What cannot be read stays a placeholder."""
        try:
            payload = token.split(".")[1]
            said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return cls(_shown(said["iss"]), _shown(said["sub"]), audience)
        except (IndexError, KeyError, TypeError, ValueError, binascii.Error, RecursionError):
            return cls(audience=audience)


class WebIdentitySignIn(NamedEndpoint):
    """A SignIn."""

    _claims: Claims | None = None

    @property
    def audience(self) -> str:
        """Not to be chosen: a document can only ever have tokens made for itself."""
        return f"{PRODUCT}:{self.config.id}"

    async def credential(self) -> Credential:
        caller = await self.caller()
        token = await self._callers.blocking.run(lambda: self._issued(caller.signature))
        self._claims = Claims.of(token, self.audience)
        return Credential(token)

    def describe_credential(self, credential: Credential) -> str:
        token = credential.token or ""
        claims = Claims.of(token, self.audience)
        return f"{len(token)} bytes, of the issuer {claims.issuer}, subject {claims.subject}, audience {claims.audience}"

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        return ClusterAccess(endpoint.url, endpoint.ca_pem, self.credential, 'Send {"action": "check"}: it prints the AuthenticationConfiguration.')

    def remedies(self, endpoint: Endpoint) -> "WebIdentityRemedies":
        return WebIdentityRemedies(endpoint, self._claims or Claims(audience=self.audience))

    def _issued(self, signature: dict[str, Any]) -> str:
        sts = self._callers.clients.client("sts")
        try:
            token = call_aws(
                lambda: sts.get_web_identity_token(Audience=[self.audience], SigningAlgorithm=ALGORITHM, DurationSeconds=LIFE_SECONDS, **signature)[
                    "WebIdentityToken"
                ]
            )
        except AWS_ERRORS as error:
            code = error_code(error)
            said = f"STS gives no web identity token for {self.config.id}: {code}"
            if "OutboundWebIdentityFederationDisabled" in code:
                raise SignInError(said, remedy=f"Turn it on, once for the account: {SWITCH}") from None
            raise SignInError(said, remedy=_REMEDIES[failure_of(error)]) from None
        if not isinstance(token, str) or token.count(".") != 2 or not token.isascii():
            raise SignInError(
                f"STS's web identity token for {self.config.id} is no JSON Web Token", remedy="Try again; should it last, ask AWS support."
            )
        return token


@dataclass(frozen=True)
class WebIdentityRemedies(NamedEndpointRemedies):
    """What makes an API server trust AWS's issuer for this one role and audience."""

    claims: Claims

    def not_admitted(self, principal: str, groups: tuple[str, ...]) -> str:
        return (
            "Give the API server this file by --authentication-config (Kubernetes 1.30 and later; docs/web-identity.md, step by step):\n"
            f"{self.configuration}\n"
            f"Before 1.30, and with no claims checked but these: --oidc-issuer-url={self.claims.issuer} --oidc-client-id={self.claims.audience} "
            f"--oidc-username-claim=sub '--oidc-username-prefix=aws:' --oidc-required-claim=sub={self.claims.subject}, "
            f"and a ClusterRoleBinding of infra/rbac's roles to the user aws:{self.claims.subject} in the place of the group."
        )

    @property
    def configuration(self) -> str:
        """The AuthenticationConfiguration, filled in."""
        account = self.claims.subject.split(":")[4] if self.claims.subject.count(":") >= 5 else "ACCOUNT"
        return (
            "apiVersion: apiserver.config.k8s.io/v1\n"
            "kind: AuthenticationConfiguration\n"
            "jwt:\n"
            f'- issuer: {{url: "{self.claims.issuer}", audiences: ["{self.claims.audience}"]}}\n'
            "  claimValidationRules:\n"
            f"  - expression: \"claims.sub == '{self.claims.subject}'\"\n"
            f"  - expression: \"claims['https://sts.amazonaws.com/'].aws_account == '{account}'\"\n"
            "  claimMappings:\n"
            "    username: {expression: \"'aws:' + claims.sub\"}\n"
            f"    groups: {{expression: \"['{RBAC_GROUP}']\"}}"
        )


def _shown(text: Any) -> str:
    """A claim, where it is one that can stand in a configuration."""
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or len(text) > 300 or any(mark in text for mark in "\"'\\{}"):
        raise ValueError
    return text
