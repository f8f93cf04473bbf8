"""Clusters outside EKS, whose document names the endpoint.

It may name only what the stack's owner allows.
"""

import shlex
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Server
from ecr_public_pusher.configuration.kubectl_commands import UNKNOWN_CONTEXT
from ecr_public_pusher.sign_in.kind import Endpoint, RoleCaller


class NamedEndpoint(RoleCaller):
    """Base of SignIns whose document names the endpoint."""

    asks_eks = False

    def __init__(self, config: ClusterConfig, server: Server, callers: Callers) -> None:
        super().__init__(config, callers)
        self._endpoint = Endpoint(server.endpoint, server.ca_pem)

    def remembered(self) -> Endpoint | None:
        return self._endpoint

    def forget(self) -> None:
        """Do nothing: nobody else knows where the cluster is."""

    async def described(self) -> Endpoint:
        return self._endpoint


@dataclass(frozen=True)
class NamedEndpointRemedies:
    """Remedies for an unreachable cluster outside EKS, the same for each kind of sign-in."""

    endpoint: Endpoint
    server_field: ClassVar[str] = "`endpoint`"
    authority_field: ClassVar[str] = "certificateAuthority"

    def name_not_resolved(self) -> str:
        return (
            f"Correct {self.server_field}, or its DNS. For a name of a private network, run the"
            " function in a VPC that resolves it."
        )

    def not_connected(self, *, private: bool) -> str:
        if private:
            return (
                "The endpoint has private addresses: run the function in a network that reaches it"
                " (template parameter SubnetIds)."
            )
        return (
            "Is the API server up, and does its firewall admit the function? A function in a"
            " VPC needs a NAT gateway, and the firewall must admit its address."
        )

    def not_the_cluster(self) -> str:
        host = urlsplit(self.endpoint.url).netloc
        address = host if ":" in host.rpartition("]")[2] else f"{host}:443"
        return (
            f"Compare {self.authority_field} with what the cluster presents: `openssl s_client"
            f" -showcerts -connect {address} </dev/null`"
        )

    def granted_by_policy(self, principal: str) -> str:
        return (
            f"kubectl --context {UNKNOWN_CONTEXT} auth can-i --list --as={shlex.quote(principal)}"
        )
