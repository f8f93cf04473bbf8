"""An ECR Public token, checked before anything is built on it."""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code, is_retryable
from ecr_public_pusher.errors import TokenError
from ecr_public_pusher.results import RegistryToken

# ECR Public's API lives in these two regions only.
API_REGIONS = ("us-east-1", "us-west-2")
_REMEDY = "The execution role needs ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken (see iam-permission.json)."


def fetch_token(clients: Iterable[Any], now: datetime) -> RegistryToken:
    """A token from the first ECR Public client that answers. Raises TokenError: then nothing may be written."""
    for client in clients:
        try:
            answer = call_aws(client.get_authorization_token)
        except AWS_ERRORS as error:
            failure = TokenError(f"ECR Public in {client.meta.region_name} gave no token: {error_code(error)}", remedy=_REMEDY)
            if is_retryable(error):
                continue
            raise failure from None
        return checked_token(answer, now)
    raise failure


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
    return RegistryToken(token, expires_at)


def _unusable(why: str) -> TokenError:
    return TokenError(f"ECR Public's token is unusable: {why}", remedy="Nothing was written. Try again; should it last, ask AWS support.")
