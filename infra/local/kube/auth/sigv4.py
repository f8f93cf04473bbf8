"""STS's verification of a presigned GetCallerIdentity URL: the SigV4 signature, recomputed.

Verifying it here, and not accepting whatever parses, makes a token for another cluster or with
another secret fail as it would on AWS.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from ...identity import Credential

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_BODY = hashlib.sha256(b"").hexdigest()
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
MAX_AHEAD = timedelta(minutes=5)
"""The most that a signature may be ahead of AWS's clock."""


class SignatureError(Exception):
    """A refusal as STS would word it, without anything secret."""


def access_key_id(credential_scope: str) -> str:
    """Return the access key id at the start of X-Amz-Credential."""
    return credential_scope.split("/")[0]


def verify(
    credential: Credential,
    query: Mapping[str, str],
    *,
    host: str,
    headers: Mapping[str, str],
    region: str,
    now: datetime,
) -> None:
    """Raise SignatureError unless `credential` signed the URL for `host` and these headers.

    It must be valid at `now`. `query` has the parameters under their own names; `region` is the
    host's.
    """
    lower = {name.lower(): value for name, value in query.items()}
    if lower.get("x-amz-algorithm") != ALGORITHM:
        raise SignatureError("unknown signature algorithm")
    scope = lower["x-amz-credential"].split("/")[1:]
    if scope != [lower["x-amz-date"][:8], region, "sts", "aws4_request"]:
        raise SignatureError("credential is not scoped to this date, region and service")
    _check_time(lower, now)
    if lower.get("x-amz-security-token", "") != (credential.session_token or ""):
        raise SignatureError("the session token does not belong to the access key")
    signature = _signature(
        credential.secret_access_key, scope, query, lower, {**headers, "host": host}
    )
    if not hmac.compare_digest(signature, lower.get("x-amz-signature", "")):
        raise SignatureError("the signature does not match")


def _check_time(query: Mapping[str, str], now: datetime) -> None:
    signed = datetime.strptime(query["x-amz-date"], DATE_FORMAT).replace(tzinfo=UTC)
    if signed > now + MAX_AHEAD:
        raise SignatureError("the signature is not yet current")
    if now > signed + timedelta(seconds=int(query["x-amz-expires"])):
        raise SignatureError("the presigned URL is expired")


def _signature(
    secret: str,
    scope: list[str],
    query: Mapping[str, str],
    lower: Mapping[str, str],
    headers: Mapping[str, str],
) -> str:
    names = lower["x-amz-signedheaders"].split(";")
    if "host" not in names or not set(names) <= headers.keys():
        raise SignatureError("the signed headers are not those of the request")
    pairs = sorted(
        (_encode(name), _encode(value))
        for name, value in query.items()
        if name.lower() != "x-amz-signature"
    )
    canonical = "\n".join(
        (
            "GET",
            "/",
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(headers[name].split())}" for name in names),
            "",
            ";".join(names),
            EMPTY_BODY,
        )
    )
    text = "\n".join(
        (
            ALGORITHM,
            lower["x-amz-date"],
            "/".join(scope),
            hashlib.sha256(canonical.encode()).hexdigest(),
        )
    )
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = _hmac(key, part)
    return _hmac(key, text).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")
