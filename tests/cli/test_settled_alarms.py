"""The alarm on deleted documents does not count where the log shows that none left Secrets."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.cli.health import Health
from infra.cli.queues import QueueState
from infra.cli.status import Alarm, Status

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
EMPTY = QueueState("arn", 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "hours_ago", "settled", "deleted", "ok"),
    [
        ("pusher-documents-deleted", 2, {"edge"}, {}, True),
        ("pusher-documents-deleted", 30, {"edge"}, {}, False),
        ("pusher-documents-deleted", 2, set(), {}, False),
        ("pusher-documents-deleted", 2, {"edge"}, {"prod": NOW}, False),
        ("pusher-throttles", 2, {"edge"}, {}, False),
        ("pusher-two-documents-deleted", 2, {"edge"}, {}, False),
    ],
)
def test_it_is_settled_only_then(
    name: str, hours_ago: float, settled: set[str], deleted: dict[str, datetime], ok: bool
) -> None:
    alarm = Alarm(name, NOW - timedelta(hours=hours_ago), "")
    status = Status(
        NOW,
        NOW - timedelta(days=1),
        {"name": "pusher"},
        Health(settled=settled, deleted=deleted),
        (),
        EMPTY,
        EMPTY,
        (alarm,),
    )
    assert status.is_settled(alarm) is ok
    assert status.ok is ok
