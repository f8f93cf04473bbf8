"""The execution role: exactly what the function needs, on nothing more than it needs it on."""

import json
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest

from ecr_public_pusher.role_use import PULL, SIGN_IN
from tests.stack.template import (
    ACCOUNT,
    REGION,
    ROOT,
    allow,
    as_list,
    deployed,
    deployed_in,
    properties,
    refusals,
    source,
    statements,
)
from tests.support.iam import Decision, Request, evaluate

CONFIG_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
STACK_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/2c3d"
PARAMETERS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
VPC = {"SubnetIds": "subnet-01234567", "SecurityGroupIds": "sg-01234567"}
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html,
# without the log's.
VPC_ACTIONS = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
# Statements whose resource AWS lets nobody narrow, or whose resource is not known beforehand: the
# template says why of each.
WITH_WILDCARDS = {
    "ListConfiguration",
    "ReadSecureConfiguration",
    "GetRegistryToken",
    "GetRegistryBearerToken",
    "FindClusters",
    "ListClusters",
    "ReachOtherAccounts",
    "DenySignInRolesToRegistries",
    "DenyRegistriesRolesToSignIn",
    "DescribeNetwork",
    "ManageNetworkInterfaces",
}


# Without a VPC too: a function that leaves one still needs them for a while.
NETWORK = {
    "DescribeNetwork": allow("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", on="*"),
    "ManageNetworkInterfaces": allow(
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
        on=f"arn:aws:ec2:{REGION}:*:*/*",
    ),
}


SESSIONS = ["ecr-public-pusher-sign-in", "ecr-public-pusher-pull"]
PULL_ROLE = "ecr-public-pusher-pull"


def assume(spoke: str, pull: str, accounts: str | list[str] | None = ACCOUNT) -> dict[str, Any]:
    """Return the statement on the roles of these names."""
    roles = [f"arn:aws:iam::*:role/{name}" for name in (spoke, pull)]
    limit = {"aws:ResourceAccount": accounts} if accounts else {}
    return allow(
        "sts:AssumeRole", on=roles, StringEquals={"sts:RoleSessionName": SESSIONS, **limit}
    )


def deny(role: str, *, as_: str) -> dict[str, Any]:
    named = {"sts:RoleSessionName": as_}
    denied = allow("sts:AssumeRole", on=f"arn:aws:iam::*:role/{role}", StringEquals=named)
    return denied | {"Effect": "Deny"}


def execution_statements(
    path: str = "/ecr-public-pusher", spoke: str = "ecr-public-pusher-spoke"
) -> dict[str, dict[str, Any]]:
    return {
        "ListConfiguration": allow(
            "ssm:GetParametersByPath", on=[f"{PARAMETERS}{path}", f"{PARAMETERS}{path}/*"]
        ),
        "ReadSecureConfiguration": allow("ssm:GetParameters", on=f"{PARAMETERS}{path}/*"),
        "GetRegistryToken": allow("ecr-public:GetAuthorizationToken", on="*"),
        "GetRegistryBearerToken": allow("sts:GetServiceBearerToken", on="*"),
        "FindClusters": allow("eks:DescribeCluster", on=f"arn:aws:eks:*:{ACCOUNT}:cluster/*"),
        "ListClusters": allow("eks:ListClusters", on="*"),
        "ReachOtherAccounts": assume(spoke, PULL_ROLE),
        "DenySignInRolesToRegistries": deny(spoke, as_="ecr-public-pusher-pull"),
        "DenyRegistriesRolesToSignIn": deny(PULL_ROLE, as_="ecr-public-pusher-sign-in"),
        "SendRetries": allow("sqs:SendMessage", on="RetryQueue.Arn"),
        "ParkRemovals": allow("sqs:SendMessage", on="DeadLetterQueue.Arn"),
        "ReceiveRetries": allow(
            "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on="RetryQueue.Arn"
        ),
        "WriteLogs": allow("logs:CreateLogStream", "logs:PutLogEvents", on="PusherLogGroup.Arn"),
    } | NETWORK


def decrypt_configuration(key: str) -> dict[str, Any]:
    return allow(
        "kms:Decrypt",
        on=key,
        StringEquals={"kms:ViaService": f"ssm.{REGION}.amazonaws.com"},
        StringLike={"kms:EncryptionContext:PARAMETER_ARN": f"{PARAMETERS}/ecr-public-pusher/*"},
    )


def use_queue(key: str) -> dict[str, Any]:
    return allow(
        "kms:Decrypt",
        "kms:GenerateDataKey",
        on=key,
        StringEquals={"kms:ViaService": f"sqs.{REGION}.amazonaws.com"},
    )


def test_the_execution_role_allows_exactly_this() -> None:
    assert statements(deployed()["PusherRole"]) == execution_statements()


def test_the_execution_role_follows_the_parameters() -> None:
    chosen = deployed(ConfigPath="/team/ecr", AssumableRoleName="teams/reader")
    assert statements(chosen["PusherRole"]) == execution_statements("/team/ecr", "teams/reader")


def test_a_configuration_key_is_used_only_when_one_is_named_and_only_for_the_configuration() -> (
    None
):
    assert statements(
        deployed(ConfigKmsKeyArn=CONFIG_KEY)["PusherRole"]
    ) == execution_statements() | {"DecryptSecureConfiguration": decrypt_configuration(CONFIG_KEY)}


def test_the_stacks_key_is_used_for_the_configuration_and_the_queue_and_nothing_else() -> None:
    assert statements(deployed(KmsKeyArn=STACK_KEY)["PusherRole"]) == execution_statements() | {
        "DecryptSecureConfigurationWithStackKey": decrypt_configuration(STACK_KEY),
        "UseEncryptedQueue": use_queue(STACK_KEY),
    }


def test_both_keys_together_are_distinguished() -> None:
    found = statements(deployed(ConfigKmsKeyArn=CONFIG_KEY, KmsKeyArn=STACK_KEY)["PusherRole"])
    assert found["DecryptSecureConfiguration"]["Resource"] == CONFIG_KEY
    assert found["DecryptSecureConfigurationWithStackKey"]["Resource"] == STACK_KEY


def test_the_log_group_is_encrypted_with_the_stacks_key() -> None:
    assert "KmsKeyId" not in properties("PusherLogGroup")
    assert properties("PusherLogGroup", KmsKeyArn=STACK_KEY)["KmsKeyId"] == STACK_KEY


def test_only_lambda_may_take_the_execution_role() -> None:
    assert properties("PusherRole")["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Sid": "LambdaRunsTheFunction",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]


def test_no_role_takes_a_managed_policy() -> None:
    roles = [body for body in deployed(**VPC).values() if body["Type"] == "AWS::IAM::Role"]
    assert [role["Properties"].get("ManagedPolicyArns") for role in roles] == [None, None]


@pytest.mark.parametrize("role", ["PusherRole", "SchedulerRole"])
def test_no_action_is_a_wildcard(role: str) -> None:
    found = statements(deployed(KmsKeyArn=STACK_KEY, ConfigKmsKeyArn=CONFIG_KEY, **VPC)[role])
    assert [
        action for mine in found.values() for action in as_list(mine["Action"]) if "*" in action
    ] == []


def test_resources_are_wildcards_only_where_the_template_says_why() -> None:
    found = statements(
        deployed(KmsKeyArn=STACK_KEY, ConfigKmsKeyArn=CONFIG_KEY, **VPC)["PusherRole"]
    )
    assert {
        sid
        for sid, mine in found.items()
        if any("*" in resource for resource in as_list(mine["Resource"]))
    } == WITH_WILDCARDS


@pytest.mark.parametrize(
    "path", ["template.yaml", "infra/spoke-role.yaml", "infra/pull-role.yaml", "infra/kms-key.yaml"]
)
def test_every_policy_is_in_the_language_of_2012(path: str) -> None:
    # Without a version IAM takes that of 2008, which knows no variables.
    versions = [policy.get("Version") for policy in policies(source(path)["Resources"])]
    assert versions
    assert set(versions) == {"2012-10-17"}


# --- in a VPC


@pytest.mark.parametrize("where", [VPC, {}])
def test_lambda_may_put_the_function_into_a_vpc_and_take_it_out(where: dict[str, str]) -> None:
    found = statements(deployed(**where)["PusherRole"])
    assert {sid: found[sid] for sid in NETWORK} == NETWORK
    assert {action for sid in NETWORK for action in as_list(found[sid]["Action"])} == VPC_ACTIONS


@pytest.mark.parametrize("where", [VPC, {}])
def test_the_functions_own_code_may_do_none_of_it(where: dict[str, str]) -> None:
    stack = deployed(**where)
    assert stack["PusherNetworkPolicy"]["Properties"]["Roles"] == ["PusherRole"]
    (denied,) = statements(stack["PusherNetworkPolicy"]).values()
    assert (denied["Effect"], denied["Resource"]) == ("Deny", "*")
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": "PusherFunction.Arn"}}
    assert set(denied["Action"]) == VPC_ACTIONS | {"ec2:DetachNetworkInterface"}


# --- the original project's


def test_the_original_projects_permissions_are_allowed_on_no_broader_resource() -> None:
    ours = list(statements(deployed()["PusherRole"]).values())
    original = json.loads((ROOT / "iam-permission.json").read_text())["Statement"]
    for statement in original:
        for action in statement["Action"]:
            holding = [mine for mine in ours if action in as_list(mine["Action"])]
            assert holding, f"{action} is not allowed"
            for mine in holding:
                assert mine["Effect"] == statement["Effect"] == "Allow"
                assert all(
                    fnmatchcase(resource, statement["Resource"])
                    for resource in as_list(mine["Resource"])
                )


def test_the_original_projects_permissions_are_the_two_of_ecr_public() -> None:
    document = json.loads((ROOT / "iam-permission.json").read_text())
    assert [statement["Action"] for statement in document["Statement"]] == [
        ["ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"]
    ]


def test_nothing_of_ecr_public_is_allowed_beyond_the_original() -> None:
    actions = {
        action
        for mine in statements(deployed()["PusherRole"]).values()
        for action in as_list(mine["Action"])
    }
    assert {action for action in actions if action.startswith(("ecr-public:", "ecr:"))} == {
        "ecr-public:GetAuthorizationToken"
    }


def policies(node: Any) -> list[dict[str, Any]]:
    """Return all policy documents in a value."""
    if isinstance(node, dict):
        return [node] if "Statement" in node else policies(list(node.values()))
    return [policy for item in node for policy in policies(item)] if isinstance(node, list) else []


# --- clusters that are not EKS

HOSTS = {"AllowedEndpoints": "*.k8s.example.com,10.0.0.1"}
SECRETS = f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:/ecr-public-pusher/*"
BEYOND_EKS = {
    "GetWebIdentityTokens": {
        **allow("sts:GetWebIdentityToken", on="*"),
        "Condition": {
            "ForAllValues:StringLike": {"sts:IdentityTokenAudience": "ecr-public-pusher:*"},
            "Null": {"sts:IdentityTokenAudience": "false"},
            "StringEquals": {"sts:SigningAlgorithm": "RS256"},
            "NumericLessThanEquals": {"sts:DurationSeconds": "300"},
        },
    },
    "ReadKubeconfigs": allow("secretsmanager:GetSecretValue", on=SECRETS),
}


def test_what_reaches_beyond_eks_is_granted_only_where_a_host_is_named() -> None:
    assert statements(deployed(**HOSTS)["PusherRole"]) == execution_statements() | BEYOND_EKS


def test_kubeconfigs_lie_below_the_configurations_path() -> None:
    found = statements(deployed(ConfigPath="/team/ecr", **HOSTS)["PusherRole"])
    assert (
        found["ReadKubeconfigs"]["Resource"]
        == f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:/team/ecr/*"
    )


def test_the_configuration_key_decrypts_kubeconfigs_only_for_secrets_manager() -> None:
    found = statements(deployed(ConfigKmsKeyArn=CONFIG_KEY, **HOSTS)["PusherRole"])
    assert found["DecryptKubeconfigs"] == allow(
        "kms:Decrypt",
        on=CONFIG_KEY,
        StringLike={
            "kms:ViaService": "secretsmanager.*.amazonaws.com",
            "kms:EncryptionContext:SecretARN": SECRETS,
        },
    )


def test_a_configuration_key_decrypts_no_secret_where_no_host_is_named() -> None:
    assert "DecryptKubeconfigs" not in statements(
        deployed(ConfigKmsKeyArn=CONFIG_KEY)["PusherRole"]
    )


# --- private registries, and partitions that have no others


def test_the_registries_role_is_apart_from_the_clusters() -> None:
    found = statements(deployed(PullRoleName="teams/puller")["PusherRole"])
    assert found["ReachOtherAccounts"] == assume("ecr-public-pusher-spoke", "teams/puller")
    denied = deny("teams/puller", as_="ecr-public-pusher-sign-in")
    assert found["DenyRegistriesRolesToSignIn"] == denied


@pytest.mark.parametrize(
    ("given", "accounts"),
    [
        ("", ACCOUNT),
        ("444455556666", ["444455556666"]),
        ("111122223333,444455556666", ["111122223333", "444455556666"]),
    ],
)
def test_roles_are_assumed_in_the_stacks_own_account_or_in_those_named(
    given: str,
    accounts: str | list[str],
) -> None:
    found = statements(deployed(AllowedAccounts=given)["PusherRole"])
    assert found["ReachOtherAccounts"] == assume("ecr-public-pusher-spoke", PULL_ROLE, accounts)


def test_roles_of_any_account_are_assumed_only_where_that_is_set() -> None:
    found = statements(deployed(AllowedAccounts="*")["PusherRole"])
    assert found["ReachOtherAccounts"] == assume("ecr-public-pusher-spoke", PULL_ROLE, None)


def test_a_session_says_which_of_the_two_uses_it_is_for() -> None:
    assert [use.session_name for use in (SIGN_IN, PULL)] == SESSIONS
    policies = [one["PolicyDocument"] for one in properties("PusherRole")["Policies"]]
    roles = {SIGN_IN: "ecr-public-pusher-spoke", PULL: PULL_ROLE}
    allowed = set()
    for role, session in product(roles, roles):
        arn = f"arn:aws:iam::{ACCOUNT}:role/{roles[role]}"
        named = {"sts:RoleSessionName": session.session_name, "aws:ResourceAccount": ACCOUNT}
        if evaluate(policies, Request("sts:AssumeRole", arn, named)).decision is Decision.ALLOWED:
            allowed.add((role, session))
    assert allowed == {(SIGN_IN, SIGN_IN), (PULL, PULL)}


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_a_partition_without_ecr_public_is_granted_nothing_of_it(partition: str) -> None:
    found = statements(deployed_in(partition)["PusherRole"])
    assert not found.keys() & {"GetRegistryToken", "GetRegistryBearerToken"}
    pull = f"arn:{partition}:iam::*:role/ecr-public-pusher-pull"
    assert found["ReachOtherAccounts"]["Resource"][1] == pull
    assert refusals(partition=partition) == []
