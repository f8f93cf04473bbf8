"""Structured authentication: the JSON Web Tokens of an issuer that the API server was told to trust, as an AuthenticationConfiguration says it.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from .authz import UserInfo

AWS_CLAIMS = "https://sts.amazonaws.com/"


class NotTrusted(Exception):
    """Why a token is refused; never repeats it."""


@dataclass(frozen=True)
class TrustedIssuer:
    """One entry of `jwt`: the issuer with its key, whom it is for, and the claims that must hold. `groups`: what whoever holds it is put into."""

    url: str
    key: RSAKey
    audience: str
    subject: str
    account: str
    groups: tuple[str, ...] = ("ecr-public-pushers",)
    clock: Callable[[], float] = time.time

    def verify(self, token: str) -> tuple[UserInfo, float]:
        """The user, and until when. Raises NotTrusted."""
        try:
            claims: dict[str, Any] = jwt.decode(token, self.key, algorithms=["RS256", "ES256"]).claims
        except (JoseError, ValueError):
            raise NotTrusted("the signature is not the issuer's") from None
        if claims.get("iss") != self.url:
            raise NotTrusted("the token is of another issuer")
        audience = claims.get("aud")
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            raise NotTrusted("the token is for another audience")
        expires = float(claims.get("exp", 0))
        if expires <= self.clock():
            raise NotTrusted("the token has expired")
        if claims.get("sub") != self.subject:
            raise NotTrusted("claims.sub is another")
        if claims.get(AWS_CLAIMS, {}).get("aws_account") != self.account:
            raise NotTrusted("claims of AWS name another account")
        return UserInfo(f"aws:{self.subject}", "", self.groups), expires
