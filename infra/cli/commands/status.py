"""`status`: the state of every cluster."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ..command import Cli
from ..errors import ExitCode
from ..rendering.status import render_status
from ..status import Status, gather


def status(cli: Cli, ids: Sequence[str], since: timedelta, *, watch: bool, every: timedelta) -> int:
    """Show every cluster; with `watch` again after `every`, until an interrupt."""
    found = _gather(cli, ids, since)
    if not watch:
        cli.output.result(found.as_json(), lambda: render_status(found))
        return ExitCode.OK if found.ok else ExitCode.NOT_OK
    while True:
        cli.output.fresh_page()
        cli.output.line(found.as_json(), *render_status(found))
        time.sleep(every.total_seconds())
        found = _gather(cli, ids, since)


def _gather(cli: Cli, ids: Sequence[str], since: timedelta) -> Status:
    with cli.output.progress("reading log, queues and alarms"):
        return gather(cli.session, ids=ids, now=datetime.now(UTC), window=since)
