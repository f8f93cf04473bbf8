"""Contexts as clusters to import: which are EKS, under which name, and what prevents others."""

from typing import Any

import pytest

from infra.cli.imports.contexts import EksName, ImportedContext, imported
from infra.cli.onboarding.kubeconfig import Context, Entry

HOST = "https://ABC.gr7.eu-west-1.eks.amazonaws.com"
LAB = "https://lab.example.com:6443"
ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
ROLE = "arn:aws:iam::444455556666:role/admin"


def context(
    *,
    server: str = LAB,
    name: str = "context",
    cluster_name: str = "cluster",
    user: dict[str, Any] | None = None,
    **cluster: Any,
) -> ImportedContext:
    fields = {"server": server, **{key.replace("_", "-"): one for key, one in cluster.items()}}
    return imported(Entry(Context(name, server), (cluster_name, "user"), fields, user or {}))


def plugin(*words: str, **environ: str) -> dict[str, Any]:
    env = [{"name": name, "value": value} for name, value in environ.items()]
    return {"exec": {"command": words[0], "args": list(words[1:]), "env": env or None}}


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (
            plugin("aws", "--region", "eu-west-1", "eks", "get-token", "--cluster-name", "prod"),
            EksName("prod", "eu-west-1"),
        ),
        (
            plugin("aws", "eks", "get-token", "--cluster-name=prod", "--region=eu-west-1"),
            EksName("prod", "eu-west-1"),
        ),
        (
            plugin(
                "/usr/bin/aws.exe", "eks", "get-token", "--cluster-name", "prod", AWS_PROFILE="p"
            ),
            EksName("prod", profile="p"),
        ),
        (
            plugin("aws", "eks", "get-token", "--cluster-name", "prod", "--profile", "q"),
            EksName("prod", profile="q"),
        ),
        (
            plugin("aws", "eks", "get-token", "--cluster-name", "prod", "--role-arn", ROLE),
            EksName("prod", account="444455556666"),
        ),
        (
            plugin("aws", "eks", "get-token", "--cluster-name", "prod", AWS_REGION="eu-west-1"),
            EksName("prod", "eu-west-1"),
        ),
        (
            plugin("sh", "-c", "aws eks get-token --region eu-west-1 --cluster-name prod"),
            EksName("prod", "eu-west-1"),
        ),
        (
            plugin(
                "aws-vault", "exec", "p", "--", "aws", "eks", "get-token", "--cluster-name", "prod"
            ),
            EksName("prod"),
        ),
        (plugin("aws", "eks", "get-token", "--cluster-id", "an-id-of-an-outpost"), EksName()),
        (plugin("aws", "eks", "get-token", "--cluster-name"), EksName()),
        (plugin("sh", "-c", "aws eks get-token 'unbalanced"), None),
        (plugin("gke-gcloud-auth-plugin"), None),
        ({"exec": {"command": "aws", "args": "eks get-token"}}, None),
        ({"exec": {"command": None, "args": None, "env": "x"}}, None),
        ({"exec": ["aws"]}, None),
        ({"token": "t"}, None),
    ],
)
def test_a_credential_plugin_names_the_eks_cluster(
    user: dict[str, Any], expected: EksName | None
) -> None:
    found = context(user=user)
    assert (found.eks, found.certainly_eks) == (expected, expected is not None)


@pytest.mark.parametrize(
    ("words", "certain"),
    [
        (("aws-iam-authenticator", "token", "-i", "prod"), False),
        (("aws-iam-authenticator", "token", "--cluster-id=prod", "-r", ROLE), False),
        (("/opt/heptio-authenticator-aws", "token", "-i", "prod"), False),
    ],
)
def test_an_authenticators_cluster_may_be_eks_or_not(words: tuple[str, ...], certain: bool) -> None:
    found = context(user=plugin(*words))
    assert found.eks is not None
    assert (found.eks.name, found.authenticator_id, found.certainly_eks) == (
        "prod",
        "prod",
        certain,
    )
    assert context(server=HOST, user=plugin(*words)).certainly_eks


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (context(server=HOST), EksName(region="eu-west-1")),
        (context(server=f"{HOST}.cn"), EksName(region="eu-west-1")),
        (
            context(server="https://ABC.gr7.eks-cluster.eu-west-1.api.aws"),
            EksName(region="eu-west-1"),
        ),
        (
            context(server="https://A.eks-cluster.cn-north-1.api.amazonwebservices.com.cn"),
            EksName(region="cn-north-1"),
        ),
        (context(cluster_name=ARN), EksName("prod", "eu-west-1", "111122223333")),
        (
            context(server=HOST, cluster_name="prod.eu-west-1.eksctl.io"),
            EksName("prod", "eu-west-1"),
        ),
        (
            context(
                cluster_name=ARN,
                user=plugin("aws", "eks", "get-token", "--cluster-name", "prod", "--profile", "p"),
            ),
            EksName("prod", "eu-west-1", "111122223333", "p"),
        ),
    ],
)
def test_a_server_and_the_names_of_other_tools_show_eks(
    found: ImportedContext, expected: EksName
) -> None:
    assert (found.eks, found.certainly_eks) == (expected, True)


@pytest.mark.parametrize(
    "server",
    [
        "https://eks.amazonaws.com.example.com",
        "https://A.eks-cluster.eu-west-1.api.example.com",
        "https://[",
        LAB,
    ],
)
def test_other_servers_are_not_eks(server: str) -> None:
    assert context(server=server).eks is None


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"token": "t"}, ""),
        ({"client-certificate": "file"}, ""),
        ({"client-certificate-data": "x"}, ""),
        ({"auth-provider": {"name": "gcp"}}, "its user signs in by auth-provider"),
        ({"tokenFile": "file", "token": "t"}, "its user signs in by tokenFile"),
        ({"username": "a", "password": "b"}, "its user signs in by username"),
        ({}, "its user has no credential"),
    ],
)
def test_only_a_token_or_a_client_certificate_can_be_stored(
    user: dict[str, Any], said: str
) -> None:
    assert context(user=user).not_storable == said


def test_an_entry_that_is_off_is_no_problem() -> None:
    assert context(insecure_skip_tls_verify=False, proxy_url="").problem == ""


def test_a_context_without_its_cluster_is_a_problem() -> None:
    found = imported(Entry(Context("a", ""), ("gone", ""), {}, {}))
    assert found.problem == "the kubeconfig has no cluster of the name that it refers to"


@pytest.mark.parametrize(
    ("found", "gke"),
    [
        (context(user=plugin("/opt/gke-gcloud-auth-plugin.exe")), True),
        (context(user=plugin("sh", "-c", "gke-gcloud-auth-plugin --use_edge_cache")), True),
        (context(user={"auth-provider": {"name": "gcp"}}), True),
        (context(server="https://gke-0a1b.europe-west1.gke.goog"), True),
        (context(user={"auth-provider": {"name": "oidc"}}), False),
        (context(user={"auth-provider": ["gcp"]}), False),
        (context(server="https://gke.goog.example.com"), False),
        (context(server="https://203.0.113.10", user={"token": "t"}), False),
    ],
)
def test_a_plugin_an_auth_provider_or_a_dns_based_endpoint_shows_gke(
    found: ImportedContext, gke: bool
) -> None:
    assert found.gke is gke
