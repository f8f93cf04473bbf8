"""Parameter Store -> the parameters under one path, each with its text or the reason it could not be read."""

from typing import Any

from ecr_public_pusher.aws_api.errors import AWS_ERRORS, NonsenseAnswer, call_aws, error_code
from ecr_public_pusher.configuration.loader import Parameter
from ecr_public_pusher.errors import ConfigurationError, InvalidDocument


def read_parameters(ssm: Any, root: str) -> list[Parameter]:
    """Every parameter below `root`. Raises ConfigurationError when the path as a whole cannot be read.

    Listed undecrypted, then each SecureString by itself: one that may not be decrypted fails its own cluster, not the list.
    """
    try:
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=root, Recursive=True, WithDecryption=False)
        found = call_aws(lambda: [_texts(parameter) for page in pages for parameter in page["Parameters"]])
    except AWS_ERRORS as error:
        raise ConfigurationError(
            f"cannot read the parameters under {root} in {ssm.meta.region_name}: {error_code(error)}",
            remedy=f"The execution role needs ssm:GetParametersByPath on the path {root}; from a VPC, Parameter Store must be reachable.",
        ) from None
    return [_decrypted(ssm, name) if kind == "SecureString" else Parameter(name, value) for name, kind, value in found]


def _texts(parameter: dict[str, Any]) -> tuple[str, str, str]:
    name, kind, value = (parameter[key] for key in ("Name", "Type", "Value"))
    if not (isinstance(name, str) and isinstance(value, str)):
        raise NonsenseAnswer
    return name, kind, value


def _decrypted(ssm: Any, name: str) -> Parameter:
    try:
        return Parameter(name, call_aws(lambda: ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]))
    except AWS_ERRORS as error:
        return Parameter(
            name,
            error=InvalidDocument(
                f"{name}: the SecureString cannot be decrypted: {error_code(error)}",
                remedy="Allow the execution role kms:Decrypt on the parameter's key (template parameter ConfigKmsKeyArn), or store it as String.",
            ),
        )
