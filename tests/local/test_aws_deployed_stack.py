"""A deployment in the local AWS, as real clients see it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.aws import FunctionAnswer, LocalAws, LocalDeployment
from infra.local.aws.log_events import UnknownPattern, compile_pattern
from tests.stack.template import outputs

ROLE = "arn:aws:iam::111122223333:role/pusher"


@dataclass
class Deployed:
    aws: LocalAws
    stack: LocalDeployment
    events: list[Any]

    def client(self, service: str) -> Any:
        credential = self.aws.credentials_for(ROLE, "test")
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.aws.endpoint_url,
            aws_access_key_id=credential.access_key_id,
            aws_secret_access_key=credential.secret_access_key,
            aws_session_token=credential.session_token,
        )


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    events: list[Any] = []

    def function(event: Any) -> FunctionAnswer:
        events.append(event)
        return (
            FunctionAnswer(error={"errorType": "Bad", "errorMessage": "as asked"})
            if event.get("fail")
            else FunctionAnswer({"ok": True})
        )

    with LocalAws() as aws:
        queues = aws.put_queue("retry"), aws.put_queue("dead", delay_seconds=0)
        stack = LocalDeployment(
            "pusher",
            "us-east-1",
            aws.account_id,
            *queues,
            "/config",
            ROLE,
            function,
            {"Timeout": "300"},
        )
        yield Deployed(aws, aws.deployments.put(stack), events)


def test_its_outputs_are_named_as_the_templates(deployed: Deployed) -> None:
    assert set(deployed.stack.outputs) == set(outputs())


def test_cloudformation_describes_it(deployed: Deployed) -> None:
    (described,) = deployed.client("cloudformation").describe_stacks()["Stacks"]
    assert {
        one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]
    } == deployed.stack.outputs
    assert described["Parameters"] == [{"ParameterKey": "Timeout", "ParameterValue": "300"}]


def test_a_missing_stack_is_a_validation_error(deployed: Deployed) -> None:
    with pytest.raises(ClientError) as caught:
        deployed.client("cloudformation").describe_stacks(StackName="other")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_invoke_returns_the_functions_result(deployed: Deployed) -> None:
    answer = deployed.client("lambda").invoke(
        FunctionName=deployed.stack.function_name, Payload=b'{"action": "push"}'
    )
    assert (json.loads(answer["Payload"].read()), answer.get("FunctionError")) == (
        {"ok": True},
        None,
    )
    assert deployed.events == [{"action": "push"}]


def test_invoke_reports_that_the_function_raised(deployed: Deployed) -> None:
    answer = deployed.client("lambda").invoke(
        FunctionName=deployed.stack.function_name, Payload=b'{"fail": true}'
    )
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "Bad"


def test_log_lines_are_filtered_by_a_json_pattern(deployed: Deployed) -> None:
    for line in (
        {"message": "report", "report": {"action": "push"}},
        {"message": "report", "report": {"action": "sweep"}},
        {"message": "other"},
    ):
        deployed.aws.deployments.log(deployed.stack, json.dumps(line))
    pattern = '{ $.message = "report" && ($.report.action = "push" || $.report.ok IS FALSE) }'
    found = deployed.client("logs").filter_log_events(
        logGroupName=deployed.stack.log_group, filterPattern=pattern
    )["events"]
    assert [json.loads(event["message"])["report"]["action"] for event in found] == ["push"]


def test_pages_of_log_lines_follow_each_other_even_when_empty(deployed: Deployed) -> None:
    deployed.aws.deployments.logs.page = 1
    for number in range(4):
        deployed.aws.deployments.log(
            deployed.stack, json.dumps({"message": "report" if number == 3 else "other"})
        )
    pages = (
        deployed.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=deployed.stack.log_group, filterPattern='{ $.message = "report" }')
    )
    assert [len(page["events"]) for page in pages] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "pattern",
    ["report", "{ $.a > 1 }", '{ $.a = "b" $.c = "d" }', '{ ($.a = "b" }', '{ $.a = "b" && }'],
)
def test_a_pattern_that_is_not_known_is_refused(pattern: str) -> None:
    with pytest.raises(UnknownPattern):
        compile_pattern(pattern)


def test_an_alarm_follows_what_the_function_measures(deployed: Deployed) -> None:
    deployed.aws.deployments.log(
        deployed.stack, json.dumps({"service": "pusher", "ClustersFailed": [1.0]})
    )
    (alarm,) = deployed.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarm["AlarmName"] == "pusher-cluster-failed"


def test_an_alarm_below_a_threshold_follows_too(deployed: Deployed) -> None:
    active = []
    for seconds in (14 * 86400, 14 * 86400 - 1, 14 * 86400):
        line = {"service": "pusher", "CredentialSecondsLeft": [float(seconds)]}
        deployed.aws.deployments.log(deployed.stack, json.dumps(line))
        found = deployed.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
        active.append([alarm["AlarmName"] for alarm in found])
    assert active == [[], ["pusher-credential-ending"], []]


def test_a_redrive_moves_the_messages(deployed: Deployed) -> None:
    deployed.stack.dead_letters.put({"action": "push"})
    sqs = deployed.client("sqs")
    arns = deployed.stack.outputs
    sqs.start_message_move_task(
        SourceArn=arns["DeadLetterQueueArn"], DestinationArn=arns["RetryQueueArn"]
    )
    assert [message.body for message in deployed.stack.retry_queue.waiting] == [{"action": "push"}]
    assert (
        sqs.list_message_move_tasks(SourceArn=arns["DeadLetterQueueArn"])["Results"][0]["Status"]
        == "COMPLETED"
    )


def test_a_changed_parameter_is_an_event_of_its_stack(deployed: Deployed) -> None:
    deployed.stack.deliver = lambda invoke: invoke()
    ssm = deployed.client("ssm")
    for value in ("a", "b"):
        ssm.put_parameter(Name="/config/clusters/x", Value=value, Type="String", Overwrite=True)
    ssm.put_parameter(Name="/configured/elsewhere", Value="a", Type="String")
    ssm.delete_parameter(Name="/config/clusters/x")
    assert [(event["source"], event["detail"]["operation"]) for event in deployed.events] == [
        ("aws.ssm", "Create"),
        ("aws.ssm", "Update"),
        ("aws.ssm", "Delete"),
    ]
    assert {event["detail"]["name"] for event in deployed.events} == {"/config/clusters/x"}


def test_what_a_call_did_not_change_is_no_event(deployed: Deployed) -> None:
    deployed.stack.deliver = lambda invoke: invoke()
    with pytest.raises(ClientError):
        deployed.client("ssm").delete_parameter(Name="/config/clusters/x")
    assert deployed.client("ssm").delete_parameters(Names=["/config/x"])["InvalidParameters"]
    assert deployed.events == []


def test_events_are_delivered_asynchronously(deployed: Deployed) -> None:
    arrived = threading.Event()

    def function(event: Any) -> FunctionAnswer:
        arrived.set()
        return FunctionAnswer({"ok": True})

    deployed.stack.function = function
    deployed.client("ssm").put_parameter(Name="/config/defaults", Value="a", Type="String")
    assert arrived.wait(10)


@pytest.mark.parametrize(
    ("name", "rate", "action"),
    [("pusher-push", "rate(8 hours)", "push"), ("pusher-sweep", "rate(5 minutes)", "sweep")],
)
def test_its_schedules_are_there(deployed: Deployed, name: str, rate: str, action: str) -> None:
    schedule = deployed.client("scheduler").get_schedule(Name=name)
    assert (schedule["ScheduleExpression"], schedule["State"]) == (rate, "ENABLED")
    assert json.loads(schedule["Target"]["Input"])["action"] == action
