"""The RBAC of a cluster's documents: no more than they need, and enough for all of them."""

from typing import Any

import pytest

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.cluster_config import (
    ClusterConfig,
    Repository,
    Server,
    WebIdentity,
)
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.jobs.rbac_version import MARK_GROUP, RBAC_VERSION, mark
from infra.cli.choices import Grant
from infra.cli.errors import CliError
from infra.cli.onboarding.rbac_manifests import Manifest, described, manifests


def config(document_id: str = "prod", *include: str, **more: Any) -> ClusterConfig:
    return ClusterConfig(document_id, "prod", "us-east-1", Selection(include or ("a",)), **more)


def rules(objects: list[Manifest]) -> dict[str, list[tuple[list[str], list[str], list[str]]]]:
    """Return resources, verbs and names by role, without the version's rule."""
    roles = (one for one in objects if one["kind"] == "ClusterRole")
    return {
        one["metadata"]["name"]: [
            (rule["resources"], rule["verbs"], rule.get("resourceNames", []))
            for rule in one["rules"]
            if rule["apiGroups"] != [MARK_GROUP]
        ]
        for one in roles
    }


def names(objects: list[Manifest]) -> list[str]:
    return [described(one) for one in objects]


def test_the_least_is_cluster_yaml() -> None:
    assert names(manifests([config()], Grant.CLUSTER)) == [
        "ClusterRole ecr-public-pusher",
        "ClusterRoleBinding ecr-public-pusher",
    ]


def test_prune_and_service_accounts_bring_theirs() -> None:
    found = rules(
        manifests(
            [config(prune=True, service_accounts=AccountSelection(("default", "b*")))],
            Grant.CLUSTER,
        )
    )
    assert found["ecr-public-pusher-prune"] == [
        (["secrets"], ["get", "delete"], ["ecr-public-token"])
    ]
    assert found["ecr-public-pusher-service-accounts"] == [
        (["serviceaccounts"], ["get", "list", "patch"], [])
    ]


def test_service_accounts_without_globs_are_granted_by_name() -> None:
    found = rules(
        manifests([config(service_accounts=AccountSelection(("default", "build")))], Grant.CLUSTER)
    )
    granted = (["serviceaccounts"], ["get", "list", "patch"], ["build", "default"])
    assert found["ecr-public-pusher-service-accounts"] == [granted]


def test_service_accounts_by_label_are_granted_without_names() -> None:
    by_label = AccountSelection((), (), "pull=yes")
    found = rules(
        manifests(
            [config(service_accounts=AccountSelection(("a",))), config(service_accounts=by_label)],
            Grant.CLUSTER,
        )
    )
    assert found["ecr-public-pusher-service-accounts"] == [
        (["serviceaccounts"], ["get", "list", "patch"], [])
    ]


def test_what_a_removal_needs_is_there_when_asked_for() -> None:
    assert "ecr-public-pusher-prune" in rules(manifests([config()], Grant.CLUSTER, removal=True))


def test_one_role_serves_all_documents_of_the_cluster() -> None:
    found = rules(manifests([config("a", secret_name="x"), config("b", prune=True)], Grant.CLUSTER))
    assert found["ecr-public-pusher"][1:] == [
        (["secrets"], ["create", "patch"], ["ecr-public-token", "x"]),
        (["secrets"], ["list"], ["ecr-public-token", "x"]),
    ]
    assert found["ecr-public-pusher-prune"][0][2] == ["ecr-public-token", "x"]


def test_namespace_by_namespace_binds_in_each_and_lists_nothing() -> None:
    objects = manifests(
        [config("prod", "a", "b", service_accounts=AccountSelection(("default",)))],
        Grant.NAMESPACED,
    )
    assert names(objects) == [
        "ClusterRole ecr-public-pusher-namespaced",
        "RoleBinding a/ecr-public-pusher",
        "RoleBinding b/ecr-public-pusher",
        "ClusterRole ecr-public-pusher-service-accounts",
        "RoleBinding a/ecr-public-pusher-service-accounts",
        "RoleBinding b/ecr-public-pusher-service-accounts",
    ]
    assert all(
        resources != ["namespaces"] for rule in rules(objects).values() for resources, _, _ in rule
    )


def test_argo_cds_repositories_are_granted_by_name_in_their_namespace() -> None:
    charts, apps, other = (
        Repository(namespace, name, "public.ecr.aws")
        for namespace, name in (("argocd", "charts"), ("argocd", "apps"), ("cd", "other"))
    )
    documents = [
        config("a", repositories=(charts,)),
        config("b", repositories=(apps,)),
        config("c", repositories=(other,), prune=True),
    ]
    objects = manifests(documents, Grant.CLUSTER)
    assert names(objects)[-4:] == [
        "Role argocd/ecr-public-pusher-argocd",
        "RoleBinding argocd/ecr-public-pusher-argocd",
        "Role cd/ecr-public-pusher-argocd",
        "RoleBinding cd/ecr-public-pusher-argocd",
    ]

    def granted(role: Manifest) -> list[tuple[list[str], list[str]]]:
        return [(rule["verbs"], rule["resourceNames"]) for rule in role["rules"][:-1]]

    both = ["apps", "charts"]
    assert granted(objects[-4]) == [(["create", "patch"], both), (["list"], both)]
    assert granted(objects[-2])[2:] == [(["delete"], ["other"])]
    removal = manifests(documents[:1], Grant.NAMESPACED, removal=True)
    assert granted(removal[-2])[2:] == [(["delete"], ["charts"])]
    assert rules(objects)["ecr-public-pusher"][1][2] == ["ecr-public-token"]


@pytest.mark.parametrize("given", [config("prod", "team-*"), config("prod", "a", prune=True)])
def test_what_must_list_namespaces_cannot_be_granted_one_by_one(given: ClusterConfig) -> None:
    with pytest.raises(CliError, match="must list namespaces"):
        manifests([given], Grant.NAMESPACED)


def test_every_role_keeps_the_mark_of_its_version_whatever_it_is_narrowed_to() -> None:
    objects = manifests(
        [config(secret_name="x", prune=True, service_accounts=AccountSelection(("default",)))],
        Grant.CLUSTER,
    )
    marks = {
        rule["resourceNames"][-1]
        for one in objects
        for rule in one.get("rules", ())
        if rule["apiGroups"] == [MARK_GROUP]
    }
    assert marks == {
        mark(file, RBAC_VERSION).name
        for file in ("cluster.yaml", "prune.yaml", "service-accounts.yaml")
    }


def test_without_a_grant_there_are_no_manifests() -> None:
    assert manifests([config()], Grant.NONE) == []


AKS = WebIdentity(Server("https://edge-1.hcp.westeurope.azmk8s.io"))


def bound(objects: list[Manifest]) -> list[list[str]]:
    """Return the names of each binding's subjects."""
    return [[one["name"] for one in made["subjects"]] for made in objects if "subjects" in made]


@pytest.mark.parametrize("grant", [Grant.CLUSTER, Grant.NAMESPACED])
def test_in_aks_every_binding_is_for_the_group_with_akss_prefix(grant: Grant) -> None:
    document = config(sign_in=AKS, service_accounts=AccountSelection(("default",)))
    groups = bound(manifests([document], grant, removal=True))
    assert groups == [["aks:jwt:ecr-public-pushers"]] * 3


def test_documents_that_sign_in_differently_are_all_bound() -> None:
    documents = [config(), config("other", sign_in=AKS)]
    assert bound(manifests(documents, Grant.CLUSTER)) == [
        ["aks:jwt:ecr-public-pushers", "ecr-public-pushers"]
    ]
