"""Number of connections that a cluster's work is worth. Pure.

Few where answers are prompt, more where they are late and the processor would wait.

One connection costs a TLS handshake, some 2 ms of processor time, and saves the time that its
requests would wait for others' answers. With n requests whose answers take d seconds each, w
connections take n·d/w + w·k seconds, least where w is the root of n·d/k.
"""

import math

# While responses are prompt: more connections would only compete for the processor.
MOST_AT_ONCE = 8
REQUESTS_PER_CONNECTION = 8
# While responses are late. The invocation's budget limits the total.
MOST_LATE = 64
CONNECTION_SECONDS = 0.002  # of processor time (tests/bench)
# Anything less is noise of the processor's scheduling.
LATE_SECONDS = 0.01


def connections_for(requests: int, *, late: float = 0.0, most: int) -> int:
    """Return how many connections that many requests are worth, at most `most`.

    `late`: seconds that an answer takes while the processor is idle.
    """
    worth = min(MOST_AT_ONCE, -(-requests // REQUESTS_PER_CONNECTION))
    if late >= LATE_SECONDS:
        worth = max(worth, min(MOST_LATE, round(math.sqrt(requests * late / CONNECTION_SECONDS))))
    return max(1, min(worth, requests, most))
