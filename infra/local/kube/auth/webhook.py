"""TokenReview over TLS: the same sign-in rules, for a real kube-apiserver."""

import json

from ..certificates import issue
from ..cluster import Response
from ..http.server import HttpRequest, HttpsServer
from ..kinds import Object
from .authn import Authenticator

PATH = "/authenticate"
API_VERSION = "authentication.k8s.io/v1"


class Webhook:
    """A server of authentication.k8s.io/v1 TokenReviews on loopback, until closed."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        certificate = issue("token-webhook")
        self.ca_pem = certificate.ca_pem
        self._server = HttpsServer(self._respond, certificate)
        self.url = self._server.endpoint + PATH
        self._server.start()

    def close(self) -> None:
        """Stop the server."""
        self._server.close()

    def _respond(self, request: HttpRequest) -> Response:
        if request.method != "POST" or request.target.split("?")[0] != PATH:
            return Response(404)
        try:
            token = json.loads(request.body)["spec"]["token"]
        except (ValueError, KeyError, TypeError):
            return Response(400)
        return Response(
            200,
            {"apiVersion": API_VERSION, "kind": "TokenReview", "status": self._status(str(token))},
        )

    def _status(self, token: str) -> Object:
        user = self._authenticator.authenticate(token)
        if user is None:
            return {"authenticated": False, "error": "the token is not accepted"}
        return {"authenticated": True, "user": user.as_json()}
