"""Kubernetes version of a cluster.

Everybody may read it (ClusterRole system:public-info-viewer).
"""

import re
from typing import Any

from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.kubernetes_api.client import Client

# Major and minor; some distributions write the latter as 33+.
type Version = tuple[int, int]
_NUMBER = re.compile(r"(\d{1,3})\+?")


async def server_version(client: Client) -> Version | None:
    """Return the version by GET /version; None if the cluster does not say it.

    Never raise for that: the version only makes other messages better.
    """
    try:
        _, answer = await client.send("GET", "/version", kind=())
    except PusherError:
        return None
    major, minor = (_number(answer.get(part)) for part in ("major", "minor"))
    return (major, minor) if major is not None and minor is not None else None


def _number(text: Any) -> int | None:
    found = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    return int(found[1]) if found else None
