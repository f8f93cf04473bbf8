"""AWS's background work for a kept stack: schedules, and the retry queue's poller."""

from collections.abc import Callable
from typing import Any

from ..aws import FunctionAnswer
from ..aws.queues import LocalQueue

# The template's defaults: Schedule, SweepSchedule, and the retry queue's VisibilityTimeout.
PUSH_SECONDS = 8 * 3600
SWEEP_SECONDS = 5 * 60
HIDDEN_SECONDS = 1800
SAID = (
    "It does by itself what AWS does: the push every 8 hours and the sweep every 5 minutes, change"
    " events of documents, and retries from the queue (after 15 minutes). Four alarms follow the"
    " last report (cluster-failed, unconfigured, unknown-parameters, documents-deleted); the others"
    " stay as they are."
)


class Background:
    """Schedules and the queue's poller of one stack, from the time `now` on, in seconds."""

    def __init__(
        self,
        queue: LocalQueue,
        dead_letters: LocalQueue,
        invoke: Callable[[Any], FunctionAnswer],
        *,
        now: float,
    ) -> None:
        self._queue = queue
        self._dead_letters = dead_letters
        self._invoke = invoke
        self._due = {
            action: [now + seconds, seconds]
            for action, seconds in (("push", PUSH_SECONDS), ("sweep", SWEEP_SECONDS))
        }

    def step(self, now: float) -> None:
        """Do what is due."""
        for action, schedule in self._due.items():
            at, every = schedule
            if now >= at:
                schedule[0] = now + every
                self._invoke({"action": action})
        event = self._queue.due_batch(hide_seconds=HIDDEN_SECONDS)
        if event["Records"]:
            self._queue.settle(event, self._invoke(event).payload)
        while self._queue.dead:
            self._dead_letters.put(self._queue.dead.pop(0))
