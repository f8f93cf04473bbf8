"""Which way of signing in a document asks for: one module for each, behind the interface in `kind`."""

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.sign_in.eks import EksSignIn, EndpointCache
from ecr_public_pusher.sign_in.iam_authenticator import IamAuthenticatorSignIn
from ecr_public_pusher.sign_in.kind import SignIn
from ecr_public_pusher.sign_in.web_identity import WebIdentitySignIn


class SignIns:
    """Makes the sign-in of each document of one invocation."""

    def __init__(self, callers: Callers, endpoints: EndpointCache) -> None:
        self._callers, self._endpoints = callers, endpoints

    def of(self, config: ClusterConfig) -> SignIn:
        match config.sign_in:
            case "iamAuthenticator":
                return IamAuthenticatorSignIn(config, self._callers)
            case "webIdentity":
                return WebIdentitySignIn(config, self._callers)
            case _:
                return EksSignIn(config, self._callers, self._endpoints)
