"""A document that is stored disabled until the function has access."""

import pytest

from ecr_public_pusher.configuration.yaml_document import read_mapping
from infra.cli.documents.pending import enabled_again, is_pending, pending


@pytest.mark.parametrize(
    "text",
    [
        "# ours\nnamespaces: [a]  # all\n",
        '{"namespaces": ["a"]}',
        "{namespaces: [a], enabled: true}",
    ],
)
def test_it_waits_disabled_and_is_enabled_again(text: str) -> None:
    waiting = pending(text, limit=4096)
    assert waiting is not None
    assert is_pending(waiting)
    assert read_mapping(waiting, parameter="x") == {"namespaces": ["a"], "enabled": "false"}
    after = enabled_again(waiting)
    assert not is_pending(after)
    assert read_mapping(after, parameter="x") == {"namespaces": ["a"], "enabled": "true"}


def test_it_fits_within_the_limit_or_there_is_none() -> None:
    text = f"namespaces: [{'a' * 60}]\n"
    assert pending(text, limit=4096) is not None
    assert pending(text, limit=len(text) + 20) is None


def test_what_somebody_has_broken_since_is_left_as_it_is() -> None:
    waiting = pending("namespaces: [a]\n", limit=4096)
    broken = f"{waiting}prune: maybe\n"
    assert enabled_again(broken) == broken
    assert not is_pending("namespaces: [a]\n")
