"""Brake on prune: a mistyped glob must not delete every Secret. Pure."""

import json
from collections.abc import Sequence

from ecr_public_pusher.errors import PruneHeldBack

# Up to this many Secrets are pruned even if fewer stay.
PRUNED_WITHOUT_ASKING = 5
# Most names listed in the message.
SHOWN = 10


def held_back(document_id: str, leaving: Sequence[str], *, applied: int) -> PruneHeldBack | None:
    """Return why the Secrets in the namespaces `leaving` must stay; None if they may go.

    `applied`: number of selected namespaces that have the Secret now. Those that are only selected
    do not count, so that eight names mistyped into eight others prune nothing.
    """
    if not leaving or (applied and len(leaving) <= max(PRUNED_WITHOUT_ASKING, applied)):
        return None
    names = ", ".join(leaving[:SHOWN]) + (
        f" and {len(leaving) - SHOWN} more" if len(leaving) > SHOWN else ""
    )
    event = json.dumps({"action": "push", "clusters": [document_id], "prune": "all"})
    return PruneHeldBack(
        f"prune was held back: it would delete {len(leaving)} of our Secrets (in {names}), while"
        f" {applied} selected namespaces have theirs",
        remedy=f"If namespaces is wrong, correct it. If they should be deleted, send {event}.",
    )
