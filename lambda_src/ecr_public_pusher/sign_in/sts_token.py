"""The presigned STS token that aws-iam-authenticator verifies, in EKS and elsewhere.

Its rules are the verifier's (aws-iam-authenticator, pkg/token/token.go): `k8s-aws-v1.` and the
unpadded base64url of a presigned GetCallerIdentity GET with the cluster's name among the signed
headers.
"""

import base64

from ecr_public_pusher.aws_api.assumed_role import Caller
from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code
from ecr_public_pusher.errors import SignInError

TOKEN_PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
# aws-iam-authenticator refuses longer ones (maxTokenLenBytes).
MAX_TOKEN_BYTES = 4096
# As `aws eks get-token`; the verifier itself uses X-Amz-Date and allows 15 minutes.
PRESIGNED_SECONDS = 60

_CALL = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}


def not_admitted_by_authenticator(principal: str) -> str:
    """Return what a 401 to such a token may mean.

    The verifier asks STS about each token, and answers 401 as well where STS throttles it.
    """
    return (
        f"does not admit {principal}, or STS throttled the authenticator behind it, which is"
        " temporary"
    )


def sts_token(clients: AwsClients, caller: Caller, *, region: str, cluster: str) -> str:
    """Return a bearer token for `cluster`. Make no call.

    Raise SignInError if it cannot be signed, or would be longer than the verifier accepts.
    """
    try:
        url = call_aws(
            lambda: clients.presigned_url(
                "sts",
                region,
                _CALL,
                headers={CLUSTER_HEADER: cluster},
                credentials=caller.credentials,
                seconds=PRESIGNED_SECONDS,
            )
        )
    except AWS_ERRORS as error:
        raise SignInError(
            f"cannot sign in to cluster {cluster}: {error_code(error)}",
            remedy="The function has no usable credentials.",
        ) from None
    token = TOKEN_PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    if len(token) > MAX_TOKEN_BYTES:
        raise SignInError(
            f"the sign-in token for cluster {cluster} is {len(token)} bytes long, and EKS"
            f" accepts at most {MAX_TOKEN_BYTES}",
            remedy=(
                "Its role's session token is too long: shorten the session (fewer or no session"
                " tags, no session policies)."
            ),
        )
    return token
