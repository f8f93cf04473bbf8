"""An SQS queue as its sender sees it, with Lambda's poller on the other side.

`poll` ignores delays and hands out every message, since tests ask what happens next; `due_batch`
keeps to them.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.sqs.models import Message as SqsMessage
from moto.sqs.models import sqs_backends

# The template's BatchSize of the event source.
BATCH_SIZE = 10
RETRY_DELAY_SECONDS = 900  # of the template's retry queue


@dataclass(frozen=True)
class WaitingMessage:
    """A message on the queue; `delay` is the seconds until it is first handed out."""

    body: Any
    delay: int


@dataclass
class LocalQueue:
    """A queue of moto's.

    `dead` holds the bodies of messages that were handed out `max_receives` times and not deleted.
    """

    name: str
    account: str
    region: str
    endpoint_url: str
    max_receives: int = 16
    delay_seconds: int = RETRY_DELAY_SECONDS
    dead: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._queue = sqs_backends[self.account][self.region].create_queue(
            self.name, DelaySeconds=self.delay_seconds
        )

    @property
    def url(self) -> str:
        return f"{self.endpoint_url}/{self.account}/{self.name}"

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{self.region}:{self.account}:{self.name}"

    @property
    def waiting(self) -> list[WaitingMessage]:
        """The messages on the queue, in the order of sending."""
        return [
            WaitingMessage(json.loads(message.body), self._delay(message))
            for message in self._messages
        ]

    def put(self, body: Any) -> None:
        """Send a message from outside, as Lambda does for an on-failure destination."""
        text = body if isinstance(body, str) else json.dumps(body)
        sqs_backends[self.account][self.region].send_message(self.name, text)

    def batch(self) -> dict[str, Any]:
        """Return the poller's next event, and count a receive for each of its messages.

        It holds up to ten messages.
        """
        for message in self._messages[:BATCH_SIZE]:
            message.approximate_receive_count += 1
        return {"Records": [self._record(message) for message in self._messages[:BATCH_SIZE]]}

    def due_batch(self, *, hide_seconds: int) -> dict[str, Any]:
        """Return the poller's next event, of messages that are neither delayed nor in flight.

        They are in flight for `hide_seconds` then.
        """
        due = [one for one in self._messages if one.visible and not one.delayed][:BATCH_SIZE]
        for message in due:
            message.mark_received(hide_seconds)
        return {"Records": [self._record(message) for message in due]}

    def settle(self, event: Mapping[str, Any], answer: Any) -> None:
        """Delete the messages that succeeded; move those received too often to `dead`.

        `answer` names those that failed; None means that the invocation failed as a whole.
        """
        received = {record["messageId"] for record in event["Records"]}
        kept = (
            received
            if answer is None
            else {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        )
        for message in self._messages:
            if message.id in received - kept:
                self._queue._messages.remove(message)
            elif message.id in kept and message.approximate_receive_count >= self.max_receives:
                self._queue._messages.remove(message)
                self.dead.append(json.loads(message.body))

    def poll(self, invoke: Callable[[dict[str, Any]], Any]) -> Any:
        """Invoke the function with one batch, settle it, and return the function's answer."""
        event = self.batch()
        answer = invoke(event)
        self.settle(event, answer)
        return answer

    @property
    def _messages(self) -> list[SqsMessage]:
        return list(self._queue._messages)

    def _delay(self, message: SqsMessage) -> int:
        return (
            round((message.delayed_until - float(message.sent_timestamp or 0)) / 1000)
            if message.delayed_until
            else 0
        )

    def _record(self, message: SqsMessage) -> dict[str, Any]:
        sent = str(message.sent_timestamp or int(time.time() * 1000))
        return {
            "messageId": message.id,
            "receiptHandle": f"handle-{message.id}-{message.approximate_receive_count}",
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": str(message.approximate_receive_count),
                "SentTimestamp": sent,
                "SenderId": "AROAEXAMPLE:ecr-public-pusher",
                "ApproximateFirstReceiveTimestamp": sent,
            },
            "messageAttributes": {},
            "md5OfBody": message.body_md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self.arn,
            "awsRegion": self.region,
        }
