"""The host names of EKS's API servers. Pure.

Amazon EKS user guide, "Cluster API server endpoint": one form for IPv4, and one for the dual-stack
endpoints of IPv6 clusters since October 2024, each with another domain in China.
"""

import re
from urllib.parse import urlsplit

_REGION = r"[a-z0-9-]+"
_HOST = re.compile(
    rf"(?:[^.]+\.)+(?:(?P<ipv4>{_REGION})\.eks\.amazonaws\.com(?:\.cn)?"
    rf"|eks-cluster\.(?P<dual_stack>{_REGION})\.api\.(?:aws|amazonwebservices\.com\.cn))"
)


def eks_region(url: str) -> str | None:
    """Return the region of the EKS cluster whose API server has this URL; None for another host."""
    try:
        found = _HOST.fullmatch(urlsplit(url).hostname or "")
    except ValueError:
        return None
    return (found["ipv4"] or found["dual_stack"]) if found else None
