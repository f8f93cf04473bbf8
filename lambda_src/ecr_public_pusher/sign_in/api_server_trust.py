"""Configuration that makes an API server trust AWS's issuer for one role and one audience. Pure.

These are texts to paste, for the server's own version. See "Using Authentication Configuration" in
https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from ecr_public_pusher.configuration.eks_host import eks_region
from ecr_public_pusher.configuration.kubectl_commands import UNKNOWN_CONTEXT
from ecr_public_pusher.configuration.rbac_subject import AKS_PREFIX, is_aks
from ecr_public_pusher.kubernetes_api.server_version import Version
from ecr_public_pusher.ownership import PRODUCT, RBAC_GROUP
from ecr_public_pusher.sign_in.named_endpoint import NamedEndpointRemedies
from ecr_public_pusher.sign_in.validity import claims_of

# Structured authentication: on by default since 1.30, stable since 1.34 (KEP-3331).
BY_DEFAULT = (1, 30)
STABLE = (1, 34)
_GROUP = "apiserver.config.k8s.io"
USER_PREFIX = "aws:"  # of the user that the API server makes of the role
_AWS_CLAIM = "https://sts.amazonaws.com/"
# A JWT authenticator's name in AKS has at most 24 lower-case letters and digits.
_AKS_NAME = PRODUCT.replace("-", "")
_PAGE = "docs/web-identity.md shows the steps for kubeadm, k3s, Talos and EKS Anywhere"

_BEHIND_A_PATH = (
    "Rancher and Loft refuse AWS's tokens behind a path: docs/rancher-and-loft.md shows the ways"
    " in. For any other server there:"
)


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
        if is_aks(self.endpoint.url):
            return self.aks
        if region := eks_region(self.endpoint.url):
            return (
                f"EKS trusts the token, but gives it no group: {self._bind_user}"
                if groups
                else self.eks(region)
            )
        if groups:
            return (
                "The API server trusts the token, but gives it no group. Add the claimMapping"
                f" `groups: {_flow(self.authenticator()['claimMappings']['groups'])}` to its entry,"
                f" or {self._bind_user}"
            )
        if urlsplit(self.endpoint.url).path:
            return f"{_BEHIND_A_PATH}\n{self._for_version(version)}"
        return self._for_version(version)

    def _for_version(self, version: Version | None) -> str:
        """Return what an API server of that version takes."""
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

    def authenticator(self, prefix: str = "") -> dict[str, Any]:
        """Return the entry of `jwt` in an AuthenticationConfiguration.

        `prefix`: of the names of user and group.
        """
        rules = (
            f"claims.sub == '{self.claims.subject}'",
            f"claims['{_AWS_CLAIM}'].aws_account == '{self.claims.account}'",
        )
        return {
            "issuer": {"url": self.claims.issuer, "audiences": [self.claims.audience]},
            "claimValidationRules": [{"expression": rule} for rule in rules],
            "claimMappings": {
                "username": {"expression": f"'{prefix}{USER_PREFIX}' + claims.sub"},
                "groups": {"expression": f"['{prefix}{RBAC_GROUP}']"},
            },
        }

    def configuration(self, version: str) -> str:
        """Return the AuthenticationConfiguration, filled in."""
        entry = self.authenticator()
        return "\n".join(
            (
                f"apiVersion: {_GROUP}/{version}",
                "kind: AuthenticationConfiguration",
                "jwt:",
                f"- issuer: {_flow(entry['issuer'])}",
                "  claimValidationRules:",
                *(
                    f"  - expression: {_flow(r['expression'])}"
                    for r in entry["claimValidationRules"]
                ),
                "  claimMappings:",
                *(f"    {name}: {_flow(one)}" for name, one in entry["claimMappings"].items()),
            )
        )

    @property
    def aks(self) -> str:
        """Return the commands that give AKS a JWT authenticator, with its file.

        AKS takes the fields of an entry of `jwt`, and only names with its prefix.
        """
        file = f"{PRODUCT}.json"
        return (
            "Give AKS this JWT authenticator (a preview; docs/aks.md shows the steps). If it has"
            " one of this name, `update` it instead of `add`:\n"
            f"cat > {file} <<'EOF'\n{json.dumps(self.authenticator(AKS_PREFIX), indent=2)}\nEOF\n"
            "az aks jwtauthenticator add --resource-group RESOURCE_GROUP --cluster-name CLUSTER"
            f" --name {_AKS_NAME} --config-file {file}"
        )

    def eks(self, region: str) -> str:
        """Return the command that associates the issuer with an EKS cluster, and the binding.

        An associated OIDC provider cannot set a group, so the role is bound to the user.
        """
        provider = {
            "identityProviderConfigName": PRODUCT,
            "issuerUrl": self.claims.issuer,
            "clientId": self.claims.audience,
            "usernameClaim": "sub",
            "usernamePrefix": USER_PREFIX,
            "requiredClaims": {"sub": self.claims.subject},
        }
        return (
            "Associate the issuer with the EKS cluster, which can have one (docs/eks-oidc.md shows"
            f" the steps): `aws eks associate-identity-provider-config --region {region}"
            f" --cluster-name CLUSTER --oidc '{json.dumps(provider)}'` and {self._bind_user}"
        )

    @property
    def flags(self) -> str:
        """Return the flags that older API servers take, and how to bind the user.

        They cannot set a group, so the role is bound to the user.
        """
        return (
            f"`--oidc-issuer-url={self.claims.issuer} --oidc-client-id={self.claims.audience}"
            f" --oidc-username-claim=sub --oidc-username-prefix={USER_PREFIX}"
            f" --oidc-required-claim=sub={self.claims.subject}` and {self._bind_user}"
        )

    @property
    def _bind_user(self) -> str:
        return (
            f"bind the user to infra/rbac's role: `kubectl --context {UNKNOWN_CONTEXT} create"
            f" clusterrolebinding {PRODUCT}-web-identity --clusterrole={PRODUCT}"
            f" --user={USER_PREFIX}{self.claims.subject}`"
        )


def _flow(value: Any) -> str:
    """Return a structure of strings as one line of YAML."""
    match value:
        case dict():
            return f"{{{', '.join(f'{name}: {_flow(one)}' for name, one in value.items())}}}"
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case _:
            return json.dumps(value)


def _pasted(claim: Any) -> str | None:
    """Return a claim as AWS makes it; None if it would end the quotes around it."""
    return (
        claim
        if isinstance(claim, str) and re.fullmatch(r"[\w:./@+=,-]{1,300}", claim, re.ASCII)
        else None
    )
