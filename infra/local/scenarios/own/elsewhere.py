"""Clusters outside EKS, for a person's own documents: one way to sign in for each kind."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Google

from ...kube import Cluster
from ...kube.auth.jwts import TrustedIssuer
from ...stack import (
    CONFIG_PATH,
    RBAC_GROUP,
    LocalStack,
    provider_trusting,
    trusted_issuer,
    user_binding,
)
from .document import AUTHENTICATOR, GOOGLE, KUBECONFIG, WEB_IDENTITY, OwnDocument

USER = "ecr-public-pusher"
# infra/rbac's, each bound to a group that GKE does not assign.
ROLES = tuple(f"ecr-public-pusher{part}" for part in ("", "-prune", "-service-accounts"))


@dataclass(frozen=True)
class Admitted:
    """The result of admitting the function to a cluster.

    `fields` replace the document's own here; `said` is the text for the person.
    """

    fields: Mapping[str, Any]
    said: str


class Elsewhere:
    """The function's sign-in to clusters of the local stack.

    Trust accumulates: a cluster also keeps the issuers that it trusted before.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._aws = stack.aws
        self._trusted: dict[str, list[TrustedIssuer]] = {}

    def admit(
        self, cluster: Cluster, config: ClusterConfig, document: OwnDocument, role: str
    ) -> Admitted:
        """Let a document's cluster admit the function.

        `role` is the ARN of the role whose tokens the document asks for.
        """
        ways: Mapping[str, Callable[[Cluster, ClusterConfig, str], Admitted]] = {
            WEB_IDENTITY: self._web_identity,
            GOOGLE: self._google,
            KUBECONFIG: self._kubeconfig,
        }
        if document.kind == AUTHENTICATOR:
            maps = (
                f"its aws-iam-authenticator maps {role.rpartition('/')[2]}, clusterID"
                f" {document.sign_in.get('clusterId')}"
            )
            return Admitted(_where(cluster), maps)
        return ways[document.kind](cluster, config, role)

    def _web_identity(self, cluster: Cluster, config: ClusterConfig, role: str) -> Admitted:
        self._aws.web_identity_of(role.split(":")[4]).enabled = True
        issuers = self._trusted.setdefault(cluster.endpoint, [])
        issuers.append(
            trusted_issuer(self._aws, audience=f"ecr-public-pusher:{config.id}", subject=role)
        )
        cluster.trust(*issuers)
        return Admitted(
            _where(cluster),
            "trusts AWS's issuer for this document; web identity tokens are enabled for"
            " the account",
        )

    def _google(self, cluster: Cluster, config: ClusterConfig, role: str) -> Admitted:
        """Let Google trust the document too, and bind infra/rbac's roles to its identity."""
        assert isinstance(config.sign_in, Google)
        google = self._stack.google
        choice = config.sign_in
        self._aws.web_identity_of(role.split(":")[4]).enabled = True
        known = google.providers.get(choice.provider)
        audiences = (*(known.audiences if known else ()), f"ecr-public-pusher:{config.id}")
        google.trust(
            provider_trusting(self._aws, choice.provider, audiences=audiences, subject=role)
        )
        if choice.service_account:
            google.let_become(choice.service_account, [choice.member(role)])
        for name in ROLES:
            cluster.apply(user_binding(f"{name}-{config.id}", name, choice.user(role)))
        return Admitted(
            _where(cluster),
            "its provider trusts AWS's issuer for this document, and infra/rbac's roles are bound"
            f" to {choice.user(role)}; web identity tokens are enabled for the account",
        )

    def _kubeconfig(self, cluster: Cluster, config: ClusterConfig, role: str) -> Admitted:
        text = json.dumps(cluster.client_kubeconfig(USER, [RBAC_GROUP]))
        arn = self._aws.put_secret(
            f"{CONFIG_PATH}/{config.id}", text, account_id=role.split(":")[4]
        )
        return Admitted(
            {"signIn": {"type": KUBECONFIG, "secretArn": arn}},
            "a secret with its kubeconfig, which secretArn names here",
        )


def _where(cluster: Cluster) -> dict[str, Any]:
    return {"endpoint": cluster.endpoint, "certificateAuthority": cluster.ca_pem}
