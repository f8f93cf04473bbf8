"""AWS credentials of a sign-in."""

from ecr_public_pusher.aws_api.assumed_role import Caller, Callers
from ecr_public_pusher.configuration.cluster_config import ClusterConfig


class RoleCaller:
    """Base of SignIns that use AWS credentials.

    They are the execution role's, or those of the document's roleArn.
    """

    def __init__(self, config: ClusterConfig, callers: Callers) -> None:
        self.config = config
        self._callers = callers

    async def caller(self) -> Caller:
        """Return the AWS credentials to use. Raise RoleError, SignInError."""
        return await self._callers.caller(self.config.role_arn, self.config.external_id)

    async def describe_caller(self) -> str:
        await self.caller()
        return f"assumed {self.config.role_arn}" if self.config.role_arn else "the function's own"

    def principal(self) -> str:
        """Return the ARN of the role."""
        return self._callers.principal(self.config.role_arn)
