"""`enabled` changed in place: the rest of the text stays to the letter."""

import pytest

from ecr_public_pusher.errors import PusherError
from infra.cli.documents.editing import NotEditable, disabled, with_cluster, with_enabled

REST = "# head\nnamespaces: [a]   # why\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"{REST}enabled: true  # moving\nprune: on\n",
            f"{REST}enabled: false  # moving\nprune: on\n",
        ),
        (f"{REST}enabled: 'yes'\n", f"{REST}enabled: false\n"),
        (f"{REST}enabled:\n", f"{REST}enabled: false\n"),
        (f"{REST}enabled: ~ # none\n", f"{REST}enabled: false # none\n"),
        (REST, f"{REST}enabled: false\n"),
        ("namespaces: [a]", "namespaces: [a]\nenabled: false\n"),
        ("  namespaces: [a]\n", "  namespaces: [a]\n  enabled: false\n"),
        ('{"namespaces": ["a"]}', '{"enabled": false, "namespaces": ["a"]}'),
        ('{"namespaces": ["a"], "enabled": true}', '{"namespaces": ["a"], "enabled": false}'),
        ("{namespaces: [a]}", "{enabled: false, namespaces: [a]}"),
        ("{}", "{enabled: false}"),
    ],
)
def test_only_that_field_changes(before: str, after: str) -> None:
    assert with_enabled(before, False) == after


@pytest.mark.parametrize("text", [REST, f"{REST}enabled: yes\n", f"{REST}enabled: true # on"])
def test_an_unchanged_setting_gives_the_same_text(text: str) -> None:
    assert with_enabled(text, True) == text


def test_there_and_back_keeps_the_comment() -> None:
    text = f"{REST}enabled: false # until Monday\n"
    assert with_enabled(with_enabled(text, True), False) == text


@pytest.mark.parametrize("text", ["namespaces: [a]\n...\n", "namespaces: [a]\n---\n"])
def test_a_text_that_nothing_can_be_added_to_is_left_to_people(text: str) -> None:
    with pytest.raises((NotEditable, PusherError)):
        with_enabled(text, False)


def test_an_invalid_document_is_not_changed() -> None:
    with pytest.raises(PusherError, match="prune: expected true or false"):
        with_enabled("namespaces: [a]\nprune: maybe", False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (REST, f'{REST}cluster: "prod"\n'),
        (f"{REST}cluster: ~\n", f'{REST}cluster: "prod"\n'),
        ('{"namespaces": ["a"]}', '{"cluster": "prod", "namespaces": ["a"]}'),
        (f"{REST}cluster: other\n", f"{REST}cluster: other\n"),
    ],
)
def test_a_document_names_its_cluster(before: str, after: str) -> None:
    assert with_cluster(before, "prod") == after


@pytest.mark.parametrize(
    ("text", "limit", "after"),
    [
        (REST, 4096, f"{REST}enabled: false\n"),
        (f"{REST}enabled: false\n", 4096, f"{REST}enabled: false\n"),
        ('{\t"namespaces": ["a"]\n}', 4096, '{"namespaces": ["a"], "enabled": false}'),
        (REST, 45, '{"namespaces": ["a"], "enabled": false}'),
        (REST, 38, None),
        ("prune: maybe\n", 4096, None),
    ],
)
def test_a_document_is_disabled_whatever_its_form(text: str, limit: int, after: str | None) -> None:
    assert disabled(text, limit=limit) == after
