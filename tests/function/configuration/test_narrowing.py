"""The ids and globs of a request, for clusters that documents name and those that are found."""

import time

import pytest

from ecr_public_pusher.configuration.narrowing import Narrowing


@pytest.mark.parametrize(
    ("pattern", "document_id", "wanted"),
    [
        ("prod", "prod", True),
        ("pro*", "prod", True),
        ("*", "fleet/us-east-1/one", True),
        ("fleet/*", "fleet/us-east-1/one", True),
        ("fleet/*/one", "fleet/us-east-1/one", True),
        ("fleet/us-*", "fleet/us-east-1/one", True),
        ("fleet", "fleet/us-east-1/one", False),
        ("fleet/us-east-1", "fleet/us-east-1/one", False),
        ("fleet2/*", "fleet/us-east-1/one", False),
        # A failure of a discovery, or of a region of it, concerns a request for its clusters by a
        # glob.
        ("fleet/*", "fleet/*", True),
        ("fleet/us-*", "fleet/*", True),
        ("fleet/us-*", "fleet/us-east-1/*", True),
        ("fleet/us-*", "fleet/eu-west-1/*", False),
        ("fleet/us-east-1/o*", "fleet/us-east-1/*", True),
        ("fleet/us-east-1/one", "fleet/us-east-1/*", False),
        ("fleet/us-east-1/one", "fleet/*", False),
    ],
)
def test_a_pattern_selects_documents_by_id(pattern: str, document_id: str, wanted: bool) -> None:
    assert Narrowing((pattern,)).wants(document_id) is wanted


def test_nothing_asked_for_means_everything() -> None:
    assert Narrowing().wants("fleet/us-east-1/one")
    assert Narrowing().exactly("fleet/us-east-1/") is None
    assert Narrowing().lost({"prod"}) == []


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (
            ("fleet/us-east-1/one", "fleet/us-east-1/two", "fleet/eu-west-1/three", "prod"),
            {"one", "two"},
        ),
        (("fleet/us-east-1/one", "fleet/us-east-1/t*"), None),
        (("fleet/us-east-1/", "fleet/us-east-1/a/b", "fleet/us-east-1/-x"), set()),
    ],
)
def test_what_is_asked_for_by_its_very_id(
    patterns: tuple[str, ...], names: set[str] | None
) -> None:
    assert Narrowing(patterns).exactly("fleet/us-east-1/") == names


def test_what_means_nothing_that_is_known_is_lost() -> None:
    assert Narrowing(("prod", "gone", "fleet/us-*")).lost({"prod", "fleet/*"}) == ["gone"]


def test_many_ids_cost_little_more_than_one() -> None:
    """A worker of a large fleet compares its clusters' ids with every document's."""
    known = {f"cluster-{number:04}" for number in range(5_000)}
    asked = Narrowing((*sorted(known)[:1_000], "gone", "cluster-499*"))
    began = time.process_time()
    assert asked.lost(known) == ["gone"]
    assert sum(asked.wants(document_id) for document_id in known) == 1_010
    # Comparing each with each takes five seconds.
    assert time.process_time() - began < 1
