"""Managed control planes that trust AWS's issuer in a way of their own, over the wire.

What `check` prints for them is given to the server, with KUBEBUILDER_ASSETS to a real one.
"""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.cluster_config import Server, WebIdentity
from ecr_public_pusher.configuration.rbac_subject import Subject, is_aks, rbac_group
from ecr_public_pusher.jobs.outcomes import explain
from ecr_public_pusher.jobs.required_permissions import required_permissions
from ecr_public_pusher.ownership import RBAC_GROUP
from ecr_public_pusher.sign_in.api_server_trust import Claims, TrustRemedies
from ecr_public_pusher.sign_in.kind import Endpoint
from infra.cli.choices import Grant
from infra.cli.onboarding.rbac_manifests import manifests
from infra.local.kube import Cluster, EmbeddedCluster
from infra.local.kube.auth.jwts import TrustedIssuer
from infra.local.stack import trusted_issuer
from tests.support.cluster_config import config
from tests.support.commands import in_backticks, parse, problems
from tests.support.paste import paste
from tests.support.path_proxy import proxied
from tests.support.recorded_answers import recorded, refused
from tests.support.reports import cluster_of, findings
from tests.support.resolver import Resolver
from tests.support.world import EXECUTION_ROLE, GROUP, World

AKS = "edge-a1b2.hcp.westeurope.azmk8s.io"
EKS = "0123ABCD.gr7.eu-west-1.eks.amazonaws.com".lower()
OPENSHIFT = "api.edge.example.com"
AKS_GROUP = f"aks:jwt:{GROUP}"
AUDIENCE = "ecr-public-pusher:edge"
USER = f"aws:{EXECUTION_ROLE}"
USER_BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "ecr-public-pusher-web-identity"},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "ecr-public-pusher",
    },
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
}


class ByClaims(TrustedIssuer):
    """An entry as the `--oidc-*` flags, EKS and OpenShift make it: claims, and no expressions."""

    def entry(self) -> dict[str, Any]:
        return {
            "issuer": super().entry()["issuer"],
            "claimValidationRules": [{"claim": "sub", "requiredValue": self.subject}],
            "claimMappings": {"username": {"claim": "sub", "prefix": self.user_prefix}},
        }


@pytest.fixture(autouse=True)
def switched_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = (AKS, EKS, OPENSHIFT)
    monkeypatch.setattr(socket, "getaddrinfo", Resolver({host: ["127.0.0.1"] for host in hosts}))
    world.environ["ALLOWED_ENDPOINTS"] = ",".join(hosts)
    world.aws.web_identity.enabled = True


@pytest.fixture
def cluster(world: World, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Return the cluster `edge` at the host in the parameter, which trusts nobody."""
    made = world.add_elsewhere("edge", document="namespaces: [a]", trusts=False)
    with proxied(request.param, {"": made}) as proxy:
        document = {
            "endpoint": proxy.url(),
            "certificateAuthority": proxy.ca_pem,
            "signIn": {"type": "webIdentity"},
            "namespaces": ["a"],
        }
        world.document("edge", yaml.safe_dump(document))
        yield made


def issuer(world: World, **changes: Any) -> TrustedIssuer:
    return replace(trusted_issuer(world.aws, audience=AUDIENCE, subject=EXECUTION_ROLE), **changes)


def check(world: World) -> dict[str, Any]:
    return findings(world.run({"action": "check"}))


def bad(found: dict[str, Any]) -> list[str]:
    return [name for name, finding in found.items() if not finding["ok"]]


def printed_json(remedy: str) -> dict[str, Any]:
    """Return the file of the printed commands."""
    (text,) = re.findall(r"<<'EOF'\n(.+)\nEOF\n", remedy, re.DOTALL)
    written: dict[str, Any] = json.loads(text)
    return written


# AKS

at_aks = pytest.mark.parametrize("cluster", [AKS], indirect=True)


@at_aks
def test_what_check_prints_for_aks_makes_the_cluster_trust_it(
    world: World, cluster: Cluster
) -> None:
    """The binding is the one that `clusters add` applies."""
    remedy = check(world)["sign-in"]["remedy"]
    assert problems(remedy.partition(":\n")[2]) == []
    known = issuer(world)
    cluster.trust(
        TrustedIssuer.read_entry(
            printed_json(remedy),
            keys=known.keys,
            discovery_url=known.discovery_url,
            ca_pem=known.ca_pem,
        )
    )
    sign_in = WebIdentity(Server(f"https://{AKS}"))
    cluster.apply(*manifests([config(sign_in=sign_in)], Grant.CLUSTER))
    found = check(world)
    assert bad(found) == []
    assert found["sign-in"]["message"].startswith(
        f"as aks:jwt:aws:{EXECUTION_ROLE}, in the groups {AKS_GROUP}"
    )
    assert world.run()["ok"]
    assert world.token("edge", "a")


@at_aks
def test_a_group_that_nothing_is_bound_to_is_bound_by_what_check_prints(
    world: World, cluster: Cluster
) -> None:
    """The files of infra/rbac bind the group without AKS's prefix."""
    cluster.trust(issuer(world, user_prefix="aks:jwt:aws:", groups=(AKS_GROUP,)))
    report = world.run({"action": "check"})
    assert findings(report)["sign-in"]["ok"]
    refused = [one for one in cluster_of(report)["findings"] if not one["ok"]]
    assert refused[0]["check"] == "permission"
    assert refused[0]["remedy"] == (
        "kubectl --context CONTEXT apply -f infra/rbac/cluster.yaml && kubectl --context CONTEXT"
        " create clusterrolebinding ecr-public-pusher-e2123ae8 --clusterrole=ecr-public-pusher"
        f" --group={AKS_GROUP} --dry-run=client -o yaml | kubectl --context CONTEXT label --local"
        " -f - app.kubernetes.io/name=ecr-public-pusher -o yaml | kubectl --context CONTEXT apply"
        " -f -"
    )


@at_aks
def test_the_binding_that_check_prints_for_aks_pasted_twice_makes_the_check_pass(
    world: World, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.trust(issuer(world, user_prefix="aks:jwt:aws:", groups=(AKS_GROUP,)))
    found = cluster_of(world.run({"action": "check"}))["findings"]
    (remedy,) = {one["remedy"] for one in found if one["check"] == "permission"} - {""}
    for _ in range(2):
        paste(remedy, cluster, "CONTEXT", tmp_path)
    assert bad(check(world)) == []
    assert world.run()["ok"]


@at_aks
def test_a_group_without_akss_prefix_is_not_the_one(world: World, cluster: Cluster) -> None:
    cluster.trust(issuer(world, user_prefix="aks:jwt:aws:", groups=("aks:jwt:others",)))
    found = check(world)["sign-in"]
    assert (found["ok"], f"{AKS_GROUP} is not among them" in found["message"]) == (False, True)
    assert printed_json(found["remedy"])["claimMappings"]["groups"] == {
        "expression": f"['{AKS_GROUP}']"
    }


@at_aks
def test_a_refused_push_names_the_group_with_akss_prefix(world: World, cluster: Cluster) -> None:
    """The one that clusters are bound to without AKS has no rights there."""
    cluster.trust(issuer(world, user_prefix="aks:jwt:aws:", groups=(AKS_GROUP,)))
    (problem,) = cluster_of(world.run())["problems"]
    assert problem["remedy"].endswith(f"for the group {AKS_GROUP}.")


def test_each_file_of_infra_rbac_is_bound_to_the_group_of_aks() -> None:
    document = config(
        sign_in=WebIdentity(Server(f"https://{AKS}")),
        prune=True,
        service_accounts=AccountSelection(("*",)),
    )
    needs = required_permissions(document, needs_list=True)
    bound = {need.file: need.remedy().partition(" && ")[2] for need in needs}
    apply = (
        " --dry-run=client -o yaml | kubectl --context CONTEXT label --local -f -"
        " app.kubernetes.io/name=ecr-public-pusher -o yaml | kubectl --context CONTEXT apply -f -"
    )
    assert [problem for command in bound.values() for problem in problems(command)] == []
    assert {
        file: command.partition("clusterrolebinding ")[2] for file, command in bound.items()
    } == {
        f"{name}.yaml": f"{role}-e2123ae8 --clusterrole={role} --group={AKS_GROUP}{apply}"
        for name, role in (
            ("cluster", "ecr-public-pusher"),
            ("prune", "ecr-public-pusher-prune"),
            ("service-accounts", "ecr-public-pusher-service-accounts"),
        )
    }
    assert all(need.remedy(["a"]).count(f"--group={AKS_GROUP} &&") == 1 for need in needs)


def test_akss_authenticator_is_the_entry_of_the_file_with_akss_prefix() -> None:
    remedies = TrustRemedies(
        Endpoint(f"https://{AKS}", ""), Claims(AUDIENCE, "https://issuer", EXECUTION_ROLE)
    )
    (entry,) = yaml.safe_load(remedies.configuration("v1"))["jwt"]
    made = printed_json(remedies.not_admitted(EXECUTION_ROLE, ()))
    assert list(made) == ["issuer", "claimValidationRules", "claimMappings"]
    assert made.pop("claimMappings") == {
        name: {"expression": mapping["expression"].replace("'", "'aks:jwt:", 1)}
        for name, mapping in entry.pop("claimMappings").items()
    }
    assert made == entry


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (AKS, True),
        ("edge-1.9f8e.privatelink.westeurope.azmk8s.io:443", True),
        ("edge-1.hcp.chinaeast2.cx.prod.service.azk8s.cn", True),
        ("edge-1.hcp.usgovvirginia.cx.aks.containerservice.azure.us", True),
        ("azmk8s.io", False),
        ("edge.notazmk8s.io", False),
        ("edge.azmk8s.io.example.com", False),
        (OPENSHIFT, False),
        ("10.0.0.1/edge.azmk8s.io", False),
    ],
)
def test_the_hosts_that_are_akss(host: str, expected: bool) -> None:
    assert is_aks(f"https://{host}") == expected


def test_only_a_web_identity_gets_akss_prefix() -> None:
    """A stored kubeconfig's client certificate or token keeps its own group in AKS."""
    assert rbac_group(config()) == RBAC_GROUP
    assert rbac_group(config(sign_in=WebIdentity(Server(f"https://{AKS}")))) == AKS_GROUP
    assert rbac_group(config(sign_in=WebIdentity(Server(f"https://{OPENSHIFT}")))) == RBAC_GROUP


# EKS with an associated OIDC provider, whose API server sets no group of ours

at_eks = pytest.mark.parametrize("cluster", [EKS], indirect=True)


@at_eks
def test_check_prints_the_oidc_provider_for_eks(world: World, cluster: Cluster) -> None:
    remedy = check(world)["sign-in"]["remedy"]
    associate, bind = in_backticks(remedy)
    assert [problem for text in (associate, bind) for problem in problems(text)] == []
    (command,) = parse(associate)
    assert command.option("--region") == "eu-west-1"
    assert json.loads(str(command.option("--oidc"))) == {
        "identityProviderConfigName": "ecr-public-pusher",
        "issuerUrl": world.aws.web_identity.url,
        "clientId": AUDIENCE,
        "usernameClaim": "sub",
        "usernamePrefix": "aws:",
        "requiredClaims": {"sub": EXECUTION_ROLE},
    }
    assert bind.endswith(f"--clusterrole=ecr-public-pusher --user={USER}")


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("0123.yl4.cn-north-1.eks.amazonaws.com.cn", "cn-north-1"),
        ("0123.gr7.us-gov-west-1.eks.amazonaws.com:443", "us-gov-west-1"),
        ("0123.gr7.eks-cluster.eu-west-1.api.aws", "eu-west-1"),
        ("0123.eks-cluster.us-gov-west-1.api.aws:443", "us-gov-west-1"),
        ("0123.gr7.eks-cluster.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"),
        ("eks-cluster.eu-west-1.api.aws", None),
        ("0123.gr7.eks-cluster.eu-west-1.api.example.com", None),
        ("0123.gr7.eks.eu-west-1.api.aws", None),
        ("eks.amazonaws.com", None),
        ("0123.gr7.eu-west-1.eks.amazonaws.com.example.com", None),
        ("0123.gr7.eu-west-1.eksxamazonaws.com", None),
    ],
)
def test_the_hosts_that_are_ekss_name_the_region(host: str, region: str | None) -> None:
    remedy = TrustRemedies(Endpoint(f"https://{host}", ""), Claims(AUDIENCE)).not_admitted("", ())
    assert (f"associate-identity-provider-config --region {region} " in remedy) == bool(region)
    assert ("kind: AuthenticationConfiguration" in remedy) == (region is None)


@pytest.mark.parametrize("cluster", [EKS, OPENSHIFT], indirect=True)
def test_a_user_without_a_group_is_bound_by_what_check_prints(
    world: World, cluster: Cluster
) -> None:
    known = issuer(world, groups=())
    cluster.trust(ByClaims(**{one.name: getattr(known, one.name) for one in fields(known)}))
    found = check(world)["sign-in"]
    assert (found["ok"], f"{GROUP} is not among them" in found["message"]) == (False, True)
    assert (
        "kubectl --context CONTEXT create clusterrolebinding ecr-public-pusher-web-identity"
        f" --clusterrole=ecr-public-pusher --user={USER}"
    ) in in_backticks(found["remedy"])
    cluster.apply(USER_BINDING)
    assert bad(check(world)) == []
    assert world.run()["ok"]


@pytest.mark.parametrize("cluster", [OPENSHIFT], indirect=True)
def test_what_grants_too_much_is_looked_for_by_the_name_of_the_cluster(
    world: World, cluster: Cluster
) -> None:
    if not isinstance(cluster, EmbeddedCluster):
        pytest.skip("a real API server names the binding")
    known = issuer(world, groups=())
    cluster.trust(ByClaims(**{one.name: getattr(known, one.name) for one in fields(known)}))
    cluster.apply(USER_BINDING)
    allowed = recorded("a-review-of-who-may-do-everything").response
    cluster.intercept = lambda request: (
        allowed if "selfsubjectaccessreviews" in request.path else None
    )
    remedy = check(world)["excess"]["remedy"]
    assert f"auth can-i --list --as={USER}`" in remedy
    assert remedy.endswith(f"| grep -F '{USER}'`")


@pytest.mark.parametrize("cluster", [EKS], indirect=True)
def test_where_the_user_is_bound_each_right_that_is_missing_names_the_user(
    world: World, cluster: Cluster
) -> None:
    known = issuer(world, groups=())
    cluster.trust(ByClaims(**{one.name: getattr(known, one.name) for one in fields(known)}))
    cluster.apply(USER_BINDING)
    world.defaults("serviceAccounts: [default]")
    report = world.run({"action": "check"})
    assert findings(report)["sign-in"]["ok"]
    remedies = [
        one["remedy"]
        for one in cluster_of(report)["findings"]
        if not one["ok"] and one["check"] == "permission"
    ]
    assert remedies
    assert [one for one in remedies if f"--user={USER}" not in one] == []


def test_an_exception_from_a_policy_is_for_the_group_that_the_cluster_gives() -> None:
    denied = refused("apply-against-policy")
    found = explain(
        denied,
        "argocd",
        "charts",
        kubectl="kubectl",
        subject=Subject("group", AKS_GROUP),
        repository=True,
    )
    assert found.remedy.endswith(f"for the group {AKS_GROUP}.")


@pytest.mark.parametrize("cluster", [OPENSHIFT], indirect=True)
def test_a_server_that_trusts_the_token_gets_no_second_entry(
    world: World, cluster: Cluster
) -> None:
    """An issuer may be in one entry only, so the API server would refuse the file."""
    cluster.trust(issuer(world, groups=("others",)))
    remedy = check(world)["sign-in"]["remedy"]
    assert "apiVersion" not in remedy
    assert f"groups: {{expression: \"['{GROUP}']\"}}" in remedy


@pytest.mark.parametrize(
    ("path", "said"), [("/k8s/clusters/c-m-1", True), ("", False)], ids=["path", "none"]
)
def test_behind_a_path_check_names_the_page_on_rancher_and_loft(path: str, said: bool) -> None:
    remedy = TrustRemedies(
        Endpoint(f"https://rancher.example.com{path}", ""), Claims(AUDIENCE)
    ).not_admitted(EXECUTION_ROLE, ())
    assert ("docs/rancher-and-loft.md" in remedy) == said
    assert "kind: AuthenticationConfiguration" in remedy


@at_eks
def test_a_push_that_is_not_admitted_says_so(world: World, cluster: Cluster) -> None:
    assert cluster_of(world.run())["error"]["type"] == "SignInError"


def test_a_users_name_is_one_word_of_a_printed_command() -> None:
    """A cluster chooses it, and it may hold blanks."""
    user = Subject("user", "a b --kubeconfig=c")
    assert (user.option, user.impersonation) == (
        "--user='a b --kubeconfig=c'",
        "--as='a b --kubeconfig=c'",
    )
    remedies = TrustRemedies(Endpoint(f"https://{OPENSHIFT}", ""), Claims(AUDIENCE))
    assert remedies.granted_by_policy(user.name).endswith(" --as='a b --kubeconfig=c'")
