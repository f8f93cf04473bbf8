"""The Kubernetes group that a cluster gives the function. Pure.

It is the same everywhere but in AKS, which admits names of other issuers with its own prefix only:
https://learn.microsoft.com/azure/aks/external-identity-provider-authentication-overview
"""

from urllib.parse import urlsplit

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, WebIdentity
from ecr_public_pusher.ownership import RBAC_GROUP

AKS_PREFIX = "aks:jwt:"
# Azure's public cloud (public and private clusters), China and US Government:
# https://learn.microsoft.com/azure/aks/outbound-rules-control-egress
_AKS_DOMAINS = (".azmk8s.io", ".cx.prod.service.azk8s.cn", ".cx.aks.containerservice.azure.us")


def is_aks(url: str) -> bool:
    """Return whether the host of an API server's URL is AKS's."""
    return (urlsplit(url).hostname or "").endswith(_AKS_DOMAINS)


def rbac_group(config: ClusterConfig) -> str:
    """Return the group to bind the roles of infra/rbac to in the document's cluster."""
    if isinstance(config.sign_in, WebIdentity) and is_aks(config.sign_in.server.endpoint):
        return f"{AKS_PREFIX}{RBAC_GROUP}"
    return RBAC_GROUP
