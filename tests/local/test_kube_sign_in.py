"""Sign-in to a cluster: every rule of the EKS token verifier, then STS's own check, over HTTPS."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import pytest
import urllib3
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from infra.local.identity import AccessEntry, Credential, principal_of
from infra.local.kube import EmbeddedCluster
from infra.local.kube.auth.authn import Authenticator
from infra.local.kube.auth.authz import UserInfo
from infra.local.kube.http.client import context

ROLE = Credential(
    "ASIAROLE", "role-secret", "role-session", "arn:aws:sts::111122223333:assumed-role/pusher/run-1"
)
USER = Credential("AKIAUSER", "user-secret", None, "arn:aws:iam::111122223333:user/dev/alice")
STRANGER = Credential(
    "AKIASTRANGER", "stranger-secret", None, "arn:aws:iam::111122223333:user/mallory"
)
CREDENTIALS = {credential.access_key_id: credential for credential in (ROLE, USER, STRANGER)}
ENTRIES = (
    AccessEntry("arn:aws:iam::111122223333:role/team/pusher", ("ecr-public-pushers",)),
    AccessEntry("arn:aws:iam::111122223333:user/dev/alice", ("developers",), username="alice"),
)
HOST = "sts.us-east-1.amazonaws.com"
ACTION = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}


class Clock:
    """A clock of the cluster that a test can move."""

    offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cluster(clock: Clock) -> Iterator[EmbeddedCluster]:
    with EmbeddedCluster(
        "prod", credentials=CREDENTIALS.get, access_entries=ENTRIES, clock=clock
    ) as started:
        yield started


def presigned(
    credential: Credential = ROLE,
    *,
    cluster: str = "prod",
    host: str = HOST,
    region: str = "us-east-1",
    path: str = "/",
    expires: int = 60,
    parameters: dict[str, str] = ACTION,
    header: str = "x-k8s-aws-id",
) -> str:
    """Return a GetCallerIdentity URL, signed by botocore, with any part replaced."""
    request = AWSRequest(
        "GET", f"https://{host}{path}?{urlencode(parameters)}", headers={header: cluster}
    )
    keys = Credentials(
        credential.access_key_id, credential.secret_access_key, credential.session_token
    )
    SigV4QueryAuth(keys, "sts", region, expires).add_auth(request)
    return str(request.url)


def token(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def changed(url: str, **values: str | None) -> str:
    """Return the URL with parameters replaced or removed after it was signed."""
    pairs = {
        name.replace("-", "_"): (name, value) for name, value in parse_qsl(urlsplit(url).query)
    }
    for key, value in values.items():
        name = pairs.get(key, (key.replace("_", "-"), ""))[0]
        if value is None:
            del pairs[key]
        else:
            pairs[key] = (name, value)
    return f"{url.partition('?')[0]}?{urlencode(list(pairs.values()))}"


def who(cluster: EmbeddedCluster, bearer: str) -> tuple[int, dict[str, Any]]:
    """Return status and user info of a SelfSubjectReview."""
    with urllib3.PoolManager(ssl_context=context(cluster.ca_pem), retries=False) as pool:
        answer = pool.request(
            "POST",
            f"{cluster.endpoint}/apis/authentication.k8s.io/v1/selfsubjectreviews",
            headers={"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"},
            body=b'{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}',
        )
    return answer.status, json.loads(answer.data).get("status") or {}


def test_an_assumed_role_signs_in_with_its_entrys_groups(cluster: EmbeddedCluster) -> None:
    status, review = who(cluster, token(presigned()))
    assert status == 201
    assert review["userInfo"]["username"] == ROLE.arn
    assert review["userInfo"]["groups"] == ["ecr-public-pushers", "system:authenticated"]


def test_a_changed_or_removed_entry_counts_at_once(cluster: EmbeddedCluster) -> None:
    bearer = token(presigned())
    cluster.access_entries.put(AccessEntry(ENTRIES[0].principal_arn, ("viewers",)))
    assert who(cluster, bearer)[1]["userInfo"]["groups"] == ["viewers", "system:authenticated"]
    cluster.access_entries.remove(ENTRIES[0].principal_arn)
    assert who(cluster, bearer)[0] == 401


def test_a_user_signs_in_under_the_name_its_entry_gives(cluster: EmbeddedCluster) -> None:
    status, review = who(cluster, token(presigned(USER)))
    assert (status, review["userInfo"]["username"]) == (201, "alice")


def test_the_plain_boto3_way_signs_in(cluster: EmbeddedCluster) -> None:
    session = boto3.Session(
        ROLE.access_key_id, ROLE.secret_access_key, ROLE.session_token, region_name="us-east-1"
    )
    options: dict[str, Any] = {"ignore_configured_endpoint_urls": True}
    client = session.client("sts", config=Config(**options))

    def take(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["cluster"] = params.pop("ClusterName")

    def sign(request: Any, **_: Any) -> None:
        request.headers["x-k8s-aws-id"] = request.context["cluster"]

    client.meta.events.register("provide-client-params.sts.GetCallerIdentity", take)
    client.meta.events.register("before-sign.sts.GetCallerIdentity", sign)
    url = client.generate_presigned_url(
        "get_caller_identity", {"ClusterName": "prod"}, ExpiresIn=60, HttpMethod="GET"
    )
    assert who(cluster, token(url))[0] == 201, cluster.sign_in_failures


REFUSED: dict[str, tuple[Callable[[], str], str]] = {
    "another-clusters": (lambda: presigned(cluster="staging"), "sts: the signature does not match"),
    "header-not-signed": (
        lambda: presigned(header="x-other"),
        "client did not sign the x-k8s-aws-id header",
    ),
    "plain-http": (lambda: presigned().replace("https://", "http://"), "unexpected scheme"),
    "a-path": (lambda: presigned(path="/path"), "unexpected path"),
    "no-path": (lambda: presigned(path=""), "unexpected path"),
    "foreign-host": (
        lambda: presigned(host="sts.us-east-1.amazonaws.com.evil.example"),
        "unexpected hostname",
    ),
    "an-address": (lambda: presigned(host="127.0.0.1:5000"), "unexpected hostname"),
    "another-partitions-host": (
        lambda: presigned(host="sts.cn-north-1.amazonaws.com.cn", region="cn-north-1"),
        "unexpected hostname",
    ),
    "user-in-the-host": (lambda: presigned(host=f"user@{HOST}"), "unexpected hostname"),
    "another-action": (
        lambda: presigned(parameters={**ACTION, "Action": "AssumeRole"}),
        "unexpected action",
    ),
    "no-action": (lambda: presigned(parameters={"Version": "2011-06-15"}), "unexpected action"),
    "extra-parameter": (
        lambda: presigned(parameters={**ACTION, "Extra": "x"}),
        "non-whitelisted query parameter",
    ),
    "parameter-twice": (
        lambda: presigned() + "&Action=GetCallerIdentity",
        "query parameter with multiple values",
    ),
    "parameter-twice-in-another-case": (
        lambda: presigned() + "&action=GetCallerIdentity",
        "query parameter with multiple values",
    ),
    "expires-too-long": (lambda: presigned(expires=901), "invalid X-Amz-Expires"),
    "expires-negative": (lambda: changed(presigned(), X_Amz_Expires="-1"), "invalid X-Amz-Expires"),
    "expires-not-whole": (
        lambda: changed(presigned(), X_Amz_Expires="60.5"),
        "invalid X-Amz-Expires",
    ),
    "no-expires": (
        lambda: changed(presigned(), X_Amz_Expires=None),
        "missing query parameter: x-amz-expires",
    ),
    "no-date": (
        lambda: changed(presigned(), X_Amz_Date=None),
        "missing query parameter: x-amz-date",
    ),
    "bad-date": (lambda: changed(presigned(), X_Amz_Date="yesterday"), "error parsing X-Amz-Date"),
    "expires-stretched": (
        lambda: changed(presigned(), X_Amz_Expires="600"),
        "sts: the signature does not match",
    ),
    "tampered-signature": (
        lambda: changed(presigned(), X_Amz_Signature="0" * 64),
        "sts: the signature does not match",
    ),
    "no-signature": (
        lambda: changed(presigned(), X_Amz_Signature=None),
        "missing query parameter: x-amz-signature",
    ),
    "another-session-token": (
        lambda: changed(presigned(), X_Amz_Security_Token="another"),
        "sts: the session token does not belong",
    ),
    "no-session-token": (
        lambda: changed(presigned(), X_Amz_Security_Token=None),
        "sts: the session token does not belong",
    ),
    "another-algorithm": (
        lambda: changed(presigned(), X_Amz_Algorithm="AWS4-ECDSA-P256-SHA256"),
        "sts: unknown signature algorithm",
    ),
    "another-scope": (lambda: presigned(region="eu-west-1"), "sts: credential is not scoped"),
    "unknown-key": (
        lambda: presigned(Credential("AKIANOBODY", "s", None, "")),
        "sts: the access key id is not known",
    ),
    "wrong-secret": (
        lambda: presigned(Credential(ROLE.access_key_id, "wrong", ROLE.session_token, "")),
        "sts: the signature does not match",
    ),
    "no-entry": (
        lambda: presigned(STRANGER),
        "no access entry for arn:aws:iam::111122223333:user/mallory",
    ),
}


@pytest.mark.parametrize(("url", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_url_that_breaks_a_rule_is_refused(
    url: Callable[[], str], reason: str, cluster: EmbeddedCluster
) -> None:
    assert who(cluster, token(url()))[0] == 401
    assert [failure for failure in cluster.sign_in_failures if failure.startswith(reason)], (
        cluster.sign_in_failures
    )


@pytest.mark.parametrize(
    ("bearer", "reason"),
    [
        ("k8s-aws-v2.aHR0cHM6Ly8", 'token is missing expected "k8s-aws-v1." prefix'),
        ("nonsense", 'token is missing expected "k8s-aws-v1." prefix'),
        ("k8s-aws-v1." + "a===", "token is not unpadded base64url"),
        ("k8s-aws-v1.a+b/", "token is not unpadded base64url"),
        ("k8s-aws-v1._____w", "token does not hold a URL"),
    ],
)
def test_a_token_of_another_form_is_refused(
    bearer: str, reason: str, cluster: EmbeddedCluster
) -> None:
    assert who(cluster, bearer)[0] == 401
    assert cluster.sign_in_failures == [reason]


def test_a_token_is_at_most_4096_bytes_long() -> None:
    def sized(length: int) -> tuple[str, Authenticator]:
        """Return a token of that many bytes or a few less, and a cluster that knows its session."""
        for padding in range(length, 0, -1):
            long = Credential("ASIALONG", "secret", "t" * padding, ROLE.arn)
            made = token(presigned(long))
            if len(made) <= length:
                known = {long.access_key_id: long}
                return made, Authenticator(
                    "prod",
                    credentials=known.get,
                    access_entries=ENTRIES,
                    region="us-east-1",
                    static_tokens={},
                )
        raise AssertionError(length)

    fits, knowing = sized(4096)
    assert len(fits) > 4092
    assert knowing.authenticate(fits) is not None
    too_long, knowing = sized(4100)
    assert len(too_long) > 4096
    assert knowing.authenticate(too_long) is None
    assert knowing.failures == ["token is too large"]


@pytest.mark.parametrize(
    ("expires", "offset", "reason"),
    [
        (60, 61, "sts: the presigned URL is expired"),
        (900, 901, "X-Amz-Date parameter is expired (15 minute expiration)"),
        (900, -301, "sts: the signature is not yet current"),
    ],
)
def test_a_token_lives_no_longer_than_its_url(
    expires: int, offset: float, reason: str, cluster: EmbeddedCluster, clock: Clock
) -> None:
    bearer = token(presigned(expires=expires))
    clock.offset = offset
    assert who(cluster, bearer)[0] == 401
    assert cluster.sign_in_failures == [reason]


def test_a_verdict_is_not_kept_longer_than_the_url_lives(
    cluster: EmbeddedCluster, clock: Clock
) -> None:
    bearer = token(presigned(expires=30))
    assert who(cluster, bearer)[0] == 201
    clock.offset = 31
    assert who(cluster, bearer)[0] == 401


@pytest.mark.parametrize(
    ("cluster_region", "host", "region"),
    [
        ("us-east-1", "sts.amazonaws.com", "us-east-1"),
        ("us-east-1", "sts.eu-west-1.amazonaws.com", "eu-west-1"),
        ("us-east-1", "sts-fips.us-east-1.amazonaws.com", "us-east-1"),
        ("eu-west-1", "sts.eu-west-1.api.aws", "eu-west-1"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
    ],
)
def test_the_sts_hosts_of_the_clusters_partition_are_known(
    cluster_region: str, host: str, region: str
) -> None:
    asked = Authenticator(
        "prod",
        credentials=CREDENTIALS.get,
        access_entries=ENTRIES,
        region=cluster_region,
        static_tokens={},
    )
    assert asked.authenticate(token(presigned(host=host, region=region))) is not None, (
        asked.failures
    )


@pytest.mark.parametrize("cluster_region", ["cn-north-1", "us-gov-west-1"])
def test_the_global_host_serves_the_aws_partition_only(cluster_region: str) -> None:
    asked = Authenticator(
        "prod",
        credentials=CREDENTIALS.get,
        access_entries=ENTRIES,
        region=cluster_region,
        static_tokens={},
    )
    assert asked.authenticate(token(presigned(host="sts.amazonaws.com"))) is None


def test_a_token_for_one_cluster_is_refused_by_another(cluster: EmbeddedCluster) -> None:
    with EmbeddedCluster("staging", credentials=CREDENTIALS.get, access_entries=ENTRIES) as other:
        bearer = token(presigned(cluster="staging"))
        assert (who(other, bearer)[0], who(cluster, bearer)[0]) == (201, 401)


def test_failures_never_hold_the_token(cluster: EmbeddedCluster) -> None:
    bearer = token(presigned(cluster="staging"))
    who(cluster, bearer)
    assert cluster.sign_in_failures
    logged = (
        " ".join(cluster.sign_in_failures)
        + repr(cluster.requests)
        + str(cluster.requests[-1].headers)
    )
    assert not any(
        secret in logged
        for secret in (bearer[11:], "role-session", "role-secret", "X-Amz-Signature=")
    )


def test_static_tokens_sign_in_too() -> None:
    tokens = {"fixed": UserInfo("fixed-user", "7", ("some",))}
    with EmbeddedCluster("prod", credentials=CREDENTIALS.get, static_tokens=tokens) as cluster:
        status, review = who(cluster, "fixed")
    assert (status, review["userInfo"]) == (
        201,
        {"username": "fixed-user", "uid": "7", "groups": ["some", "system:authenticated"]},
    )


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (ROLE.arn, "arn:aws:iam::111122223333:role/pusher"),
        ("arn:aws-cn:sts::1:assumed-role/r/s", "arn:aws-cn:iam::1:role/r"),
        (USER.arn, USER.arn),
        ("arn:aws:iam::1:root", "arn:aws:iam::1:root"),
    ],
)
def test_the_principal_of_a_session_is_its_role(arn: str, principal: str) -> None:
    assert principal_of(arn) == principal
