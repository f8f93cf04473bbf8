"""The checks of an ECR token, whichever registry gave it, before anything is built on it. Pure."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ecr_public_pusher.errors import TokenError
from ecr_public_pusher.results import RegistryToken

# A token must outlive the next push of the shortest schedule; usually it lasts twelve hours.
LEAST_LIFE = timedelta(hours=1)


def checked(
    data: Any, now: datetime, *, giver: str, least_life: timedelta = LEAST_LIFE
) -> RegistryToken:
    """Return the token in one `authorizationData`, if a registry could accept it.

    Raise TokenError, which names `giver`.
    """
    given: Mapping[str, Any] = data if isinstance(data, dict) else {}
    token = given.get("authorizationToken")
    expires_at = _moment(given.get("expiresAt"))
    if not token or not isinstance(token, str):
        raise unusable(giver, "it is empty")
    try:
        user, _, password = base64.b64decode(token, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        raise unusable(giver, "it is not base64") from None
    if user != b"AWS" or not password:
        raise unusable(giver, "it does not decode to AWS:<password>")
    if expires_at is None:
        raise unusable(giver, "it has no expiry")
    if expires_at <= now:
        raise unusable(giver, f"it expired at {expires_at.isoformat()}")
    if expires_at - now < least_life:  # the token that it would replace is better
        raise unusable(
            giver,
            f"it is valid for only {round((expires_at - now).total_seconds())} seconds, less than"
            f" {int(least_life.total_seconds())}",
        )
    return RegistryToken(token, expires_at)


def _moment(value: Any) -> datetime | None:
    """Return the moment in UTC; None for anything else, such as a time without its zone."""
    try:
        return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else None
    except (OverflowError, ValueError):  # UTC's year is 0 or 10000; an offset of a day or more
        return None


def unusable(giver: str, why: str) -> TokenError:
    """Return the error of a token that cannot be used, with its reason."""
    return TokenError(
        f"{giver}'s token is unusable: {why}",
        remedy="No Secret that needs it was written. Try again; if it persists, contact AWS"
        " Support.",
    )
