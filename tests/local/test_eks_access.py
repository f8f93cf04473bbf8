"""EKS access entries in the embedded AWS, by boto3, and the cluster's sign-in that uses them."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.aws import LocalAws
from infra.local.identity import Credential
from infra.local.kube import EmbeddedCluster

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/pusher"
GROUPS = ["ecr-public-pushers"]


@pytest.fixture
def cluster(aws: LocalAws) -> Iterator[EmbeddedCluster]:
    with EmbeddedCluster("prod", credentials=aws.find_credential) as started:
        aws.put_cluster(ACCOUNT, "us-east-1", started)
        yield started


def eks(aws: LocalAws, credential: Credential | None = None) -> Any:
    who = credential or aws.credentials_for(f"arn:aws:iam::{ACCOUNT}:role/admin", "a-person")
    return boto3.client(
        "eks",
        region_name="us-east-1",
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=who.access_key_id,
        aws_secret_access_key=who.secret_access_key,
        aws_session_token=who.session_token,
    )


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_an_entry_is_created_described_listed_changed_and_deleted(
    aws: LocalAws, cluster: EmbeddedCluster
) -> None:
    client = eks(aws)
    created = client.create_access_entry(
        clusterName="prod", principalArn=ROLE, kubernetesGroups=GROUPS, type="STANDARD"
    )["accessEntry"]
    assert (created["principalArn"], created["kubernetesGroups"], created["type"]) == (
        ROLE,
        GROUPS,
        "STANDARD",
    )
    assert client.list_access_entries(clusterName="prod")["accessEntries"] == [ROLE]
    client.update_access_entry(
        clusterName="prod", principalArn=ROLE, kubernetesGroups=["viewers", *GROUPS]
    )
    assert client.describe_access_entry(clusterName="prod", principalArn=ROLE)["accessEntry"][
        "kubernetesGroups"
    ] == ["viewers", *GROUPS]
    client.delete_access_entry(clusterName="prod", principalArn=ROLE)
    assert not list(cluster.access_entries)


def test_a_second_entry_of_the_same_principal_is_in_use(
    aws: LocalAws, cluster: EmbeddedCluster
) -> None:
    client = eks(aws)
    client.create_access_entry(clusterName="prod", principalArn=ROLE)
    with pytest.raises(ClientError) as raised:
        client.create_access_entry(clusterName="prod", principalArn=ROLE)
    assert code(raised) == "ResourceInUseException"


def test_a_missing_entry_is_not_found(aws: LocalAws, cluster: EmbeddedCluster) -> None:
    for name in ("prod", "another"):
        with pytest.raises(ClientError) as raised:
            eks(aws).describe_access_entry(clusterName=name, principalArn=ROLE)
        assert code(raised) == "ResourceNotFoundException"


def test_another_account_has_no_such_cluster(aws: LocalAws, cluster: EmbeddedCluster) -> None:
    stranger = aws.credentials_for("arn:aws:iam::444455556666:role/admin", "a-person")
    with pytest.raises(ClientError, match="No cluster found for name: prod"):
        eks(aws, stranger).create_access_entry(clusterName="prod", principalArn=ROLE)


def test_a_reserved_group_is_refused(aws: LocalAws, cluster: EmbeddedCluster) -> None:
    with pytest.raises(ClientError) as raised:
        eks(aws).create_access_entry(
            clusterName="prod", principalArn=ROLE, kubernetesGroups=["system:masters"]
        )
    assert code(raised) == "InvalidParameterException"


def test_a_cluster_with_only_the_config_map_has_no_entries(
    aws: LocalAws, cluster: EmbeddedCluster
) -> None:
    aws.put_cluster(ACCOUNT, "us-east-1", cluster, authentication_mode="CONFIG_MAP")
    with pytest.raises(ClientError, match="authentication mode must be set"):
        eks(aws).create_access_entry(clusterName="prod", principalArn=ROLE)
