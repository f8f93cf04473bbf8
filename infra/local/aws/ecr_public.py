"""ECR Public, which moto lacks: a backend in moto's index, and scripted failures for tests."""

import base64
import json
import re
import secrets
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

from moto import backend_index
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import ActionResult, BaseResponse

from .wire import Answer, AwsRequest, Scripted

SERVICE = "ecr-public"
ACTION = "GetAuthorizationToken"
# moto looks for a service's module by the name without the hyphen.
MOTO_NAME = "ecrpublic"
URL_BASE = (
    r"https?://api\.ecr-public\.(.+)\.amazonaws\.com|https?://ecr-public\.(.+)\.amazonaws\.com"
)

TOKEN_LIFE = timedelta(hours=12)
# The length of real ones: much more than other passwords, which shows in the Secret's size.
PASSWORD_BYTES = 1536


class EcrPublicBackend(BaseBackend):
    """One account's ECR Public.

    `issued` holds every token handed out, for tests to compare with those in the clusters.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.issued: list[str] = []

    def issue(self) -> dict[str, Any]:
        """Return a new token."""
        token = base64.b64encode(f"AWS:{secrets.token_urlsafe(PASSWORD_BYTES)}".encode()).decode()
        self.issued.append(token)
        return {
            "authorizationToken": token,
            "expiresAt": datetime.now(UTC).replace(microsecond=0) + TOKEN_LIFE,
        }

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(
            url_bases=[URL_BASE], url_paths={"{0}/$": EcrPublicResponse.dispatch}
        )


class EcrPublicResponse(BaseResponse):
    """The HTTP side, by botocore's own model of the service."""

    def __init__(self) -> None:
        super().__init__(service_name=SERVICE)

    def get_authorization_token(self) -> ActionResult:
        """Answer GetAuthorizationToken with one structure, where private ECR has a list."""
        backend = ecrpublic_backends[self.current_account][self.region]
        return ActionResult({"authorizationData": backend.issue()})


ecrpublic_backends: BackendDict[EcrPublicBackend] = BackendDict(EcrPublicBackend, SERVICE)


def register() -> None:
    """Put ECR Public into moto's index, once per process."""
    if f"moto.{MOTO_NAME}" in sys.modules:
        return
    module = ModuleType(f"moto.{MOTO_NAME}")
    module.__dict__[f"{MOTO_NAME}_backends"] = ecrpublic_backends
    sys.modules[module.__name__] = module
    backend_index.backend_url_patterns.append((MOTO_NAME, re.compile(URL_BASE)))


class EcrPublic:
    """ECR Public in one LocalAws: it works until a test scripts a failure."""

    def __init__(self, script: Callable[[str, str, Scripted | None], None]) -> None:
        self._script = script

    @property
    def issued(self) -> list[str]:
        """Every authorization token handed out, in order of account, region and time."""
        accounts: Iterable[Any] = list(ecrpublic_backends.values())
        return [
            token
            for account in accounts
            for backend in list(account.values())
            for token in backend.issued
        ]

    def deny(self, code: str = "AccessDeniedException") -> None:
        """Refuse, as for a role without ecr-public:GetAuthorizationToken."""

        def refuse(request: AwsRequest) -> Answer:
            message = (
                "User is not authorized to perform: ecr-public:GetAuthorizationToken on resource: *"
            )
            return Answer.refusal(request, code, message)

        self._script(SERVICE, ACTION, refuse)

    def empty(self) -> None:
        """Answer 200 with no token."""
        self.answer({"authorizationData": {}})

    def nonsense(self, token: str = "this is no token!") -> None:
        """Answer with `token`, by default one that is not base64 of `AWS:password`."""
        self.answer(
            {
                "authorizationData": {
                    "authorizationToken": token,
                    "expiresAt": (datetime.now(UTC) + TOKEN_LIFE).timestamp(),
                }
            }
        )

    def expired(self) -> None:
        """Answer with a token that has expired."""
        token = base64.b64encode(b"AWS:an-old-password").decode()
        self.answer(
            {
                "authorizationData": {
                    "authorizationToken": token,
                    "expiresAt": (datetime.now(UTC) - timedelta(minutes=1)).timestamp(),
                }
            }
        )

    def answer(self, body: dict[str, Any] | bytes) -> None:
        """Answer 200 with any `body`."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._script(
            SERVICE, ACTION, Answer(200, raw, {"Content-Type": "application/x-amz-json-1.1"})
        )

    def recover(self) -> None:
        """Issue tokens again."""
        self._script(SERVICE, ACTION, None)
