"""Sign-in by a kubeconfig in Secrets Manager, the last resort.

It is for a cluster that trusts no issuer and runs no authenticator. The secret names the endpoint,
too. Each run that needs it reads it, and nothing of it outlives the invocation.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.aws_api.errors import (
    AWS_ERRORS,
    Failure,
    NonsenseAnswer,
    call_aws,
    error_code,
    failure_of,
)
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.endpoints import (
    allowing,
    ask_the_owner,
    is_allowed,
    not_allowed,
)
from ecr_public_pusher.deadline import Clock
from ecr_public_pusher.errors import KubeconfigError
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.server_version import Version
from ecr_public_pusher.kubernetes_api.tls import bear
from ecr_public_pusher.ownership import RBAC_GROUP
from ecr_public_pusher.sign_in.kind import CredentialEnd, Endpoint, RoleCaller
from ecr_public_pusher.sign_in.kubeconfig_document import read_kubeconfig
from ecr_public_pusher.sign_in.kubeconfig_loader import load_kubeconfig
from ecr_public_pusher.sign_in.named_endpoint import NamedEndpointRemedies
from ecr_public_pusher.sign_in.validity import certificate_ends, token_ends
from ecr_public_pusher.timestamps import from_epoch, rfc3339

WITHOUT = "signIn webIdentity needs no stored credential (docs/web-identity.md)"

_REMEDIES = {
    Failure.REFUSED: (
        "The execution role may read secrets of its own account whose names begin with the"
        " configuration path, once AllowedEndpoints names a host; for any other, the document"
        " needs a roleArn whose role may read it. Check secretArn, and the key's policy"
        " (ConfigKmsKeyArn)."
    ),
    Failure.UNREACHABLE: (
        "The function must reach Secrets Manager in the secret's region: from a VPC, through a NAT"
        " gateway or an endpoint of it."
    ),
    Failure.UNAVAILABLE: (
        "Secrets Manager is unavailable or throttling: the cluster is retried automatically."
    ),
}


@dataclass(frozen=True)
class _Kubeconfig:
    """Content of the secret."""

    endpoint: Endpoint
    credential: Credential


class KubeconfigSignIn(RoleCaller):
    """SignIn by a stored kubeconfig."""

    asks_eks = False

    def __init__(
        self,
        config: ClusterConfig,
        secret_arn: str,
        callers: Callers,
        clock: Clock,
        *,
        allowed_endpoints: Sequence[str],
    ) -> None:
        super().__init__(config, callers)
        self._secret_arn = secret_arn
        self._clock = clock
        self._allowed_endpoints = allowed_endpoints
        self._where = f"the kubeconfig in {secret_arn}"
        self._read_ahead: _Kubeconfig | None = None

    def remembered(self) -> Endpoint | None:
        return None

    def forget(self) -> None:
        """Do nothing: nothing is remembered."""

    async def described(self) -> Endpoint:
        """Return the endpoint that the secret names now.

        Raise RoleError, SignInError, KubeconfigError.
        """
        self._read_ahead = await self._read()
        return self._read_ahead.endpoint

    async def credential(self) -> Credential:
        """Return what the secret holds now. Raise RoleError, SignInError, KubeconfigError."""
        return (await self._read()).credential

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        async def credential() -> Credential:
            """Return the credential read with the endpoint; once it is refused, read again."""
            kubeconfig = self._read_ahead or await self._read()
            self._read_ahead = None
            if kubeconfig.endpoint != endpoint:
                raise KubeconfigError(
                    f"{self._where} was changed during the run: it now names another server",
                    remedy="The cluster is retried automatically, with the new server.",
                )
            return kubeconfig.credential

        return ClusterAccess(
            endpoint.url,
            endpoint.ca_pem,
            credential,
            self._remedy(),
            f"does not admit {self.principal()}",
        )

    def describe_credential(self, credential: Credential) -> str:
        ends = [
            f"{what}, which {f'expires at {rfc3339(end)}' if end else 'has no expiry date'}"
            for what, end in _ends(credential)
        ]
        return f"stored in {self._secret_arn}: {' and '.join(ends)}. {WITHOUT}"

    def principal(self) -> str:
        return "the user of the kubeconfig"

    def remedies(self, endpoint: Endpoint) -> "KubeconfigRemedies":
        return KubeconfigRemedies(endpoint, self._remedy())

    def _remedy(self) -> str:
        return (
            f"Store a kubeconfig that the cluster admits, with {RBAC_GROUP} as the group of its"
            " user (a client certificate's organization, O) or infra/rbac's roles bound to the"
            " user itself (a ServiceAccount): `aws secretsmanager put-secret-value --region"
            f" {self._region} --secret-id {self._secret_arn} --secret-string file://KUBECONFIG`."
            f" Or: {WITHOUT}."
        )

    @property
    def _region(self) -> str:
        return self._secret_arn.split(":")[3]

    async def _read(self) -> _Kubeconfig:
        caller = await self.caller()
        return await self._callers.blocking.run(
            lambda: self._loaded(self._stored(caller.signature)),
            service=f"secretsmanager {self._region}",
        )

    def _stored(self, signature: dict[str, Any]) -> str:
        clients = self._callers.clients
        # Otherwise the credentials' session token would be sent to another partition.
        if clients.partition(self._region)[0] != self._secret_arn.split(":")[1]:
            raise KubeconfigError(
                f"{self._where} cannot be read: there is no region {self._region} in that"
                " partition",
                remedy="Check secretArn.",
            )
        client = clients.client("secretsmanager", self._region)
        try:
            found = call_aws(
                lambda: client.get_secret_value(SecretId=self._secret_arn, **signature)
            )
            return call_aws(lambda: _text(found))
        except AWS_ERRORS as error:
            raise KubeconfigError(
                f"{self._where} cannot be read: {error_code(error)}",
                remedy=_REMEDIES[failure_of(error)],
            ) from None

    def _loaded(self, text: str) -> _Kubeconfig:
        fields = read_kubeconfig(text, where=self._where)
        if not is_allowed(fields.server, self._allowed_endpoints):
            host, slash, _ = allowing(fields.server).partition("/")  # its path stays secret
            remedy = ask_the_owner(f"{host}{slash and '/PATH, as the kubeconfig has it,'}")
            raise KubeconfigError(
                f"{self._where}: server: {not_allowed(fields.server)}", remedy=remedy
            )
        kubeconfig = _Kubeconfig(*load_kubeconfig(fields))
        ends = [end for _, end in _ends(kubeconfig.credential) if end is not None]
        # Before the check: the end of one that has expired is known, too.
        self.credential_end = CredentialEnd(min(ends), self._remedy()) if ends else None
        self._check(kubeconfig.credential)
        return kubeconfig

    def _check(self, credential: Credential) -> None:
        """Raise KubeconfigError for a credential that no API server would admit."""
        now = from_epoch(self._clock.wall())
        if ended := next(
            ((what, end) for what, end in _ends(credential) if end and end <= now), None
        ):
            raise KubeconfigError(
                f"{self._where} holds {ended[0]}, which expired at {rfc3339(ended[1])}",
                remedy=self._remedy(),
            )
        if credential.client_certificate:
            try:
                bear(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), credential.client_certificate)
            except (ssl.SSLError, ValueError):
                raise KubeconfigError(
                    f"{self._where} holds a client certificate that cannot be read, or whose"
                    " private key does not match",
                    remedy=self._remedy(),
                ) from None


def _ends(credential: Credential) -> list[tuple[str, datetime | None]]:
    """Return each part of a credential with the end of its validity."""
    parts: list[tuple[str, datetime | None]] = []
    if credential.token:
        parts.append(("a token", token_ends(credential.token)))
    if credential.client_certificate:
        parts.append(
            (
                "a client certificate",
                certificate_ends(credential.client_certificate.certificate_pem),
            )
        )
    return parts


def _text(found: dict[str, Any]) -> str:
    """Return a secret's value, stored as text or as bytes."""
    text = found.get("SecretString")
    if text is None:
        text = bytes(found["SecretBinary"]).decode()
    if not isinstance(text, str):
        raise NonsenseAnswer
    return text


@dataclass(frozen=True)
class KubeconfigRemedies(NamedEndpointRemedies):
    """Remedies for a cluster that is signed in to by a kubeconfig."""

    store: str
    server_field: ClassVar[str] = "the server in the kubeconfig"
    authority_field: ClassVar[str] = "its certificate-authority-data"

    def not_admitted(
        self, principal: str, groups: tuple[str, ...], version: Version | None = None
    ) -> str:
        return self.store

    def granted_by_policy(self, principal: str) -> str:
        return "kubectl --kubeconfig KUBECONFIG auth can-i --list"
