"""The triggers of the function.

Two schedules, the rule on changed parameters, and the fate of an event that cannot be delivered.
"""

import json
from typing import Any

import pytest

from tests.stack.event_pattern import matches
from tests.stack.template import ACCOUNT, REGION, STACK, allow, deployed, properties, statements

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
SCHEDULES = {"PushSchedule": "push", "NamespaceSweepSchedule": "sweep"}


@pytest.mark.parametrize(("schedule", "name"), SCHEDULES.items())
def test_a_schedule_carries_the_stacks_name_and_runs_the_function(schedule: str, name: str) -> None:
    found = properties(schedule)
    assert (found["Name"], found["State"], found["FlexibleTimeWindow"]) == (
        f"{STACK}-{name}",
        "ENABLED",
        {"Mode": "OFF"},
    )
    assert found["ScheduleExpressionTimezone"] == "UTC"
    assert (found["Target"]["Arn"], found["Target"]["RoleArn"]) == (
        "PusherFunction.Arn",
        "SchedulerRole.Arn",
    )


@pytest.mark.parametrize(
    ("schedule", "parameter", "default"),
    [
        ("PushSchedule", "Schedule", "rate(8 hours)"),
        ("NamespaceSweepSchedule", "SweepSchedule", "rate(5 minutes)"),
    ],
)
def test_each_schedule_follows_its_parameter(schedule: str, parameter: str, default: str) -> None:
    assert properties(schedule)["ScheduleExpression"] == default
    assert (
        properties(schedule, **{parameter: "rate(1 hour)"})["ScheduleExpression"] == "rate(1 hour)"
    )


def test_the_schedule_asks_for_a_push() -> None:
    assert json.loads(properties("PushSchedule")["Target"]["Input"]) == {"action": "push"}


def test_the_sweep_says_how_far_back_it_looks_as_a_number() -> None:
    assert json.loads(
        properties("NamespaceSweepSchedule", SweepWindowMinutes=45)["Target"]["Input"]
    ) == {"action": "sweep", "windowMinutes": 45}


@pytest.mark.parametrize(
    ("schedule", "seconds", "attempts"),
    [("PushSchedule", 3600, 20), ("NamespaceSweepSchedule", 300, 3)],
)
def test_what_cannot_be_delivered_is_tried_again_and_then_kept(
    schedule: str, seconds: int, attempts: int
) -> None:
    target = properties(schedule)["Target"]
    assert target["RetryPolicy"] == {
        "MaximumEventAgeInSeconds": seconds,
        "MaximumRetryAttempts": attempts,
    }
    assert target["DeadLetterConfig"] == {"Arn": "DeadLetterQueue.Arn"}


def test_the_scheduler_may_invoke_the_function_and_keep_what_it_could_not_deliver_no_more() -> None:
    assert statements(deployed()["SchedulerRole"]) == {
        "InvokePusher": allow("lambda:InvokeFunction", on="PusherFunction.Arn"),
        "KeepUndelivered": allow("sqs:SendMessage", on="DeadLetterQueue.Arn"),
    }


def test_the_scheduler_uses_the_key_of_the_queue_through_the_queue_only() -> None:
    assert statements(deployed(KmsKeyArn=KEY)["SchedulerRole"])["UseEncryptedQueue"] == allow(
        "kms:Decrypt",
        "kms:GenerateDataKey",
        on=KEY,
        StringEquals={"kms:ViaService": f"sqs.{REGION}.amazonaws.com"},
    )


def test_only_schedules_of_this_account_take_the_schedulers_role() -> None:
    assert properties("SchedulerRole")["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Sid": "SchedulesOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": ACCOUNT,
                    "aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default",
                }
            },
        }
    ]


# --- changed parameters


def change(**changed: Any) -> dict[str, Any]:
    """Return a change event as Parameter Store sends it."""
    detail = {
        "operation": "Create",
        "name": "/ecr-public-pusher/clusters/prod",
        "type": "String",
        "description": "",
    }
    fields = {name: value for name, value in changed.items() if name in detail}
    return {
        "source": "aws.ssm",
        "detail-type": "Parameter Store Change",
        "account": ACCOUNT,
        "region": REGION,
        "detail": detail | fields,
    } | {name.replace("_", "-"): value for name, value in changed.items() if name not in detail}


@pytest.mark.parametrize(
    ("event", "matched"),
    [
        (change(), True),
        (change(operation="Update"), True),
        (change(operation="Delete"), True),
        (change(name="/ecr-public-pusher/defaults"), True),
        (change(name="/ecr-public-pusher/discover/platform"), True),
        (change(name="/ecr-public-pusher/clusters/prod", type="SecureString"), True),
        (change(operation="LabelParameterVersion"), False),
        (change(name="/ecr-public-pusher-2/clusters/prod"), False),
        (change(name="/other"), False),
        (change(name="ecr-public-pusher/clusters/prod"), False),
        (change(source="aws.secretsmanager"), False),
        (change(detail_type="Parameter Store Policy Action"), False),
        ({"source": "aws.ssm", "detail-type": "Parameter Store Change"}, False),
    ],
)
def test_the_rule_hears_of_the_configuration_and_nothing_else(
    event: dict[str, Any], matched: bool
) -> None:
    assert matches(properties("ParameterChangeRule")["EventPattern"], event) is matched


def test_the_rule_follows_the_configurations_path() -> None:
    pattern = properties("ParameterChangeRule", ConfigPath="/team/ecr")["EventPattern"]
    assert matches(pattern, change(name="/team/ecr/clusters/prod"))
    assert not matches(pattern, change())


def test_the_rule_hands_the_event_to_the_function_as_it_is() -> None:
    rule = properties("ParameterChangeRule")
    assert (rule["Name"], rule["State"]) == (f"{STACK}-parameter-change", "ENABLED")
    assert rule["Targets"] == [
        {
            "Id": "pusher",
            "Arn": "PusherFunction.Arn",
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20},
            "DeadLetterConfig": {"Arn": "DeadLetterQueue.Arn"},
        }
    ]


def test_eventbridge_may_invoke_the_function_for_this_rule_only() -> None:
    assert properties("ParameterChangePermission") == {
        "FunctionName": "PusherFunction.Arn",
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": "ParameterChangeRule.Arn",
    }
