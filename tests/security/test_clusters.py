"""The view and the power of a target cluster.

The sentences of SECURITY.md that no other test holds.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from botocore.credentials import Credentials

from ecr_public_pusher.aws_api.assumed_role import Caller
from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.sign_in.sts_token import sts_token
from infra.local.kube import Cluster
from infra.local.kube.http.client import context
from tests.support.google import PRINCIPAL, Gke, google_beside
from tests.support.world import EXECUTION_ROLE, SECRET, SPOKE_ACCOUNT, World

PULL_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-pull"
REGISTRY = f"{{account: '{SPOKE_ACCOUNT}', region: eu-west-1, roleArn: {PULL_ROLE}}}"


def bearer(world: World, cluster: str, region: str = "us-east-1") -> str:
    """Return the credential that the function signs in with."""
    credentials = Credentials(
        *(
            world.environ[f"AWS_{name}"]
            for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")
        )
    )
    return sts_token(AwsClients(region), Caller(credentials), region=region, cluster=cluster)


def ask(
    cluster: Cluster, token: str, method: str, path: str, body: object = None
) -> tuple[int, bytes]:
    """Send a request as the holder of the token."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/apply-patch+yaml"}
    with urllib3.PoolManager(ssl_context=context(cluster.ca_pem)) as pool:
        answer = pool.request(
            method,
            cluster.endpoint + path,
            body=None if body is None else json.dumps(body),
            headers=headers,
        )
    return answer.status, answer.data


def test_a_namesake_in_another_region_takes_the_token(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), embedded=True)
    token = bearer(world, "prod")
    namesake = world.add_cluster("prod", namespaces=("a",), region="eu-west-1", embedded=True)
    other = world.add_cluster("other", namespaces=("a",), embedded=True)
    assert [
        ask(cluster, token, "GET", "/api/v1/namespaces")[0] for cluster in (namesake, other)
    ] == [200, 401]


def test_a_cluster_gets_only_the_registries_of_its_own_documents(world: World) -> None:
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    world.add_cluster(
        "private",
        namespaces=("a",),
        document=f"{{namespaces: [a], registries: [{REGISTRY}]}}",
        embedded=True,
    )
    world.add_cluster("public", namespaces=("a",), document="{namespaces: [a]}", embedded=True)
    assert world.invoke()["ok"]
    tokens = {
        "private": world.aws.ecr_private.issued[PULL_ROLE, "eu-west-1"][0],
        "public": world.aws.ecr_public.issued[-1],
    }
    for name in ("private", "public"):
        found = world.secret(name, "a")
        assert found is not None
        config = base64.b64decode(found["data"][".dockerconfigjson"]).decode()
        assert [one for one, token in tokens.items() if token in config] == [name]


def test_a_private_token_lies_in_every_namespace_that_its_document_selects(world: World) -> None:
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    world.add_cluster(
        "prod", namespaces=("a", "b"), document=f"{{namespaces: [a, b], registries: [{REGISTRY}]}}"
    )
    world.invoke()
    (token,) = world.aws.ecr_private.issued[PULL_ROLE, "eu-west-1"]
    for namespace in ("a", "b"):
        found = world.secret("prod", namespace)
        assert found is not None
        assert token in base64.b64decode(found["data"][".dockerconfigjson"]).decode()


def test_who_may_patch_a_secret_may_read_it(world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("a",), document="{namespaces: [a]}")
    world.invoke()
    token = bearer(world, "prod")
    path = f"/api/v1/namespaces/a/secrets/{SECRET}"
    assert ask(cluster, token, "GET", path)[0] == 403
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}}
    status, answer = ask(cluster, token, "PATCH", f"{path}?fieldManager=whoever&dryRun=All", body)
    assert (
        status,
        world.token("prod", "a")
        in base64.b64decode(json.loads(answer)["data"][".dockerconfigjson"]).decode(),
    ) == (200, True)


def test_an_authenticator_of_the_same_cluster_id_takes_the_token(world: World) -> None:
    document = "{namespaces: [a], signIn: {type: iamAuthenticator, clusterId: kops.example}}"
    kops, other = (
        world.add_elsewhere(name, cluster_id="kops.example", document=document, embedded=True)
        for name in ("kops", "other")
    )
    third = world.add_elsewhere(
        "third",
        cluster_id="third.example",
        document=document.replace("kops", "third"),
        embedded=True,
    )
    token = bearer(world, "kops.example")
    assert [
        ask(cluster, token, "GET", "/api/v1/namespaces")[0] for cluster in (kops, other, third)
    ] == [200, 200, 401]


@pytest.fixture
def gke(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gke]:
    with google_beside(world, monkeypatch, tmp_path) as made:
        yield made


def googles_token(gke: Gke) -> str:
    """Return the token with which the function signed in to its one cluster."""
    assert gke.world.invoke()["ok"]
    (token,) = gke.google.issued
    return token


def test_googles_token_serves_wherever_its_identity_has_rights(world: World, gke: Gke) -> None:
    gke.add("one", embedded=True)
    token = googles_token(gke)
    other = gke.add("other", embedded=True)
    not_of_google = world.add_elsewhere("edge", document="{namespaces: [a]}", embedded=True)
    assert [
        ask(cluster, token, "GET", "/api/v1/namespaces")[0] for cluster in (other, not_of_google)
    ] == [200, 401]


def test_an_identity_of_another_pool_is_another_user(gke: Gke) -> None:
    gke.add("one", embedded=True)
    token = googles_token(gke)
    user = PRINCIPAL.replace("a-pool", "another-pool")
    other = gke.add("other", user=user, embedded=True)
    assert ask(other, token, "GET", "/api/v1/namespaces")[0] == 403
