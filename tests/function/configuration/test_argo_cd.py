"""The repositories of Argo CD that a document names, and the registry of each."""

import re

import pytest

from ecr_public_pusher.configuration import loader as config
from ecr_public_pusher.configuration.account_selector import NO_ACCOUNTS
from ecr_public_pusher.configuration.cluster_config import PrivateRegistry, Repository
from ecr_public_pusher.configuration.loader import Configuration, Parameter
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.configuration.repository_url import REPOSITORY_URL_PATTERN, location_of

ROOT = "/ecr-public-pusher"
PULL_ROLE = "arn:aws:iam::444455556666:role/ecr-public-pusher-pull"
PRIVATE = f"{{account: '444455556666', region: eu-west-1, roleArn: '{PULL_ROLE}'}}"
REGISTRY = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"


def build(prod: str, *, defaults: str = "{}", kind: str = "clusters") -> Configuration:
    return config.load(
        [Parameter(f"{ROOT}/{kind}/prod", prod), Parameter(f"{ROOT}/defaults", defaults)],
        root=ROOT,
        region="us-east-1",
    )


def complaint(text: str) -> str:
    """Return the message about the document `text`."""
    return build(text).invalid["prod"].message


def of(repositories: str, *, fields: str = "") -> str:
    return f"{{namespaces: [a], {fields} argocd: {{repositories: [{repositories}]}}}}"


def test_each_repository_has_its_registry_and_its_own_settings() -> None:
    (cluster,) = build(
        f"""
        namespaces: [team-*]
        registries: [public, {PRIVATE}]
        serviceAccounts: [default]
        prune: true
        labels: {{team: web}}
        argocd:
          namespace: cd
          repositories:
            - {{name: charts, url: {REGISTRY}/charts}}
            - {{name: karpenter, url: public.ecr.aws/karpenter, template: yes}}
        """
    ).clusters
    registry = PrivateRegistry("444455556666", "eu-west-1", PULL_ROLE)
    assert cluster.repositories == (
        Repository("cd", "charts", f"{REGISTRY}/charts", False, registry),
        Repository("cd", "karpenter", "public.ecr.aws/karpenter", True, None),
    )
    charts, karpenter = cluster.of_repositories
    assert (charts.secret_name, charts.selection) == ("charts", Selection(("cd",)))
    assert (charts.public_registry, charts.private_registries) == (False, (registry,))
    assert (karpenter.public_registry, karpenter.private_registries) == (True, ())
    assert charts.service_accounts == NO_ACCOUNTS
    assert (charts.prune, charts.labels) == (False, {"team": "web"})
    assert charts.secrets == (*cluster.target, "charts")


def test_a_document_without_it_has_none() -> None:
    (cluster,) = build("namespaces: [a]").clusters
    assert cluster.repositories == ()
    assert cluster.of_repositories == ()


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("public.ecr.aws", None),
        ("public.ecr.aws/karpenter", None),
        ("oci://ecr-public.aws.com/x/y", None),
        (f"{REGISTRY}/a.b/c_d", ("444455556666", "eu-west-1")),
        (f"oci://{REGISTRY}/charts", ("444455556666", "eu-west-1")),
        ("444455556666.dkr-ecr.eu-west-1.on.aws/x", ("444455556666", "eu-west-1")),
        ("444455556666.dkr.ecr-fips.us-east-1.amazonaws.com/x", ("444455556666", "us-east-1")),
        ("444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/x", ("444455556666", "cn-north-1")),
    ],
)
def test_the_url_says_which_registry(url: str, location: tuple[str, str] | None) -> None:
    assert re.fullmatch(REPOSITORY_URL_PATTERN, url)
    assert location_of(url) == location


@pytest.mark.parametrize(
    "url",
    [
        "https://public.ecr.aws/karpenter",
        "public.ecr.aws.example.com/karpenter",
        "444455556666.dkr.ecr.eu-west-1.example.com/x",
        "444455556666.dkr-ecr.eu-west-1.amazonaws.com/x",
        "444455556666.dkr.ecr.eu-west-1.on.aws/x",
        "registry-1.docker.io/bitnamicharts",
        f"{REGISTRY}:443/charts",
        f"me@{REGISTRY}/charts",
        f"{REGISTRY}/Charts",
    ],
)
def test_no_other_host_gets_a_token(url: str) -> None:
    said = complaint(of(f"{{name: x, url: '{url}'}}"))
    assert "argocd.repositories.0.url: expected the URL of a repository in ECR" in said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            of(f"{{name: charts, url: {REGISTRY}}}"),
            "argocd: the repository charts is in the registry 444455556666 in eu-west-1: add"
            " {account: '444455556666', region: eu-west-1, roleArn: ...} to registries",
        ),
        (
            of("{name: x, url: public.ecr.aws/x}", fields=f"registries: [{PRIVATE}],"),
            "argocd: the repository x is in ECR Public: add public to registries",
        ),
        (
            of("{name: ecr-public-token, url: public.ecr.aws/x}"),
            "argocd: the repository ecr-public-token has the name of the pull Secret",
        ),
        (
            of("{name: x, url: public.ecr.aws/x}, {name: x, url: public.ecr.aws/y}"),
            "argocd.repositories: the name x is given twice",
        ),
        (
            of("{name: x, url: public.ecr.aws/x/}"),
            "argocd.repositories.0: url: only a template's may end with '/'",
        ),
        (
            of("{name: x, url: public.ecr.aws, tempate: true}"),
            "argocd.repositories.0.tempate: unknown field (did you mean template?)",
        ),
        (of("{name: x}"), "argocd.repositories.0.url: required"),
        (of(""), "argocd.repositories: expected a list of repositories, each a mapping"),
        (
            "{namespaces: a, argocd: {namspace: b, repositories: [{name: x}]}}",
            "argocd.namspace: unknown field (did you mean namespace?)",
        ),
        ("{namespaces: [a], argocd: {namespace: x}}", "argocd.repositories: required"),
        ("{namespaces: [a], argocd: [x]}", "argocd: expected a mapping {namespace, repositories}"),
        (
            "{namespaces: [a], argocd: {namespace: 'a*', repositories: []}}",
            "argocd.namespace: expected the name of a namespace",
        ),
        (
            of(", ".join(f"{{name: x-{n}, url: public.ecr.aws}}" for n in range(21))),
            "argocd.repositories: expected at most 20 repositories, found 21",
        ),
    ],
)
def test_what_a_document_may_not_say(document: str, said: str) -> None:
    assert said in complaint(document)


def test_the_registry_and_the_names_may_come_from_the_defaults() -> None:
    argo_cd = f"argocd: {{repositories: [{{name: charts, url: {REGISTRY}/x}}]}}"
    defaults = f"{{registries: [{PRIVATE}], namespaces: [a]}}"
    (cluster,) = build(f"{{{argo_cd}}}", defaults=defaults).clusters
    assert [one.name for one in cluster.repositories] == ["charts"]
    (found,) = build(
        f"{{regions: [us-east-1], tags: {{x: y}}, {argo_cd}}}", defaults=defaults, kind="discover"
    ).discoveries
    assert [one.name for one in found.cluster("us-east-1", "x").repositories] == ["charts"]


def test_a_misindented_cluster_still_keeps_its_cluster() -> None:
    """A field that stands one level too deep is perhaps what was meant."""
    (claim,) = build(
        "{namespaces: [a], argocd: {repositories: [{name: x, url: public.ecr.aws, cluster: main}]}}"
    ).claimed
    assert claim.possible is not None
    assert "main" in claim.possible
