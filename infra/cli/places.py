"""The place of an entry of a report: its namespace, or a Secret beside the pull Secret."""

from collections.abc import Mapping
from typing import Any


def place(entry: Mapping[str, Any]) -> str:
    """Return `team-a`, or `argocd/charts` for the Secret of one of Argo CD's repositories."""
    secret = entry.get("secret")
    return f"{entry['namespace']}/{secret}" if secret else str(entry["namespace"])
