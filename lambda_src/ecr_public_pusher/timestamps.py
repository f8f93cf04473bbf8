"""Moments as Kubernetes writes them. Pure."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """To the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_epoch(seconds: float) -> datetime:
    """Seconds since the epoch, as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
