"""Parameter Store -> the parameters under one path, each with its text or the reason it could not be read."""

from typing import Any

from ecr_public_pusher.aws import AWS_ERRORS, reason
from ecr_public_pusher.config import Parameter
from ecr_public_pusher.errors import BadDocument, ConfigurationError


def read_parameters(ssm: Any, root: str) -> list[Parameter]:
    """Every parameter below `root`. Raises ConfigurationError when the path as a whole cannot be read.

    Listed undecrypted, then each SecureString by itself: one that may not be decrypted fails its own cluster, not the list.
    """
    try:
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=root, Recursive=True, WithDecryption=False)
        found = [parameter for page in pages for parameter in page["Parameters"]]
    except AWS_ERRORS as error:
        raise ConfigurationError(
            f"cannot read the parameters under {root} in {ssm.meta.region_name}: {reason(error)}",
            remedy=f"The execution role needs ssm:GetParametersByPath on the path {root}; from a VPC, Parameter Store must be reachable.",
        ) from None
    return [_decrypted(ssm, item["Name"]) if item["Type"] == "SecureString" else Parameter(item["Name"], item["Value"]) for item in found]


def _decrypted(ssm: Any, name: str) -> Parameter:
    try:
        return Parameter(name, ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    except AWS_ERRORS as error:
        return Parameter(
            name,
            error=BadDocument(
                f"{name}: the SecureString cannot be decrypted: {reason(error)}",
                remedy="Allow the execution role kms:Decrypt on the parameter's key (template parameter ConfigKmsKeyArn), or store it as String.",
            ),
        )
