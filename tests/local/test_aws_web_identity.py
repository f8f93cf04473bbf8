"""STS's web identity tokens and IAM's switch for them, requested by the SDK."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from joserfc import jwt

from infra.local.aws import DEFAULT_ACCOUNT, LocalAws
from infra.local.kube.http.client import context

ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/team/pusher"
OTHERS_ROLE = "arn:aws:iam::444455556666:role/pusher"
WANTED: dict[str, Any] = {
    "Audience": ["ecr-public-pusher:edge"],
    "SigningAlgorithm": "RS256",
    "DurationSeconds": 300,
}


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws() as started:
        started.web_identity.enabled = True
        yield started


def client(aws: LocalAws, service: str, role: str = ROLE) -> Any:
    """Return a client without validation, so that the service itself judges the parameters."""
    credential = aws.credentials_for(role, "session")
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=credential.access_key_id,
        aws_secret_access_key=credential.secret_access_key,
        aws_session_token=credential.session_token,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


def claims(
    aws: LocalAws, account: str = DEFAULT_ACCOUNT, role: str = ROLE, **asked: Any
) -> dict[str, Any]:
    token = client(aws, "sts", role).get_web_identity_token(**{**WANTED, **asked})[
        "WebIdentityToken"
    ]
    found: dict[str, Any] = jwt.decode(
        token, aws.web_identity_of(account).keys, algorithms=["RS256", "ES384"]
    ).claims
    return found


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_a_token_is_signed_by_the_issuer_with_the_algorithm_asked_for(
    aws: LocalAws, algorithm: str
) -> None:
    assert claims(aws, SigningAlgorithm=algorithm)["iss"] == aws.web_identity.url


def test_a_token_names_the_role_with_its_path_and_the_account(aws: LocalAws) -> None:
    found = claims(aws)
    assert (found["sub"], found["https://sts.amazonaws.com/"]["aws_account"]) == (
        ROLE,
        DEFAULT_ACCOUNT,
    )


def test_one_audience_is_a_text_and_several_are_a_list(aws: LocalAws) -> None:
    assert claims(aws)["aud"] == "ecr-public-pusher:edge"
    assert claims(aws, Audience=["a", "b"])["aud"] == ["a", "b"]


def test_tags_of_the_request_become_a_claim(aws: LocalAws) -> None:
    found = claims(aws, Tags=[{"Key": "team", "Value": "platform"}])
    assert found["https://sts.amazonaws.com/"]["request_tags"] == {"team": "platform"}


def test_a_token_lives_as_long_as_asked_and_five_minutes_by_default(aws: LocalAws) -> None:
    found = claims(aws, DurationSeconds=60)
    assert found["exp"] - found["iat"] == 60
    sts = client(aws, "sts")
    answer = sts.get_web_identity_token(Audience=["a"], SigningAlgorithm="RS256")
    issued = jwt.decode(
        answer["WebIdentityToken"], aws.web_identity.keys, algorithms=["RS256"]
    ).claims
    assert issued["exp"] - issued["iat"] == 300
    assert answer["Expiration"].timestamp() == issued["exp"]


def test_each_account_has_an_issuer_and_keys_of_its_own(aws: LocalAws) -> None:
    theirs = aws.web_identity_of("444455556666")
    theirs.enabled = True
    assert claims(aws, "444455556666", OTHERS_ROLE)["iss"] == theirs.url != aws.web_identity.url
    assert theirs.jwks() != aws.web_identity.jwks()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Audience": None}, "'audience'"),
        ({"Audience": [str(number) for number in range(11)]}, "less than or equal to 10"),
        ({"Audience": ["a" * 1001]}, "between 1 and 1000"),
        ({"SigningAlgorithm": None}, "'signingAlgorithm'"),
        ({"SigningAlgorithm": "HS256"}, "enum value set"),
        ({"DurationSeconds": 59}, "greater than or equal to 60"),
        ({"DurationSeconds": 3601}, "less than or equal to 3600"),
    ],
)
def test_a_parameter_that_is_missing_or_out_of_bounds_is_a_validation_error(
    aws: LocalAws, changed: dict[str, Any], said: str
) -> None:
    asked = {name: value for name, value in {**WANTED, **changed}.items() if value is not None}
    with pytest.raises(ClientError, match="ValidationError") as refused:
        client(aws, "sts").get_web_identity_token(**asked)
    assert said in str(refused.value)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_account_starts_with_the_switch_off() -> None:
    with (
        LocalAws() as aws,
        pytest.raises(
            ClientError, match="OutboundWebIdentityFederationDisabledException"
        ) as refused,
    ):
        client(aws, "sts").get_web_identity_token(**WANTED)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_iam_turns_the_accounts_switch(aws: LocalAws) -> None:
    iam = client(aws, "iam", OTHERS_ROLE)
    with pytest.raises(iam.exceptions.FeatureDisabledException):
        iam.get_outbound_web_identity_federation_info()
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert iam.get_outbound_web_identity_federation_info()["IssuerIdentifier"] == issuer
    with pytest.raises(iam.exceptions.FeatureEnabledException):
        iam.enable_outbound_web_identity_federation()
    assert claims(aws, "444455556666", OTHERS_ROLE)["iss"] == issuer
    iam.disable_outbound_web_identity_federation()
    with pytest.raises(ClientError, match="OutboundWebIdentityFederationDisabledException"):
        client(aws, "sts", OTHERS_ROLE).get_web_identity_token(**WANTED)


def test_the_issuers_documents_are_served_over_https_without_a_private_key(aws: LocalAws) -> None:
    site = aws.issuer_site()

    def read(url: str) -> Any:
        with urllib.request.urlopen(url, context=context(site.ca_pem), timeout=5) as answer:
            return json.load(answer)

    discovery = read(site.discovery_url)
    assert discovery["issuer"] == aws.web_identity.url
    keys = read(discovery["jwks_uri"])["keys"]
    assert (
        {key["alg"] for key in keys}
        == {"RS256", "ES384"}
        == set(discovery["id_token_signing_alg_values_supported"])
    )
    assert not any({"d", "p", "q"} & key.keys() for key in keys)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        read(site.discovery_url + "/else")
