"""The stack's two queues.

Messages of the retry queue are only counted: one that is received counts as tried, and is dropped
after so many receives. Nothing else receives dead letters, so they can be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .json_text import read_json
from .session import Session

# Messages being read are hidden from others until all were read, and at most this long.
LOOK_SECONDS = 30
BATCH = 10  # SQS, ReceiveMessage
MAX_SHOWN = 100
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True)
class QueueState:
    """The approximate numbers of messages that SQS gives.

    `waiting` can be received now; `in_flight` were received, and are being tried or failed and come
    back later; `delayed` are not due yet. `oldest_seconds` is the age of the oldest, if CloudWatch
    knows it.
    """

    arn: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_seconds: int | None = None

    @property
    def total(self) -> int:
        return self.waiting + self.in_flight + self.delayed

    def as_json(self) -> dict[str, Any]:
        return {
            "waiting": self.waiting,
            "inFlight": self.in_flight,
            "delayed": self.delayed,
            "oldestSeconds": self.oldest_seconds,
        }


@dataclass(frozen=True)
class DeadLetter:
    """A message that is not tried again, with its body parsed if it is JSON."""

    id: str
    sent_at: datetime
    body: Any

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "sentAt": self.sent_at.isoformat(timespec="seconds"),
            "body": self.body,
        }


def queue_state(session: Session, url: str, *, with_age: bool = False) -> QueueState:
    """Return the numbers from SQS; `with_age` adds the age from CloudWatch."""
    found = session.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["QueueArn", *_COUNTS]
    )["Attributes"]
    waiting, in_flight, delayed = (int(found[name]) for name in _COUNTS)
    age = (
        _oldest_seconds(session, url.rpartition("/")[2])
        if with_age and waiting + in_flight + delayed
        else None
    )
    return QueueState(found["QueueArn"], waiting, in_flight, delayed, age)


def _oldest_seconds(session: Session, name: str) -> int | None:
    now = datetime.now(UTC)
    points = session.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=now - timedelta(minutes=30),
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return int(max(points, key=lambda point: point["Timestamp"])["Maximum"]) if points else None


def look_at_dead_letters(session: Session, url: str, *, about: int) -> list[DeadLetter]:
    """Return dead letters, oldest first, at most MAX_SHOWN; `about` is how many there are.

    They stay in the queue, and become visible to others again at the end.
    """
    sqs = session.client("sqs")
    seen = dict[str, DeadLetter]()
    handles = list[str]()
    try:
        while len(seen) < min(about, MAX_SHOWN):
            asked = {
                "MaxNumberOfMessages": BATCH,
                "VisibilityTimeout": LOOK_SECONDS,
                "WaitTimeSeconds": 1,
            }
            received = sqs.receive_message(
                QueueUrl=url, MessageSystemAttributeNames=["SentTimestamp"], **asked
            ).get("Messages", [])
            if not received:
                break
            handles += [message["ReceiptHandle"] for message in received]
            seen |= {message["MessageId"]: _dead_letter(message) for message in received}
    finally:
        for start in range(0, len(handles), BATCH):
            entries = [
                {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for n, handle in enumerate(handles[start : start + BATCH])
            ]
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    return sorted(seen.values(), key=lambda letter: letter.sent_at)


def _dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    try:
        body = read_json(message["Body"])
    except ValueError:
        body = message["Body"]
    return DeadLetter(
        message["MessageId"],
        datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        body,
    )
