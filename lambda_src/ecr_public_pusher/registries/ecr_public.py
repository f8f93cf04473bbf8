"""ECR Public's token, requested by the execution role."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ecr_public_pusher.aws_api.errors import AWS_ERRORS, Failure, call_aws, error_code, failure_of
from ecr_public_pusher.errors import TokenError
from ecr_public_pusher.registries.authorization import checked
from ecr_public_pusher.results import RegistryToken

# ECR Public's API lives in these two regions only.
API_REGIONS = ("us-east-1", "us-west-2")

_REMEDIES = {
    Failure.REFUSED: (
        "The execution role needs ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken"
        " (see iam-permission.json); a service control policy that denies the region refuses"
        " it too."
    ),
    Failure.UNREACHABLE: (
        "The function must reach api.ecr-public.us-east-1.amazonaws.com, or the one in us-west-2:"
        " from a VPC, through a NAT gateway."
    ),
    Failure.UNAVAILABLE: (
        "ECR Public is unavailable or throttling: the run is retried automatically. If it persists,"
        " see the AWS Health Dashboard."
    ),
}


def fetch_token(clients: Iterable[Any], now: datetime) -> RegistryToken:
    """Return a token from the first ECR Public client that gives one.

    Raise TokenError with the first region's failure; then nothing may be written.
    """
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
    """Return the token in a response of GetAuthorizationToken.

    ECR Public's has one structure where private ECR's has a list. Raise TokenError.
    """
    return checked(
        answer.get("authorizationData") if isinstance(answer, dict) else None,
        now,
        giver="ECR Public",
    )
