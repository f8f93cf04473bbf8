"""STS's GetWebIdentityToken, which moto lacks: an issuer of JSON Web Tokens for one account, and whether the account has it turned on."""

import time
import uuid
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from joserfc import jwt
from joserfc.jwk import RSAKey

from ..identity import CredentialLookup
from .wire import Answer, AwsRequest

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class WebIdentityIssuer:
    """Signs with one key of its own. `enabled`: the account's switch, off as in a new account."""

    def __init__(self, find_credential: CredentialLookup) -> None:
        self.enabled = False
        self.url = f"https://{uuid.uuid4()}.tokens.sts.global.api.aws"
        self.key = RSAKey.generate_key(2048, parameters={"kid": "1"})
        self._find = find_credential

    def answer(self, request: AwsRequest) -> Answer | None:
        """What STS answers, where it is asked for such a token."""
        credential = self._find(request.access_key_id) if request.access_key_id else None
        if credential is None or (request.service, request.action) != ("sts", "GetWebIdentityToken"):
            return None
        if not self.enabled:
            message = "Outbound web identity federation is not enabled for this account."
            return Answer.refusal(request, "OutboundWebIdentityFederationDisabledException", message, status=403)
        life = int(request.form.get("DurationSeconds", "300"))
        if not 60 <= life <= 3600:
            return Answer.refusal(request, "ValidationError", "DurationSeconds is out of range.", status=400)
        _, partition, _, _, account, session = credential.arn.split(":", 5)
        issued = int(time.time())
        claims = {
            "iss": self.url,
            "sub": f"arn:{partition}:iam::{account}:role/{session.split('/')[1]}",
            "aud": request.form["Audience.member.1"],
            "iat": issued,
            "exp": issued + life,
            "jti": str(uuid.uuid4()),
            "https://sts.amazonaws.com/": {"aws_account": account, "source_region": request.region},
        }
        token = jwt.encode({"alg": request.form["SigningAlgorithm"], "kid": "1"}, claims, self.key)
        expiration = datetime.fromtimestamp(issued + life, UTC).isoformat()
        result = f"<WebIdentityToken>{escape(token)}</WebIdentityToken><Expiration>{expiration}</Expiration>"
        body = f'<GetWebIdentityTokenResponse xmlns="{_NAMESPACE}"><GetWebIdentityTokenResult>{result}</GetWebIdentityTokenResult>'
        return Answer(200, f"{body}</GetWebIdentityTokenResponse>".encode(), {"Content-Type": "text/xml"})
