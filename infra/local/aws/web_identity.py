"""Web identity tokens, which moto lacks: STS's GetWebIdentityToken and IAM's account switch.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from ..identity import Credential, CredentialLookup
from .issuer import ALGORITHMS, WebIdentityIssuer
from .roles import role_of
from .wire import Answer, AwsRequest

# Seconds.
DEFAULT_LIFE = 300
MIN_LIFE = 60
MAX_LIFE = 3600
MAX_AUDIENCES = 10
# Characters.
MAX_AUDIENCE = 1000
AWS_CLAIMS = "https://sts.amazonaws.com/"
_NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
}


class _Invalid(Exception):
    """A parameter that violates a constraint, in STS's words."""


class WebIdentity:
    """Answers to those calls, with an issuer for each account."""

    def __init__(self, find_credential: CredentialLookup) -> None:
        self._find = find_credential
        self._issuers: dict[str, WebIdentityIssuer] = {}

    def of(self, account: str) -> WebIdentityIssuer:
        """Return the account's issuer."""
        return self._issuers.setdefault(account, WebIdentityIssuer(account))

    def answer(self, request: AwsRequest) -> Answer | None:
        """Answer one of these calls; return None for any other."""
        credential = self._find(request.access_key_id) if request.access_key_id else None
        if credential is None:
            return None
        issuer = self.of(credential.arn.split(":")[4])
        match request.service, request.action:
            case "sts", "GetWebIdentityToken":
                return _token(request, credential, issuer)
            case "iam", "EnableOutboundWebIdentityFederation":
                return _switched_on(request, issuer)
            case "iam", "DisableOutboundWebIdentityFederation":
                return _switched_off(request, issuer)
            case "iam", "GetOutboundWebIdentityFederationInfo":
                return _info(request, issuer)
        return None


def _token(request: AwsRequest, credential: Credential, issuer: WebIdentityIssuer) -> Answer:
    try:
        audiences = _audiences(request.form)
        algorithm = _algorithm(request.form)
        life = _life(request.form)
    except _Invalid as error:
        return Answer.refusal(request, "ValidationError", f"1 validation error detected: {error}")
    if not issuer.enabled:
        message = "Outbound web identity federation is not enabled for this account."
        return Answer.refusal(
            request, "OutboundWebIdentityFederationDisabledException", message, status=403
        )
    issued = int(time.time())
    claims = {
        "sub": role_of(credential.access_key_id) or credential.arn,
        "aud": audiences[0] if len(audiences) == 1 else audiences,
        "iat": issued,
        "exp": issued + life,
        "jti": str(uuid.uuid4()),
        AWS_CLAIMS: {
            "aws_account": credential.arn.split(":")[4],
            "source_region": request.region,
            **_tags(request.form),
        },
    }
    expiration = datetime.fromtimestamp(issued + life, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _answer(request, WebIdentityToken=issuer.sign(claims, algorithm), Expiration=expiration)


def _audiences(form: dict[str, str]) -> list[str]:
    found = list(_members(form, "Audience.member.{}"))
    if not found:
        raise _Invalid(
            "Value null at 'audience' failed to satisfy constraint: Member must not be null"
        )
    if len(found) > MAX_AUDIENCES:
        raise _Invalid(
            "Value at 'audience' failed to satisfy constraint: Member must have length less than"
            f" or equal to {MAX_AUDIENCES}"
        )
    if not all(1 <= len(audience) <= MAX_AUDIENCE for audience in found):
        raise _Invalid(
            "Value at 'audience' failed to satisfy constraint: Member must have a length between 1"
            f" and {MAX_AUDIENCE}"
        )
    return found


def _algorithm(form: dict[str, str]) -> str:
    found = form.get("SigningAlgorithm")
    if found is None:
        raise _Invalid(
            "Value null at 'signingAlgorithm' failed to satisfy constraint: Member must not be null"
        )
    if found not in ALGORITHMS:
        raise _Invalid(
            f"Value '{found}' at 'signingAlgorithm' failed to satisfy constraint: Member must"
            f" satisfy enum value set: {list(ALGORITHMS)}"
        )
    return found


def _life(form: dict[str, str]) -> int:
    text = form.get("DurationSeconds", str(DEFAULT_LIFE))
    head = f"Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member must"
    if not text.isdecimal():
        raise _Invalid(f"{head} be an integer")
    if int(text) < MIN_LIFE:
        raise _Invalid(f"{head} have value greater than or equal to {MIN_LIFE}")
    if int(text) > MAX_LIFE:
        raise _Invalid(f"{head} have value less than or equal to {MAX_LIFE}")
    return int(text)


def _tags(form: dict[str, str]) -> dict[str, Any]:
    names, values = (list(_members(form, f"Tags.member.{{}}.{part}")) for part in ("Key", "Value"))
    return {"request_tags": dict(zip(names, values, strict=True))} if names else {}


def _members(form: dict[str, str], pattern: str) -> Iterator[str]:
    number = 1
    while (name := pattern.format(number)) in form:
        yield form[name]
        number += 1


def _switched_on(request: AwsRequest, issuer: WebIdentityIssuer) -> Answer:
    if issuer.enabled:
        return Answer.refusal(
            request,
            "FeatureEnabled",
            "Outbound web identity federation is already enabled for this account.",
            status=409,
        )
    issuer.enabled = True
    return _answer(request, IssuerIdentifier=issuer.url)


def _switched_off(request: AwsRequest, issuer: WebIdentityIssuer) -> Answer:
    if not issuer.enabled:
        return _is_off(request)
    issuer.enabled = False
    return _answer(request)


def _info(request: AwsRequest, issuer: WebIdentityIssuer) -> Answer:
    return (
        _answer(request, IssuerIdentifier=issuer.url, JwtVendingEnabled="true")
        if issuer.enabled
        else _is_off(request)
    )


def _is_off(request: AwsRequest) -> Answer:
    return Answer.refusal(
        request,
        "FeatureDisabled",
        "Outbound web identity federation is not enabled for this account.",
        status=404,
    )


def _answer(request: AwsRequest, **result: str) -> Answer:
    """Return a result in the query protocol."""
    fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in result.items())
    name = request.action
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    text = (
        f"<{name}Response"
        f' xmlns="{_NAMESPACES[request.service]}">'
        f"<{name}Result>{fields}</{name}Result>{metadata}</{name}Response>"
    )
    return Answer(200, text.encode(), {"Content-Type": "text/xml"})
