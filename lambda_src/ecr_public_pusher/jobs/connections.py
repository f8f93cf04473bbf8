"""How many connections a cluster's work is worth: few where answers come at once, more where they
are late and the processor waits. Pure.

One connection costs a TLS handshake, some 2 ms of processor time, and saves the time that its
requests would wait for others' answers. With n requests whose answers take d seconds each, w
connections take n·d/w + w·k seconds, least where w is the root of n·d/k.
"""

import math

# Where answers come at once, more only fight over the processor.
MOST_AT_ONCE = 8
REQUESTS_PER_CONNECTION = 8
# Where they are late. The invocation's budget divides what there is in all.
MOST_LATE = 64
CONNECTION_SECONDS = 0.002  # of processor time (tests/bench)
# What is less than this is the processor's own unrest.
LATE_SECONDS = 0.01


def connections_for(requests: int, *, late: float = 0.0, most: int) -> int:
    """Return how many connections that many requests are worth, of at most `most`.

    `late`: how many seconds an answer takes during which the processor has nothing to do.
    """
    worth = min(MOST_AT_ONCE, -(-requests // REQUESTS_PER_CONNECTION))
    if late >= LATE_SECONDS:
        worth = max(worth, min(MOST_LATE, round(math.sqrt(requests * late / CONNECTION_SECONDS))))
    return max(1, min(worth, requests, most))
