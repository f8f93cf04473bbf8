"""Options as a document: the text a person would write, and the fields that the function reads."""

import pytest
import yaml

from ecr_public_pusher.configuration.yaml_document import read_mapping
from infra.cli.documents.compose import compose, same_fields


def test_it_reads_as_a_person_would_have_written_it() -> None:
    assert (
        compose(
            {
                "cluster": "blue",
                "namespaces": ["default", "team-*"],
                "prune": True,
                "roleArn": None,
                "labels": {},
            }
        )
        == "cluster: blue\nnamespaces:\n  - default\n  - team-*\nprune: true\n"
    )


def test_a_certificate_stays_a_block() -> None:
    assert (
        compose({"certificateAuthority": "-----BEGIN\nabc\n"})
        == "certificateAuthority: |\n  -----BEGIN\n  abc\n"
    )


@pytest.mark.parametrize("name", ["on", "012", "no", "1e3", "null", "~", "*", "a: b", "x # y"])
def test_names_that_yaml_would_take_for_something_else_stay_names(name: str) -> None:
    text = compose({"cluster": name})
    assert read_mapping(text, parameter="p") == {"cluster": name}
    assert yaml.safe_load(text) == {"cluster": name}


def test_order_comments_and_style_make_no_difference_in_what_is_reported() -> None:
    assert same_fields(
        "prune: yes\nnamespaces: [a]\nlabels: ~", "# c\nnamespaces:\n- a\nprune: yes\n"
    )
    assert not same_fields("prune: yes", "prune: no")
