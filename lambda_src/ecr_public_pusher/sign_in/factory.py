"""Which way of signing in a document asks for. One today: EKS."""

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.sign_in.eks import EksSignIn, EndpointCache


class SignIns:
    """Makes the sign-in of each document of one invocation."""

    def __init__(self, callers: Callers, endpoints: EndpointCache) -> None:
        self._callers, self._endpoints = callers, endpoints

    def of(self, config: ClusterConfig) -> EksSignIn:
        return EksSignIn(config, self._callers, self._endpoints)
