"""The options of `clusters add` as a document."""

from pathlib import Path

import pytest

from infra.cli.errors import CliError
from infra.cli.onboarding.fields import Given


def document(given: Given) -> dict[str, object]:
    return {name: value for name, value in given.document().items() if value not in (None, [], {})}


def test_without_exclusions_and_selectors_namespaces_are_a_list() -> None:
    assert document(Given(namespaces=["a", "b-*"])) == {"namespaces": ["a", "b-*"]}


def test_exclusions_and_selectors_make_a_mapping() -> None:
    assert document(Given(namespaces=["a"], exclude=["b"], selector="x=y")) == {
        "namespaces": {"include": ["a"], "exclude": ["b"], "selector": "x=y"}
    }
    assert document(Given(selector="x=y")) == {"namespaces": {"selector": "x=y"}}


def test_service_accounts_are_a_list_or_a_mapping_too() -> None:
    assert document(Given(service_accounts=["a", "b-*"])) == {"serviceAccounts": ["a", "b-*"]}
    given = Given(
        service_accounts=["a"], exclude_service_accounts=["b"], service_account_selector="x=y"
    )
    assert document(given) == {
        "serviceAccounts": {"include": ["a"], "exclude": ["b"], "selector": "x=y"}
    }


def test_a_registry_is_public_or_pairs() -> None:
    given = Given(
        registries=[
            "public",
            "account=111122223333,region=eu-west-1,"
            "roleArn=arn:aws:iam::111122223333:role/a,b=c,externalId=x",
        ]
    )
    assert document(given)["registries"] == [
        "public",
        {
            "account": "111122223333",
            "region": "eu-west-1",
            "roleArn": "arn:aws:iam::111122223333:role/a,b=c",
            "externalId": "x",
        },
    ]


def test_a_sign_in_has_its_fields() -> None:
    assert document(Given(sign_in="iamAuthenticator", cluster_id="edge"))["signIn"] == {
        "type": "iamAuthenticator",
        "clusterId": "edge",
    }


def test_a_certificate_authority_is_the_files_text(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN")
    assert document(Given(certificate_authority=tmp_path / "ca.pem")) == {
        "certificateAuthority": "-----BEGIN"
    }


@pytest.mark.parametrize(
    "given",
    [
        Given(labels=["a"]),
        Given(registries=["acount=1"]),
        Given(cluster_id="x"),
        Given(certificate_authority=Path("/")),
    ],
)
def test_what_cannot_be_read_is_reported(given: Given) -> None:
    with pytest.raises(CliError):
        given.document()


def test_without_options_no_field_is_given() -> None:
    assert Given().nothing
    assert not Given(prune=True).nothing
