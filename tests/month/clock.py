"""A clock that the simulation sets, for everything in this process that asks for the time.

The function takes the wall clock from `Clock`, the local SQS from moto, and the clusters stamp
their objects by `now`. The event loop and the signatures keep the real time: requests are really
sent, and certificates must not expire.
"""

import time
from datetime import UTC, datetime, tzinfo
from types import SimpleNamespace

import botocore.endpoint
import moto.sqs.models
import pytest

from ecr_public_pusher.deadline import Clock
from infra.local.kube.http import call

# A midnight UTC, so that hours and days are those of CloudWatch's periods.
START = datetime(2027, 3, 1, tzinfo=UTC).timestamp()


class MovedClock:
    """The simulated time, in seconds since `START`. It stands still during an invocation."""

    def __init__(self) -> None:
        self.now = 0.0

    def epoch(self) -> float:
        """Return the seconds since the epoch."""
        return START + self.now

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Have the function, the queues and the clusters use this clock.

        The AWS clients' pauses between tries take no time.
        """
        epoch = self.epoch

        class Moved(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(epoch(), tz)

        # Every Clock has these defaults, whoever makes it and whenever its name was imported.
        patch.setattr(Clock.__init__, "__defaults__", (epoch, time.monotonic))
        patch.setattr(call, "datetime", Moved)
        patch.setattr(moto.sqs.models, "unix_time", epoch)
        patch.setattr(moto.sqs.models, "unix_time_millis", lambda: epoch() * 1000)
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
