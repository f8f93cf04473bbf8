"""Which hosts a registry answers to, and the docker config that signs in to them. Pure."""

import base64
import json

# ECR Public's two names; the kubelet's own credential provider covers both. Without a scheme: some readers match no `https://`.
PUBLIC_HOSTS = ("public.ecr.aws", "ecr-public.aws.com")

# What a dry run sends in a token's stead: valid to the API server, worthless to a registry.
PLACEHOLDER = base64.b64encode(b"AWS:placeholder-of-a-dry-run").decode()


def docker_config(authorization: str) -> bytes:
    """`.dockerconfigjson`: the same credential under both of the registry's names."""
    return json.dumps({"auths": {host: {"auth": authorization} for host in PUBLIC_HOSTS}}, separators=(",", ":")).encode()
