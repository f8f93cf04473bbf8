"""The three small stacks beside the function's, and the kustomization.

They say who is admitted, and on what condition.
"""

import re
from typing import Any

import pytest

from ecr_public_pusher.role_use import PULL as PULL_USE
from ecr_public_pusher.role_use import SIGN_IN, RoleUse
from infra.local.stack import RBAC_GROUP
from tests.stack.template import (
    ACCOUNT,
    REGION,
    ROOT,
    STACK,
    allow,
    deployed,
    deployed_in,
    documents,
    outputs,
    properties,
    refusals,
    source,
    statements,
)
from tests.support.iam import Decision, Request, evaluate_resource_policy

ENTRY = "infra/access-entry.yaml"
SPOKE = "infra/spoke-role.yaml"
PULL = "infra/pull-role.yaml"
KMS = "infra/kms-key.yaml"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/two-of-a-kind-PusherRole-0A1B"
CLUSTERS = (
    "arn:aws:eks:eu-west-1:444455556666:cluster/a,arn:aws:eks:us-east-1:444455556666:cluster/b"
)
SPOKE_PARAMETERS = {
    "PusherRoleArn": ROLE,
    "ExternalId": "some-id-of-yours",
    "ClusterArns": CLUSTERS,
}


def only(path: str, **parameters: Any) -> tuple[str, dict[str, Any]]:
    """Return type and properties of the only resource."""
    (resource,) = deployed(path, **parameters).values()
    return resource["Type"], resource["Properties"]


# --- access entry


def test_the_entry_admits_the_role_as_the_group_of_the_rbac_files_and_no_more() -> None:
    assert only(ENTRY, ClusterName="prod", PrincipalArn=ROLE) == (
        "AWS::EKS::AccessEntry",
        {
            "ClusterName": "prod",
            "PrincipalArn": ROLE,
            "Type": "STANDARD",
            "KubernetesGroups": [RBAC_GROUP],
        },
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
    assert statements(role) == {
        "FindClusters": allow("eks:DescribeCluster", on=CLUSTERS.split(","))
    }
    assert "ManagedPolicyArns" not in role["Properties"]


def test_it_finds_clusters_by_tag_only_where_that_is_asked_for() -> None:
    found = statements(deployed(SPOKE, **SPOKE_PARAMETERS, Discovery="true")["SpokeRole"])
    assert found["FindClustersByTag"] == allow("eks:DescribeCluster", "eks:ListClusters", on="*")


def test_it_asks_for_web_identity_tokens_only_where_wanted_and_for_audiences_of_ours() -> None:
    found = statements(deployed(SPOKE, **SPOKE_PARAMETERS, WebIdentity="true")["SpokeRole"])
    assert (
        found["GetWebIdentityTokens"]
        == statements(deployed(AllowedEndpoints="10.0.0.1")["PusherRole"])["GetWebIdentityTokens"]
    )


def test_it_reads_kubeconfigs_of_its_own_account_below_the_path_that_is_named() -> None:
    found = statements(deployed(SPOKE, **SPOKE_PARAMETERS, KubeconfigPath="/ecr")["SpokeRole"])
    same_account = {"aws:ResourceAccount": "${aws:PrincipalAccount}"}
    assert found["ReadKubeconfigs"] == allow(
        "secretsmanager:GetSecretValue",
        on="arn:aws:secretsmanager:*:*:secret:/ecr/*",
        StringEquals=same_account,
    )


def test_only_the_function_with_the_external_id_may_assume_it() -> None:
    assert properties("SpokeRole", SPOKE, **SPOKE_PARAMETERS)["AssumeRolePolicyDocument"][
        "Statement"
    ] == [
        {
            "Sid": "PusherWithExternalId",
            "Effect": "Allow",
            "Principal": {"AWS": ROLE},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {
                    "sts:ExternalId": "some-id-of-yours",
                    "sts:RoleSessionName": "ecr-public-pusher-sign-in",
                }
            },
        }
    ]


def test_its_name_is_the_one_that_the_function_may_assume() -> None:
    name = properties("SpokeRole", SPOKE, **SPOKE_PARAMETERS)["RoleName"]
    roles = statements(deployed()["PusherRole"])["ReachOtherAccounts"]["Resource"]
    assert roles[0] == f"arn:aws:iam::*:role/{name}"


def test_whom_it_trusts_must_be_said() -> None:
    required = {name for name, body in source(SPOKE)["Parameters"].items() if "Default" not in body}
    assert required == {"PusherRoleArn", "ExternalId"}


def test_an_account_without_eks_needs_no_cluster() -> None:
    trusted = {"PusherRoleArn": ROLE, "ExternalId": "some-id-of-yours"}
    assert refusals(SPOKE, **trusted) != []
    assert refusals(SPOKE, **trusted, KubeconfigPath="/ecr") == []
    assert refusals(SPOKE, **trusted, WebIdentity="true") == []
    assert refusals(SPOKE, **trusted, Discovery="true") == []
    role = deployed(SPOKE, **trusted, KubeconfigPath="/ecr")["SpokeRole"]
    assert statements(role).keys() == {"ReadKubeconfigs"}


KUBECONFIG_KEY = "arn:aws:kms:eu-west-1:444455556666:key/0a1b"


def test_a_customer_key_decrypts_the_kubeconfigs_that_it_may_read_and_nothing_else() -> None:
    chosen = {**SPOKE_PARAMETERS, "KubeconfigKmsKeyArn": KUBECONFIG_KEY}
    assert refusals(SPOKE, **chosen) != []
    found = statements(deployed(SPOKE, **chosen, KubeconfigPath="/ecr")["SpokeRole"])
    secrets = "arn:aws:secretsmanager:*:*:secret:/ecr/*"
    assert found["DecryptKubeconfigs"] == allow(
        "kms:Decrypt",
        on=KUBECONFIG_KEY,
        StringLike={
            "kms:ViaService": "secretsmanager.*",
            "kms:EncryptionContext:SecretARN": secrets,
        },
    )


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
        ("ClusterArns", "", True),
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

REPOSITORIES = (
    "arn:aws:ecr:eu-west-1:444455556666:repository/team-a/*,"
    "arn:aws:ecr:us-east-1:444455556666:repository/base"
)
PULL_PARAMETERS = {
    "PusherRoleArn": ROLE,
    "ExternalId": "some-id-of-yours",
    "RepositoryArns": REPOSITORIES,
}


def test_the_pull_role_may_pull_from_the_named_repositories_and_nothing_else() -> None:
    role = deployed(PULL, **PULL_PARAMETERS)["PullRole"]
    assert statements(role) == {
        "GetRegistryToken": allow("ecr:GetAuthorizationToken", on="*"),
        "PullImages": allow(
            "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", on=REPOSITORIES.split(",")
        ),
    }
    assert "ManagedPolicyArns" not in role["Properties"]


def test_a_pull_through_cache_may_import_into_them_where_that_is_asked_for() -> None:
    found = statements(deployed(PULL, **PULL_PARAMETERS, PullThroughCache="true")["PullRole"])
    assert found["ImportUpstreamImages"] == allow(
        "ecr:BatchImportUpstreamImage", "ecr:CreateRepository", on=REPOSITORIES.split(",")
    )


def test_only_the_function_with_the_external_id_may_ask_for_its_tokens() -> None:
    (pull,) = properties("PullRole", PULL, **PULL_PARAMETERS)["AssumeRolePolicyDocument"][
        "Statement"
    ]
    (spoke,) = properties("SpokeRole", SPOKE, **SPOKE_PARAMETERS)["AssumeRolePolicyDocument"][
        "Statement"
    ]
    conditions = spoke["Condition"]["StringEquals"]
    its_own = {**conditions, "sts:RoleSessionName": "ecr-public-pusher-pull"}
    assert pull == {**spoke, "Condition": {"StringEquals": its_own}}


def assuming(use: RoleUse, **changed: str) -> Request:
    """Return the function's call as the trust policy of a role sees it."""
    context = {
        "sts:ExternalId": "some-id-of-yours",
        "sts:RoleSessionName": use.session_name,
        **changed,
    }
    return Request("sts:AssumeRole", context=context, principal={"AWS": ROLE})


def test_neither_role_takes_a_session_of_the_other_use() -> None:
    roles = {
        SIGN_IN: properties("SpokeRole", SPOKE, **SPOKE_PARAMETERS),
        PULL_USE: properties("PullRole", PULL, **PULL_PARAMETERS),
    }
    allowed = {
        (role, use)
        for role, body in roles.items()
        for use in (SIGN_IN, PULL_USE)
        if evaluate_resource_policy(body["AssumeRolePolicyDocument"], assuming(use)).decision
        is Decision.ALLOWED
    }
    assert allowed == {(SIGN_IN, SIGN_IN), (PULL_USE, PULL_USE)}


def test_the_session_name_of_older_functions_is_refused() -> None:
    for logical_id, path, given in (
        ("SpokeRole", SPOKE, SPOKE_PARAMETERS),
        ("PullRole", PULL, PULL_PARAMETERS),
    ):
        trust = properties(logical_id, path, **given)["AssumeRolePolicyDocument"]
        asked = assuming(SIGN_IN, **{"sts:RoleSessionName": "ecr-public-pusher"})
        assert evaluate_resource_policy(trust, asked).decision is Decision.IMPLICITLY_DENIED


def test_its_name_is_the_one_with_which_the_function_may_ask() -> None:
    name = properties("PullRole", PULL, **PULL_PARAMETERS)["RoleName"]
    roles = statements(deployed()["PusherRole"])["ReachOtherAccounts"]["Resource"]
    assert roles[1] == f"arn:aws:iam::*:role/{name}"


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
def test_the_pull_roles_repositories_are_named_with_region_and_account(
    value: str, fits: bool
) -> None:
    assert (
        bool(re.search(source(PULL)["Parameters"]["RepositoryArns"]["AllowedPattern"], value))
        is fits
    )


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


# Of AWS's service principals that are used here, CloudWatch Logs' alone has the partition's suffix:
# https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.region_info.Default.html
def test_in_china_cloudwatch_logs_is_another_principal_and_the_others_are_the_same() -> None:
    china = {"AWS::URLSuffix": "amazonaws.com.cn", "AWS::Region": "cn-north-1"}
    found = statements(deployed_in("aws-cn", KMS, **china)["Key"])
    assert {
        sid: body["Principal"] for sid, body in found.items() if sid != "AccountAdministers"
    } == {
        "CloudWatchLogsEncryptsTheLogGroup": {"Service": "logs.cn-north-1.amazonaws.com.cn"},
        "CloudWatchPublishesAlarms": {"Service": "cloudwatch.amazonaws.com"},
        "EventBridgeKeepsUndelivered": {"Service": "events.amazonaws.com"},
    }


def test_logs_are_encrypted_for_the_stacks_log_group_only() -> None:
    group = properties("PusherLogGroup")["LogGroupName"]
    assert key_statements()["CloudWatchLogsEncryptsTheLogGroup"]["Condition"] == {
        "ArnEquals": {
            "kms:EncryptionContext:aws:logs:arn": (
                f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
            )
        }
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
    assert properties("KeyAlias", KMS, AliasName="team/ecr") == {
        "AliasName": "alias/team/ecr",
        "TargetKeyId": "Key",
    }


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
    assert (found["apiVersion"], found["kind"]) == (
        "kustomize.config.k8s.io/v1beta1",
        "Kustomization",
    )
    assert found["resources"] == ["cluster.yaml"]
    assert (ROOT / "infra/rbac/cluster.yaml").is_file()
