"""Limits on how long and how often a cluster is tried."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """Limits on requests to a cluster, in seconds or number of tries.

    `request_seconds`: one request, from its first byte to the last of its answer.

    `write_seconds`: the same for one that writes, which an admission webhook may hold for 30
    seconds (its `timeoutSeconds`).

    `first_try_seconds`: for the first try of each namespace, so that all have one before any has a
    second.
    """

    connect_seconds: float = 5.0
    request_seconds: float = 15.0
    write_seconds: float = 35.0
    first_try_seconds: float = 5.0
    attempts: int = 5
    connect_attempts: int = 3  # fewer, since an unreachable cluster is recognized soon
    backoff_seconds: float = 0.25  # doubled each time, with full jitter
    backoff_limit_seconds: float = 8.0
    stalled_seconds: float = 1.0  # after this, another request may start beside a slow one
    appearance_seconds: float = 5.0  # wait for what a controller creates a moment later
    sign_in_seconds: float = 5.0  # longest pause before a refused sign-in is tried again
    lost_race_seconds: float = 1.0  # longest pause after a conflict with another writer

    def pause(self, attempt: int, retry_after: str | None = None) -> float:
        """Return the seconds to wait after the given number of tries.

        `retry_after`: the answer's header, of which whole seconds are honoured (RFC 9110, 10.2.3).
        """
        most = min(self.backoff_limit_seconds, self.backoff_seconds * 2**attempt)
        seconds = random.uniform(0, most)  # noqa: S311 - jitter, no secret
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            seconds += float(retry_after[:9])
        return seconds

    def sign_in_pause(self) -> float:
        """Return the seconds to wait before a refused sign-in is tried again.

        They are random, so that not all of a fleet tries at once.
        """
        return random.uniform(0.5, 1) * self.sign_in_seconds  # noqa: S311 - jitter, no secret
