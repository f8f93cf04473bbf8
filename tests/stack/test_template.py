"""The stack as CloudFormation gets it, after aws-sam-translator."""

import importlib
import json
import re
import tomllib
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.stack.template import ACCOUNT, REGION, ROOT, STACK, deployed, source, statements, translated

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
PARAMETERS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"


def properties(logical_id: str, **parameters: Any) -> dict[str, Any]:
    found: dict[str, Any] = deployed(**parameters)[logical_id]["Properties"]
    return found


def allow(*actions: str, on: str | list[str], **condition: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": actions[0] if len(actions) == 1 else list(actions), "Resource": on}
    return statement | ({"Condition": condition} if condition else {})


def execution_statements(path: str = "/ecr-public-pusher", spoke: str = "ecr-public-pusher-spoke") -> dict[str, dict[str, Any]]:
    return {
        "ListConfiguration": allow("ssm:GetParametersByPath", on=[f"{PARAMETERS}{path}", f"{PARAMETERS}{path}/*"]),
        "ReadSecureConfiguration": allow("ssm:GetParameter", on=f"{PARAMETERS}{path}/*"),
        "GetRegistryToken": allow("ecr-public:GetAuthorizationToken", on="*"),
        "GetRegistryBearerToken": allow("sts:GetServiceBearerToken", on="*", StringEquals={"sts:AWSServiceName": "ecr-public.amazonaws.com"}),
        "FindClusters": allow("eks:DescribeCluster", on=f"arn:aws:eks:*:{ACCOUNT}:cluster/*"),
        "ReachOtherAccounts": allow("sts:AssumeRole", on=f"arn:aws:iam::*:role/{spoke}"),
        "WriteLogs": allow("logs:CreateLogStream", "logs:PutLogEvents", on="PusherLogGroup.Arn"),
    }


def test_the_stack_holds_these_resources_and_no_others() -> None:
    assert {name: body["Type"] for name, body in translated()["Resources"].items()} == {
        "PusherFunction": "AWS::Lambda::Function",
        "PusherRole": "AWS::IAM::Role",
        "PusherLogGroup": "AWS::Logs::LogGroup",
        "PushSchedule": "AWS::Scheduler::Schedule",
        "SchedulerRole": "AWS::IAM::Role",
    }


@pytest.mark.parametrize(("parameters", "architecture"), [({}, "arm64"), ({"Architecture": "x86_64"}, "x86_64")])
def test_the_function_runs_python_3_13_on_the_chosen_architecture(parameters: dict[str, str], architecture: str) -> None:
    function = properties("PusherFunction", **parameters)
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", [architecture])


def test_the_handler_is_importable_under_its_name() -> None:
    module, _, name = properties("PusherFunction")["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_the_function_has_its_role_its_log_group_and_room_to_run() -> None:
    function = properties("PusherFunction")
    assert function["Role"] == "PusherRole.Arn"
    assert function["LoggingConfig"]["LogGroup"] == "PusherLogGroup"
    assert (function["Timeout"], function["MemorySize"]) == ("300", "512")
    assert "ReservedConcurrentExecutions" not in function


def test_the_environment_is_what_the_function_reads() -> None:
    assert properties("PusherFunction", ConfigPath="/team/ecr", LogLevel="WARN")["Environment"]["Variables"] == {
        "CONFIG_PATH": "/team/ecr",
        "STACK_NAME": STACK,
        "POWERTOOLS_SERVICE_NAME": STACK,
        "POWERTOOLS_METRICS_NAMESPACE": "EcrPublicPusher",
        "POWERTOOLS_LOG_LEVEL": "WARN",
    }


def test_no_log_level_is_offered_at_which_botocore_logs_tokens() -> None:
    logging = properties("PusherFunction")["LoggingConfig"]
    assert logging["ApplicationLogLevel"] == "INFO"
    assert "DEBUG" not in translated()["Parameters"]["LogLevel"]["AllowedValues"]


def test_logs_are_kept_for_the_days_asked_for_in_a_group_named_after_the_stack() -> None:
    assert properties("PusherLogGroup", LogRetentionDays=30) == {"LogGroupName": f"/aws/lambda/{STACK}", "RetentionInDays": "30"}


def test_the_schedule_carries_the_stacks_name_and_asks_for_a_push_every_eight_hours() -> None:
    schedule = properties("PushSchedule")
    assert schedule["Name"] == f"{STACK}-push"
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"], schedule["State"]) == ("rate(8 hours)", "UTC", "ENABLED")
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert (schedule["Target"]["Arn"], schedule["Target"]["RoleArn"]) == ("PusherFunction.Arn", "SchedulerRole.Arn")
    assert json.loads(schedule["Target"]["Input"]) == {"action": "push"}


def test_the_execution_role_allows_exactly_this() -> None:
    assert statements(deployed()["PusherRole"]) == execution_statements()


def test_the_execution_role_follows_the_parameters() -> None:
    chosen = deployed(ConfigPath="/team/ecr", AssumableRoleName="teams/reader")
    assert statements(chosen["PusherRole"]) == execution_statements("/team/ecr", "teams/reader")


def test_a_key_is_decrypted_with_only_when_one_is_named_and_only_for_the_configuration() -> None:
    more = statements(deployed(ConfigKmsKeyArn=KEY)["PusherRole"])
    assert more.pop("DecryptSecureConfiguration") == allow(
        "kms:Decrypt",
        on=KEY,
        StringEquals={"kms:ViaService": f"ssm.{REGION}.amazonaws.com"},
        StringLike={"kms:EncryptionContext:PARAMETER_ARN": f"{PARAMETERS}/ecr-public-pusher/*"},
    )
    assert more == execution_statements()


def test_only_lambda_may_take_the_execution_role() -> None:
    assert properties("PusherRole")["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]


def test_the_scheduler_may_invoke_the_function_and_nothing_else() -> None:
    assert statements(deployed()["SchedulerRole"]) == {"InvokePusher": allow("lambda:InvokeFunction", on="PusherFunction.Arn")}


def test_only_schedules_of_this_account_take_the_schedulers_role() -> None:
    assert properties("SchedulerRole")["AssumeRolePolicyDocument"]["Statement"] == [
        {
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


def test_no_role_takes_a_managed_policy() -> None:
    roles = [body for body in deployed().values() if body["Type"] == "AWS::IAM::Role"]
    assert [role["Properties"].get("ManagedPolicyArns") for role in roles] == [None, None]


def test_no_name_is_fixed_that_would_keep_a_second_stack_out() -> None:
    named = {
        (logical_id, name): value
        for logical_id, body in deployed().items()
        for name, value in body["Properties"].items()
        if name in {"Name", "FunctionName", "RoleName", "LogGroupName"}
    }
    assert named == {("PusherLogGroup", "LogGroupName"): f"/aws/lambda/{STACK}", ("PushSchedule", "Name"): f"{STACK}-push"}


def test_the_original_projects_permissions_are_allowed_on_no_broader_resource() -> None:
    ours = list(statements(deployed()["PusherRole"]).values())
    original = json.loads((ROOT / "iam-permission.json").read_text())["Statement"]
    for statement in original:
        for action in statement["Action"]:
            holding = [mine for mine in ours if action in as_list(mine["Action"])]
            assert holding, f"{action} is not allowed"
            for mine in holding:
                assert mine["Effect"] == statement["Effect"] == "Allow"
                assert all(fnmatchcase(resource, statement["Resource"]) for resource in as_list(mine["Resource"]))


def test_the_original_projects_permissions_are_the_two_of_ecr_public() -> None:
    document = json.loads((ROOT / "iam-permission.json").read_text())
    assert [statement["Action"] for statement in document["Statement"]] == [["ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"]]


def test_nothing_of_ecr_public_is_allowed_beyond_the_original() -> None:
    actions = {action for mine in statements(deployed()["PusherRole"]).values() for action in as_list(mine["Action"])}
    assert {action for action in actions if action.startswith(("ecr-public:", "ecr:"))} == {"ecr-public:GetAuthorizationToken"}
    assert not [action for action in actions if "*" in action]


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("ConfigPath", "/ecr-public-pusher", True),
        ("ConfigPath", "/team/a_b.c-d/ecr", True),
        ("ConfigPath", "ecr-public-pusher", False),
        ("ConfigPath", "/ecr-public-pusher/", False),
        ("ConfigPath", "/", False),
        ("ConfigPath", "/a//b", False),
        ("ConfigPath", "/ecr/*", False),
        ("ConfigPath", "/aws/ecr", False),
        ("ConfigPath", "/SSM-ecr", False),
        ("ConfigPath", "/l" * 13, True),
        ("ConfigPath", "/l" * 14, False),
        ("Schedule", "rate(8 hours)", True),
        ("Schedule", "rate(1 hour)", True),
        ("Schedule", "rate(11 hours)", True),
        ("Schedule", "rate(719 minutes)", True),
        ("Schedule", "cron(0 0/8 * * ? *)", True),
        ("Schedule", "cron(15 4,12,20 ? * MON-SUN *)", True),
        ("Schedule", "rate(12 hours)", False),
        ("Schedule", "rate(720 minutes)", False),
        ("Schedule", "rate(1 day)", False),
        ("Schedule", "rate(0 hours)", False),
        ("Schedule", "rate(8 hour)", False),
        ("Schedule", "cron(0 0/8 * * *)", False),
        ("Schedule", "at(2030-01-01T00:00:00)", False),
        ("Schedule", "", False),
        ("AssumableRoleName", "ecr-public-pusher-spoke", True),
        ("AssumableRoleName", "teams/platform/reader", True),
        ("AssumableRoleName", "*", False),
        ("AssumableRoleName", "ecr-*", False),
        ("AssumableRoleName", "", False),
        ("ConfigKmsKeyArn", "", True),
        ("ConfigKmsKeyArn", KEY, True),
        ("ConfigKmsKeyArn", "alias/aws/ssm", False),
        ("ConfigKmsKeyArn", "*", False),
    ],
)
def test_parameters_refuse_nonsense(parameter: str, value: str, fits: bool) -> None:
    assert bool(re.search(source()["Parameters"][parameter]["AllowedPattern"], value)) is fits


def test_every_parameter_and_output_is_described_and_every_parameter_has_its_place_in_the_console() -> None:
    template = source()
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    described = [*template["Parameters"].values(), *template["Outputs"].values()]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert all(body["Description"].strip() for body in described)
    assert sorted(grouped) == sorted(interface["ParameterLabels"]) == sorted(template["Parameters"])


def test_outputs_name_what_access_entries_and_people_need() -> None:
    outputs = translated()["Outputs"]
    assert sorted(outputs) == ["ConfigPath", "FunctionArn", "FunctionName", "FunctionRoleArn", "LogGroupName"]
    assert outputs["FunctionRoleArn"]["Value"] == {"Fn::GetAtt": ["PusherRole", "Arn"]}


def test_sam_builds_from_the_projects_requirements_and_asks_for_no_named_iam() -> None:
    default = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    assert (ROOT / default["build"]["parameters"]["manifest"]).is_file()
    assert default["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
