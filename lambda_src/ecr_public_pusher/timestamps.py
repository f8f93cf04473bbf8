"""Timestamps as Kubernetes writes them. Pure."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """Return the moment to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_exact(moment: datetime) -> str:
    """Return the moment to the microsecond, in UTC.

    Of two runs within a second it shows which one wrote later.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_epoch(seconds: float) -> datetime:
    """Return seconds since the epoch as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
