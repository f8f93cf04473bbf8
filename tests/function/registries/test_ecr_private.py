"""Private tokens: accepted only for their region's registries, and the hosts in the Secret."""

import base64
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.errors import TokenError
from ecr_public_pusher.registries.ecr_private import checked_private_token
from ecr_public_pusher.registries.registry import is_private_host, private_hosts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OF_IRELAND = partial(is_private_host, region="eu-west-1", partition="aws", suffix="amazonaws.com")
GOOD = base64.b64encode(b"AWS:password").decode()


def answer(**changed: Any) -> dict[str, Any]:
    data = {
        "authorizationToken": GOOD,
        "expiresAt": NOW + timedelta(hours=12),
        "proxyEndpoint": "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com",
    }
    return {"authorizationData": [{**data, **changed}]}


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com",
        "https://111122223333.dkr.ecr-fips.eu-west-1.amazonaws.com",
        "https://111122223333.dkr-ecr.eu-west-1.on.aws",
        "https://111122223333.dkr-ecr-fips.eu-west-1.on.aws",
    ],
)
def test_a_good_token_is_taken_as_it_is(endpoint: str) -> None:
    token = checked_private_token(
        answer(proxyEndpoint=endpoint), "ECR", NOW, is_registry=OF_IRELAND
    )
    assert (token.authorization, token.expires_at) == (GOOD, NOW + timedelta(hours=12))
    assert GOOD not in repr(token)


def test_a_token_that_ends_with_a_chained_roles_session_is_taken() -> None:
    expires_at = NOW + timedelta(minutes=59)
    assert (
        checked_private_token(
            answer(expiresAt=expires_at), "ECR", NOW, is_registry=OF_IRELAND
        ).expires_at
        == expires_at
    )


@pytest.mark.parametrize(
    ("nonsense", "said"),
    [
        (
            answer(proxyEndpoint="https://111122223333.dkr.ecr.us-east-1.amazonaws.com"),
            "another registry's host",
        ),
        (answer(proxyEndpoint="https://registry.example.com"), "another registry's host"),
        (
            answer(proxyEndpoint="https://111122223333.dkr.ecr.eu-west-1.example.com"),
            "another registry's host",
        ),
        (
            answer(proxyEndpoint="https://111122223333.dkr.ecr.eu-west-1.amazonaws.com.cn"),
            "another registry's host",
        ),
        (
            answer(proxyEndpoint="https://11112222333.dkr.ecr.eu-west-1.amazonaws.com"),
            "another registry's host",
        ),
        (
            answer(
                proxyEndpoint="https://111122223333.dkr.ecr.eu-west-1.amazonaws.com@example.com"
            ),
            "another registry's host",
        ),
        (
            answer(proxyEndpoint="https://111122223333.dkr.ecr-fips-fips.eu-west-1.amazonaws.com"),
            "another registry's host",
        ),
        (
            answer(proxyEndpoint=["https://111122223333.dkr.ecr.eu-west-1.amazonaws.com"]),
            "another registry's host",
        ),
        (
            answer(proxyEndpoint="http://111122223333.dkr.ecr.eu-west-1.amazonaws.com"),
            "another registry's host",
        ),
        (
            answer(proxyEndpoint="https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/x"),
            "another registry's host",
        ),
        (answer(proxyEndpoint=None), "another registry's host"),
        (answer(authorizationToken=""), "empty"),
        (answer(authorizationToken="***"), "not base64"),
        (answer(expiresAt=NOW + timedelta(minutes=15)), "is valid for only 900 seconds"),
        ({"authorizationData": []}, "empty"),
        ({"authorizationData": {"authorizationToken": GOOD}}, "empty"),
        ({}, "empty"),
        (None, "empty"),
    ],
)
def test_nonsense_is_refused_and_not_repeated(nonsense: Any, said: str) -> None:
    with pytest.raises(TokenError, match=said) as caught:
        checked_private_token(nonsense, "ECR", NOW, is_registry=OF_IRELAND)
    assert GOOD not in str(caught.value)


@pytest.mark.parametrize(
    ("partition", "suffix", "region", "hosts"),
    [
        (
            "aws",
            "amazonaws.com",
            "eu-west-1",
            ["dkr.ecr.eu-west-1.amazonaws.com", "dkr-ecr.eu-west-1.on.aws"],
        ),
        (
            "aws-us-gov",
            "amazonaws.com",
            "us-gov-west-1",
            ["dkr.ecr.us-gov-west-1.amazonaws.com", "dkr-ecr.us-gov-west-1.on.aws"],
        ),
        (
            "aws-cn",
            "amazonaws.com.cn",
            "cn-north-1",
            [
                "dkr.ecr.cn-north-1.amazonaws.com.cn",
                "dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            ],
        ),
        (
            "aws-eusc",
            "amazonaws.eu",
            "eusc-de-east-1",
            [
                "dkr.ecr.eusc-de-east-1.amazonaws.eu",
                "dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu",
            ],
        ),
        (
            "aws-iso",
            "c2s.ic.gov",
            "us-iso-east-1",
            ["dkr.ecr.us-iso-east-1.c2s.ic.gov", "dkr-ecr.us-iso-east-1.on.aws.ic.gov"],
        ),
        ("aws-new", "new.example", "new-east-1", ["dkr.ecr.new-east-1.new.example"]),
    ],
)
def test_a_registrys_hosts_are_exact_and_of_its_partition(
    partition: str, suffix: str, region: str, hosts: list[str]
) -> None:
    assert private_hosts("111122223333", region, partition=partition, suffix=suffix) == tuple(
        f"111122223333.{host}" for host in hosts
    )


@pytest.mark.parametrize(
    "region",
    [
        "eu-west-1",
        "us-gov-west-1",
        "cn-north-1",
        "eusc-de-east-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
    ],
)
def test_every_partition_that_the_sdk_knows_has_its_dual_stack_name(region: str) -> None:
    partition, suffix = AwsClients("us-east-1").partition(region)
    assert len(private_hosts("111122223333", region, partition=partition, suffix=suffix)) == 2


def test_a_name_that_is_no_regions_has_no_partition() -> None:
    assert AwsClients("us-east-1").partition("zz-nowhere-9") == ("", "")
