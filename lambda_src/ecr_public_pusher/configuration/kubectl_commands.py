"""The kubeconfig context for `kubectl` commands to paste. Pure.

For EKS it is the cluster's ARN, as `aws eks update-kubeconfig` names it.
"""

import hashlib

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Eks, Google
from ecr_public_pusher.configuration.rbac_group import rbac_group
from ecr_public_pusher.ownership import PRODUCT, RBAC_GROUP

# By the beginning of the region: https://docs.aws.amazon.com/general/latest/gr/rande.html. All
# other regions are in the partition `aws`.
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}
# Placeholder for the context of a cluster that is not EKS, which only its owner knows.
UNKNOWN_CONTEXT = "CONTEXT"


def kube_context(config: ClusterConfig) -> str:
    """Return the name of the cluster's context, or UNKNOWN_CONTEXT."""
    if not isinstance(config.sign_in, Eks):
        return UNKNOWN_CONTEXT
    account, region, cluster = config.target
    partition = next(
        (name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws"
    )
    return f"arn:{partition}:eks:{region}:{account}:cluster/{cluster}"


def kubectl(config: ClusterConfig) -> str:
    """Return the beginning of a kubectl command for that cluster."""
    return f"kubectl --context {kube_context(config)}"


# The subject of infra/rbac's own bindings.
OUR_GROUP = f"--group={RBAC_GROUP}"


def rbac_subject(config: ClusterConfig, user: str) -> str:
    """Return the option by which a binding names the function, which the cluster knows as `user`.

    GKE assigns no group to an identity of Google's, so its roles are bound to the user.
    """
    return f"--user={user}" if isinstance(config.sign_in, Google) else group_subject(config)


def group_subject(config: ClusterConfig) -> str:
    """Return the option by which a binding names the group that the cluster gives the function."""
    return f"--group={rbac_group(config)}"


def naming_subject(remedy: str, config: ClusterConfig, user: str) -> str:
    """Return a remedy that names our group as one that names whom the cluster knows instead."""
    by_user = isinstance(config.sign_in, Google)
    if not by_user:
        return remedy
    named = remedy.replace(f"the group {RBAC_GROUP}", f"the user {user}")
    return named.replace(f"--as={PRODUCT} --as-group={RBAC_GROUP}", f"--as={user}")


def bind_cluster_role(command: str, role: str, subject: str) -> str:
    """Return the command that binds one of infra/rbac's roles; repeated, it changes nothing.

    `command`: the beginning of a kubectl command for the cluster. The binding's name is one of the
    subject's own, so that two stacks do not replace each other's.
    """
    own = hashlib.sha256(subject.encode()).hexdigest()[:8]
    return (
        f"{command} create clusterrolebinding {role}-{own} --clusterrole={role} {subject}"
        f" --dry-run=client -o yaml | {command} apply -f -"
    )


def context_said(config: ClusterConfig) -> str:
    """Return the note on a command's context: how to create it, or what to replace it with."""
    context = kube_context(config)
    if context == UNKNOWN_CONTEXT:
        return f"{UNKNOWN_CONTEXT} in commands stands for this cluster's context in your kubeconfig"
    return (
        f"context {context} (`aws eks update-kubeconfig --region {config.region} --name"
        f" {config.cluster}` creates it)"
    )
