"""A private registry's token.

It has the rights of the role that requests it. So a registry's own role requests it, never the
execution role.

It is valid for every private registry of its region that the role may read, in other accounts too
(Amazon ECR user guide, "Private registry authentication"), and in no other region.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ecr_public_pusher.aws_api.errors import AWS_ERRORS, Failure, call_aws, error_code, failure_of
from ecr_public_pusher.errors import TokenError
from ecr_public_pusher.registries.authorization import checked, unusable
from ecr_public_pusher.results import RegistryToken

# The session of a role that another role assumed lasts an hour at most (IAM, role chaining). AWS
# does not document whether the token expires with it; if it does, it lasts just under an hour, for
# which a Schedule of minutes suffices.
LEAST_LIFE = timedelta(minutes=30)

_REMEDIES = {
    Failure.REFUSED: (
        "The registry's role (roleArn) needs ecr:GetAuthorizationToken on * (infra/pull-role.yaml);"
        " check `region` too."
    ),
    Failure.UNREACHABLE: (
        "ECR did not respond: check `region`. From a VPC, it is reached through a NAT gateway or"
        " the endpoint com.amazonaws.REGION.ecr.api."
    ),
    Failure.UNAVAILABLE: (
        "ECR is unavailable or throttling there: the cluster is retried automatically. If it"
        " persists, see the AWS Health Dashboard."
    ),
}


def fetch_private_token(
    client: Any,
    role_arn: str,
    now: datetime,
    *,
    signature: Mapping[str, Any],
    is_registry: Callable[[str], bool],
) -> RegistryToken:
    """Return a token for the registries of the client's region, requested as `role_arn`.

    Raise TokenError.
    """
    region = client.meta.region_name
    try:
        answer = call_aws(lambda: client.get_authorization_token(**signature))
    except AWS_ERRORS as error:
        said = f"ECR in {region} gave {role_arn} no token: {error_code(error)}"
        raise TokenError(
            said, remedy=_REMEDIES[failure_of(error)].replace("REGION", region)
        ) from None
    return checked_private_token(answer, f"ECR in {region}", now, is_registry=is_registry)


def checked_private_token(
    answer: Any, giver: str, now: datetime, *, is_registry: Callable[[str], bool]
) -> RegistryToken:
    """Return the token in a response of GetAuthorizationToken.

    Raise TokenError unless `is_registry` accepts the host that it is for.
    """
    listed = answer.get("authorizationData") if isinstance(answer, dict) else None
    data = listed[0] if isinstance(listed, list) and listed else None
    token = checked(data, now, giver=giver, least_life=LEAST_LIFE)
    endpoint = data.get("proxyEndpoint") if isinstance(data, dict) else None
    scheme, _, host = endpoint.partition("://") if isinstance(endpoint, str) else ("", "", "")
    if scheme != "https" or not is_registry(host):
        raise unusable(giver, "it is for another registry's host")
    return token
