"""Sign-in: aws-iam-authenticator's token rules, STS's signature check, the access entries.

As on EKS the client gets a bare 401, and the reason of a refusal stays here. Reasons hold no token,
URL or signature.
"""

import base64
import binascii
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ...identity import AccessEntries, AccessEntry, CredentialLookup, principal_of
from . import sigv4
from .authz import AUTHENTICATED, UserInfo
from .jwts import NotTrusted, TokenVerifier, TrustedIssuer
from .stshosts import partition_of

PREFIX = "k8s-aws-v1."
# Of Google's access tokens, which GKE accepts.
GOOGLE_PREFIX = "ya29."
MAX_TOKEN_BYTES = 4096
MAX_EXPIRES = 900
MAX_AGE = timedelta(minutes=15)
CLUSTER_HEADER = "x-k8s-aws-id"
ALLOWED = {
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
}
REQUIRED = ALLOWED - {"x-amz-security-token"}
CACHE_SECONDS = 60.0
CACHE_SIZE = 1024


class SignInError(Exception):
    """A refused token, with the reason."""


class Authenticator:
    """The sign-in of one cluster: from tokens to users.

    Verdicts are cached for a minute, but never longer than the URL is valid: verifying one takes
    longer than everything else the server does.
    """

    def __init__(
        self,
        cluster: str,
        *,
        credentials: CredentialLookup,
        access_entries: Iterable[AccessEntry],
        region: str,
        static_tokens: Mapping[str, UserInfo],
        issuers: Sequence[TrustedIssuer] = (),
        google: TokenVerifier | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.failures: list[str] = []
        self._cluster = cluster
        self._credentials = credentials
        self.access_entries = (
            access_entries
            if isinstance(access_entries, AccessEntries)
            else AccessEntries(access_entries)
        )
        self._partition = partition_of(region)
        self._clock = clock
        self._static = {token: authenticated(user) for token, user in static_tokens.items()}
        self._issuers = tuple(issuers)
        self._google = google
        self._verdicts: dict[str, tuple[float, int, UserInfo]] = {}
        self._lock = threading.Lock()

    def trust(self, *issuers: TrustedIssuer) -> None:
        """Trust these issuers of JSON Web Tokens and no others."""
        with self._lock:
            self._issuers = tuple(issuers)
            self._verdicts.clear()

    def authenticate(self, token: str) -> UserInfo | None:
        """Return the user of a bearer token, or None with the reason in `failures`."""
        if user := self._static.get(token):
            return user
        version = self.access_entries.version
        until, seen, known = self._verdicts.get(token, (0.0, version, None))
        if known and seen == version and self._clock() < until:
            return known
        try:
            user, until = self._verify(token)
        except SignInError as error:
            self.failures.append(str(error))
            return None
        self._keep(token, (until, version, user))
        return user

    def _keep(self, token: str, verdict: tuple[float, int, UserInfo]) -> None:
        with self._lock:
            while len(self._verdicts) >= CACHE_SIZE:
                del self._verdicts[next(iter(self._verdicts))]
            self._verdicts[token] = verdict

    def _verify(self, token: str) -> tuple[UserInfo, float]:
        if self._google and token.startswith(GOOGLE_PREFIX):
            return self._verified(token, self._google)
        if self._issuers and not token.startswith(PREFIX):
            return self._verified(token, *self._issuers)
        url = _decode(token)
        region = self._partition.region_of(url.netloc)
        if region is None:
            raise SignInError("unexpected hostname in pre-signed URL")
        query = _parameters(url)
        lower = {name.lower(): value for name, value in query.items()}
        now = datetime.fromtimestamp(self._clock(), UTC)
        ends = _check_parameters(lower, now)
        credential = self._credentials(sigv4.access_key_id(lower["x-amz-credential"]))
        if credential is None:
            raise SignInError("sts: the access key id is not known")
        headers = {CLUSTER_HEADER: self._cluster, "accept": "application/json"}
        try:
            sigv4.verify(
                credential, query, host=url.netloc, headers=headers, region=region, now=now
            )
        except sigv4.SignatureError as error:
            raise SignInError(f"sts: {error}") from None
        return self._user(credential.arn, credential.access_key_id), min(
            self._clock() + CACHE_SECONDS, ends
        )

    def _verified(self, token: str, *verifiers: TokenVerifier) -> tuple[UserInfo, float]:
        reasons = []
        for verifier in verifiers:
            try:
                user, expires = verifier.verify(token)
            except NotTrusted as error:
                reasons.append(str(error))
            else:
                return authenticated(user), min(self._clock() + CACHE_SECONDS, expires)
        raise SignInError("; ".join(reasons))

    def _user(self, arn: str, key_id: str) -> UserInfo:
        principal = principal_of(arn)
        entry = self.access_entries.of(principal)
        if entry is None:
            raise SignInError(f"no access entry for {principal}")
        extra = {
            "arn": [arn],
            "canonicalArn": [principal],
            "accessKeyId": [key_id],
            "sessionName": [arn.rpartition("/")[2]],
        }
        return authenticated(
            UserInfo(
                entry.username or arn, f"aws-iam-authenticator:{principal}", entry.groups, extra
            )
        )


def _decode(token: str) -> SplitResult:
    if len(token.encode()) > MAX_TOKEN_BYTES:
        raise SignInError("token is too large")
    if not token.startswith(PREFIX):
        raise SignInError(f'token is missing expected "{PREFIX}" prefix')
    encoded = token.removeprefix(PREFIX)
    if not re.fullmatch(r"[A-Za-z0-9_-]*", encoded):
        raise SignInError("token is not unpadded base64url")
    try:
        url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise SignInError("token does not hold a URL") from None
    if url.scheme != "https":
        raise SignInError("unexpected scheme in pre-signed URL")
    if url.path != "/":
        raise SignInError("unexpected path in pre-signed URL")
    return url


def _parameters(url: SplitResult) -> dict[str, str]:
    try:
        pairs = parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise SignInError("the query of the pre-signed URL cannot be read") from None
    names = [name.lower() for name, _ in pairs]
    if unknown := sorted(set(names) - ALLOWED):
        raise SignInError(f"non-whitelisted query parameter ({len(unknown)})")
    if len(set(names)) != len(names):
        raise SignInError("query parameter with multiple values not supported")
    if missing := sorted(REQUIRED - set(names) - {"action", "x-amz-signedheaders"}):
        raise SignInError(f"missing query parameter: {', '.join(missing)}")
    return dict(pairs)


def _check_parameters(query: Mapping[str, str], now: datetime) -> float:
    """Check the URL as the verifier does before it asks STS; return when it expires.

    The result is in seconds since the epoch.
    """
    if query.get("action") != "GetCallerIdentity":
        raise SignInError("unexpected action parameter in pre-signed URL")
    if CLUSTER_HEADER not in query.get("x-amz-signedheaders", "").lower().split(";"):
        raise SignInError(f"client did not sign the {CLUSTER_HEADER} header in the pre-signed URL")
    if (
        not re.fullmatch(r"\d{1,9}", query["x-amz-expires"])
        or int(query["x-amz-expires"]) > MAX_EXPIRES
    ):
        raise SignInError("invalid X-Amz-Expires parameter in pre-signed URL")
    try:
        signed = datetime.strptime(query["x-amz-date"], sigv4.DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise SignInError("error parsing X-Amz-Date parameter") from None
    if now > signed + MAX_AGE:
        raise SignInError("X-Amz-Date parameter is expired (15 minute expiration)")
    return signed.timestamp() + int(query["x-amz-expires"])


def authenticated(user: UserInfo) -> UserInfo:
    """Return the user with the group `system:authenticated` added."""
    groups = user.groups if AUTHENTICATED in user.groups else (*user.groups, AUTHENTICATED)
    return UserInfo(user.username, user.uid, groups, user.extra)
