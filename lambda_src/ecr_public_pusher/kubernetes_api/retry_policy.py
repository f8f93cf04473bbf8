"""How long and how often a cluster is tried."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """`request_seconds`: one request, from its first byte to the last of its answer.

    All in seconds, or times.

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
    connect_attempts: int = (
        3  # a cluster that accepts no connection is known sooner than one that stumbles
    )
    backoff_seconds: float = 0.25  # doubled each time, with full jitter
    backoff_limit_seconds: float = 8.0
    stalled_seconds: float = 1.0  # what takes longer gives its place to another
    appearance_seconds: float = 5.0  # what a controller makes a moment later is waited for
    sign_in_seconds: float = 5.0  # at most, until a refused sign-in is tried again
    lost_race_seconds: float = 1.0  # the longest pause after another writer was quicker

    def pause(self, attempt: int, retry_after: str | None = None) -> float:
        """Seconds to wait after so many tries; `retry_after` is the answer's header, of which whole
        seconds are honoured (RFC 9110, 10.2.3).
        """
        most = min(self.backoff_limit_seconds, self.backoff_seconds * 2**attempt)
        seconds = random.uniform(0, most)  # noqa: S311 - jitter, no secret
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            seconds += float(retry_after[:9])
        return seconds

    def sign_in_pause(self) -> float:
        """Return the seconds until a refused sign-in is tried again: not all of a fleet at once."""
        return random.uniform(0.5, 1) * self.sign_in_seconds  # noqa: S311 - jitter, no secret
