"""Which hosts a registry answers to, and the docker config that signs in to them. Pure."""

import base64
import json
from collections.abc import Mapping

# ECR Public's two names; the kubelet's own credential provider covers both. Without a scheme: some readers match no `https://`.
PUBLIC_HOSTS = ("public.ecr.aws", "ecr-public.aws.com")
PUBLIC = PUBLIC_HOSTS[0]

# A private registry's dual-stack twin, by partition. Source: Kubernetes' ecr-credential-provider, the hosts that it matches.
_DUAL_STACK_SUFFIX = {"aws": "on.aws", "aws-us-gov": "on.aws", "aws-cn": "on.amazonwebservices.com.cn"}

# What a dry run sends in a token's stead: valid to the API server, worthless to a registry.
PLACEHOLDER = base64.b64encode(b"AWS:placeholder-of-a-dry-run").decode()


def private_hosts(account: str, region: str, *, partition: str, suffix: str) -> tuple[str, ...]:
    """A private registry's names, its usual one first. `suffix`: of the partition's hosts."""
    twin = _DUAL_STACK_SUFFIX.get(partition)
    return (f"{account}.dkr.ecr.{region}.{suffix}", *([f"{account}.dkr-ecr.{region}.{twin}"] if twin else []))


def docker_config(authorizations: Mapping[str, str]) -> bytes:
    """`.dockerconfigjson`, of each host's credential. Exact hosts: docker's own readers know no globs."""
    return json.dumps({"auths": {host: {"auth": credential} for host, credential in authorizations.items()}}, separators=(",", ":")).encode()
