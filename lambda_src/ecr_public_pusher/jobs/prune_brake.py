"""Hold a prune back that would take more away than stays: a mistyped glob must not take every
Secret away. Pure.
"""

import json
from collections.abc import Sequence

from ecr_public_pusher.errors import PruneHeldBack

# So many Secrets may be pruned without asking whether they are more than what stays.
PRUNED_WITHOUT_ASKING = 5
# Of names in a message.
SHOWN = 10


def held_back(document_id: str, leaving: Sequence[str], *, applied: int) -> PruneHeldBack | None:
    """Return why the Secrets in the namespaces `leaving` must stay; None where they may go.

    `applied`: in how many selected namespaces the Secret is there now. What is only selected does
    not count: eight names that are mistyped into eight others prune nothing.
    """
    if not leaving or (applied and len(leaving) <= max(PRUNED_WITHOUT_ASKING, applied)):
        return None
    names = ", ".join(leaving[:SHOWN]) + (
        f" and {len(leaving) - SHOWN} more" if len(leaving) > SHOWN else ""
    )
    event = json.dumps({"action": "push", "clusters": [document_id], "prune": "all"})
    return PruneHeldBack(
        f"prune would delete {len(leaving)} of our Secrets, where {applied} namespaces have theirs,"
        f" and was held back: {names}",
        remedy=f"If namespaces is wrong, correct it. If they are to go, send {event}.",
    )
