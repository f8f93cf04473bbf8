"""The embedded cluster: an API server without etcd, controllers or nodes, in this process."""

import secrets
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..identity import AccessEntry, CredentialLookup
from . import certificates
from .api import Api
from .auth import authz
from .auth.authn import Authenticator, authenticated
from .auth.authz import ANONYMOUS, MASTERS, UserInfo
from .auth.jwts import TokenVerifier, TrustedIssuer
from .auth.reviews import REVIEWS, review
from .auth.x509 import ClientAuthority, user_of
from .cluster import REDACTED, Administered, Intercept, Response, SeenRequest
from .http.bodies import decoded
from .http.call import Call, now
from .http.client import AdminClient, decoded_answer, prepared
from .http.routes import Route, route
from .http.server import MAX_BODY, POLL_SECONDS, HttpRequest, HttpsServer, encoded_body
from .kinds import NAMESPACES, SERVICE_ACCOUNTS, Kind, Object
from .kubectl import discovery, openapi, tables
from .ownership.apply import update
from .status import ApiError, failure, method_not_allowed, no_such_path, unauthorized
from .storage import bootstrap
from .storage.objects import completed, created
from .storage.store import Store

CONTROLLER_DELAY = 0.05
"""Seconds from a namespace to its `default` ServiceAccount; the real controller is late as well."""
CONTROLLER = "kube-controller-manager"


class EmbeddedCluster(Administered):
    """A cluster on a loopback port.

    With `default_service_accounts` each namespace gets its `default` ServiceAccount, as from the
    controller. `poll_seconds`: how often an idle server looks whether it is to close.
    """

    def __init__(
        self,
        name: str,
        *,
        credentials: CredentialLookup,
        access_entries: Iterable[AccessEntry] = (),
        region: str = "us-east-1",
        ca: certificates.Style = "modern",
        static_tokens: Mapping[str, UserInfo] | None = None,
        port: int = 0,
        default_service_accounts: bool = False,
        issuers: Sequence[TrustedIssuer] = (),
        google: TokenVerifier | None = None,
        clock: Callable[[], float] = time.time,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self.name = name
        self.region = region
        self.requests: list[SeenRequest] = []
        self.intercept: Intercept | None = None
        self._admin_token = secrets.token_urlsafe(24)
        tokens = {
            **(static_tokens or {}),
            self._admin_token: UserInfo("local-admin", groups=(MASTERS,)),
        }
        self._authn = Authenticator(
            name,
            credentials=credentials,
            access_entries=access_entries,
            region=region,
            static_tokens=tokens,
            issuers=issuers,
            google=google,
            clock=clock,
        )
        self.sign_in_failures = self._authn.failures
        self.access_entries = self._authn.access_entries
        self.store = Store()
        self._api = Api(self.store)
        self._begin(default_service_accounts)
        certificate = certificates.issue(name, ca)
        self.ca_pem = certificate.ca_pem
        self._clients = ClientAuthority(name)
        self._server = HttpsServer(
            self._respond,
            certificate,
            port,
            client_ca_pem=self._clients.ca_pem,
            poll_seconds=poll_seconds,
        )
        self.endpoint = self._server.endpoint
        self._server.start()
        self._closed = False
        self._client = AdminClient(self.endpoint, self.ca_pem, self._admin_token)

    def admin(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> tuple[int, Object]:
        """Send a request as administrator; return status and decoded answer, also of a refusal.

        No connection is made, since TLS costs more than the answer. Only what the connection
        decides goes over it: an intercepted answer, a body that is too large, a closed server.
        """
        headers, content = prepared(self._admin_token, body, content_type)
        if self.intercept or self._closed or len(content) > MAX_BODY:
            return super().admin(method, path, body, content_type=content_type)
        received = {name.lower(): value for name, value in headers.items()}
        answer = self._respond(HttpRequest(method, path, received, content))
        return answer.status, decoded_answer(b"" if method == "HEAD" else encoded_body(answer))

    def trust(self, *issuers: TrustedIssuer) -> None:
        """Trust these issuers and no others, as with another `--authentication-config`."""
        self._authn.trust(*issuers)

    def compact(self) -> None:
        """Forget the lists that have further pages: their tokens expire with the next change."""
        self.store.forget()

    def close(self) -> None:
        """Stop the server and cut its connections."""
        self._closed = True
        self._client.close()
        self._server.close()

    def _begin(self, default_service_accounts: bool) -> None:
        for name in bootstrap.NAMESPACE_NAMES:
            self._put(NAMESPACES, "", {"metadata": {"name": name}}, bootstrap.MANAGER)
        for kind, value in bootstrap.objects():
            self._put(kind, "", value, bootstrap.MANAGER)
        if default_service_accounts:
            self.store.listen(self._notice)
            self._give_service_accounts()

    def _put(self, kind: Kind, namespace: str, value: Object, manager: str) -> None:
        whole = completed(kind, created(kind, value, namespace, now()))
        self.store.put(kind, update(kind, None, whole, manager=manager, now=now()))

    def _notice(self, kind: Kind) -> None:
        if kind is NAMESPACES:
            timer = threading.Timer(CONTROLLER_DELAY, self._give_service_accounts)
            timer.daemon = True
            timer.start()

    def _give_service_accounts(self) -> None:
        with self.store.lock:
            for value in self.store.values(NAMESPACES):
                name = value["metadata"]["name"]
                if value["status"]["phase"] == "Active" and not self.store.get(
                    SERVICE_ACCOUNTS, name, "default"
                ):
                    self._put(SERVICE_ACCOUNTS, name, {"metadata": {"name": "default"}}, CONTROLLER)

    def _respond(self, request: HttpRequest) -> Response:
        """Record the request, then answer it: by `intercept` first, if a test set it.

        An error in here is answered with a 500, so that it does not cut the connection.
        """
        user = self._user(request)
        headers = {
            name: REDACTED if name == "authorization" else value
            for name, value in request.headers.items()
        }
        seen = SeenRequest(
            request.method, request.target, user.username if user else "", 0, headers, request.body
        )
        self.requests.append(seen)
        answer = (self.intercept(seen) if self.intercept else None) or self._answered(request, user)
        seen.status = answer.status
        return answer

    def _answered(self, request: HttpRequest, user: UserInfo | None) -> Response:
        try:
            status, body = self._answer(request, user)
            return Response(status, body)
        except ApiError as refused:
            return Response(refused.code, refused.status)
        # A fault here must look like a server's 500, not like a dropped connection.
        except Exception:  # noqa: BLE001
            traceback.print_exc()
            return Response(
                500,
                failure(
                    500,
                    "the embedded cluster failed; its own error output says why",
                    {},
                    "InternalError",
                ),
            )

    def _user(self, request: HttpRequest) -> UserInfo | None:
        if request.client_certificate:
            return authenticated(user_of(request.client_certificate))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        return self._authn.authenticate(token.strip())

    def _answer(self, request: HttpRequest, user: UserInfo | None) -> tuple[int, Object | bytes]:
        if user is None:
            raise unauthorized()
        asked = route(request.method, request.target)
        authz.demand(self.store, user, asked.attributes)
        if asked.kind is None:
            return 200, self._discovered(asked)
        if asked.attributes.subresource:
            raise no_such_path()
        if not asked.serves_method:
            raise method_not_allowed()
        call = _call(request, asked, asked.kind, user)
        if asked.kind in REVIEWS.values():
            body = decoded(call)
            return 201, review(asked.kind, self.store, user, body, manager=call.manager, now=now())
        return self._api.answer(call)

    def _discovered(self, asked: Route) -> Object | bytes:
        if asked.path in discovery.HEALTH:
            return b"ok"
        found = discovery.answer(
            asked.path, self.endpoint.removeprefix("https://")
        ) or openapi.answer(asked.path)
        if found is None:
            raise no_such_path()
        if asked.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        return found


def _call(request: HttpRequest, asked: Route, kind: Kind, user: UserInfo) -> Call:
    return Call(
        kind=kind,
        asked=asked.attributes,
        query=asked.query,
        user=user,
        agent=request.headers.get("user-agent", ""),
        content_type=request.headers.get("content-type", "").split(";")[0].strip().lower(),
        body=request.body,
        shape=tables.shape(request.headers.get("accept", "")),
    )
