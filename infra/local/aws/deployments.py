"""Deployments as AWS's APIs show them: stacks, invocations, events, log lines, alarms, redrives."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from xml.etree import ElementTree as Xml

from moto.cloudwatch.models import cloudwatch_backends
from moto.scheduler.models import scheduler_backends
from moto.sqs.models import sqs_backends

from .deployed_stack import FunctionAnswer, LocalDeployment
from .log_events import LogEvents
from .wire import Answer, AwsRequest

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
# Alarms by the metric that they watch, in the series without further dimensions.
_FOLLOWED = {
    "ClustersFailed": "cluster-failed",
    "Unconfigured": "unconfigured",
    "UnknownParameters": "unknown-parameters",
    "DocumentsDeleted": "documents-deleted",
}
# The same for those that go off below a threshold.
_FOLLOWED_BELOW = {"CredentialSecondsLeft": ("credential-ending", 14 * 24 * 3600)}


class Deployments:
    """All stacks of one account, and their log lines."""

    def __init__(self, account: str) -> None:
        self.logs = LogEvents()
        self._account = account
        self._stacks: list[LocalDeployment] = []
        self._moves: list[dict[str, Any]] = []

    def put(self, deployment: LocalDeployment) -> LocalDeployment:
        """Deploy a stack with its log group, schedules, and alarms, all in the state OK."""
        self._stacks.append(deployment)
        self.logs.put_group(deployment.log_group)
        for name, description in deployment.alarms.items():
            self._put_alarm(deployment, name, description)
        if deployment.ours:
            for name, schedule in deployment.schedules.items():
                self._put_schedule(deployment, name, schedule)
        return deployment

    def delete(self, name: str) -> None:
        """Remove a stack."""
        self._stacks = [stack for stack in self._stacks if stack.name != name]

    def set_alarm(self, deployment: LocalDeployment, kind: str, state: str) -> None:
        """Set an alarm's state: OK, ALARM or INSUFFICIENT_DATA."""
        cloudwatch_backends[self._account][deployment.region].set_alarm_state(
            f"{deployment.name}-{kind}", "set by hand", "{}", state
        )

    def log(self, deployment: LocalDeployment, line: str, *, at: float | None = None) -> None:
        """Log a line that the function printed.

        Lines that are not JSON come from the emulator and are dropped: Lambda's JSON format has
        none. Alarms follow the last value of their metric; CloudWatch's evaluation is not simulated
        here.
        """
        try:
            said = json.loads(line)
        except ValueError:
            return
        self.logs.put(deployment.log_group, line, at=at)
        if not isinstance(said, dict) or {"cluster", "registry"} & set(said):
            return
        for metric, kind in _FOLLOWED.items():
            if metric in said:
                self.set_alarm(deployment, kind, "ALARM" if sum(said[metric]) > 0 else "OK")
        for metric, (kind, threshold) in _FOLLOWED_BELOW.items():
            if metric in said:
                state = "ALARM" if min(said[metric]) < threshold else "OK"
                self.set_alarm(deployment, kind, state)

    def note_change(self, request: AwsRequest, answer: bytes) -> None:
        """Send EventBridge's events for the parameters that a call has changed.

        Each stack whose rule matches gets one. Source: Systems Manager User Guide, "Setting up
        notifications or triggering actions based on Parameter Store events".
        """
        for name, operation in _changed_parameters(request, answer):
            for stack in self._stacks:
                if stack.region == request.region and name.startswith(f"{stack.config_path}/"):
                    event = _change_event(stack, name, operation)
                    stack.deliver(partial(self._invoked, stack, event))

    def _invoked(self, stack: LocalDeployment, event: Any) -> FunctionAnswer:
        """Run an invocation, and log the line with which Lambda closes it."""
        answer = stack.function(event)
        self.log(stack, json.dumps(_platform_report(answer)))
        return answer

    def _put_alarm(self, deployment: LocalDeployment, name: str, description: str) -> None:
        backend = cloudwatch_backends[self._account][deployment.region]
        backend.put_metric_alarm(
            name,
            "EcrPublicPusher",
            name,
            "GreaterThanOrEqualToThreshold",
            1,
            300,
            1.0,
            "Maximum",
            description,
            [],
            [],
        )
        backend.set_alarm_state(name, "deployed", "{}", "OK")

    def _put_schedule(
        self, deployment: LocalDeployment, name: str, schedule: Mapping[str, Any]
    ) -> None:
        scheduler = scheduler_backends[self._account][deployment.region]
        # One of a stack of that name that was there before.
        scheduler.get_schedule_group(None).schedules.pop(name, None)
        settings: dict[str, Any] = {
            "description": schedule["Description"],
            "end_date": None,
            "flexible_time_window": schedule["FlexibleTimeWindow"],
            "group_name": "default",
            "kms_key_arn": None,
            "name": name,
            "schedule_expression": schedule["ScheduleExpression"],
            "schedule_expression_timezone": schedule["ScheduleExpressionTimezone"],
            "start_date": None,
            "state": schedule["State"],
            "target": {
                "Arn": deployment.outputs["FunctionArn"],
                "RoleArn": deployment.role_arn,
                "Input": schedule["Target"]["Input"],
            },
            "action_after_completion": None,
        }
        scheduler.create_schedule(**settings)

    def answer(self, request: AwsRequest) -> Answer | None:
        """Answer a call that moto does not serve well enough; return None for any other."""
        own = {
            ("cloudformation", "DescribeStacks"): self._describe,
            ("cloudformation", "ListStackResources"): self._resources,
            ("lambda", "Invoke"): self._invoke,
            ("logs", "FilterLogEvents"): self.logs.answer,
            ("sqs", "StartMessageMoveTask"): self._move,
            ("sqs", "ListMessageMoveTasks"): self._list_moves,
        }.get((request.service, request.action))
        return own(request) if own else None

    def _describe(self, request: AwsRequest) -> Answer:
        name = request.form.get("StackName")
        found = [
            stack
            for stack in self._stacks
            if stack.region == request.region and name in (None, stack.name, stack.id)
        ]
        if name and not found:
            return Answer.refusal(
                request, "ValidationError", f"Stack with id {name} does not exist"
            )
        return _xml(request, [("Stacks", [_shown(stack) for stack in found])])

    def _resources(self, request: AwsRequest) -> Answer:
        stack = next(stack for stack in self._stacks if stack.name == request.form["StackName"])
        kinds = {
            "AWS::CloudWatch::Alarm": list(stack.alarms),
            "AWS::Lambda::Function": [stack.function_name],
        }
        summaries = [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": name,
                "ResourceType": kind,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for kind, names in kinds.items()
            for name in names
        ]
        return _xml(request, [("StackResourceSummaries", summaries)])

    def _invoke(self, request: AwsRequest) -> Answer:
        name = request.parameters["name"]
        stack = next(
            (
                stack
                for stack in self._stacks
                if stack.function_name == name and stack.region == request.region
            ),
            None,
        )
        if stack is None:
            message = (
                "Function not found:"
                f" arn:aws:lambda:{request.region}:{self._account}:function:{name}"
            )
            return Answer.refusal(request, "ResourceNotFoundException", message, status=404)
        answer = self._invoked(stack, json.loads(request.body or b"{}"))
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        if answer.error is not None:
            return Answer(
                200,
                json.dumps(dict(answer.error)).encode(),
                headers | {"X-Amz-Function-Error": "Unhandled"},
            )
        return Answer(200, json.dumps(answer.payload).encode(), headers)

    def _move(self, request: AwsRequest) -> Answer:
        """Move all messages at once, where SQS moves them over time."""
        asked = json.loads(request.body)
        source, target = (
            sqs_backends[self._account][request.region].queues[asked[name].rpartition(":")[2]]
            for name in ("SourceArn", "DestinationArn")
        )
        moved = list(source._messages)
        for message in moved:
            source._messages.remove(message)
            sqs_backends[self._account][request.region].send_message(target.name, message.body)
        counts = {
            "ApproximateNumberOfMessagesMoved": len(moved),
            "ApproximateNumberOfMessagesToMove": len(moved),
        }
        task = {
            "TaskHandle": str(uuid.uuid4()),
            "StartedTimestamp": int(time.time() * 1000),
            "Status": "COMPLETED",
        }
        self._moves.insert(
            0, task | counts | {name: asked[name] for name in ("SourceArn", "DestinationArn")}
        )
        return _json({"TaskHandle": task["TaskHandle"]})

    def _list_moves(self, request: AwsRequest) -> Answer:
        source = json.loads(request.body)["SourceArn"]
        # As in SQS, a finished task has no handle.
        found = [
            {name: value for name, value in task.items() if name != "TaskHandle"}
            for task in self._moves
            if task["SourceArn"] == source
        ]
        return _json({"Results": found[:10]})


def _changed_parameters(request: AwsRequest, answer: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and operation of each parameter that a call has changed."""
    match request.service, request.action:
        case "ssm", "PutParameter":
            is_new = json.loads(answer)["Version"] == 1
            yield json.loads(request.body)["Name"], "Create" if is_new else "Update"
        case "ssm", "DeleteParameter":
            yield json.loads(request.body)["Name"], "Delete"
        case "ssm", "DeleteParameters":
            for name in json.loads(answer)["DeletedParameters"]:
                yield name, "Delete"


def _change_event(stack: LocalDeployment, name: str, operation: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Parameter Store Change",
        "source": "aws.ssm",
        "account": stack.account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": stack.region,
        "resources": [f"arn:aws:ssm:{stack.region}:{stack.account}:parameter{name}"],
        "detail": {"operation": operation, "name": name, "type": "String"},
    }


def _platform_report(answer: FunctionAnswer) -> dict[str, Any]:
    """Return the line with which Lambda closes each invocation.

    Source: Lambda developer guide, "Lambda Telemetry API Event schema reference".
    """
    kind = (answer.error or {}).get("errorType")
    record: dict[str, Any] = {
        "requestId": str(uuid.uuid4()),
        "metrics": {"durationMs": 1.0},
        "status": "success",
    }
    if kind is not None:
        record |= {
            "status": "timeout" if kind == "Sandbox.Timedout" else "error",
            "errorType": kind,
        }
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "type": "platform.report",
        "record": record,
    }


def _shown(stack: LocalDeployment) -> dict[str, Any]:
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "CreationTime": datetime.now(UTC).isoformat(),
        "StackStatus": stack.status,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in stack.parameters.items()
        ],
        "Outputs": [
            {"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()
        ],
    }


def _xml(request: AwsRequest, result: list[tuple[str, Any]]) -> Answer:
    answer = Xml.Element(f"{request.action}Response", xmlns=_NAMESPACE)
    _fill(Xml.SubElement(answer, f"{request.action}Result"), dict(result))
    return Answer(200, Xml.tostring(answer), {"Content-Type": "text/xml"})


def _fill(element: Xml.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, its in value.items():
            _fill(Xml.SubElement(element, name), its)
    elif isinstance(value, list):
        for item in value:
            _fill(Xml.SubElement(element, "member"), item)
    else:
        element.text = str(value)


def _json(body: Mapping[str, Any]) -> Answer:
    return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.0"})
