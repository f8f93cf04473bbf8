"""Google's token services over HTTPS on loopback, and the access tokens that GKE accepts.

The Security Token Service exchanges a token of an issuer that a workload identity provider trusts
(RFC 8693); IAM Service Account Credentials gives a service account's token to whom it lets.

https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from .kube.auth.authn import GOOGLE_PREFIX
from .kube.auth.authz import UserInfo
from .kube.auth.jwts import NotTrusted
from .kube.certificates import issue
from .kube.cluster import Response
from .kube.http.server import HttpRequest, HttpsServer

TOKEN_PATH = "/v1/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SUBJECT_TYPES = (
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
)
FORM = "application/x-www-form-urlencoded"
SCOPES = "https://www.googleapis.com/auth/"
PLATFORM = f"{SCOPES}cloud-platform"
EMAIL = f"{SCOPES}userinfo.email"
IAM = f"{SCOPES}iam"
LIFE_SECONDS = 3600
# Source: IAM, google.subject
MAX_SUBJECT = 127
_FIELDS = {
    *("grant_type", "audience", "scope", "requested_token_type"),
    *("subject_token", "subject_token_type", "options"),
}
_IMPERSONATION = re.compile(r"/v1/projects/-/serviceAccounts/(?P<email>[^/:]+):generateAccessToken")


@dataclass(frozen=True)
class Provider:
    """A workload identity provider: its full name, and the tokens that it trusts.

    `condition`: the subject that its attribute condition requires; empty: any.
    """

    name: str
    issuer: str
    keys: KeySet = field(repr=False)
    audiences: tuple[str, ...]
    condition: str = ""

    @property
    def pool(self) -> str:
        """The full name of the provider's pool."""
        return self.name.partition("/providers/")[0]


@dataclass(frozen=True)
class Issued:
    """An access token's identity, scopes and expiry in seconds."""

    user: str
    scopes: frozenset[str]
    expires: float


class _Refused(Exception):
    """A refusal, as its service answers it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class LocalGoogle:
    """The token services, while the context lasts.

    `providers`: by full name. `members`: by a service account's email, the identities that may
    become it. `requests`: those received, and `issued`: by access token, in their order.
    `intercept`: an answer in place of the service's own, if it returns one.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.providers: dict[str, Provider] = {}
        self.members: dict[str, frozenset[str]] = {}
        self.requests: list[HttpRequest] = []
        self.intercept: Callable[[HttpRequest], Response | None] | None = None
        self.clock = clock
        self.issued: dict[str, Issued] = {}
        certificate = issue("googleapis")
        self.ca_pem = certificate.ca_pem
        self._server = HttpsServer(self._respond, certificate)
        self.url = self._server.endpoint
        self._server.start()

    def trust(self, *providers: Provider) -> None:
        """Add providers, or replace those of the same names."""
        self.providers |= {provider.name: provider for provider in providers}

    def let_become(self, email: str, members: Iterable[str]) -> None:
        """Add a service account that these identities (`principal://...`) may become."""
        self.members[email] = frozenset(members)

    def close(self) -> None:
        """Stop the server."""
        self._server.close()

    def verify(self, token: str) -> tuple[UserInfo, float]:
        """Return whom GKE knows by an access token, and its expiry. Raise NotTrusted."""
        found = self.issued.get(token)
        if found is None:
            raise NotTrusted("Google did not issue this access token")
        if found.expires <= self.clock():
            raise NotTrusted("the access token has expired")
        if PLATFORM not in found.scopes:
            raise NotTrusted("the access token has not the scope that GKE requires")
        account = found.user in self.members and EMAIL not in found.scopes
        return UserInfo("100000000000000000001" if account else found.user), found.expires

    def _respond(self, request: HttpRequest) -> Response:
        self.requests.append(request)
        if self.intercept and (answer := self.intercept(request)) is not None:
            return answer
        if request.method != "POST":
            return Response(404)
        try:
            if request.target == TOKEN_PATH:
                return self._exchanged(request)
            if found := _IMPERSONATION.fullmatch(request.target):
                return self._impersonated(request, unquote(found["email"]))
        except _Refused as refused:
            return refused.response
        return Response(404)

    def _exchanged(self, request: HttpRequest) -> Response:
        form = _form(request)
        if form.get("grant_type") != GRANT_TYPE:
            raise _oauth("unsupported_grant_type", "Unsupported grant type.")
        if form.get("requested_token_type") != ACCESS_TOKEN:
            raise _oauth("invalid_request", 'Invalid value for "requested_token_type".')
        if form.get("subject_token_type") not in SUBJECT_TYPES:
            raise _oauth("invalid_request", 'Invalid value for "subject_token_type".')
        scopes = form.get("scope", "").split()
        if not scopes or not all(scope.startswith(SCOPES) for scope in scopes):
            raise _oauth("invalid_scope", "Some of the requested scopes are invalid.")
        provider = self.providers.get(form.get("audience", ""))
        if provider is None:
            said = (
                'The target service indicated by the "audience" parameters is invalid. This might'
                " either be because the pool or provider is disabled or deleted or because it"
                " doesn't exist."
            )
            raise _oauth("invalid_target", said)
        subject = self._subject(provider, form.get("subject_token", ""))
        user = f"principal:{provider.pool}/subject/{subject}"
        fields = {
            "access_token": self._issue("d", user, scopes, LIFE_SECONDS),
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": LIFE_SECONDS,
        }
        return Response(200, fields)

    def _subject(self, provider: Provider, token: str) -> str:
        """Return the token's `google.subject`. Raise _Refused unless the provider trusts it."""
        try:
            claims = jwt.decode(token, provider.keys, algorithms=["RS256", "ES256"]).claims
        except (JoseError, ValueError):
            raise _oauth("invalid_grant", "Error validating the signature of the token.") from None
        if claims.get("iss") != provider.issuer:
            said = f"The issuer in ID Token {claims.get('iss')} does not match the expected ones."
            raise _oauth("invalid_grant", said)
        if claims.get("aud") not in provider.audiences:
            said = f"The audience in ID Token [{claims.get('aud')}] does not match the expected."
            raise _oauth("invalid_grant", said)
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires <= self.clock():
            raise _oauth("invalid_grant", "ID Token is stale to sign-in.")
        subject = str(claims.get("sub", ""))
        if provider.condition not in ("", subject):
            said = "The given credential is rejected by the attribute condition."
            raise _oauth("unauthorized_client", said)
        if not 1 <= len(subject) <= MAX_SUBJECT:
            raise _oauth("invalid_grant", "The size of mapped attribute google.subject is invalid.")
        return subject

    def _impersonated(self, request: HttpRequest, email: str) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        caller = self.issued.get(token) if scheme == "Bearer" else None
        if caller is None or caller.expires <= self.clock():
            raise _google(401, "UNAUTHENTICATED", "Request had invalid credentials.")
        if not caller.scopes & {IAM, PLATFORM}:
            raise _google(403, "PERMISSION_DENIED", "Insufficient authentication scopes.")
        if caller.user not in self.members.get(email, frozenset()):
            said = (
                "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not"
                " exist)."
            )
            raise _google(403, "PERMISSION_DENIED", said)
        try:
            body = json.loads(request.body)
            scopes = [str(scope) for scope in body["scope"]]
            life = int(re.fullmatch(r"(\d{1,5})s", body["lifetime"])[1])  # type: ignore[index]
        except (ValueError, KeyError, TypeError):
            raise _google(
                400, "INVALID_ARGUMENT", "Request contains an invalid argument."
            ) from None
        if (
            not scopes
            or not 0 < life <= LIFE_SECONDS
            or set(body) - {"scope", "lifetime", "delegates"}
        ):
            raise _google(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        token = self._issue("c", email, scopes, life)
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock() + life))
        return Response(200, {"accessToken": token, "expireTime": expires})

    def _issue(self, kind: str, user: str, scopes: Iterable[str], life: int) -> str:
        token = f"{GOOGLE_PREFIX}{kind}.{secrets.token_urlsafe(96)}"
        self.issued[token] = Issued(user, frozenset(scopes), self.clock() + life)
        return token


def _form(request: HttpRequest) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0] != FORM:
        raise _oauth("invalid_request", "Expected a form.")
    if "authorization" in request.headers:
        raise _oauth("invalid_client", "The method takes no Authorization header.")
    try:
        pairs = parse_qsl(request.body.decode("ascii"), strict_parsing=True)
    except ValueError:
        raise _oauth("invalid_request", "The form cannot be read.") from None
    form = dict(pairs)
    if len(form) != len(pairs) or form.keys() - _FIELDS:
        raise _oauth("invalid_request", "Unknown or repeated fields.")
    return form


def _oauth(code: str, said: str) -> _Refused:
    return _Refused(Response(400, {"error": code, "error_description": said}))


def _google(status: int, code: str, said: str) -> _Refused:
    error: dict[str, Any] = {"code": status, "message": said, "status": code}
    return _Refused(Response(status, {"error": error}))
