"""Sign-in to GKE: AWS's web identity token, exchanged for an access token of Google's.

Nothing is stored: a workload identity provider of Google's trusts AWS's issuer, for this document's
audience and the function's role. The access token serves one run. It has no audience: wherever its
identity has rights, it can be used, so the identity should have none elsewhere.
"""

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Google
from ecr_public_pusher.errors import SignInError
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.sign_in.google_remedies import GoogleRemedies
from ecr_public_pusher.sign_in.google_tokens import (
    GKE_SCOPES,
    IAM_SCOPES,
    GoogleTokens,
    NoGoogleToken,
)
from ecr_public_pusher.sign_in.kind import Endpoint
from ecr_public_pusher.sign_in.network import Network
from ecr_public_pusher.sign_in.web_identity import WebIdentitySignIn


class GoogleSignIn(WebIdentitySignIn):
    """SignIn by Google's access token for a web identity token."""

    def __init__(
        self, config: ClusterConfig, choice: Google, callers: Callers, network: Network
    ) -> None:
        super().__init__(config, choice.server, callers)
        self._choice = choice
        self._tokens = GoogleTokens(network)
        self._last: Credential | None = None

    async def credential(self) -> Credential:
        """Return a new credential. Raise RoleError, SignInError, DeadlineReached."""
        self._last = await self._exchanged()
        return self._last

    async def _exchanged(self) -> Credential:
        subject_token = (await super().credential()).token or ""
        account = self._choice.service_account
        try:
            token = await self._tokens.exchange(
                subject_token,
                provider=self._choice.provider,
                scopes=IAM_SCOPES if account else GKE_SCOPES,
            )
            if account:
                token = await self._tokens.impersonate(token, account=account)
        except NoGoogleToken as error:
            raise SignInError(
                f"Google's {error.service.value} gave no access token for {self.config.id}:"
                f" {error.said}",
                remedy=self._remedies().no_token(error),
            ) from None
        return Credential(token)

    def describe_credential(self, credential: Credential) -> str:
        claims = self._claims
        return (
            f"{len(credential.token or '')} bytes, Google's access token of {self.principal()},"
            f" given for AWS's of the issuer {claims.issuer}, subject {claims.subject}, audience"
            f" {claims.audience}"
        )

    def principal(self) -> str:
        """Return the name under which the cluster knows the function."""
        return self._choice.user(super().principal())

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        user = self.principal()
        given: Credential | None = None

        async def credential() -> Credential:
            """Return the run's credential; asked again, since it was refused, a new one."""
            nonlocal given
            if self._last is None or self._last is given:
                await self.credential()
            given = self._last
            assert given is not None
            return given

        return ClusterAccess(
            endpoint.url,
            endpoint.ca_pem,
            credential,
            self._remedies().not_admitted(user, ()),
            f"does not admit {user}",
        )

    def remedies(self, endpoint: Endpoint) -> GoogleRemedies:
        return self._remedies()

    def _remedies(self) -> GoogleRemedies:
        server = self._choice.server
        return GoogleRemedies(
            Endpoint(server.endpoint, server.ca_pem),
            self._choice,
            self._claims,
            super().principal(),
        )
