"""Moments as Kubernetes writes them. Pure."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """To the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_exact(moment: datetime) -> str:
    """Return it to the microsecond, in UTC: of two runs within a second, it can be known which
    wrote later.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_epoch(seconds: float) -> datetime:
    """Seconds since the epoch, as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
