"""The subject to which a cluster's administrator binds the roles of infra/rbac. Pure.

It is the same group everywhere but in AKS, which admits names of other issuers with its own prefix
only (https://learn.microsoft.com/azure/aks/external-identity-provider-authentication-overview), and
in GKE, which assigns no group to an identity of Google's.
"""

import shlex
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Google, WebIdentity
from ecr_public_pusher.ownership import PRODUCT, RBAC_GROUP

AKS_PREFIX = "aks:jwt:"
# Azure's public cloud (public and private clusters), China and US Government:
# https://learn.microsoft.com/azure/aks/outbound-rules-control-egress
_AKS_DOMAINS = (".azmk8s.io", ".cx.prod.service.azk8s.cn", ".cx.aks.containerservice.azure.us")


@dataclass(frozen=True)
class Subject:
    """A group or a user of a cluster, as `the group NAME` in a text."""

    kind: Literal["group", "user"]
    name: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}"

    @property
    def option(self) -> str:
        """Return the option by which `kubectl create clusterrolebinding` names it."""
        return f"--{self.kind}={shlex.quote(self.name)}"

    @property
    def impersonation(self) -> str:
        """Return the options with which kubectl acts as it."""
        own = f"--as={PRODUCT} --as-group={self.name}"
        return f"--as={shlex.quote(self.name)}" if self.kind == "user" else own


# The subject of infra/rbac's own bindings.
OUR_GROUP = Subject("group", RBAC_GROUP)


def is_aks(url: str) -> bool:
    """Return whether the host of an API server's URL is AKS's."""
    return (urlsplit(url).hostname or "").endswith(_AKS_DOMAINS)


def rbac_group(config: ClusterConfig) -> str:
    """Return the group to bind the roles of infra/rbac to in the document's cluster."""
    if isinstance(config.sign_in, WebIdentity) and is_aks(config.sign_in.server.endpoint):
        return f"{AKS_PREFIX}{RBAC_GROUP}"
    return RBAC_GROUP


def rbac_subject(config: ClusterConfig, own_role: str) -> Subject:
    """Return the subject that the function is in the document's cluster.

    `own_role`: the ARN of the function's role, which signs in where the document names none.
    """
    if isinstance(config.sign_in, Google):
        return Subject("user", config.sign_in.user(config.role_arn or own_role))
    return Subject("group", rbac_group(config))
