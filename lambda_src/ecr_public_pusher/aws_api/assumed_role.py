"""The credentials of the execution role and of assumed roles, for one invocation.

Credentials never outlive it.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.credentials import Credentials

from ecr_public_pusher.aws_api.clients import AwsClients, signed_by
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code, unless_refused
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.concurrency import OncePerKey
from ecr_public_pusher.errors import RoleError, SignInError
from ecr_public_pusher.role_use import SIGN_IN, RoleUse

# Placeholder in remedies where the function does not know its own role: the stack output
# FunctionRoleArn.
UNKNOWN_ROLE = "FUNCTION_ROLE_ARN"

_OWN = "own"


@dataclass(frozen=True)
class Caller:
    """A role's credentials; `role_arn` is None for the function's own."""

    credentials: Credentials = field(repr=False)
    role_arn: str | None = None

    @property
    def signature(self) -> dict[str, Any]:
        """The parameters that make this caller sign a call."""
        return signed_by(self.credentials if self.role_arn else None)


class Callers:
    """The callers of one invocation: each role is assumed once for all that name it.

    A failure is shared too: a role that hangs must not use up the time of each of its clusters in
    turn.

    `execution_role`: the ARN of the function's own role, where it is known.
    """

    def __init__(
        self, clients: AwsClients, blocking: BlockingCalls, *, execution_role: str | None = None
    ) -> None:
        self.clients = clients
        self.blocking = blocking
        self._execution_role = execution_role
        self._callers: OncePerKey[tuple[str, str | None, RoleUse], Caller] = OncePerKey()

    async def caller(
        self,
        role_arn: str | None,
        external_id: str | None,
        *,
        use: RoleUse = SIGN_IN,
    ) -> Caller:
        """Return the execution role's credentials, or those of `role_arn`, assumed for `use`.

        Raise RoleError, or SignInError when the function itself has no credentials.
        """
        key = role_arn or _OWN, external_id, use
        return await self._callers.get(key, lambda: self._assumed(role_arn, external_id, use))

    def principal(self, role_arn: str | None) -> str:
        """Return the full ARN of the role that signs for a document with this `role_arn`."""
        return role_arn or self._execution_role or UNKNOWN_ROLE

    async def _assumed(self, role_arn: str | None, external_id: str | None, use: RoleUse) -> Caller:
        if role_arn is None:
            return await self.blocking.run(self._own)
        assume = partial(self._assume, role_arn, external_id, use)
        return await self.blocking.run(assume, service="sts")

    def _own(self) -> Caller:
        try:
            return Caller(call_aws(self.clients.own_credentials))
        except AWS_ERRORS as error:
            raise SignInError(
                f"the function has no credentials: {error_code(error)}",
                remedy="Check the function's execution role.",
            ) from None

    def _assume(self, role_arn: str, external_id: str | None, use: RoleUse) -> Caller:
        asked = {"RoleArn": role_arn, "RoleSessionName": use.session_name}
        if external_id:
            asked["ExternalId"] = external_id
        try:
            sts = self.clients.client("sts")
            found = call_aws(lambda: sts.assume_role(**asked)["Credentials"])
            credentials = call_aws(
                lambda: Credentials(
                    found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
                )
            )
        except AWS_ERRORS as error:
            raise RoleError(
                f"cannot assume {role_arn}: {error_code(error)}",
                remedy=unless_refused(
                    error, "STS", endpoint=f"com.amazonaws.{self.clients.region}.sts"
                )
                or f"The role must trust {self.principal(None)} with the same external id and the"
                f" session name {use.session_name}; {use.parameter} must be its name, with its"
                " path, and AllowedAccounts must allow its account.",
            ) from None
        return Caller(credentials, role_arn)
