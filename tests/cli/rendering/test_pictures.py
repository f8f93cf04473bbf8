"""The picture of `status` in the README."""

from datetime import UTC, datetime, timedelta

from infra.cli.health import Document, judge
from infra.cli.queues import QueueState
from infra.cli.status import Status
from infra.tools.pictures import PICTURE, draw

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
EMPTY = QueueState("arn", 0, 0, 0)


def test_it_holds_all_it_shows_and_fetches_nothing() -> None:
    health = judge([Document("prod", NOW)], [])
    stack = {
        "name": "ecr-public-pusher",
        "version": "1.0.0",
        "account": "111122223333",
        "region": "us-east-1",
    }
    found = Status(
        NOW,
        NOW - timedelta(days=1),
        stack,
        health,
        (),
        EMPTY,
        EMPTY,
        (),
        clusters=tuple(health.clusters.values()),
    )
    drawn = draw(found)
    assert "no-push" in drawn
    assert "url(" not in drawn.replace("url(#", "")
    assert draw(found) == drawn


def test_the_one_that_is_kept_is_of_the_same_kind() -> None:
    kept = PICTURE.read_text()
    assert "font-face" not in kept
    assert all(word in kept for word in ("CLUSTER", "conflict", "cluster-failed"))
