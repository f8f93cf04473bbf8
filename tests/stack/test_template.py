"""The stack as CloudFormation gets it, after aws-sam-translator: contents, function, outputs."""

import importlib
import tomllib
from typing import Any

import pytest

from ecr_public_pusher.version import VERSION
from tests.stack.template import ROOT, STACK, deployed, outputs, properties, source

ALARMS = {
    "NoFullPushAlarm",
    "ClusterFailedAlarm",
    "FunctionErrorsAlarm",
    "UnconfiguredAlarm",
    "TokenEndingAlarm",
    "CredentialEndingAlarm",
    "TokenLifeAlarm",
    "PrivateTokenLifeAlarm",
    "ThrottlesAlarm",
    "DurationAlarm",
    "DeadLetterAlarm",
    "UnknownParametersAlarm",
    "DocumentsDeletedAlarm",
}
RESOURCES = {
    "PusherFunction": "AWS::Lambda::Function",
    "PusherFunctionEventInvokeConfig": "AWS::Lambda::EventInvokeConfig",
    "PusherFunctionRetry": "AWS::Lambda::EventSourceMapping",
    "PusherRole": "AWS::IAM::Role",
    "PusherNetworkPolicy": "AWS::IAM::Policy",
    "PusherLogGroup": "AWS::Logs::LogGroup",
    "RetryQueue": "AWS::SQS::Queue",
    "RetryQueuePolicy": "AWS::SQS::QueuePolicy",
    "DeadLetterQueue": "AWS::SQS::Queue",
    "DeadLetterQueuePolicy": "AWS::SQS::QueuePolicy",
    "PushSchedule": "AWS::Scheduler::Schedule",
    "NamespaceSweepSchedule": "AWS::Scheduler::Schedule",
    "SchedulerRole": "AWS::IAM::Role",
    "ParameterChangeRule": "AWS::Events::Rule",
    "ParameterChangePermission": "AWS::Lambda::Permission",
    "AlarmTopic": "AWS::SNS::Topic",
    "AlarmTopicPolicy": "AWS::SNS::TopicPolicy",
    "Dashboard": "AWS::CloudWatch::Dashboard",
} | dict.fromkeys(ALARMS, "AWS::CloudWatch::Alarm")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ours"
EVERYTHING = {
    "AlarmEmail": "ops@example.com",
    "SubnetIds": "subnet-01234567,subnet-89abcdef",
    "SecurityGroupIds": "sg-01234567",
    "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/0a1b",
}
# Properties by which CloudFormation gives a resource its name.
NAMING = {
    "Name",
    "AlarmName",
    "DashboardName",
    "FunctionName",
    "RoleName",
    "LogGroupName",
    "QueueName",
    "TopicName",
    "GroupName",
}


def test_the_stack_holds_these_resources_and_no_others() -> None:
    assert {name: body["Type"] for name, body in deployed().items()} == RESOURCES


@pytest.mark.parametrize(
    ("parameters", "more", "fewer"),
    [
        ({"SweepSchedule": ""}, {}, {"NamespaceSweepSchedule"}),
        ({"SweepSchedule": "none"}, {}, {"NamespaceSweepSchedule"}),
        ({"AlarmEmail": "ops@example.com"}, {"AlarmSubscription": "AWS::SNS::Subscription"}, set()),
        ({"AlarmTopicArn": TOPIC}, {}, {"AlarmTopic", "AlarmTopicPolicy"}),
        ({"SubnetIds": "subnet-01234567", "SecurityGroupIds": "sg-01234567"}, {}, set()),
    ],
)
def test_parameters_add_and_leave_out_these(
    parameters: dict[str, str], more: dict[str, str], fewer: set[str]
) -> None:
    found = {name: body["Type"] for name, body in deployed(**parameters).items()}
    assert found == {name: kind for name, kind in (RESOURCES | more).items() if name not in fewer}


@pytest.mark.parametrize(
    "parameters", [{}, {"AlarmTopicArn": TOPIC, "SweepSchedule": ""}, EVERYTHING]
)
def test_nothing_refers_to_what_is_not_in_the_stack(parameters: dict[str, str]) -> None:
    found = deployed(**parameters)
    referred = {text.partition(".")[0] for text in texts([found, outputs(**parameters)])} & {
        *deployed(),
        *deployed(**EVERYTHING),
    }
    assert referred <= found.keys()


@pytest.mark.parametrize(
    ("parameters", "architecture"), [({}, "arm64"), ({"Architecture": "x86_64"}, "x86_64")]
)
def test_the_function_runs_python_3_13_on_the_chosen_architecture(
    parameters: dict[str, str], architecture: str
) -> None:
    function = properties("PusherFunction", **parameters)
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", [architecture])


def test_the_handler_is_importable_under_its_name() -> None:
    module, _, name = properties("PusherFunction")["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_the_function_has_its_role_its_log_group_and_room_to_run() -> None:
    function = properties("PusherFunction")
    assert function["Role"] == "PusherRole.Arn"
    assert function["LoggingConfig"]["LogGroup"] == "PusherLogGroup"
    assert (function["Timeout"], function["MemorySize"]) == (300, 256)


def test_concurrency_is_reserved_only_where_it_is_asked_for() -> None:
    assert "ReservedConcurrentExecutions" not in properties("PusherFunction")
    assert (
        properties("PusherFunction", ReservedConcurrency=12)["ReservedConcurrentExecutions"] == 12
    )


def test_the_environment_is_what_the_function_reads() -> None:
    assert properties("PusherFunction", ConfigPath="/team/ecr", LogLevel="WARN", FanOut="true")[
        "Environment"
    ]["Variables"] == {
        "ALLOWED_ACCOUNTS": "",
        "ALLOWED_ENDPOINTS": "",
        "CLUSTER_METRICS": "true",
        "ASSUMABLE_ROLE_NAME": "ecr-public-pusher-spoke",
        "CONFIG_PATH": "/team/ecr",
        "EXECUTION_ROLE_ARN": "PusherRole.Arn",
        "STACK_NAME": STACK,
        "RETRY_QUEUE_URL": "RetryQueue",
        "RETRY_RECEIVES": 16,
        "DLQ_URL": "DeadLetterQueue",
        "FAN_OUT": "true",
        "WORKERS": "5x10",
        "PULL_ROLE_NAME": "ecr-public-pusher-pull",
        "POWERTOOLS_LOG_LEVEL": "WARN",
    }


def test_no_log_level_is_offered_at_which_botocore_logs_tokens() -> None:
    assert properties("PusherFunction")["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert "DEBUG" not in source()["Parameters"]["LogLevel"]["AllowedValues"]


def test_logs_are_kept_for_the_days_asked_for_in_a_group_named_after_the_stack() -> None:
    assert properties("PusherLogGroup", LogRetentionDays=30) == {
        "LogGroupName": f"/aws/lambda/{STACK}",
        "RetentionInDays": 30,
    }


@pytest.mark.parametrize("resource", ["PusherLogGroup", "RetryQueue", "DeadLetterQueue"])
def test_what_has_a_name_or_waits_is_deleted_with_the_stack(resource: str) -> None:
    # A retained one would prevent the next deployment under the same name.
    body = deployed()[resource]
    assert (body["DeletionPolicy"], body["UpdateReplacePolicy"]) == ("Delete", "Delete")


def test_the_function_is_in_no_vpc_unless_it_is_asked_for() -> None:
    assert "VpcConfig" not in properties("PusherFunction")


def test_the_function_is_put_into_the_subnets_with_the_security_groups() -> None:
    inside = properties(
        "PusherFunction",
        SubnetIds="subnet-01234567,subnet-89abcdef",
        SecurityGroupIds="sg-01234567,sg-89abcdef",
    )
    assert inside["VpcConfig"] == {
        "SubnetIds": ["subnet-01234567", "subnet-89abcdef"],
        "SecurityGroupIds": ["sg-01234567", "sg-89abcdef"],
    }


def test_every_fixed_name_carries_the_stacks() -> None:
    named = {
        (logical_id, name): value
        for logical_id, body in deployed(**EVERYTHING).items()
        for name, value in body["Properties"].items()
        if name in NAMING
        and body["Type"]
        not in (
            "AWS::Lambda::Permission",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::EventSourceMapping",
        )
    }
    assert {logical_id for logical_id, _ in named} == {
        *ALARMS,
        "PusherLogGroup",
        "RetryQueue",
        "PushSchedule",
        "NamespaceSweepSchedule",
        "ParameterChangeRule",
        "Dashboard",
    }
    assert [value for value in named.values() if STACK not in value] == []
    assert len(set(named.values())) == len(named)


def test_dashboards_which_are_of_no_region_do_not_meet() -> None:
    assert properties("Dashboard")["DashboardName"] == f"{STACK}-eu-west-1"


@pytest.mark.parametrize(
    ("parameters", "topic"), [({}, "AlarmTopic"), ({"AlarmTopicArn": TOPIC}, TOPIC)]
)
def test_outputs_name_what_people_and_access_entries_need(
    parameters: dict[str, str], topic: str
) -> None:
    found = outputs(**parameters)
    address = found.pop("DashboardUrl")
    assert address == (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home"
        "?region=eu-west-1#dashboards/dashboard/Dashboard"
    )
    assert found == {
        "ConfigPath": "/ecr-public-pusher",
        "FunctionArn": "PusherFunction.Arn",
        "FunctionName": "PusherFunction",
        "FunctionRoleArn": "PusherRole.Arn",
        "LogGroupName": "PusherLogGroup",
        "RetryQueueUrl": "RetryQueue",
        "RetryQueueArn": "RetryQueue.Arn",
        "DeadLetterQueueUrl": "DeadLetterQueue",
        "DeadLetterQueueArn": "DeadLetterQueue.Arn",
        "AlarmTopicArn": topic,
        "Version": VERSION,
    }


@pytest.mark.parametrize(
    ("partition", "console"),
    [
        ("aws", "console.aws.amazon.com"),
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_dashboard_is_in_the_partitions_own_console(partition: str, console: str) -> None:
    address = outputs(partition=partition)["DashboardUrl"]
    assert address.startswith(f"https://eu-west-1.{console}/cloudwatch/home?region=eu-west-1#")


def test_sam_builds_from_the_projects_requirements_and_asks_for_no_named_iam() -> None:
    default = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    assert (ROOT / default["build"]["parameters"]["manifest"]).is_file()
    assert default["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


@pytest.mark.parametrize(
    "path",
    [
        "template.yaml",
        "infra/access-entry.yaml",
        "infra/spoke-role.yaml",
        "infra/pull-role.yaml",
        "infra/kms-key.yaml",
    ],
)
def test_each_exception_for_a_checker_has_its_reason(path: str) -> None:
    skips = [
        skip
        for body in source(path)["Resources"].values()
        for skip in body.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]
    assert all(len(skip["comment"]) > 40 for skip in skips)


def texts(node: Any) -> list[str]:
    """Return all strings in a value."""
    if isinstance(node, dict):
        return texts(list(node.values()))
    if isinstance(node, list):
        return [text for item in node for text in texts(item)]
    return [node] if isinstance(node, str) else []
