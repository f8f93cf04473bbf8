"""A stack of this project: its outputs, its alarms, and the function that an invocation runs.

moto's CloudFormation does not deploy the template, so the outputs are repeated here; a test
compares their names with the template's.
"""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .queues import LocalQueue
from .template import read_alarms, read_schedules, read_version

TEMPLATE = Path(__file__).parents[3] / "template.yaml"


@dataclass(frozen=True)
class FunctionAnswer:
    """The function's result, or the error (errorType, errorMessage) with which it ended."""

    payload: Any = None
    error: Mapping[str, Any] | None = None


type Function = Callable[[Any], FunctionAnswer]
type Delivery = Callable[[Callable[[], object]], object]


def not_running(event: Any) -> FunctionAnswer:
    """Return the answer of a function that has not been started."""
    return FunctionAnswer(
        error={"errorType": "Sandbox.Failure", "errorMessage": "the function is not running"}
    )


def in_background(invoke: Callable[[], object]) -> None:
    """Deliver an event as EventBridge does: asynchronously."""
    threading.Thread(target=invoke, name="local-event", daemon=True).start()


@dataclass
class LocalDeployment:
    """One stack.

    `function` runs an invocation once it is set. `status` and `outputs` are CloudFormation's.
    `ours` is false for a stack of another project. `deliver` chooses when the function gets a
    change event of Parameter Store.
    """

    name: str
    region: str
    account: str
    retry_queue: LocalQueue
    dead_letters: LocalQueue
    config_path: str
    role_arn: str
    function: Function = not_running
    parameters: Mapping[str, str] = field(default_factory=dict)
    status: str = "CREATE_COMPLETE"
    version: str = field(default_factory=lambda: read_version(TEMPLATE))
    ours: bool = True
    deliver: Delivery = in_background

    @property
    def id(self) -> str:
        """The stack's ARN."""
        unique = uuid.uuid5(uuid.NAMESPACE_DNS, self.name)
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{self.name}/{unique}"

    @property
    def alarms(self) -> Mapping[str, str]:
        """Descriptions of the template's alarms, by name."""
        return read_alarms(
            TEMPLATE, stack_name=self.name, region=self.region, account_id=self.account
        )

    @property
    def schedules(self) -> Mapping[str, Mapping[str, Any]]:
        """Properties of the template's schedules, by name."""
        return read_schedules(
            TEMPLATE, stack_name=self.name, region=self.region, account_id=self.account
        )

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"

    @property
    def function_name(self) -> str:
        return f"{self.name}-PusherFunction-{uuid.uuid5(uuid.NAMESPACE_DNS, self.name).hex[:12]}"

    @property
    def outputs(self) -> dict[str, str]:
        """Values by the names of template.yaml's Outputs."""
        if not self.ours:
            return {"Url": "https://www.example.com"}
        console = (
            f"https://{self.region}.console.aws.amazon.com/cloudwatch/home?region={self.region}"
        )
        return {
            "Version": self.version,
            "FunctionName": self.function_name,
            "FunctionArn": (
                f"arn:aws:lambda:{self.region}:{self.account}:function:{self.function_name}"
            ),
            "FunctionRoleArn": self.role_arn,
            "ConfigPath": self.config_path,
            "LogGroupName": self.log_group,
            "RetryQueueUrl": self.retry_queue.url,
            "RetryQueueArn": self.retry_queue.arn,
            "DeadLetterQueueUrl": self.dead_letters.url,
            "DeadLetterQueueArn": self.dead_letters.arn,
            "AlarmTopicArn": f"arn:aws:sns:{self.region}:{self.account}:{self.name}-AlarmTopic",
            "DashboardUrl": f"{console}#dashboards/dashboard/{self.name}-{self.region}",
        }
