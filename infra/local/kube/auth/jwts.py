"""Structured authentication: JSON Web Tokens of the issuers in an AuthenticationConfiguration.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ..kinds import Object
from .authz import CREDENTIAL_ID, UserInfo

AWS_CLAIMS = "https://sts.amazonaws.com/"
CONFIGURATION: Object = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AuthenticationConfiguration",
}
ALGORITHMS = ["RS256", "ES384"]

# Only the expressions that the function prints are evaluated here; a real API server evaluates all
# of CEL.
_SUBJECT = re.compile(r"claims\.sub == '(?P<value>[^'\\]+)'")
_ACCOUNT = re.compile(
    r"claims\['https://sts\.amazonaws\.com/'\]\.aws_account == '(?P<value>\d{12})'"
)
_USERNAME = re.compile(r"'(?P<value>[a-z:]+)' \+ claims\.sub")
_GROUPS = re.compile(r"\['(?P<value>[^'\\]+)'\]")


class NotTrusted(Exception):
    """A refused token, with the reason; the token itself is never repeated."""


class TokenVerifier(Protocol):
    """The verification of tokens that somebody else issues."""

    def verify(self, token: str) -> tuple[UserInfo, float]:
        """Return the token's user and its expiry in seconds. Raise NotTrusted."""


@dataclass(frozen=True)
class TrustedIssuer:
    """One entry of `jwt`: the issuer, its public keys, the audience and the required claims.

    `user_prefix`: of the username, before the subject. Without `groups`, none is mapped.

    `discovery_url` and `ca_pem`: the URL from which a real API server reads the keys, and the CA
    that it trusts for it, unless that is the issuer's own host.
    """

    url: str
    keys: KeySet = field(repr=False)
    audience: str
    subject: str
    account: str
    groups: tuple[str, ...] = ("ecr-public-pushers",)
    user_prefix: str = "aws:"
    discovery_url: str = ""
    ca_pem: str = field(default="", repr=False)
    clock: Callable[[], float] = time.time

    @classmethod
    def read(
        cls,
        configuration: Mapping[str, Any],
        *,
        keys: KeySet,
        discovery_url: str = "",
        ca_pem: str = "",
    ) -> Self:
        """Return the one entry of an AuthenticationConfiguration that the function printed.

        Raise ValueError for any other.
        """
        if {name: configuration.get(name) for name in CONFIGURATION} != CONFIGURATION:
            raise ValueError("not the AuthenticationConfiguration that the function prints")
        (entry,) = configuration["jwt"]
        return cls.read_entry(entry, keys=keys, discovery_url=discovery_url, ca_pem=ca_pem)

    @classmethod
    def read_entry(
        cls, entry: Mapping[str, Any], *, keys: KeySet, discovery_url: str = "", ca_pem: str = ""
    ) -> Self:
        """Return an entry of `jwt` that the function printed. Raise ValueError for any other."""
        (audience,) = entry["issuer"]["audiences"]
        subject, account = (rule["expression"] for rule in entry["claimValidationRules"])
        mappings = {name: mapping["expression"] for name, mapping in entry["claimMappings"].items()}
        return cls(
            entry["issuer"]["url"],
            keys,
            audience,
            _read(_SUBJECT, subject),
            _read(_ACCOUNT, account),
            (_read(_GROUPS, mappings["groups"]),),
            _read(_USERNAME, mappings["username"]),
            discovery_url,
            ca_pem,
        )

    def entry(self) -> Object:
        """Return the issuer as an entry of an AuthenticationConfiguration's `jwt`."""
        issuer: Object = {"url": self.url, "audiences": [self.audience]}
        issuer |= {"discoveryURL": self.discovery_url} if self.discovery_url else {}
        issuer |= {"certificateAuthority": self.ca_pem} if self.ca_pem else {}
        rules = [
            f"claims.sub == '{self.subject}'",
            f"claims['{AWS_CLAIMS}'].aws_account == '{self.account}'",
        ]
        groups = ", ".join(f"'{group}'" for group in self.groups)
        mapped = {"groups": {"expression": f"[{groups}]"}} if self.groups else {}
        return {
            "issuer": issuer,
            "claimValidationRules": [{"expression": rule} for rule in rules],
            "claimMappings": {
                "username": {"expression": f"'{self.user_prefix}' + claims.sub"},
                **mapped,
            },
        }

    def verify(self, token: str) -> tuple[UserInfo, float]:
        """Return the token's user and its expiry in seconds. Raise NotTrusted."""
        try:
            claims: dict[str, Any] = jwt.decode(token, self.keys, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            raise NotTrusted("the signature is not the issuer's") from None
        if claims.get("iss") != self.url:
            raise NotTrusted("the token is of another issuer")
        audience = claims.get("aud")
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            raise NotTrusted("the token is for another audience")
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires <= self.clock():
            raise NotTrusted("the token has expired")
        if claims.get("sub") != self.subject:
            raise NotTrusted("claims.sub is another")
        of_aws = claims.get(AWS_CLAIMS)
        if not isinstance(of_aws, dict) or of_aws.get("aws_account") != self.account:
            raise NotTrusted("claims of AWS name another account")
        return UserInfo(
            f"{self.user_prefix}{self.subject}", "", self.groups, _extra(claims)
        ), float(expires)


def configuration(*issuers: TrustedIssuer) -> Object:
    """Return the content of the file for `--authentication-config`."""
    return {**CONFIGURATION, "jwt": [issuer.entry() for issuer in issuers]}


def _extra(claims: Mapping[str, Any]) -> dict[str, list[str]]:
    return {CREDENTIAL_ID: [f"JTI={claims['jti']}"]} if "jti" in claims else {}


def _read(pattern: re.Pattern[str], expression: str) -> str:
    found = pattern.fullmatch(expression)
    if found is None:
        raise ValueError(f"an expression that only a real API server evaluates: {expression}")
    return found["value"]
