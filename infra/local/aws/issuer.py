"""An AWS account's issuer of web identity tokens: its URL, keys and discovery documents.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
"""

import functools
import json
import uuid
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from ..kube.certificates import issue
from ..kube.cluster import Response
from ..kube.http.server import HttpRequest, HttpsServer

ALGORITHMS = ("RS256", "ES384")
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"


@functools.cache
def _signing_keys(account: str) -> Mapping[str, RSAKey | ECKey]:
    """Return an account's keys by algorithm.

    They are generated at first use and once per process: an RSA key takes a tenth of a second.
    """
    return {
        "RS256": RSAKey.generate_key(
            2048, parameters={"kid": "RS256-1", "use": "sig", "alg": "RS256"}
        ),
        "ES384": ECKey.generate_key(
            "P-384", parameters={"kid": "ES384-1", "use": "sig", "alg": "ES384"}
        ),
    }


class WebIdentityIssuer:
    """The issuer of one account.

    `enabled` is the account's switch, off as in a new account.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self.enabled = False
        self.url = f"https://{uuid.uuid4()}.tokens.sts.global.api.aws"

    @property
    def _signing(self) -> Mapping[str, RSAKey | ECKey]:
        return _signing_keys(self._account)

    @property
    def keys(self) -> KeySet:
        """The public keys that verify a token."""
        return KeySet.import_key_set(self.jwks())

    def jwks(self) -> Any:
        """Return the public keys as a JSON Web Key Set."""
        return {"keys": [key.as_dict(private=False) for key in self._signing.values()]}

    def sign(self, claims: Mapping[str, Any], algorithm: str = "RS256") -> str:
        """Return a JSON Web Token of these claims and `iss`."""
        key = self._signing[algorithm]
        return jwt.encode(
            {"alg": algorithm, "kid": key.kid},
            {"iss": self.url, **claims},
            key,
            algorithms=[*ALGORITHMS],
        )


class IssuerSite:
    """The issuer's two documents over HTTPS on loopback.

    The issuer's own host name does not resolve here. `ca_pem` is the CA of the site's certificate;
    `asked` holds the paths requested so far.
    """

    def __init__(self, issuer: WebIdentityIssuer) -> None:
        self._issuer = issuer
        self.asked: list[str] = []
        certificate = issue("web-identity-issuer")
        self.ca_pem = certificate.ca_pem
        self._server = HttpsServer(self._respond, certificate)
        self.discovery_url = self._server.endpoint + DISCOVERY
        self._server.start()

    def close(self) -> None:
        """Stop the server."""
        self._server.close()

    def _respond(self, request: HttpRequest) -> Response:
        self.asked.append(request.target)
        documents = {DISCOVERY: self._discovery, JWKS: self._issuer.jwks}
        found = documents.get(request.target.partition("?")[0]) if request.method == "GET" else None
        return (
            Response(200, json.dumps(found()).encode(), {"Cache-Control": "no-store"})
            if found
            else Response(404)
        )

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self._issuer.url,
            "jwks_uri": self._server.endpoint + JWKS,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "jti"],
        }
