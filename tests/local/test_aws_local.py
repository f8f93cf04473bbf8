"""The embedded AWS over the wire, by boto3: its refusals and its contents."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.aws import Answer, LocalAws
from infra.local.identity import Credential

OWN = "111122223333"
OTHER = "444455556666"
EXECUTION_ROLE = f"arn:aws:iam::{OWN}:role/service/pusher"
SPOKE = f"arn:aws:iam::{OTHER}:role/spoke"


@dataclass(frozen=True)
class FakeCluster:
    name: str
    endpoint: str = "https://127.0.0.1:6443"
    ca_pem: str = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


@pytest.fixture
def own(aws: LocalAws) -> Credential:
    return aws.credentials_for(EXECUTION_ROLE, "function")


def client(aws: LocalAws, service: str, credential: Credential, region: str = "us-east-1") -> Any:
    return boto3.Session(
        aws_access_key_id=credential.access_key_id,
        aws_secret_access_key=credential.secret_access_key,
        aws_session_token=credential.session_token,
        region_name=region,
    ).client(
        service, endpoint_url=aws.endpoint_url, config=Config(retries={"total_max_attempts": 1})
    )


def assume(aws: LocalAws, credential: Credential, role: str = SPOKE, **more: Any) -> Any:
    return client(aws, "sts", credential).assume_role(
        RoleArn=role, RoleSessionName="session", **more
    )["Credentials"]


def test_get_caller_identity_names_the_role(aws: LocalAws, own: Credential) -> None:
    identity = client(aws, "sts", own).get_caller_identity()
    assert identity["Arn"] == own.arn == f"arn:aws:sts::{OWN}:assumed-role/pusher/function"
    assert identity["Account"] == OWN


def test_a_role_is_assumed_by_its_trusted_principal_with_the_external_id(
    aws: LocalAws, own: Credential
) -> None:
    aws.put_role(SPOKE, external_id="e-1", trusted=EXECUTION_ROLE)
    got = assume(aws, own, ExternalId="e-1")
    session = Credential(
        got["AccessKeyId"],
        got["SecretAccessKey"],
        got["SessionToken"],
        f"arn:aws:sts::{OTHER}:assumed-role/spoke/session",
    )
    assert client(aws, "sts", session).get_caller_identity()["Arn"] == session.arn
    assert aws.find_credential(session.access_key_id) == session


@pytest.mark.parametrize(
    ("trust", "shown"),
    [
        (None, {"ExternalId": "e-1"}),
        ({"external_id": "e-1", "trusted": EXECUTION_ROLE}, {}),
        ({"external_id": "e-1", "trusted": EXECUTION_ROLE}, {"ExternalId": "e-2"}),
        ({"trusted": f"arn:aws:iam::{OWN}:role/somebody-else"}, {}),
        ({"trusted": f"arn:aws:iam::{OTHER}:role/service/pusher"}, {}),
        ({}, {}),
        ({"trusted": EXECUTION_ROLE, "session_name": "another"}, {}),
    ],
    ids=[
        "unknown role",
        "no external id",
        "wrong external id",
        "another role",
        "same name, other account",
        "trusts nobody",
        "another session's name",
    ],
)
def test_a_role_is_refused_to_everybody_else(
    aws: LocalAws, own: Credential, trust: dict[str, str] | None, shown: dict[str, str]
) -> None:
    if trust is not None:
        aws.put_role(SPOKE, **trust)
    with pytest.raises(ClientError) as refused:
        assume(aws, own, **shown)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert refused.value.response["Error"]["Message"].startswith(
        f"User: {own.arn} is not authorized to perform: sts:AssumeRole on"
    )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_every_registry_token_is_a_new_one_for_twelve_hours(aws: LocalAws, own: Credential) -> None:
    registry = client(aws, "ecr-public", own)
    first, second = (registry.get_authorization_token()["authorizationData"] for _ in range(2))
    assert base64.b64decode(first["authorizationToken"]).startswith(b"AWS:")
    assert len(first["authorizationToken"]) > 2000
    assert (
        timedelta(hours=11, minutes=59)
        < first["expiresAt"] - datetime.now(UTC)
        <= timedelta(hours=12)
    )
    assert aws.ecr_public.issued == [first["authorizationToken"], second["authorizationToken"]]
    assert first["authorizationToken"] != second["authorizationToken"]


def test_the_registry_denies_when_asked_to_and_recovers(aws: LocalAws, own: Credential) -> None:
    registry = client(aws, "ecr-public", own)
    aws.ecr_public.deny()
    with pytest.raises(ClientError, match="AccessDeniedException"):
        registry.get_authorization_token()
    aws.ecr_public.recover()
    assert registry.get_authorization_token()["authorizationData"]["authorizationToken"]


def test_the_registry_answers_nonsense_when_asked_to(aws: LocalAws, own: Credential) -> None:
    registry = client(aws, "ecr-public", own)
    aws.ecr_public.empty()
    assert registry.get_authorization_token()["authorizationData"] == {}
    aws.ecr_public.nonsense()
    assert (
        registry.get_authorization_token()["authorizationData"]["authorizationToken"]
        == "this is no token!"
    )
    aws.ecr_public.expired()
    assert registry.get_authorization_token()["authorizationData"]["expiresAt"] < datetime.now(UTC)


def test_a_cluster_is_described_in_its_account_and_region_only(
    aws: LocalAws, own: Credential
) -> None:
    cluster = FakeCluster("edge")
    aws.put_cluster(OTHER, "eu-central-1", cluster)
    spoke = aws.credentials_for(SPOKE, "s")
    found = client(aws, "eks", spoke, "eu-central-1").describe_cluster(name="edge")["cluster"]
    assert found["endpoint"] == cluster.endpoint
    assert base64.b64decode(found["certificateAuthority"]["data"]).decode() == cluster.ca_pem
    assert found["arn"] == f"arn:aws:eks:eu-central-1:{OTHER}:cluster/edge"
    for credential, region in ((own, "eu-central-1"), (spoke, "us-east-1")):
        with pytest.raises(
            ClientError, match=r"ResourceNotFoundException.*No cluster found for name: edge\."
        ):
            client(aws, "eks", credential, region).describe_cluster(name="edge")


def test_parameters_are_listed_encrypted_and_read_decrypted(aws: LocalAws, own: Credential) -> None:
    for index in range(12):
        aws.put_parameter(f"/app/clusters/c{index}", "a: 1")
    aws.put_parameter("/app/secret", "top: secret", secure=True)
    aws.put_parameter("/elsewhere", "x")
    aws.delete_parameter("/app/clusters/c0")
    aws.delete_parameter("/app/clusters/never-there")
    ssm = client(aws, "ssm", own)
    pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/app", Recursive=True))
    found = {parameter["Name"]: parameter for page in pages for parameter in page["Parameters"]}
    assert len(pages) == 2
    assert len(found) == 12
    assert "top" not in found["/app/secret"]["Value"].split()
    assert (
        ssm.get_parameter(Name="/app/secret", WithDecryption=True)["Parameter"]["Value"]
        == "top: secret"
    )


def test_calls_are_recorded_with_who_made_them_and_without_bodies(
    aws: LocalAws, own: Credential
) -> None:
    aws.put_cluster(OWN, "us-west-2", FakeCluster("prod"))
    client(aws, "eks", own, "us-west-2").describe_cluster(name="prod")
    client(aws, "ssm", own).get_parameters_by_path(Path="/app")
    described, listed = aws.calls
    assert (described.service, described.action, described.region, described.path) == (
        "eks", "DescribeCluster", "us-west-2", "/clusters/prod",
    )  # fmt: skip
    assert (described.account, described.principal, described.status) == (OWN, own.arn, 200)
    assert "Boto3" in described.user_agent
    assert (listed.service, listed.action) == ("ssm", "GetParametersByPath")
    assert aws.called("ssm") == [listed]
    assert own.secret_access_key not in repr(aws.calls)


def test_unknown_keys_and_unsigned_requests_are_refused(aws: LocalAws) -> None:
    stranger = Credential("ASIASTRANGER", "s", "t", "")
    for service, action, code in (
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ecr-public", "get_authorization_token", "UnrecognizedClientException"),
        ("eks", "list_clusters", "UnrecognizedClientException"),
    ):
        with pytest.raises(ClientError, match=code):
            getattr(client(aws, service, stranger), action)()
    assert {call.principal for call in aws.calls} == {None}


def test_a_region_that_does_not_exist_is_refused(aws: LocalAws, own: Credential) -> None:
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        client(aws, "eks", own, "eu-nowhere-9").describe_cluster(name="prod")


def test_a_scripted_answer_comes_as_often_as_asked(aws: LocalAws, own: Credential) -> None:
    aws.script(
        "sts",
        "GetCallerIdentity",
        lambda request: Answer.refusal(request, "Throttling", "Rate exceeded"),
        times=2,
    )
    sts = client(aws, "sts", own)
    for _ in range(2):
        with pytest.raises(ClientError, match="Throttling"):
            sts.get_caller_identity()
    assert sts.get_caller_identity()["Account"] == OWN


def test_a_scripted_answer_can_be_anything(aws: LocalAws, own: Credential) -> None:
    aws.script(
        "ssm",
        "GetParametersByPath",
        Answer(200, json.dumps({"Parameters": [], "NextToken": "more"}).encode()),
    )
    assert client(aws, "ssm", own).get_parameters_by_path(Path="/app")["NextToken"] == "more"


def test_a_session_token_can_be_made_longer(aws: LocalAws) -> None:
    credential = aws.credentials_for(EXECUTION_ROLE, "function", session_token="t" * 5000)
    assert aws.find_credential(credential.access_key_id) == credential
    assert client(aws, "sts", credential).get_caller_identity()["Arn"] == credential.arn


def test_other_partitions_have_their_own_names(aws: LocalAws) -> None:
    credential = aws.credentials_for("arn:aws-cn:iam::111122223333:role/pusher", "s")
    assert credential.arn == "arn:aws-cn:sts::111122223333:assumed-role/pusher/s"
    assert aws.find_credential(credential.access_key_id) == credential
    assert (
        client(aws, "sts", credential, "cn-north-1").get_caller_identity()["Arn"] == credential.arn
    )


def test_a_new_aws_is_empty(aws: LocalAws, own: Credential) -> None:
    aws.put_parameter("/app/x", "1")
    with LocalAws() as later:
        assert later.find_credential(own.access_key_id) is None
        again = later.credentials_for(EXECUTION_ROLE, "function")
        assert client(later, "ssm", again).get_parameters_by_path(Path="/app")["Parameters"] == []


def test_only_the_parameters_that_iam_evaluates_are_kept(aws: LocalAws, own: Credential) -> None:
    ssm = client(aws, "ssm", own)
    ssm.put_parameter(Name="/a/b", Value="a secret", Type="SecureString")
    ssm.get_parameter(Name="/a/b", WithDecryption=True)
    assert [call.parameters for call in aws.called("ssm")] == [
        {"Name": "/a/b"},
        {"Name": "/a/b", "WithDecryption": "True"},
    ]


def test_all_names_of_a_call_are_kept_and_whether_a_path_is_recursive(
    aws: LocalAws, own: Credential
) -> None:
    ssm = client(aws, "ssm", own)
    ssm.get_parameters(Names=["/a/b", "/a/c"], WithDecryption=False)
    ssm.get_parameters_by_path(Path="/a", Recursive=True)
    assert [call.parameters for call in aws.called("ssm")] == [
        {"Names": "/a/b,/a/c", "WithDecryption": "False"},
        {"Path": "/a", "Recursive": "True"},
    ]


def test_a_cluster_is_known_by_its_name(aws: LocalAws, own: Credential) -> None:
    aws.put_cluster(OWN, "us-east-1", FakeCluster("prod"))
    client(aws, "eks", own).describe_cluster(name="prod")
    client(aws, "eks", own).list_clusters()
    assert [call.parameters for call in aws.called("eks")] == [{"name": "prod"}, {}]


def test_only_the_queue_and_the_number_of_messages_are_kept(aws: LocalAws, own: Credential) -> None:
    queue = aws.put_queue("retry")
    sqs = client(aws, "sqs", own)
    entries = [{"Id": name, "MessageBody": f"a secret {name}"} for name in ("one", "two")]
    sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    sqs.send_message(QueueUrl=queue.url, MessageBody="a secret three")
    assert [(call.action, call.parameters) for call in aws.called("sqs")] == [
        ("SendMessageBatch", {"QueueUrl": queue.url, "Entries": "2"}),
        ("SendMessage", {"QueueUrl": queue.url}),
    ]
    assert "a secret" not in repr(aws.calls)


@pytest.mark.parametrize(
    ("given", "logged"),
    [
        ({}, {}),
        ({"ExternalId": "e-1"}, {"ExternalId": "e-1"}),
        ({"SourceIdentity": "somebody"}, {"SourceIdentity": "somebody"}),
        (
            {"Tags": [{"Key": "team", "Value": "a secret"}, {"Key": "stage", "Value": "prod"}]},
            {"Tags": "2"},
        ),
        ({"Policy": '{"a": "secret"}'}, {}),
    ],
    ids=["nothing more", "external id", "source identity", "tags", "session policy"],
)
def test_the_parameters_that_a_trust_policy_evaluates_are_kept(
    aws: LocalAws, own: Credential, given: dict[str, Any], logged: dict[str, str]
) -> None:
    aws.put_role(SPOKE, trusted=EXECUTION_ROLE)
    assume(aws, own, **given)
    (call,) = aws.called("sts")
    assert call.parameters == {"RoleArn": SPOKE, "RoleSessionName": "session"} | logged
    assert "secret" not in repr(call)


def test_only_the_id_of_a_key_is_kept(aws: LocalAws, own: Credential) -> None:
    kms = client(aws, "kms", own)
    key = kms.create_key(Description="a secret")["KeyMetadata"]["KeyId"]
    kms.encrypt(KeyId=key, Plaintext=b"a secret")
    assert [call.parameters for call in aws.called("kms")] == [{}, {"KeyId": key}]
    assert "secret" not in repr(aws.calls)


def test_a_parameter_is_kept_only_for_services_that_evaluate_it(
    aws: LocalAws, own: Credential
) -> None:
    client(aws, "secretsmanager", own).create_secret(
        Name="a secret's name", SecretString="a secret"
    )
    (call,) = aws.called("secretsmanager")
    assert call.parameters == {}
