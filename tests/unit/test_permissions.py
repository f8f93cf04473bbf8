"""What a configuration needs to be allowed, in words and as commands."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_public_pusher.config import ClusterConfig
from ecr_public_pusher.model import RBAC_GROUP
from ecr_public_pusher.namespaces import Selection
from ecr_public_pusher.permissions import DANGEROUS, Need, Right, needed, told

RBAC = Path(__file__).parents[2] / "infra" / "rbac"


def config(**fields: Any) -> ClusterConfig:
    return ClusterConfig("prod", "prod", "us-east-1", Selection(include=("a",)), **fields)


def phrases(needs: list[Need]) -> list[str]:
    return [told(need.rights) for need in needs]


@pytest.mark.parametrize(
    ("fields", "needs_list", "expected"),
    [
        ({}, False, ["create and patch secrets named ecr-public-token"]),
        ({}, True, ["list namespaces", "create and patch secrets named ecr-public-token"]),
        ({"secret_name": "another"}, False, ["create and patch secrets named another"]),
        (
            {"prune": True},
            False,
            ["list namespaces", "create and patch secrets named ecr-public-token", "get and delete secrets named ecr-public-token"],
        ),
        (
            {"service_accounts": ("default", "builder")},
            False,
            [
                "create and patch secrets named ecr-public-token",
                "get and patch serviceaccounts named default; get and patch serviceaccounts named builder",
            ],
        ),
        (
            {"service_accounts": ("default", "ci-*")},
            False,
            ["create and patch secrets named ecr-public-token", "get, list and patch serviceaccounts"],
        ),
    ],
)
def test_what_a_document_needs(fields: dict[str, Any], needs_list: bool, expected: list[str]) -> None:
    assert phrases(needed(config(**fields), needs_list=needs_list)) == expected


def test_nothing_dangerous_is_ever_needed() -> None:
    everything = needed(config(prune=True, service_accounts=("*",)), needs_list=True)
    assert not {right for need in everything for right in need.rights} & set(DANGEROUS)


def test_every_file_that_a_remedy_names_grants_what_is_needed() -> None:
    for need in needed(config(prune=True, service_accounts=("*",)), needs_list=True):
        documents = list(yaml.safe_load_all((RBAC / need.file).read_text()))
        rules = [rule for document in documents for rule in document.get("rules", [])]
        for right in need.rights:
            assert any(
                right.resource in rule["resources"] and right.verb in rule["verbs"] and rule.get("resourceNames", [right.name]) == [right.name]
                for rule in rules
            ), (need.file, right)


def test_another_secrets_rights_are_granted_by_a_command() -> None:
    (need,) = needed(config(secret_name="another"), needs_list=False)
    assert need.remedy() == (
        "kubectl create clusterrole ecr-public-pusher-another-secrets-create-patch --verb=create,patch --resource=secrets --resource-name=another"
        " && kubectl create clusterrolebinding ecr-public-pusher-another-secrets-create-patch"
        f" --clusterrole=ecr-public-pusher-another-secrets-create-patch --group={RBAC_GROUP}"
    )


def test_rights_in_some_namespaces_are_granted_there_alone() -> None:
    (need,) = needed(config(), needs_list=False)
    remedy = need.remedy(["a", "b"])
    assert remedy.startswith("for namespace in a b; do kubectl create role ecr-public-pusher-secrets-create-patch --namespace=$namespace --verb=")
    assert "clusterrole" not in remedy


def test_one_right_is_told_without_an_and() -> None:
    assert told([Right("list", "namespaces")]) == "list namespaces"
