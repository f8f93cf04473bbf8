"""Whose credentials are used: the execution role's, or an assumed role's. Of one invocation: credentials never outlive it."""

import re
from dataclasses import dataclass, field
from typing import Any

from botocore.credentials import Credentials

from ecr_public_pusher.aws_api.clients import AwsClients, signed_by
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.concurrency import OncePerKey
from ecr_public_pusher.errors import RoleError, SignInError

# As CloudTrail shows it in the other account.
ROLE_SESSION_NAME = "ecr-public-pusher"

_OWN = "own"
_UNKNOWN = "FUNCTION_ROLE_ARN"
# As IAM names them (IAM identifiers): what else an answer says stands in no command to paste.
_ASSUMED = re.compile(r"arn:([a-z-]{3,20}):sts::([0-9]{12}):assumed-role/([\w+=,.@-]{1,64})/[\w+=,.@-]{2,64}", re.ASCII).fullmatch
_PRINCIPAL = re.compile(r"arn:[a-z-]{3,20}:(?:iam|sts)::[0-9]{12}:[\w+=,.@/-]{1,600}", re.ASCII).fullmatch


@dataclass(frozen=True)
class Caller:
    """A role's credentials; `role_arn` is None for the function's own."""

    credentials: Credentials = field(repr=False)
    role_arn: str | None = None

    @property
    def signature(self) -> dict[str, Any]:
        """The parameters that have a call signed by this caller."""
        return signed_by(self.credentials if self.role_arn else None)


class Callers:
    """The callers of one invocation, each role assumed once for all that name it.

    A failure is shared too: a role that hangs must not use up the time of each of its clusters in turn.
    """

    def __init__(self, clients: AwsClients, blocking: BlockingCalls) -> None:
        self.clients, self.blocking = clients, blocking
        self._callers: OncePerKey[tuple[str, str | None, str], Caller] = OncePerKey()
        self._principals: OncePerKey[str, str] = OncePerKey()

    async def caller(self, role_arn: str | None, external_id: str | None, *, allowed_by: str = "AssumableRoleName") -> Caller:
        """The execution role, or `role_arn`, whose name the template parameter `allowed_by` must cover.

        Raises RoleError; SignInError when the function has no credentials itself.
        """
        return await self._callers.get((role_arn or _OWN, external_id, allowed_by), lambda: self._assumed(role_arn, external_id, allowed_by))

    async def principal(self, caller: Caller) -> str:
        """The ARN of the caller's role, as an access entry names it.

        As far as STS says: it leaves the path out of the function's own role. A placeholder when STS does not answer.
        """
        return caller.role_arn or await self._principals.get(_OWN, lambda: self.blocking.run(self._own_principal))

    async def _assumed(self, role_arn: str | None, external_id: str | None, allowed_by: str) -> Caller:
        if role_arn is None:
            return await self.blocking.run(self._own)
        return await self.blocking.run(lambda: self._assume(role_arn, external_id, allowed_by), service="sts")

    def _own(self) -> Caller:
        try:
            return Caller(call_aws(self.clients.own_credentials))
        except AWS_ERRORS as error:
            raise SignInError(f"the function has no credentials: {error_code(error)}", remedy="See the function's execution role.") from None

    def _assume(self, role_arn: str, external_id: str | None, allowed_by: str) -> Caller:
        extra = {"ExternalId": external_id} if external_id else {}
        try:
            sts = self.clients.client("sts")
            found = call_aws(lambda: sts.assume_role(RoleArn=role_arn, RoleSessionName=ROLE_SESSION_NAME, **extra)["Credentials"])
            credentials = call_aws(lambda: Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]))
        except AWS_ERRORS as error:
            raise RoleError(
                f"cannot assume {role_arn}: {error_code(error)}",
                remedy=f"The role must trust this function's execution role with the same external id, {allowed_by} must cover its name, and "
                "AllowedAccounts, if given, its account.",
            ) from None
        return Caller(credentials, role_arn)

    def _own_principal(self) -> str:
        try:
            arn = str(call_aws(lambda: self.clients.client("sts").get_caller_identity()["Arn"]))
        except AWS_ERRORS:
            return _UNKNOWN
        if found := _ASSUMED(arn):
            return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}"
        return arn if _PRINCIPAL(arn) else _UNKNOWN
