"""`queue list`, `queue redrive`, `queue purge`: the retry queue and its dead letters."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from rich.console import RenderableType
from rich.text import Text

from ..choices import Queue
from ..command import Cli
from ..errors import CliError, ExitCode
from ..follow_up import FollowUp
from ..queues import DeadLetter, QueueState, look_at_dead_letters, queue_state
from ..rendering.text import FAINT, heading, span, table

POLL_SECONDS = 2
RUNNING = "RUNNING"


def list_queues(cli: Cli) -> int:
    """Show both queues, and each dead letter."""
    session = cli.session
    stack = cli.session.stack
    with cli.output.progress("reading the queues"):
        retry, dead = (
            queue_state(session, url, with_age=True)
            for url in (stack.retry_queue_url, stack.dead_letter_queue_url)
        )
        letters = look_at_dead_letters(session, stack.dead_letter_queue_url, about=dead.waiting)
    data = {
        "retry": retry.as_json(),
        "deadLetters": {**dead.as_json(), "messages": [letter.as_json() for letter in letters]},
    }
    cli.output.result(data, lambda: _render(retry, dead, letters, cli.follow_up, datetime.now(UTC)))
    return ExitCode.NOT_OK if dead.total else ExitCode.OK


def redrive(cli: Cli) -> int:
    """Move all dead letters back to the retry queue."""
    session = cli.session
    stack = cli.session.stack
    retry, dead = (
        queue_state(session, url) for url in (stack.retry_queue_url, stack.dead_letter_queue_url)
    )
    if not dead.total:
        cli.output.result(
            {"moved": 0, "status": "EMPTY"}, lambda: [Text("There are no dead letters.")]
        )
        return ExitCode.OK
    # Without a destination, SQS moves only messages that came from the retry queue. Events that
    # Lambda could not deliver did not.
    session.client("sqs").start_message_move_task(SourceArn=dead.arn, DestinationArn=retry.arn)
    with cli.output.progress(f"moving {dead.total} messages to the retry queue"):
        task = _finished(cli, dead.arn)
    moved = task.get("ApproximateNumberOfMessagesMoved", 0)
    ended = str(task["Status"])
    follow = cli.follow_up.command("logs", "--follow")
    said = f"{moved} moved ({ended.lower()}). Follow: {follow}"
    cli.output.result({"moved": moved, "status": ended}, lambda: [Text(said)])
    return ExitCode.OK if ended == "COMPLETED" else ExitCode.NOT_OK


def purge(cli: Cli, queue: Queue, *, yes: bool) -> int:
    """Delete all messages of a queue; ask first, unless `yes`."""
    session = cli.session
    stack = cli.session.stack
    url = stack.retry_queue_url if queue is Queue.RETRY else stack.dead_letter_queue_url
    total = queue_state(session, url).total
    if not yes:
        cli.output.confirm(f"Delete all messages of {queue.value}, about {total}?")
    try:
        session.client("sqs").purge_queue(QueueUrl=url)
    except ClientError as error:
        if not error.response["Error"]["Code"].endswith("PurgeQueueInProgress"):
            raise
        raise CliError(
            "It was purged within the last minute.",
            remedy="SQS allows one purge a minute. Try again in a minute.",
            exit_code=ExitCode.AWS,
        ) from None
    cli.output.result(
        {"queue": queue.value, "deleted": total},
        lambda: [Text(f"Deleted: about {total}. SQS needs up to a minute for this.")],
    )
    return ExitCode.OK


def _finished(cli: Cli, source: str) -> dict[str, Any]:
    """Wait for the move of dead letters, and return it. An interrupt does not stop the move."""
    while True:
        task: dict[str, Any] = cli.session.client("sqs").list_message_move_tasks(
            SourceArn=source, MaxResults=1
        )["Results"][0]
        if task["Status"] != RUNNING:
            return task
        time.sleep(POLL_SECONDS)


def _render(
    retry: QueueState,
    dead: QueueState,
    letters: list[DeadLetter],
    follow_up: FollowUp,
    now: datetime,
) -> list[RenderableType]:
    rows = [
        _row("retry", retry, retry.oldest_seconds),
        _row("dead-letters", dead, _age(letters, now) or dead.oldest_seconds),
    ]
    parts: list[RenderableType] = [
        table("QUEUE", "AVAILABLE", "DELAYED", "IN FLIGHT", "OLDEST", rows=rows)
    ]
    for letter in letters:
        parts += [
            heading(f"{letter.id}, {span((now - letter.sent_at).total_seconds())} old"),
            Text(_body(letter.body)),
        ]
    if (left := dead.waiting - len(letters)) > 0:
        parts.append(Text(f"\n... and about {left} more", style=FAINT))
    if letters:
        parts += [
            Text(f"\nTo try them again: {follow_up.command('queue', 'redrive')}"),
            Text(f"To delete them: {follow_up.command('queue', 'purge', Queue.DEAD_LETTERS)}"),
        ]
    return parts


def _row(name: str, queue: QueueState, oldest: int | None) -> tuple[str, ...]:
    return (
        name,
        str(queue.waiting),
        str(queue.delayed),
        str(queue.in_flight),
        span(oldest) if oldest is not None else "-",
    )


def _age(letters: list[DeadLetter], now: datetime) -> int | None:
    return int((now - letters[0].sent_at).total_seconds()) if letters else None


def _body(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)
