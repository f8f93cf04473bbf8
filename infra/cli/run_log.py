"""The function's log, by CloudWatch Logs' FilterLogEvents.

A JSON line for each run, and Lambda's own for a run without a report. FilterLogEvents rather than
Logs Insights: it shows a line at once, costs nothing, and returns long lines whole. Its quota is 5
calls a second for an account and region; botocore waits and tries again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from botocore.exceptions import ClientError

from .errors import CliError, ExitCode
from .json_text import read_json
from .session import Session


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


@dataclass(frozen=True)
class Kind:
    """A kind of lines: CloudWatch Logs' filter pattern, and the same test.

    The test is for what stands in for AWS and does not know JSON patterns: it sends every line.
    """

    pattern: str
    test: Callable[[Mapping[str, Any]], bool]

    @classmethod
    def reports(cls, *actions: str) -> Self:
        """Return the kind of lines that hold a report of one of these actions."""
        named = " || ".join(f'$.report.action = "{action}"' for action in actions)
        return cls(
            f'{{ $.message = "report" && ({named}) }}',
            lambda said: _is_report(said) and said["report"].get("action") in actions,
        )


def _is_report(said: Mapping[str, Any]) -> bool:
    report = said.get("report")
    return (
        said.get("message") == "report"
        and isinstance(report, dict)
        and {"action", "ok"} <= report.keys()
    )


def _is_lost(said: Mapping[str, Any]) -> bool:
    record = said.get("record")
    return (
        said.get("type") == "platform.report"
        and isinstance(record, dict)
        and record.get("status") in ("timeout", "failure")
    )


# The runs that show clusters' tokens, and acknowledgements. Sweeps run every few minutes, with all
# clusters in their reports, so only the last ones are read, separately.
PUSHES = Kind.reports("push", "remove", "forget")
SWEEPS = Kind.reports("sweep")
CHECKS = Kind.reports("check")
_LOST = '$.type = "platform.report" && ($.record.status = "timeout" || $.record.status = "failure")'
# Killed for time or memory, or never started (Lambda developer guide, "Lambda
# Telemetry API Event schema reference").
LOST = Kind(f"{{ {_LOST} }}", _is_lost)
# Each run's report, errors without one, and runs that Lambda ended.
RUNS = Kind(
    f'{{ $.message = "report" || $.level = "ERROR" || ({_LOST}) }}',
    lambda said: _is_report(said) or said.get("level") == "ERROR" or _is_lost(said),
)


def read_log(session: Session, kind: Kind, *, since: datetime) -> Iterator[LogLine]:
    """Yield the lines of a kind, oldest first. Raise CliError when there is no log group."""
    group = session.stack.log_group
    pages = session.client("logs").get_paginator("filter_log_events")
    asked = {
        "logGroupName": group,
        "filterPattern": kind.pattern,
        "startTime": int(since.timestamp() * 1000),
    }
    try:
        for page in pages.paginate(**asked):
            yield from (
                line for line in map(_line, page["events"]) if line and kind.test(line.said)
            )
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
