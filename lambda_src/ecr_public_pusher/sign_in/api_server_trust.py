"""Configuration that makes an API server trust AWS's issuer for one role and one audience. Pure.

These are texts to paste, for the server's own version. See "Using Authentication Configuration" in
https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

import re
from dataclasses import dataclass
from typing import Any, Self

from ecr_public_pusher.kubernetes_api.server_version import Version
from ecr_public_pusher.ownership import PRODUCT, RBAC_GROUP
from ecr_public_pusher.sign_in.named_endpoint import NamedEndpointRemedies
from ecr_public_pusher.sign_in.validity import claims_of

# Structured authentication: on by default since 1.30, stable since 1.34 (KEP-3331).
BY_DEFAULT = (1, 30)
STABLE = (1, 34)
_GROUP = "apiserver.config.k8s.io"
_PAGE = "docs/web-identity.md shows the steps for kubeadm, k3s, Talos and EKS Anywhere"


@dataclass(frozen=True)
class Claims:
    """Issuer, subject and audience of a token.

    Placeholders where they are not known.
    """

    audience: str
    issuer: str = "https://ISSUER.tokens.sts.global.api.aws"
    subject: str = "ROLE_ARN"

    @classmethod
    def of(cls, token: str, audience: str) -> Self:
        """Return the claims of `token` that can be written into a configuration."""
        claims = claims_of(token)
        issuer = _pasted(claims.get("iss"))
        subject = _pasted(claims.get("sub"))
        return cls(audience, issuer, subject) if issuer and subject else cls(audience)

    @property
    def account(self) -> str:
        """Return the account of the subject, the ARN of a role; else a placeholder."""
        return self.subject.split(":")[4] if self.subject.count(":") >= 5 else "ACCOUNT"


@dataclass(frozen=True)
class TrustRemedies(NamedEndpointRemedies):
    """Remedies for an API server that must trust the claims."""

    claims: Claims

    def not_admitted(
        self, principal: str, groups: tuple[str, ...], version: Version | None = None
    ) -> str:
        if version is None:
            older = f"Kubernetes 1.30 to 1.33: with {_GROUP}/v1beta1. Before 1.30: {self.flags}"
            return (
                "Give the API server this file by --authentication-config"
                f" ({_PAGE}):\n{self.configuration('v1')}\n{older}"
            )
        if version < BY_DEFAULT:
            return (
                f"The API server is Kubernetes {version[0]}.{version[1]}, and structured"
                f" authentication needs 1.30. Start it with {self.flags}"
            )
        file = self.configuration("v1" if version >= STABLE else "v1beta1")
        return (
            f"Give the API server (Kubernetes {version[0]}.{version[1]}) this file by"
            f" --authentication-config ({_PAGE}):\n{file}"
        )

    def configuration(self, version: str) -> str:
        """Return the AuthenticationConfiguration, filled in."""
        return (
            f"apiVersion: {_GROUP}/{version}\n"
            "kind: AuthenticationConfiguration\n"
            "jwt:\n"
            f'- issuer: {{url: "{self.claims.issuer}", audiences: ["{self.claims.audience}"]}}\n'
            "  claimValidationRules:\n"
            f"  - expression: \"claims.sub == '{self.claims.subject}'\"\n"
            "  - expression: \"claims['https://sts.amazonaws.com/'].aws_account =="
            f" '{self.claims.account}'\"\n"
            "  claimMappings:\n"
            "    username: {expression: \"'aws:' + claims.sub\"}\n"
            f"    groups: {{expression: \"['{RBAC_GROUP}']\"}}"
        )

    @property
    def flags(self) -> str:
        """Return the flags that older API servers take, and how to bind the user.

        They cannot set a group, so the role is bound to the user.
        """
        return (
            f"`--oidc-issuer-url={self.claims.issuer} --oidc-client-id={self.claims.audience}"
            " --oidc-username-claim=sub --oidc-username-prefix=aws:"
            f" --oidc-required-claim=sub={self.claims.subject}` and bind the user to infra/rbac's"
            f" role: `kubectl --context CONTEXT create clusterrolebinding {PRODUCT}-web-identity"
            f" --clusterrole={PRODUCT} --user=aws:{self.claims.subject}`"
        )


def _pasted(claim: Any) -> str | None:
    """Return a claim as AWS makes it; None if it would end the quotes around it."""
    return (
        claim
        if isinstance(claim, str) and re.fullmatch(r"[\w:./@+=,-]{1,300}", claim, re.ASCII)
        else None
    )
