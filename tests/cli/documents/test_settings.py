"""Merged settings, each with its origin."""

from infra.cli.documents.document import DocumentName
from infra.cli.documents.settings import settings

PROD = DocumentName.cluster("prod")


def origins(
    text: str, defaults: str | None = None, name: DocumentName = PROD
) -> dict[str, tuple[object, str]]:
    return {
        one.field: (one.value, one.origin)
        for one in settings(name, text, defaults, region="us-east-1")
    }


def test_each_setting_says_where_it_comes_from() -> None:
    found = origins("namespaces: [a]\nprune: yes", "secretName: pull\nlabels: {owner: platform}")
    assert found["namespaces"] == ({"include": ["a"]}, "document")
    assert found["prune"] == (True, "document")
    assert found["secretName"] == ("pull", "defaults")
    assert found["labels"] == ({"owner": "platform"}, "defaults")
    assert found["cluster"] == ("prod", "built in")
    assert found["region"] == ("us-east-1", "built in")
    assert found["enabled"] == (True, "built in")


def test_labels_come_from_both() -> None:
    found = origins("namespaces: [a]\nlabels: {team: web}", "labels: {team: x, owner: platform}")
    assert found["labels"] == ({"team": "web", "owner": "platform"}, "document and defaults")


def test_service_accounts_are_a_list_where_there_are_only_names() -> None:
    names = origins("namespaces: [a]\nserviceAccounts: default build-*")
    assert names["serviceAccounts"] == (["default", "build-*"], "document")
    labels = origins("namespaces: [a]\nserviceAccounts: {exclude: x, selector: pull}")
    assert labels["serviceAccounts"] == ({"exclude": ["x"], "selector": "pull"}, "document")
    none = origins("namespaces: [a]\nserviceAccounts: []", "serviceAccounts: [default]")
    assert "serviceAccounts" not in none


def test_a_null_is_not_given() -> None:
    assert origins("namespaces: [a]\nsecretName: ~", "secretName: pull")["secretName"] == (
        "pull",
        "defaults",
    )


def test_the_defaults_external_id_needs_a_role() -> None:
    assert "externalId" not in origins("namespaces: [a]", "externalId: some-id")
    role = "roleArn: 'arn:aws:iam::444455556666:role/spoke'"
    found = origins(f"namespaces: [a]\n{role}", "externalId: some-id")
    assert found["externalId"] == ("some-id", "defaults")


def test_a_discovery_has_no_region_of_the_defaults() -> None:
    found = origins(
        "regions: [eu-west-1]\ntags: {a: b}\nnamespaces: [a]",
        "region: eu-north-1",
        DocumentName("discover", "all"),
    )
    assert "region" not in found
    assert found["regions"] == (["eu-west-1"], "document")
