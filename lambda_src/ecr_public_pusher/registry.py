"""One ECR Public token per run, checked before anything is built on it, and the docker config that carries it."""

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ecr_public_pusher.aws import AWS_ERRORS, called, passing, reason
from ecr_public_pusher.errors import TokenError
from ecr_public_pusher.model import RegistryToken

# ECR Public's API lives in these two regions only.
API_REGIONS = ("us-east-1", "us-west-2")
# The registry's two names; the kubelet's own credential provider covers both. Without a scheme: some readers match no `https://`.
HOSTS = ("public.ecr.aws", "ecr-public.aws.com")

# What `plan` sends in a token's stead: valid to the API server, worthless to a registry.
PLACEHOLDER = base64.b64encode(b"AWS:placeholder-of-a-dry-run").decode()

_REMEDY = "The execution role needs ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken (see iam-permission.json)."


def fetch_public_token(clients: Iterable[Any], now: datetime) -> RegistryToken:
    """A token from the first ECR Public client that answers. Raises TokenError: then nothing may be written."""
    for client in clients:
        try:
            answer = called(client.get_authorization_token)
        except AWS_ERRORS as error:
            failure = TokenError(f"ECR Public in {client.meta.region_name} gave no token: {reason(error)}", remedy=_REMEDY)
            if passing(error):
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
        raise _useless("it is empty")
    try:
        user, _, password = base64.b64decode(token, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        raise _useless("it is not base64") from None
    if user != b"AWS" or not password:
        raise _useless("it does not decode to AWS:<password>")
    if not isinstance(expires_at, datetime):
        raise _useless("it has no expiry")
    if expires_at <= now:
        raise _useless(f"it expired at {expires_at.isoformat()}")
    return RegistryToken(token, expires_at)


def docker_config(authorization: str) -> bytes:
    """`.dockerconfigjson`: the same credential under both of the registry's names."""
    return json.dumps({"auths": {host: {"auth": authorization} for host in HOSTS}}, separators=(",", ":")).encode()


def _useless(why: str) -> TokenError:
    return TokenError(f"ECR Public's token is of no use: {why}", remedy="Nothing was written. Try again; should it last, ask AWS support.")
