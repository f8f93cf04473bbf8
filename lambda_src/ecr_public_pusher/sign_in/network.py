"""The network of one invocation, for sign-ins that send requests of their own."""

from dataclasses import dataclass, field

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets


@dataclass(frozen=True)
class GoogleEndpoints:
    """The addresses of Google's token services, without a trailing slash.

    No document can name others. The environment can, as for AWS's services (AWS_ENDPOINT_URL): by
    the variables of Google's own command line.
    """

    sts: str = "https://sts.googleapis.com"
    iam_credentials: str = "https://iamcredentials.googleapis.com"


@dataclass(frozen=True)
class Network:
    """Limits of requests, and the sockets and threads that they use."""

    deadline: Deadline
    blocking: BlockingCalls
    sockets: Sockets
    retry_policy: RetryPolicy
    google: GoogleEndpoints = field(default_factory=GoogleEndpoints)
