"""Whose credentials are used: the execution role's, or an assumed role's. Of one invocation: credentials never outlive it."""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.credentials import Credentials

from ecr_public_pusher.aws_api.clients import AwsClients, signed_by
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.concurrency import OncePerKey
from ecr_public_pusher.errors import RoleError, SignInError
from ecr_public_pusher.role_use import SIGN_IN, RoleUse

_OWN = "own"


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
        self._callers: OncePerKey[tuple[str, str | None, RoleUse], Caller] = OncePerKey()
        self._principals: OncePerKey[str, str] = OncePerKey()

    async def caller(
        self,
        role_arn: str | None,
        external_id: str | None,
        *,
        use: RoleUse = SIGN_IN,
    ) -> Caller:
        """Return the execution role's credentials, or those of `role_arn`, assumed for `use`.

        Raises RoleError; SignInError when the function has no credentials itself.
        """
        key = role_arn or _OWN, external_id, use
        return await self._callers.get(key, lambda: self._assumed(role_arn, external_id, use))

    async def principal(self, caller: Caller) -> str:
        """The ARN of the caller's role, as an access entry names it.

        As far as STS says: it leaves the path out of the function's own role. A placeholder when STS does not answer.
        """
        return caller.role_arn or await self._principals.get(_OWN, lambda: self.blocking.run(self._own_principal))

    async def _assumed(self, role_arn: str | None, external_id: str | None, use: RoleUse) -> Caller:
        if role_arn is None:
            return await self.blocking.run(self._own)
        assume = partial(self._assume, role_arn, external_id, use)
        return await self.blocking.run(assume, service="sts")

    def _own(self) -> Caller:
        try:
            return Caller(call_aws(self.clients.own_credentials))
        except AWS_ERRORS as error:
            raise SignInError(f"the function has no credentials: {error_code(error)}", remedy="See the function's execution role.") from None

    def _assume(self, role_arn: str, external_id: str | None, use: RoleUse) -> Caller:
        asked = {"RoleArn": role_arn, "RoleSessionName": use.session_name}
        if external_id:
            asked["ExternalId"] = external_id
        try:
            sts = self.clients.client("sts")
            found = call_aws(lambda: sts.assume_role(**asked)["Credentials"])
            credentials = call_aws(lambda: Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]))
        except AWS_ERRORS as error:
            raise RoleError(
                f"cannot assume {role_arn}: {error_code(error)}",
                remedy="The role must trust this function's execution role with the same external "
                f"id and the session name {use.session_name}; {use.parameter} must be its name, "
                "with its path, and AllowedAccounts must allow its account.",
            ) from None
        return Caller(credentials, role_arn)

    def _own_principal(self) -> str:
        try:
            arn = str(call_aws(lambda: self.clients.client("sts").get_caller_identity()["Arn"]))
        except AWS_ERRORS:
            return "FUNCTION_ROLE_ARN"
        found = re.fullmatch(r"arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/.*", arn)
        return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}" if found else arn
