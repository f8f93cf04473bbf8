"""The kubeconfig context for `kubectl` commands to paste. Pure.

For EKS it is the cluster's ARN, as `aws eks update-kubeconfig` names it.
"""

import hashlib

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Eks
from ecr_public_pusher.configuration.rbac_subject import Subject
from ecr_public_pusher.ownership import PRODUCT

# Every object of infra/rbac has this label, by which `clusters offboard` finds it.
RBAC_LABEL = f"app.kubernetes.io/name={PRODUCT}"

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


def bind_cluster_role(command: str, role: str, subject: Subject) -> str:
    """Return the command that binds one of infra/rbac's roles; repeated, it changes nothing.

    `command`: the beginning of a kubectl command for the cluster. The binding's name is one of the
    subject's own, so that two stacks do not replace each other's.
    """
    own = hashlib.sha256(subject.option.encode()).hexdigest()[:8]
    return (
        f"{command} create clusterrolebinding {role}-{own} --clusterrole={role} {subject.option}"
        f" --dry-run=client -o yaml | {command} label --local -f - {RBAC_LABEL} -o yaml"
        f" | {command} apply -f -"
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
