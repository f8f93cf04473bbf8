"""The host names of a registry, and the docker config that signs in to them. Pure."""

import base64
import json
import re
from collections.abc import Mapping

# ECR Public's two host names; the kubelet's own credential provider covers both. Without a scheme:
# some readers do not match `https://`.
PUBLIC_HOSTS = ("public.ecr.aws", "ecr-public.aws.com")
PUBLIC = PUBLIC_HOSTS[0]

# The domain of a private registry's dual-stack name, by partition. Source: the hosts that
# amazon-ecr-credential-helper matches.
_DUAL_STACK_DOMAIN = {
    "aws": "on.aws",
    "aws-us-gov": "on.aws",
    "aws-cn": "on.amazonwebservices.com.cn",
    "aws-eusc": "on.amazonwebservices.eu",
    "aws-iso": "on.aws.ic.gov",
    "aws-iso-b": "on.aws.scloud",
    "aws-iso-e": "on.cloud-aws.adc-e.uk",
    "aws-iso-f": "on.aws.hci.ic.gov",
}

# Sent by a dry run in place of a token: valid to the API server, worthless to a registry.
PLACEHOLDER = base64.b64encode(b"AWS:placeholder-of-a-dry-run").decode()


def private_hosts(account: str, region: str, *, partition: str, suffix: str) -> tuple[str, ...]:
    """Return a private registry's host names, the usual one first.

    `suffix`: the one of the partition's hosts.

    The FIPS names (`dkr.ecr-fips`, `dkr-ecr-fips`) are left out: each name repeats a token of some
    3 KB, and they belong to the same registry.
    """
    twin = _DUAL_STACK_DOMAIN.get(partition)
    return (
        f"{account}.dkr.ecr.{region}.{suffix}",
        *([f"{account}.dkr-ecr.{region}.{twin}"] if twin else []),
    )


def is_private_host(host: str, region: str, *, partition: str, suffix: str) -> bool:
    """Return whether it is a host name of a private registry in that region, FIPS included."""
    account, _, rest = host.partition(".")
    plain = rest.replace("-fips.", ".", 1)
    return bool(re.fullmatch("[0-9]{12}", account)) and f"{account}.{plain}" in private_hosts(
        account, region, partition=partition, suffix=suffix
    )


def docker_config(authorizations: Mapping[str, str]) -> bytes:
    """Return the `.dockerconfigjson` with each host's credential.

    Hosts are exact: docker's own readers know no globs.
    """
    return json.dumps(
        {"auths": {host: {"auth": credential} for host, credential in authorizations.items()}},
        separators=(",", ":"),
    ).encode()
