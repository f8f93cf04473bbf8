"""Choice of the kind of sign-in that a document asks for (the interface is in `kind`).

Those other than EKS's are imported when the first document asks for one: an estate that has none
does not pay for them at each cold start.
"""

from collections.abc import Sequence

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.configuration.cluster_config import (
    ClusterConfig,
    Google,
    IamAuthenticator,
    StoredKubeconfig,
    WebIdentity,
)
from ecr_public_pusher.sign_in.eks import EksSignIn, EndpointCache
from ecr_public_pusher.sign_in.kind import SignIn
from ecr_public_pusher.sign_in.network import Network


class SignIns:
    """Factory of the sign-ins of one invocation's documents.

    `network`: for sign-ins that send requests of their own. `allowed_endpoints`: hosts outside EKS
    that the stack's owner allows.
    """

    def __init__(
        self,
        callers: Callers,
        endpoints: EndpointCache,
        network: Network,
        *,
        allowed_endpoints: Sequence[str] = (),
    ) -> None:
        self._callers = callers
        self._endpoints = endpoints
        self._network = network
        self._allowed_endpoints = allowed_endpoints
        self._by_google: dict[str, SignIn] = {}

    def of(self, config: ClusterConfig) -> SignIn:
        match config.sign_in:
            case IamAuthenticator() as choice:
                from ecr_public_pusher.sign_in.iam_authenticator import IamAuthenticatorSignIn

                return IamAuthenticatorSignIn(config, choice, self._callers)
            case WebIdentity(server=server):
                from ecr_public_pusher.sign_in.web_identity import WebIdentitySignIn

                return WebIdentitySignIn(config, server, self._callers)
            case Google() as choice:
                from ecr_public_pusher.sign_in.google import GoogleSignIn

                # One for all steps of a check: its token is exchanged once.
                if config.id not in self._by_google:
                    made = GoogleSignIn(config, choice, self._callers, self._network)
                    self._by_google[config.id] = made
                return self._by_google[config.id]
            case StoredKubeconfig(secret_arn=secret_arn):
                from ecr_public_pusher.sign_in.kubeconfig import KubeconfigSignIn

                return KubeconfigSignIn(
                    config,
                    secret_arn,
                    self._callers,
                    self._network.deadline.clock,
                    allowed_endpoints=self._allowed_endpoints,
                )
            case _:
                return EksSignIn(config, self._callers, self._endpoints)
