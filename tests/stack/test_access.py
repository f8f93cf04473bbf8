"""The three small stacks beside the function's, and the kustomization: who is let in, and on what condition."""

import re
from typing import Any

import pytest

from infra.local.stack import RBAC_GROUP
from tests.stack.template import ACCOUNT, REGION, ROOT, STACK, allow, deployed, documents, outputs, properties, source, statements

ENTRY, SPOKE, PULL, KMS = "infra/access-entry.yaml", "infra/spoke-role.yaml", "infra/pull-role.yaml", "infra/kms-key.yaml"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/two-of-a-kind-PusherRole-0A1B"
CLUSTERS = "arn:aws:eks:eu-west-1:444455556666:cluster/a,arn:aws:eks:us-east-1:444455556666:cluster/b"
SPOKE_PARAMETERS = {"PusherRoleArn": ROLE, "ExternalId": "some-id-of-yours", "ClusterArns": CLUSTERS}


def only(path: str, **parameters: Any) -> tuple[str, dict[str, Any]]:
    """Type and properties of the only resource."""
    (resource,) = deployed(path, **parameters).values()
    return resource["Type"], resource["Properties"]


# --- access entry


def test_the_entry_admits_the_role_as_the_group_of_the_rbac_files_and_no_more() -> None:
    assert only(ENTRY, ClusterName="prod", PrincipalArn=ROLE) == (
        "AWS::EKS::AccessEntry",
        {"ClusterName": "prod", "PrincipalArn": ROLE, "Type": "STANDARD", "KubernetesGroups": [RBAC_GROUP]},
    )


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("ClusterName", "my-cluster_2", True),
        ("ClusterName", "arn:aws:eks:eu-west-1:123456789012:cluster/a", False),
        ("ClusterName", "*", False),
        ("PrincipalArn", ROLE, True),
        ("PrincipalArn", ROLE.replace("arn:aws:", "arn:aws-cn:"), True),
        ("PrincipalArn", "arn:aws:iam::123456789012:user/a", False),
        ("PrincipalArn", "arn:aws:iam::123456789012:role/*", False),
        ("PrincipalArn", "arn:aws:sts::123456789012:assumed-role/a/b", False),
        ("KubernetesGroup", "ecr-public-pushers", True),
        ("KubernetesGroup", "system:masters", False),
        ("KubernetesGroup", "eks:cluster-admin", False),
        ("KubernetesGroup", "", False),
    ],
)
def test_the_entrys_parameters_refuse_nonsense(parameter: str, value: str, fits: bool) -> None:
    assert bool(re.search(source(ENTRY)["Parameters"][parameter]["AllowedPattern"], value)) is fits


def test_a_stack_that_is_given_a_second_cluster_leaves_the_first_ones_entry() -> None:
    entry = source(ENTRY)["Resources"]["AccessEntry"]
    assert (entry["UpdateReplacePolicy"], entry["DeletionPolicy"]) == ("Retain", "Delete")


# --- spoke role


def test_the_spoke_role_may_find_the_named_clusters_and_nothing_else() -> None:
    role = deployed(SPOKE, **SPOKE_PARAMETERS)["SpokeRole"]
    assert statements(role) == {"FindClusters": allow("eks:DescribeCluster", on=CLUSTERS.split(","))}
    assert "ManagedPolicyArns" not in role["Properties"]


def test_it_finds_clusters_by_tag_only_where_that_is_asked_for() -> None:
    found = statements(deployed(SPOKE, **SPOKE_PARAMETERS, Discovery="true")["SpokeRole"])
    assert found["FindClustersByTag"] == allow("eks:DescribeCluster", "eks:ListClusters", on="*")


def test_it_asks_for_web_identity_tokens_only_where_that_is_asked_for_and_for_audiences_of_ours() -> None:
    found = statements(deployed(SPOKE, **SPOKE_PARAMETERS, WebIdentity="true")["SpokeRole"])
    assert found["GetWebIdentityTokens"] == statements(deployed(AllowedEndpoints="10.0.0.1")["PusherRole"])["GetWebIdentityTokens"]


def test_it_reads_kubeconfigs_of_its_own_account_below_the_path_that_is_named() -> None:
    found = statements(deployed(SPOKE, **SPOKE_PARAMETERS, KubeconfigPath="/ecr")["SpokeRole"])
    same_account = {"aws:ResourceAccount": "${aws:PrincipalAccount}"}
    assert found["ReadKubeconfigs"] == allow(
        "secretsmanager:GetSecretValue", on="arn:aws:secretsmanager:*:*:secret:/ecr/*", StringEquals=same_account
    )


def test_only_the_function_with_the_external_id_may_assume_it() -> None:
    assert properties("SpokeRole", SPOKE, **SPOKE_PARAMETERS)["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Sid": "PusherWithExternalId",
            "Effect": "Allow",
            "Principal": {"AWS": ROLE},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "some-id-of-yours"}},
        }
    ]


def test_its_name_is_the_one_that_the_function_may_assume() -> None:
    name = properties("SpokeRole", SPOKE, **SPOKE_PARAMETERS)["RoleName"]
    assert statements(deployed()["PusherRole"])["ReachOtherAccounts"]["Resource"] == f"arn:aws:iam::*:role/{name}"


def test_whom_it_trusts_and_what_it_finds_must_be_said() -> None:
    parameters = source(SPOKE)["Parameters"]
    assert {name for name, body in parameters.items() if "Default" not in body} == {"PusherRoleArn", "ExternalId", "ClusterArns"}


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("PusherRoleArn", ROLE, True),
        ("PusherRoleArn", "arn:aws:iam::123456789012:root", False),
        ("PusherRoleArn", "*", False),
        ("ExternalId", "4f1c8a52-7a0e-4b57-9f2e-0d6a5f1f8f44", True),
        ("ExternalId", "with space", False),
        ("ExternalId", "with*wildcard", False),
        ("RoleName", "ecr-public-pusher-spoke", True),
        ("RoleName", "with/path", False),
        ("ClusterArns", CLUSTERS.split(",")[0], True),
        ("ClusterArns", CLUSTERS.split(",")[0].replace("arn:aws:", "arn:aws-us-gov:"), True),
        ("ClusterArns", "arn:aws:eks:eu-west-1:444455556666:cluster/*", False),
        ("ClusterArns", "arn:aws:eks:*:444455556666:cluster/a", False),
        ("ClusterArns", "", False),
        ("ClusterArns", "*", False),
        ("KubeconfigPath", "", True),
        ("KubeconfigPath", "/ecr-public-pusher", True),
        ("KubeconfigPath", "/ecr-public-pusher/", False),
        ("KubeconfigPath", "*", False),
        ("KubeconfigPath", "/*", False),
    ],
)
def test_the_spoke_roles_parameters_refuse_nonsense(parameter: str, value: str, fits: bool) -> None:
    assert bool(re.search(source(SPOKE)["Parameters"][parameter]["AllowedPattern"], value)) is fits


# --- pull role

REPOSITORIES = "arn:aws:ecr:eu-west-1:444455556666:repository/team-a/*,arn:aws:ecr:us-east-1:444455556666:repository/base"
PULL_PARAMETERS = {"PusherRoleArn": ROLE, "ExternalId": "some-id-of-yours", "RepositoryArns": REPOSITORIES}


def test_the_pull_role_may_pull_from_the_named_repositories_and_nothing_else() -> None:
    role = deployed(PULL, **PULL_PARAMETERS)["PullRole"]
    assert statements(role) == {
        "GetRegistryToken": allow("ecr:GetAuthorizationToken", on="*"),
        "PullImages": allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", on=REPOSITORIES.split(",")),
    }
    assert "ManagedPolicyArns" not in role["Properties"]


def test_a_pull_through_cache_may_import_into_them_where_that_is_asked_for() -> None:
    found = statements(deployed(PULL, **PULL_PARAMETERS, PullThroughCache="true")["PullRole"])
    assert found["ImportUpstreamImages"] == allow("ecr:BatchImportUpstreamImage", "ecr:CreateRepository", on=REPOSITORIES.split(","))


def test_only_the_function_with_the_external_id_may_ask_for_its_tokens() -> None:
    trust = properties("PullRole", PULL, **PULL_PARAMETERS)["AssumeRolePolicyDocument"]
    assert trust == properties("SpokeRole", SPOKE, **SPOKE_PARAMETERS)["AssumeRolePolicyDocument"]


def test_its_name_is_the_one_with_which_the_function_may_ask() -> None:
    name = properties("PullRole", PULL, **PULL_PARAMETERS)["RoleName"]
    assert statements(deployed()["PusherRole"])["ReachRegistries"]["Resource"] == f"arn:aws:iam::*:role/{name}"


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        *((arn, True) for arn in REPOSITORIES.split(",")),
        ("arn:aws-cn:ecr:cn-north-1:444455556666:repository/x", True),
        ("*", False),
        ("arn:aws:ecr:*:444455556666:repository/x", False),
        ("arn:aws:ecr:eu-west-1:*:repository/x", False),
        ("arn:aws:eks:eu-west-1:444455556666:cluster/x", False),
        ("", False),
    ],
)
def test_the_pull_roles_repositories_are_named_with_region_and_account(value: str, fits: bool) -> None:
    assert bool(re.search(source(PULL)["Parameters"]["RepositoryArns"]["AllowedPattern"], value)) is fits


# --- both


def test_an_external_id_is_not_guessed() -> None:
    assert source(SPOKE)["Parameters"]["ExternalId"]["MinLength"] == 8


def test_it_gives_the_role_for_the_documents() -> None:
    assert outputs(SPOKE, **SPOKE_PARAMETERS) == {"RoleArn": "SpokeRole.Arn"}


# --- KMS key


def key_statements() -> dict[str, dict[str, Any]]:
    return statements(deployed(KMS, PusherStackName=STACK)["Key"])


def test_the_key_rotates_and_outlives_its_stack() -> None:
    key = deployed(KMS)["Key"]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_these_may_use_the_key() -> None:
    assert {sid: body["Principal"] for sid, body in key_statements().items()} == {
        "AccountAdministers": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "CloudWatchLogsEncryptsTheLogGroup": {"Service": f"logs.{REGION}.amazonaws.com"},
        "CloudWatchPublishesAlarms": {"Service": "cloudwatch.amazonaws.com"},
        "EventBridgeKeepsUndelivered": {"Service": "events.amazonaws.com"},
    }


def test_logs_are_encrypted_for_the_stacks_log_group_only() -> None:
    group = properties("PusherLogGroup")["LogGroupName"]
    assert key_statements()["CloudWatchLogsEncryptsTheLogGroup"]["Condition"] == {
        "ArnEquals": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"}
    }


def test_alarms_are_encrypted_for_the_stacks_alarms_only() -> None:
    of_the_topic = statements(deployed()["AlarmTopicPolicy"])["TakeAlarmsOfThisStack"]["Condition"]
    assert key_statements()["CloudWatchPublishesAlarms"]["Condition"] == of_the_topic


def test_eventbridge_is_held_to_no_source_since_its_requests_to_kms_name_none() -> None:
    statement = key_statements()["EventBridgeKeepsUndelivered"]
    assert "Condition" not in statement
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_only_the_account_itself_administers_the_key() -> None:
    broad = [sid for sid, body in key_statements().items() if body["Action"] == "kms:*"]
    assert broad == ["AccountAdministers"]


def test_the_key_has_an_alias() -> None:
    assert properties("KeyAlias", KMS, AliasName="team/ecr") == {"AliasName": "alias/team/ecr", "TargetKeyId": "Key"}


def test_it_gives_what_the_functions_stack_asks_for() -> None:
    assert outputs(KMS) == {"KeyArn": "Key.Arn"}


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("PusherStackName", "ecr-public-pusher", True),
        ("PusherStackName", "a" * 47, True),
        ("PusherStackName", "a" * 48, False),
        ("PusherStackName", "ecr*", False),
        ("AliasName", "ecr-public-pusher", True),
        ("AliasName", "aws/ssm", False),
        ("AliasName", "", False),
    ],
)
def test_the_keys_parameters_refuse_nonsense(parameter: str, value: str, fits: bool) -> None:
    assert bool(re.search(source(KMS)["Parameters"][parameter]["AllowedPattern"], value)) is fits


# --- kustomization


def test_the_kustomization_is_the_grant_for_the_whole_cluster() -> None:
    (found,) = documents("infra/rbac/kustomization.yaml")
    assert (found["apiVersion"], found["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    assert found["resources"] == ["cluster.yaml"]
    assert (ROOT / "infra/rbac/cluster.yaml").is_file()
