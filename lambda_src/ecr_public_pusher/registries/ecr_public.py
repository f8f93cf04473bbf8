"""An ECR Public token, checked before anything is built on it."""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from ecr_public_pusher.aws_api.errors import AWS_ERRORS, Failure, call_aws, error_code, failure_of
from ecr_public_pusher.errors import TokenError
from ecr_public_pusher.results import RegistryToken

# ECR Public's API lives in these two regions only.
API_REGIONS = ("us-east-1", "us-west-2")
# A token is to outlive the next push by the shortest schedule there is; twelve hours are the rule.
LEAST_LIFE = timedelta(hours=1)

_REMEDIES = {
    Failure.REFUSED: "The execution role needs ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken (see iam-permission.json); a service "
    "control policy that denies the region refuses it too.",
    Failure.UNREACHABLE: "The function must reach api.ecr-public.us-east-1.amazonaws.com, or that of us-west-2: from a VPC, through a NAT gateway.",
    Failure.UNWELL: "ECR Public is unwell, or throttles: the run is tried again by itself. See the AWS Health Dashboard if it lasts.",
}


def fetch_token(clients: Iterable[Any], now: datetime) -> RegistryToken:
    """A token from the first ECR Public client that gives one. Raises TokenError, of the first region's failure: then nothing may be written."""
    failures: list[TokenError] = []
    for client in clients:
        try:
            return checked_token(call_aws(client.get_authorization_token), now)
        except AWS_ERRORS as error:
            said = f"ECR Public in {client.meta.region_name} gave no token: {error_code(error)}"
            failures.append(TokenError(said, remedy=_REMEDIES[failure_of(error)]))
        except TokenError as error:
            failures.append(error)
    raise failures[0]


def checked_token(answer: Any, now: datetime) -> RegistryToken:
    """The token in GetAuthorizationToken's answer, when it is one that a registry could take. Raises TokenError."""
    data = answer.get("authorizationData") if isinstance(answer, dict) else None
    token = data.get("authorizationToken") if isinstance(data, dict) else None
    expires_at = data.get("expiresAt") if isinstance(data, dict) else None
    if not token or not isinstance(token, str):
        raise _unusable("it is empty")
    try:
        user, _, password = base64.b64decode(token, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        raise _unusable("it is not base64") from None
    if user != b"AWS" or not password:
        raise _unusable("it does not decode to AWS:<password>")
    if not isinstance(expires_at, datetime):
        raise _unusable("it has no expiry")
    if expires_at <= now:
        raise _unusable(f"it expired at {expires_at.isoformat()}")
    if expires_at - now < LEAST_LIFE:  # the one that it would replace is better
        raise _unusable(f"it lives for {round((expires_at - now).total_seconds())} seconds only, less than {int(LEAST_LIFE.total_seconds())}")
    return RegistryToken(token, expires_at)


def _unusable(why: str) -> TokenError:
    return TokenError(f"ECR Public's token is unusable: {why}", remedy="Nothing was written. Try again; should it last, ask AWS support.")
