"""The CloudFormation stack that a command works with.

Its outputs and parameters are all that the command line knows about a deployment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .errors import CliError
from .follow_up import FollowUp

if TYPE_CHECKING:
    from ecr_public_pusher.configuration.allowed_roles import AllowedRoles

# Outputs of every release: a stack with all of them is a deployment.
REQUIRED = (
    "FunctionName",
    "FunctionRoleArn",
    "ConfigPath",
    "LogGroupName",
    "RetryQueueUrl",
    "DeadLetterQueueUrl",
)

# DescribeStacks finds a deleted stack by its id; what stands in for AWS lists it too.
DELETED = "DELETE_COMPLETE"


@dataclass(frozen=True)
class DeployedStack:
    """A deployment's stack, with its outputs and parameters by name.

    A parameter that names one of Parameter Store's holds the resolved value.
    """

    name: str
    region: str
    account: str
    status: str
    outputs: Mapping[str, str] = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)

    @property
    def function_name(self) -> str:
        return self.outputs["FunctionName"]

    @property
    def role_arn(self) -> str:
        """Return the execution role, which access entries name."""
        return self.outputs["FunctionRoleArn"]

    @property
    def config_path(self) -> str:
        return self.outputs["ConfigPath"]

    @property
    def log_group(self) -> str:
        return self.outputs["LogGroupName"]

    @property
    def retry_queue_url(self) -> str:
        return self.outputs["RetryQueueUrl"]

    @property
    def dead_letter_queue_url(self) -> str:
        return self.outputs["DeadLetterQueueUrl"]

    @property
    def version(self) -> str | None:
        return self.outputs.get("Version")

    @property
    def allowed_endpoints(self) -> tuple[str, ...]:
        """Return the hosts beside EKS's that documents may name."""
        return self._listed("AllowedEndpoints")

    @property
    def allowed_roles(self) -> "AllowedRoles":
        """Return the roles that documents may name."""
        from ecr_public_pusher.configuration.allowed_roles import AllowedRoles

        return AllowedRoles(
            self.account,
            self._listed("AllowedAccounts"),
            sign_in=self.parameters.get("AssumableRoleName", ""),
            pull=self.parameters.get("PullRoleName", ""),
        )

    def _listed(self, parameter: str) -> tuple[str, ...]:
        given = self.parameters.get(parameter, "").split(",")
        return tuple(entry for entry in given if entry.strip())


class Aws(Protocol):
    """The part of `Session` that finds stacks."""

    @property
    def follow_up(self) -> FollowUp: ...

    @property
    def region(self) -> str: ...

    @property
    def account(self) -> str: ...

    def client(self, service: str) -> Any: ...


def find_stack(session: Aws, name: str | None) -> DeployedStack:
    """Return the stack of that name, or the region's only deployment.

    Raise CliError when there is none, and when there are several.
    """
    return _named(session, name) if name else _only(session)


def _named(session: Aws, name: str) -> DeployedStack:
    from botocore.exceptions import ClientError

    try:
        (described,) = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no error code of its own for a stack that does not exist.
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise _no_stack(session, name) from None
    stack = _read(described, session)
    if stack.status == DELETED:
        raise _no_stack(session, name)
    if missing := [output for output in REQUIRED if output not in stack.outputs]:
        raise CliError(
            f"The stack {name} in {_where(session)} ({stack.status}) is not a deployment of"
            f" ecr-public-pusher: it has no output {missing[0]}.",
            remedy=_known(deployments(session), session),
        )
    return stack


def _no_stack(session: Aws, name: str) -> CliError:
    return CliError(
        f"There is no stack {name} in {_where(session)}.",
        remedy=_known(deployments(session), session),
    )


def _only(session: Aws) -> DeployedStack:
    found = deployments(session)
    if len(found) == 1:
        return found[0]
    if not found:
        raise CliError(
            f"There is no deployment of ecr-public-pusher in {_where(session)}.",
            remedy=_known(found, session),
        )
    raise CliError(
        f"There are {len(found)} deployments of ecr-public-pusher in {_where(session)}.",
        remedy=_known(found, session),
    )


def deployments(session: Aws) -> list[DeployedStack]:
    """Return the deployments of the region, by name."""
    pages = session.client("cloudformation").get_paginator("describe_stacks").paginate()
    stacks = (_read(described, session) for page in pages for described in page["Stacks"])
    return sorted(
        (
            stack
            for stack in stacks
            if stack.status != DELETED and all(output in stack.outputs for output in REQUIRED)
        ),
        key=lambda stack: stack.name,
    )


def _read(described: Mapping[str, Any], session: Aws) -> DeployedStack:
    return DeployedStack(
        name=described["StackName"],
        region=session.region,
        account=described["StackId"].split(":")[4],
        status=described.get("StackStatus", ""),
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", ())},
        parameters={
            one["ParameterKey"]: one.get("ResolvedValue") or one.get("ParameterValue", "")
            for one in described.get("Parameters", ())
        },
    )


def _where(session: Aws) -> str:
    return f"account {session.account}, region {session.region}"


def _known(found: Iterable[DeployedStack], session: Aws) -> str:
    names = [stack.name for stack in found]
    if names:
        return f"Choose one with --stack or ECR_PUBLIC_PUSHER_STACK: {', '.join(names)}."
    return (
        f"Looked in account {session.account}, region {session.region}. Is it another one? Give"
        " --region or --profile.\nTo deploy it, from a clone of the repository:"
        f" {session.follow_up.deploy(region=session.region)}"
    )
