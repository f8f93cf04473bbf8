"""Sign-in by web identity tokens and client certificates.

With KUBEBUILDER_ASSETS the real API server judges them.
"""

import base64
import json
import ssl
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import urllib3
import yaml

from ecr_public_pusher.sign_in.api_server_trust import Claims, TrustRemedies
from ecr_public_pusher.sign_in.kind import Endpoint
from infra.local.aws import DEFAULT_ACCOUNT, LocalAws
from infra.local.kube import Cluster, start_cluster
from infra.local.kube.auth.jwts import NotTrusted, TrustedIssuer, configuration
from infra.local.kube.auth.x509 import ClientAuthority
from infra.local.kube.http.client import context
from infra.local.stack import trusted_issuer

ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/pusher"
AUDIENCE = "ecr-public-pusher:edge"
AWS_CLAIMS = "https://sts.amazonaws.com/"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as started:
        yield started


@pytest.fixture(scope="module")
def issuer(aws: LocalAws) -> TrustedIssuer:
    return trusted_issuer(aws, audience=AUDIENCE, subject=ROLE)


@pytest.fixture(scope="module")
def cluster(aws: LocalAws, issuer: TrustedIssuer) -> Iterator[Cluster]:
    with start_cluster("edge", credentials=aws.find_credential, issuers=[issuer]) as started:
        yield started


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "sub": ROLE,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 300,
        AWS_CLAIMS: {"aws_account": DEFAULT_ACCOUNT},
    } | changed


def who(
    cluster: Cluster, token: str | None = None, tls: ssl.SSLContext | None = None
) -> tuple[int, Any]:
    """Return status and user info of a SelfSubjectReview."""
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    body = b'{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}'
    with urllib3.PoolManager(ssl_context=tls or context(cluster.ca_pem), retries=False) as pool:
        answer = pool.request(
            "POST",
            f"{cluster.endpoint}/apis/authentication.k8s.io/v1/selfsubjectreviews",
            headers=headers,
            body=body,
        )
    status = json.loads(answer.data).get("status")
    return answer.status, status.get("userInfo") if isinstance(status, dict) else None


def client_tls(cluster_ca: str, certificate: str, key: str) -> ssl.SSLContext:
    made = context(cluster_ca)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate + key)
        file.flush()
        made.load_cert_chain(file.name)
    return made


# --- web identity


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_a_token_of_the_role_for_the_audience_signs_in_as_our_group(
    aws: LocalAws, cluster: Cluster, algorithm: str
) -> None:
    status, user = who(cluster, aws.web_identity.sign(claims(jti="1"), algorithm))
    assert (status, user["username"], user["groups"]) == (
        201,
        f"aws:{ROLE}",
        ["ecr-public-pushers", "system:authenticated"],
    )
    assert user["extra"] == {"authentication.kubernetes.io/credential-id": ["JTI=1"]}


REFUSED: dict[str, dict[str, Any]] = {
    "another-audience": {"aud": "ecr-public-pusher:prod"},
    "another-role": {"sub": f"{ROLE}2"},
    "another-account": {AWS_CLAIMS: {"aws_account": "444455556666"}},
    "no-account": {AWS_CLAIMS: {}},
    "claims-of-aws-that-are-none": {AWS_CLAIMS: "x"},
    "expired": {"exp": int(time.time()) - 60},
    "no-expiry": {"exp": None},
    "expiry-that-is-none": {"exp": "tomorrow"},
    "another-issuer": {"iss": "https://another.tokens.sts.global.api.aws"},
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED)
def test_a_token_that_breaks_a_rule_is_refused(
    aws: LocalAws, cluster: Cluster, changed: dict[str, Any]
) -> None:
    assert who(cluster, aws.web_identity.sign(claims(**changed)))[0] == 401


def test_a_token_of_another_accounts_key_is_refused(aws: LocalAws, cluster: Cluster) -> None:
    forged = aws.web_identity_of("444455556666").sign(claims(iss=aws.web_identity.url))
    assert who(cluster, forged)[0] == 401


def test_an_unsigned_token_is_refused(cluster: Cluster, aws: LocalAws) -> None:
    head = base64.urlsafe_b64encode(b'{"alg": "none"}').decode().rstrip("=")
    body = (
        base64.urlsafe_b64encode(json.dumps(claims(iss=aws.web_identity.url)).encode())
        .decode()
        .rstrip("=")
    )
    assert who(cluster, f"{head}.{body}.")[0] == 401


def test_an_issuer_is_trusted_until_it_is_removed(aws: LocalAws, issuer: TrustedIssuer) -> None:
    with start_cluster("edge", credentials=aws.find_credential) as cluster:
        token = aws.web_identity.sign(claims())
        assert who(cluster, token)[0] == 401
        cluster.trust(issuer)
        assert who(cluster, token)[0] == 201
        cluster.trust()
        assert who(cluster, aws.web_identity.sign(claims()))[0] == 401


def test_the_configuration_that_the_function_prints_is_what_the_cluster_needs(
    aws: LocalAws, issuer: TrustedIssuer
) -> None:
    remedies = TrustRemedies(
        Endpoint("https://edge.example", ""), Claims(AUDIENCE, aws.web_identity.url, ROLE)
    )
    printed = yaml.safe_load(remedies.configuration("v1"))
    read = TrustedIssuer.read(printed, keys=issuer.keys)
    assert printed == configuration(read)
    assert read.verify(aws.web_identity.sign(claims()))[0].username == f"aws:{ROLE}"
    with pytest.raises(NotTrusted, match="another audience"):
        read.verify(aws.web_identity.sign(claims(aud="ecr-public-pusher:prod")))


def test_an_expression_that_the_function_does_not_print_is_refused(issuer: TrustedIssuer) -> None:
    other = configuration(issuer)
    other["jwt"][0]["claimValidationRules"][0]["expression"] = "claims.sub.startsWith('arn')"
    with pytest.raises(ValueError, match="startsWith"):
        TrustedIssuer.read(other, keys=issuer.keys)


# --- client certificates


def certificate(kubeconfig: dict[str, Any]) -> list[str]:
    """Return the certificate and the key of a kubeconfig's user, PEM."""
    user = kubeconfig["users"][0]["user"]
    return [
        base64.b64decode(user[part]).decode()
        for part in ("client-certificate-data", "client-key-data")
    ]


def test_a_client_certificate_signs_in_as_the_user_and_groups_that_it_names(
    cluster: Cluster,
) -> None:
    pem = certificate(cluster.client_kubeconfig("pusher", ["ecr-public-pushers"]))
    status, found = who(cluster, tls=client_tls(cluster.ca_pem, *pem))
    assert (status, found["username"], found["groups"]) == (
        201,
        "pusher",
        ["ecr-public-pushers", "system:authenticated"],
    )


def refused(cluster: Cluster, pem: Sequence[str]) -> bool:
    """Return whether the sign-in is refused.

    A 401 refuses it; the embedded server's TLS can only end the handshake.
    """
    try:
        return who(cluster, tls=client_tls(cluster.ca_pem, *pem))[0] == 401
    except (urllib3.exceptions.SSLError, urllib3.exceptions.ProtocolError):
        return True


def test_a_certificate_that_is_out_of_date_does_not_sign_in(cluster: Cluster) -> None:
    assert refused(
        cluster,
        certificate(
            cluster.client_kubeconfig("pusher", ["ecr-public-pushers"], life=timedelta(minutes=-1))
        ),
    )


def test_a_certificate_of_another_authority_does_not_sign_in(cluster: Cluster) -> None:
    assert refused(cluster, ClientAuthority("else").issue("pusher", ["ecr-public-pushers"]))
