"""The largest stacks that make sense, held below every limit of IAM, Lambda and CloudFormation.

What stands for a reference is as long as AWS makes it, with a stack's longest name in a region and
a partition of long names.
"""

import json
from typing import Any

import pytest

from tests.stack import template
from tests.stack.template import ROOT, TEMPLATE, deployed, outputs, source, translated

PARTITION = "aws-us-gov"
REGION = "ap-southeast-2"
ACCOUNT = "123456789012"
STACK = "s" * 47  # as long as the rule's name allows
PLACE = f"{REGION}:{ACCOUNT}"
SUFFIX = "-ABCDEFGHIJKLM"  # as CloudFormation makes names its own
PATH = "teams/platform/"
NAME = "n" * 64
DEAD_LETTERS = f"{STACK}-DeadLetterQueue{SUFFIX}"
SQS = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
REFERENCES = {
    "RetryQueue.Arn": f"arn:{PARTITION}:sqs:{PLACE}:{STACK}-retry",
    "DeadLetterQueue.Arn": f"arn:{PARTITION}:sqs:{PLACE}:{DEAD_LETTERS}",
    "PusherLogGroup.Arn": f"arn:{PARTITION}:logs:{PLACE}:log-group:/aws/lambda/{STACK}:*",
    "PusherFunction.Arn": f"arn:{PARTITION}:lambda:{PLACE}:function:{NAME}",
    "PusherRole.Arn": f"arn:{PARTITION}:iam::{ACCOUNT}:role/{PATH}{NAME}",
    '"RetryQueue"': f'"{SQS}/{STACK}-retry"',
    '"DeadLetterQueue"': f'"{SQS}/{DEAD_LETTERS}"',
}
ACCOUNTS = [str(111111111111 + number) for number in range(200)]
HOSTS = [f"*.cluster-{number:02}.k8s.example.com" for number in range(20)]
LARGEST = {
    "ConfigPath": "/" + "c" * 60,
    "AssumableRoleName": f"{PATH}{NAME}",
    "PullRoleName": f"{PATH}{NAME[:-1]}p",
    "AllowedAccounts": ",".join(ACCOUNTS),
    "AllowedEndpoints": ",".join(HOSTS),
    "ConfigKmsKeyArn": f"arn:{PARTITION}:kms:{PLACE}:key/mrk-{'0' * 32}",
    "KmsKeyArn": f"arn:{PARTITION}:kms:{PLACE}:key/mrk-{'1' * 32}",
    "PermissionsBoundaryArn": f"arn:{PARTITION}:iam::{ACCOUNT}:policy/{PATH}{NAME}",
    "RolePath": f"/{PATH}",
    "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "SecurityGroupIds": "sg-0123456789abcdef0",
    "MaximumConcurrency": "1000",
    "BatchSize": "1000",
}
# As many clusters, or repositories, as a parameter's value holds.
PUSHER = {"PusherRoleArn": REFERENCES["PusherRole.Arn"], "ExternalId": "e" * 128}
BOUNDED = {name: LARGEST[name] for name in ("PermissionsBoundaryArn", "RolePath")}
CLUSTER = f"arn:{PARTITION}:eks:{REGION}:{ACCOUNT}:cluster/production-"
REPOSITORY = f"arn:{PARTITION}:ecr:{REGION}:{ACCOUNT}:repository/team-"
VALUE_CHARACTERS = 4096
SPOKE = {
    **PUSHER,
    **BOUNDED,
    "ClusterArns": ",".join(f"{CLUSTER}{number:03}" for number in range(58)),
    "Discovery": "true",
    "WebIdentity": "true",
    "KubeconfigPath": LARGEST["ConfigPath"],
    "KubeconfigKmsKeyArn": LARGEST["ConfigKmsKeyArn"],
}
PULL = {
    **PUSHER,
    **BOUNDED,
    "RepositoryArns": ",".join(f"{REPOSITORY}{number:03}/*" for number in range(59)),
    "PullThroughCache": "true",
}
STACKS = {
    TEMPLATE: LARGEST,
    "infra/spoke-role.yaml": SPOKE,
    "infra/pull-role.yaml": PULL,
}


@pytest.fixture(autouse=True)
def somewhere_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the longest region, stack name and account id.

    The partition stays aws, which has statements of its own; its ARNs get the longer one's.
    """
    longest = {"AWS::Region": REGION, "AWS::StackName": STACK, "AWS::AccountId": ACCOUNT}
    for name, value in longest.items():
        monkeypatch.setitem(template.PSEUDO, name, value)


def written(node: Any) -> str:
    """Return the size as AWS counts it: JSON without white space, every reference resolved."""
    text = json.dumps(node, separators=(",", ":")).replace("arn:aws:", f"arn:{PARTITION}:")
    for reference, value in REFERENCES.items():
        text = text.replace(reference, value)
    return text


def of_type(kind: str, path: str) -> dict[str, dict[str, Any]]:
    found = deployed(path, **STACKS[path])
    return {name: body["Properties"] for name, body in found.items() if body["Type"] == kind}


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


@pytest.mark.parametrize("path", STACKS)
def test_a_roles_inline_policies_together_fit_into_iams_10240_characters(path: str) -> None:
    inline = {
        name: [written(policy["PolicyDocument"]) for policy in body.get("Policies", [])]
        for name, body in of_type("AWS::IAM::Role", path).items()
    }
    for body in of_type("AWS::IAM::Policy", path).values():
        for role in body["Roles"]:
            inline[role].append(written(body["PolicyDocument"]))
    assert inline
    for name, policies in inline.items():
        assert 0 < sum(map(len, policies)) <= 10_240, name


def test_the_execution_role_has_room_for_statements_to_come() -> None:
    role = of_type("AWS::IAM::Role", TEMPLATE)["PusherRole"]
    assert len(written(role["Policies"][0]["PolicyDocument"])) < 9_000


def test_the_accounts_are_listed_once() -> None:
    role = of_type("AWS::IAM::Role", TEMPLATE)["PusherRole"]
    assert written(role["Policies"]).count(ACCOUNTS[7]) == 1


@pytest.mark.parametrize("path", STACKS)
def test_a_roles_trust_fits_into_iams_2048_characters(path: str) -> None:
    for name, body in of_type("AWS::IAM::Role", path).items():
        assert len(written(body["AssumeRolePolicyDocument"])) <= 2_048, name
        assert len(body.get("Description", "")) <= 1_000
        assert len(body["Path"]) <= 512


# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


def test_the_functions_environment_fits_into_lambdas_4_kb() -> None:
    (function,) = of_type("AWS::Lambda::Function", TEMPLATE).values()
    assert len(written(function["Environment"]["Variables"]).encode()) <= 4_096


# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html


@pytest.mark.parametrize("path", [*STACKS, "infra/access-entry.yaml", "infra/kms-key.yaml"])
def test_a_template_keeps_to_cloudformations_numbers(path: str) -> None:
    found = source(path)
    assert len(found["Parameters"]) <= 200
    assert len(found["Outputs"]) <= 200
    assert len(found.get("Mappings", {})) <= 200
    assert len(translated(path)["Resources"]) <= 500
    assert len((ROOT / path).read_bytes()) <= 1_000_000
    assert len(json.dumps(translated(path))) <= 1_000_000


@pytest.mark.parametrize("path", [path for path in STACKS if path != TEMPLATE])
def test_a_template_that_is_given_as_a_text_fits_into_a_request(path: str) -> None:
    assert len((ROOT / path).read_bytes()) <= 51_200


@pytest.mark.parametrize(("path", "given"), STACKS.items())
def test_no_value_is_longer_than_a_parameter_takes(path: str, given: dict[str, str]) -> None:
    assert max(map(len, given.values())) <= VALUE_CHARACTERS
    assert given.keys() <= source(path)["Parameters"].keys()
    assert max(len(str(value)) for value in outputs(path, **given).values()) <= 1_024
