"""The expectations of `push`: each notices a change that did not happen."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.scenarios.push import PushStack, outcomes
from infra.local.scenarios.push.stack import CLUSTERS, EDGE, PROD

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def untouched() -> Iterator[dict[str, dict[str, outcomes.SeenSecret]]]:
    with PushStack(ROOT) as stack:
        yield {
            expected.name: outcomes.read_secrets(stack.clusters[expected.name], expected)
            for expected in CLUSTERS
        }


def test_the_stack_holds_a_dozen_namespaces_and_one_foreign_secret(
    untouched: dict[str, dict[str, outcomes.SeenSecret]],
) -> None:
    assert sum(len(expected.namespaces) for expected in CLUSTERS) == 12
    assert {name: list(found) for name, found in untouched.items()} == {
        "prod": ["legacy"],
        "edge": [],
    }
    assert untouched["prod"]["legacy"].managers == ("kubectl-create",)


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = outcomes.SeenSecret("uid-1", "aaaa", ("ecr-public-pusher",), NOW, NOW, NOW)


def edge_rows(
    before: dict[str, outcomes.SeenSecret], after: dict[str, outcomes.SeenSecret]
) -> list[outcomes.Row]:
    return outcomes.rows_of(EDGE, before, after, None)


def test_a_secret_that_is_new_changed_or_taken_over_is_distinguished() -> None:
    changed = dataclasses.replace(SECRET, token="bbbb")
    foreign = dataclasses.replace(SECRET, pushed_at=None)
    found = edge_rows(
        {"store-paris": SECRET, "ingest": foreign},
        {"store-berlin": SECRET, "store-paris": changed, "ingest": changed},
    )
    assert [row.outcome for row in found] == ["created", "updated", None, "adopted", None]


def test_a_namespace_with_another_outcome_is_a_surprise() -> None:
    wrong = outcomes.find_surprises(
        edge_rows({}, {"batch": SECRET}), {"counts": {"created": 3}}, again=False
    )
    assert "edge/batch: created, expected untouched" in wrong
    assert "edge/ingest: untouched, expected created" in wrong
    assert any("the report counts" in line for line in wrong)


def test_a_cluster_missing_from_the_report_is_a_surprise() -> None:
    assert "edge: not in the report" in outcomes.find_surprises(
        edge_rows({}, {}), None, again=False
    )


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ({}, "the token did not change"),
        ({"uid": "uid-2", "token": "bbbb"}, "replaced by another"),
        ({"token": "bbbb"}, None),
        (None, "came or went"),
    ],
)
def test_a_rotation_that_did_not_happen_is_noticed(
    later: dict[str, str] | None, said: str | None
) -> None:
    after = (
        {}
        if later is None
        else {
            "ingest": dataclasses.replace(
                SECRET, uid=later.get("uid", "uid-1"), token=later.get("token", "aaaa")
            )
        }
    )
    wrong = outcomes.rotation_failures(
        edge_rows({}, {"ingest": SECRET}), edge_rows({"ingest": SECRET}, after)
    )
    assert [line for line in wrong if said is None or said not in line] == []
    assert bool(wrong) == (said is not None)


def test_a_change_to_somebody_elses_secret_is_noticed() -> None:
    changed = dataclasses.replace(SECRET, token="bbbb")
    first, second = (outcomes.rows_of(PROD, {}, {"legacy": one}, None) for one in (SECRET, changed))
    assert outcomes.rotation_failures(first, second) == [
        "prod/legacy: somebody else's Secret was changed"
    ]
