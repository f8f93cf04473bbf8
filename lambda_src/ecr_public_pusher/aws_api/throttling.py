"""Retries where a quota is shared: throttling is waited out, every other error is final."""

import random
import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from ecr_public_pusher.aws_api.errors import call_aws, is_throttled

# In addition to botocore's own retries; at most half a minute of waiting in all.
TRIES = 7
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0


def patiently[T](call: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Return `call()`, retried while it is throttled. Block meanwhile; raise as call_aws does."""
    for attempt in range(TRIES - 1):
        try:
            return call_aws(call)
        except ClientError as error:
            if not is_throttled(error):
                raise
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
        sleep(random.uniform(0.5, 1) * longest)  # noqa: S311 - jitter, no secret
    return call_aws(call)
