"""boto3, in one place: sessions by account, clients by region with time-outs that fit a deadline, and error codes safe to print."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError, UnknownRegionError

from ecr_public_pusher.errors import RoleError

AWS_ERRORS = (ClientError, BotoCoreError)


class NonsenseAnswer(BotoCoreError):  # type: ignore[misc]  # botocore ships no types
    """Something answered in AWS's place: botocore's parsers let all sorts of exceptions through on such a body."""

    fmt = "the answer is not AWS's"


def called[T](call: Callable[[], T]) -> T:
    """`call()`, whose every failure is one of AWS_ERRORS."""
    try:
        return call()
    except AWS_ERRORS:
        raise
    except Exception:  # noqa: BLE001 - its text may repeat the answer
        raise NonsenseAnswer from None


# Errors that another region, or another try, could mend; every other one is an answer.
PASSING_CODES = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable", "InternalFailure", "ServerException"})

# Short enough for several tries within one invocation; the answers are small.
_CONFIG = Config(
    max_pool_connections=64,  # as many as there are clusters at once: they share a client per account and region
    connect_timeout=5,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_appid="ecr-public-pusher",
)
# A presigned URL must name STS itself: AWS_ENDPOINT_URL leaks into it otherwise, and EKS refuses it.
_SIGNING = Config(ignore_configured_endpoint_urls=True, signature_version="v4")

# As CloudTrail shows it in the other account.
ROLE_SESSION_NAME = "ecr-public-pusher"


def reason(error: ClientError | BotoCoreError) -> str:
    """AWS's error code, or the exception's type: never its text, which can carry requests and credentials."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown error"))[:80]
    return type(error).__name__


def passing(error: ClientError | BotoCoreError) -> bool:
    """Whether the same call may well succeed elsewhere or later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or reason(error) in PASSING_CODES
    return not isinstance(error, (ParamValidationError, UnknownRegionError))


@dataclass(frozen=True)
class Account:
    """Whose credentials are used: the execution role's, or those of an assumed role. Travels with its session."""

    session: boto3.Session
    role_arn: str | None = None


class Aws:
    """The clients of one run. Nothing outlives it: the next invocation builds its own.

    Thread-safe: boto3 sessions are not, so every client is made under a lock, once per account, service and region.
    """

    def __init__(self, region: str, *, session_factory: Callable[..., boto3.Session] = boto3.Session) -> None:
        self.region = region
        self._session_factory = session_factory
        self._lock = threading.Lock()
        self._own = Account(session_factory(region_name=region))
        # botocore's service models, read and parsed once for all accounts: 50 ms of CPU a session otherwise.
        self._models = self._own.session._session.get_component("data_loader")
        self._clients: dict[tuple[str | None, str | None, str, str], Any] = {}
        self._assumed: dict[tuple[str, str | None], Account | RoleError] = {}
        self._assuming: dict[tuple[str, str | None], threading.Lock] = {}
        self._principal_lock = threading.Lock()
        self._principal: str | None = None

    def client(self, service: str, *, region: str | None = None, account: Account | None = None) -> Any:
        return self._client(service, region or self.region, account or self._own, _CONFIG)

    def signing_client(self, *, region: str, account: Account) -> Any:
        """An STS client that only signs: its URLs name the region's real STS host, whatever endpoint is configured."""
        return self._client("sts", region, account, _SIGNING)

    def account(self, role_arn: str | None, external_id: str | None) -> Account:
        """The execution role's account, or the assumed role's, assumed once for all that ask. Raises RoleError; blocks for the STS call.

        A failure is shared too: a role that hangs must not use up the time of each of its clusters in turn.
        """
        if role_arn is None:
            return self._own
        key = role_arn, external_id
        with self._lock:
            assuming = self._assuming.setdefault(key, threading.Lock())
        with assuming:
            if key not in self._assumed:
                try:
                    self._assumed[key] = self._assume(role_arn, external_id)
                except RoleError as error:
                    self._assumed[key] = error
            found = self._assumed[key]
        if isinstance(found, RoleError):
            raise RoleError(found.message, remedy=found.remedy)
        return found

    def _assume(self, role_arn: str, external_id: str | None) -> Account:
        extra = {"ExternalId": external_id} if external_id else {}
        try:
            sts = self.client("sts")
            credentials = called(lambda: sts.assume_role(RoleArn=role_arn, RoleSessionName=ROLE_SESSION_NAME, **extra)["Credentials"])
        except AWS_ERRORS as error:
            raise RoleError(
                f"cannot assume {role_arn}: {reason(error)}",
                remedy="The role must trust this function's execution role with the same external id, and AssumableRoleName must cover its name.",
            ) from None
        with self._lock:
            session = self._session_factory(
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials["SessionToken"],
                region_name=self.region,
            )
            session._session.register_component("data_loader", self._models)
        return Account(session, role_arn)

    def principal(self, account: Account) -> str:
        """The ARN of the role whose credentials `account` uses, as an access entry names it. Blocks for an STS call, the first time.

        As far as STS tells: it leaves the path out of the function's own role. A placeholder when STS does not answer.
        """
        if account.role_arn is not None:
            return account.role_arn
        with self._principal_lock:
            if self._principal is None:
                self._principal = self._own_principal()
            return self._principal

    def _own_principal(self) -> str:
        try:
            arn = str(called(lambda: self.client("sts").get_caller_identity()["Arn"]))
        except AWS_ERRORS:
            return "FUNCTION_ROLE_ARN"
        found = re.fullmatch(r"arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/.*", arn)
        return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}" if found else arn

    def _client(self, service: str, region: str, account: Account, config: Config) -> Any:
        key = (account.role_arn, f"{id(account.session)}", f"{service}/{config is _SIGNING}", region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = account.session.client(service, region_name=region, config=config)
            return self._clients[key]
