"""The function's log, by CloudWatch Logs' FilterLogEvents.

A JSON line for each run, and Lambda's own for a run without a report. FilterLogEvents rather than
Logs Insights: it shows a line at once, costs nothing, and returns long lines whole. Its quota is 5
calls a second for an account and region; botocore waits and tries again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from .errors import CliError, ExitCode
from .json_text import read_json
from .session import Session

# The runs that show clusters' tokens. Sweeps run every few minutes, with all clusters in their
# reports, so only the last ones are read, separately.
PUSHES = '{ $.message = "report" && ($.report.action = "push" || $.report.action = "remove") }'
SWEEPS = '{ $.message = "report" && $.report.action = "sweep" }'
CHECKS = '{ $.message = "report" && $.report.action = "check" }'
# Killed for time or memory, or never started (Lambda developer guide, "Lambda
# Telemetry API Event schema reference").
LOST = (
    '{ $.type = "platform.report" && ($.record.status = "timeout" || $.record.status = "failure") }'
)


@dataclass(frozen=True)
class LogLine:
    """A line of the log, parsed. `id` is unique."""

    id: str
    at: datetime
    said: Mapping[str, Any]

    @property
    def report(self) -> Mapping[str, Any] | None:
        found = self.said.get("report")
        return found if isinstance(found, dict) else None


def read_log(session: Session, pattern: str, *, since: datetime) -> Iterator[LogLine]:
    """Yield the lines that match, oldest first. Raise CliError when there is no log group."""
    group = session.stack.log_group
    pages = session.client("logs").get_paginator("filter_log_events")
    asked = {
        "logGroupName": group,
        "filterPattern": pattern,
        "startTime": int(since.timestamp() * 1000),
    }
    try:
        for page in pages.paginate(**asked):
            yield from filter(None, map(_line, page["events"]))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise CliError(
            f"The log group {group} does not exist.",
            remedy=(
                "Deploy the stack again: "
                + session.follow_up.deploy(region=session.region, stack=session.stack.name)
            ),
            exit_code=ExitCode.AWS,
        ) from None


def _line(event: Mapping[str, Any]) -> LogLine | None:
    try:
        said = read_json(event["message"])
    except ValueError:
        return None
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return LogLine(event["eventId"], at, said) if isinstance(said, dict) else None
