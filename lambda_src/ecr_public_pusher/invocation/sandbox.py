"""The state that lives as long as Lambda's sandbox.

It never holds a token, an assumed role's credentials, a connection to a cluster, configuration or a
result.
"""

from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.sign_in.eks import EndpointCache


class Sandbox:
    """Clients of the function's own role, and what EKS said of each cluster's endpoint.

    Clients cost time and memory to make.
    """

    def __init__(self) -> None:
        self.endpoints = EndpointCache()
        self._clients: AwsClients | None = None

    def clients(self, region: str) -> AwsClients:
        """Return the clients, made on first use so that nothing happens at import.

        `region`: the function's, which never changes.
        """
        if self._clients is None:
            self._clients = AwsClients(region)
        return self._clients
