"""The sign-in token, and the endpoint EKS names.

Signed with made-up credentials: presigning makes no call.
"""

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.stub import Stubber

from ecr_public_pusher.aws_api.assumed_role import Caller, Callers
from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.errors import EksError, SignInError
from ecr_public_pusher.sign_in.eks import describe
from ecr_public_pusher.sign_in.kind import Endpoint
from ecr_public_pusher.sign_in.sts_token import sts_token


def session(token: str | None = "session-token") -> boto3.Session:
    return boto3.Session(
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
        aws_session_token=token,
        region_name="us-east-1",
    )


def signed(region: str, *, token: str | None = "session-token", cluster: str = "prod") -> str:
    return sts_token(
        AwsClients("us-east-1"),
        Caller(Credentials("AKIAEXAMPLE", "secret", token)),
        region=region,
        cluster=cluster,
    )


def url_of(token: str) -> str:
    payload = token.removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "sts.us-east-1.amazonaws.com"),
        ("eu-central-1", "sts.eu-central-1.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
    ],
)
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9"])
def test_the_url_names_the_regions_own_sts_whatever_endpoint_is_configured(
    region: str, host: str, endpoint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", endpoint)
    parts = urlsplit(url_of(signed(region)))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", host, "/")


def test_the_url_has_what_the_verifier_demands_and_nothing_else() -> None:
    query = parse_qs(urlsplit(url_of(signed("us-east-1"))).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    assert {name.lower() for name in query} == {
        "action",
        "version",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    }
    assert query["X-Amz-Expires"] == ["60"]
    assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]


def test_the_signature_covers_the_clusters_name() -> None:
    signature = [
        parse_qs(urlsplit(url_of(signed("us-east-1", cluster=name))).query)["X-Amz-Signature"]
        for name in ("one", "two")
    ]
    assert signature[0] != signature[1]


def test_a_long_session_token_still_fits() -> None:
    assert 3900 < len(signed("us-east-1", token="t" * 2600)) <= 4096


def test_a_token_over_the_limit_is_an_error_that_names_the_length() -> None:
    with pytest.raises(
        SignInError, match=r"is \d{4} bytes long, and EKS accepts at most 4096"
    ) as caught:
        signed("us-east-1", token="t" * 2800)
    assert "ttt" not in str(caught.value)


def test_a_region_that_is_unknown_is_a_sign_in_error() -> None:
    with pytest.raises(SignInError, match="EndpointConnectionError"):
        signed("nowhere")


def test_no_credentials_is_a_sign_in_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    async def call() -> None:
        async with BlockingCalls() as blocking:
            await Callers(AwsClients("us-east-1"), blocking).caller(None, None)

    with pytest.raises(SignInError, match="NoCredentialsError"):
        asyncio.run(call())


def described(cluster: dict[str, Any]) -> Endpoint:
    """Return the endpoint that `describe` reads from EKS's response; a None field is left out."""
    authority = {"data": base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()}
    usual = {
        "name": "prod",
        "endpoint": "https://x.eks.amazonaws.com",
        "certificateAuthority": authority,
    }
    fields = {name: value for name, value in (usual | cluster).items() if value is not None}
    body = {"cluster": fields}
    client = session().client("eks")
    with Stubber(client) as stub:
        stub.add_response("describe_cluster", body, {"name": "prod"})
        return describe(client, "prod")


@pytest.mark.parametrize(
    ("answer", "hints"),
    [
        ({}, (True, (), "", "")),
        ({"resourcesVpcConfig": {"endpointPublicAccess": False}}, (False, (), "", "")),
        (
            {
                "resourcesVpcConfig": {
                    "endpointPublicAccess": True,
                    "publicAccessCidrs": ["203.0.113.0/24"],
                    "clusterSecurityGroupId": "sg-0123456789abcdef0",
                },
                "accessConfig": {"authenticationMode": "API"},
            },
            (True, ("203.0.113.0/24",), "API", "sg-0123456789abcdef0"),
        ),
    ],
)
def test_what_eks_says_beside_the_endpoint_is_kept_for_hints(
    answer: dict[str, Any], hints: tuple[Any, ...]
) -> None:
    found = described(answer)
    assert (
        found.public,
        found.public_cidrs,
        found.authentication_mode,
        found.security_group,
    ) == hints


@pytest.mark.parametrize(
    "answer",
    [
        {"resourcesVpcConfig": {"clusterSecurityGroupId": "sg-0123456789abcdef0; curl x | sh"}},
        {"resourcesVpcConfig": {"clusterSecurityGroupId": "$(id)"}},
        {"resourcesVpcConfig": {"publicAccessCidrs": ["203.0.113.0/24", "0.0.0.0/0 --other"]}},
        {"accessConfig": {"authenticationMode": "API`id`"}},
        {"accessConfig": {"authenticationMode": "k8s-aws-v1.token"}},
    ],
)
def test_what_has_not_the_form_of_eks_stands_in_no_command(answer: dict[str, Any]) -> None:
    found = described(answer)
    assert (found.public_cidrs, found.authentication_mode, found.security_group) == ((), "", "")


@pytest.mark.parametrize(
    "url",
    [
        "https://user@x.eks.amazonaws.com",
        "https://x.eks.amazonaws.com/path",
        "https://x.eks.amazonaws.com?query",
        "https://x.eks.amazonaws.com\n",
        "https://x.eks.amazonaws.com `id`",
    ],
)
def test_an_endpoint_with_more_than_a_host_is_an_error(url: str) -> None:
    with pytest.raises(EksError, match="returned no usable endpoint") as caught:
        described({"endpoint": url, "status": "ACTIVE; curl x"})
    assert "(status unknown)" in caught.value.message


def test_eks_own_endpoints_are_taken_as_they_are() -> None:
    url = "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com"
    assert described({"endpoint": url}).url == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://x.eks.amazonaws.com",
            "https://",
            "https://x.eks.amazonaws.com:nine",
            "https://x.eks.amazonaws.com:0",
        ),
        *(
            "https://x.eks.amazonaws.com/k8s/clusters/c-1",
            "https://x.eks.amazonaws.com/?a=b",
            "https://x.eks.amazonaws.com#a",
        ),
    ],
)
def test_an_endpoint_that_is_no_https_url_is_an_error(url: str) -> None:
    with pytest.raises(EksError, match="returned no usable endpoint"):
        described({"endpoint": url})


def test_a_cluster_without_an_endpoint_yet_is_to_be_waited_for() -> None:
    with pytest.raises(EksError, match=r"\(status CREATING\)") as caught:
        described({"status": "CREATING", "endpoint": None, "certificateAuthority": {}})
    assert caught.value.remedy.endswith(
        "`aws eks wait cluster-active --region us-east-1 --name prod`"
    )
