"""The rights that a configuration needs, in words and as commands."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.jobs.required_permissions import (
    DANGEROUS,
    Need,
    describe,
    required_permissions,
)
from ecr_public_pusher.kubernetes_api.access_reviews import Right
from ecr_public_pusher.ownership import RBAC_GROUP
from tests.support.cluster_config import config

KUBECTL = "kubectl --context arn:aws:eks:us-east-1:111122223333:cluster/prod"
RBAC = Path(__file__).parents[3] / "infra" / "rbac"


def phrases(needs: list[Need]) -> list[str]:
    return [describe(need.rights) for need in needs]


@pytest.mark.parametrize(
    ("fields", "needs_list", "expected"),
    [
        ({}, False, ["create and patch secrets named ecr-public-token"]),
        ({}, True, ["list namespaces", "create and patch secrets named ecr-public-token"]),
        ({"secret_name": "another"}, False, ["create and patch secrets named another"]),
        (
            {"prune": True},
            False,
            [
                "list namespaces",
                "create and patch secrets named ecr-public-token",
                "get and delete secrets named ecr-public-token",
            ],
        ),
        (
            {"service_accounts": AccountSelection(("default", "builder"))},
            False,
            [
                "create and patch secrets named ecr-public-token",
                (
                    "get and patch serviceaccounts named default; get and patch serviceaccounts"
                    " named builder"
                ),
                "list serviceaccounts",
            ],
        ),
        (
            {"service_accounts": AccountSelection(("default",))},
            False,
            [
                "create and patch secrets named ecr-public-token",
                "get and patch serviceaccounts named default",
                "list serviceaccounts named default",  # a list of one name
            ],
        ),
        (
            {"service_accounts": AccountSelection(("default", "ci-*"))},
            False,
            [
                "create and patch secrets named ecr-public-token",
                "get, list and patch serviceaccounts",
            ],
        ),
        (
            {"service_accounts": AccountSelection((), (), "pull=yes")},
            False,
            [
                "create and patch secrets named ecr-public-token",
                "get, list and patch serviceaccounts",
            ],
        ),
        (
            {"service_accounts": AccountSelection(("default", "x"), ("x",), "pull=yes")},
            False,
            [
                "create and patch secrets named ecr-public-token",
                "get and patch serviceaccounts named default",
                "list serviceaccounts named default",
            ],
        ),
    ],
)
def test_what_a_document_needs(
    fields: dict[str, Any], needs_list: bool, expected: list[str]
) -> None:
    look = f"list secrets named {fields.get('secret_name', 'ecr-public-token')}"
    assert phrases(required_permissions(config(**fields), needs_list=needs_list)) == [
        *expected,
        look,
    ]


def test_nothing_dangerous_is_ever_needed() -> None:
    everything = required_permissions(
        config(prune=True, service_accounts=AccountSelection(("*",))), needs_list=True
    )
    assert not {right for need in everything for right in need.rights} & set(DANGEROUS)


def test_every_file_that_a_remedy_names_grants_what_is_needed() -> None:
    for need in required_permissions(
        config(prune=True, service_accounts=AccountSelection(("*",))), needs_list=True
    ):
        documents = list(yaml.safe_load_all((RBAC / need.file).read_text()))
        rules = [rule for document in documents for rule in document.get("rules", [])]
        for right in need.rights:
            assert any(
                right.resource in rule["resources"]
                and right.verb in rule["verbs"]
                and rule.get("resourceNames", [right.name]) == [right.name]
                for rule in rules
            ), (need.file, right)


def test_another_secrets_rights_are_granted_by_a_command() -> None:
    need, _ = required_permissions(config(secret_name="another"), needs_list=False)
    assert (
        need.remedy()
        == f"{KUBECTL} create clusterrole ecr-public-pusher-another-secrets-create-patch"
        f" --verb=create,patch --resource=secrets --resource-name=another && {KUBECTL} create"
        " clusterrolebinding ecr-public-pusher-another-secrets-create-patch"
        f" --clusterrole=ecr-public-pusher-another-secrets-create-patch --group={RBAC_GROUP}"
        f" && {KUBECTL} label clusterrole/ecr-public-pusher-another-secrets-create-patch"
        " clusterrolebinding/ecr-public-pusher-another-secrets-create-patch"
        " app.kubernetes.io/name=ecr-public-pusher"
    )


def test_rights_in_some_namespaces_are_granted_only_there() -> None:
    need, _ = required_permissions(config(), needs_list=False)
    remedy = need.remedy(["a", "b"])
    assert remedy.startswith(
        f"for namespace in a b; do {KUBECTL} create role ecr-public-pusher-secrets-create-patch"
        " --namespace=$namespace --verb="
    )
    assert "clusterrole" not in remedy


def test_one_right_is_described_without_an_and() -> None:
    assert describe([Right("list", "namespaces")]) == "list namespaces"


def test_what_is_lost_without_the_right_to_look_is_reported_and_a_push_continues() -> None:
    for need in required_permissions(
        config(service_accounts=AccountSelection(("default",))), needs_list=False
    ):
        assert bool(need.without) is ({right.verb for right in need.rights} == {"list"})


@pytest.mark.parametrize("accounts", [(), ("default",), ("default", "builder"), ("*",)])
def test_every_remedy_applies_a_file_that_there_is(accounts: tuple[str, ...]) -> None:
    for need in required_permissions(
        config(prune=True, service_accounts=AccountSelection(accounts)), needs_list=True
    ):
        begin = f"{KUBECTL} apply -f infra/rbac/"
        assert need.remedy().startswith(begin)
        assert (RBAC / need.remedy().removeprefix(begin)).is_file()
