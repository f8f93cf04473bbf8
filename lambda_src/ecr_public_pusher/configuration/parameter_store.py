"""Parameter Store -> the parameters under one path, each with its text or the reason it could not be read."""

import re
from collections.abc import Iterator
from itertools import batched
from typing import Any

from ecr_public_pusher.aws_api.errors import AWS_ERRORS, NonsenseAnswer, call_aws, error_code, is_answer
from ecr_public_pusher.aws_api.throttling import patiently
from ecr_public_pusher.configuration.loader import Parameter
from ecr_public_pusher.errors import ConfigurationError, InvalidDocument

NAMES_AT_ONCE = 10  # GetParameters' limit
# As Parameter Store has them: names stand in the report.
_NAME = re.compile(r"[A-Za-z0-9_./-]{1,2048}").fullmatch


def read_parameters(ssm: Any, root: str) -> list[Parameter]:
    """Every parameter below `root`. Raises ConfigurationError when the path as a whole cannot be read.

    Listed undecrypted, then the SecureStrings ten at a time, and one by one where one of the ten cannot be decrypted: that one fails its own
    cluster, not the list. Parameter Store's quota is shared with all else in the account, so a refusal for too many calls is waited out.
    """
    try:
        found = [_texts(parameter) for parameter in _pages(ssm, root)]
    except AWS_ERRORS as error:
        raise ConfigurationError(
            f"cannot read the parameters under {root} in {ssm.meta.region_name}: {error_code(error)}",
            remedy=f"The execution role needs ssm:GetParametersByPath on the path {root}; from a VPC, Parameter Store must be reachable.",
        ) from None
    secure = [name for name, kind, _ in found if kind == "SecureString"]
    decrypted = {parameter.name: parameter for names in batched(secure, NAMES_AT_ONCE, strict=False) for parameter in _decrypted(ssm, names)}
    return [decrypted.get(name) or Parameter(name, value) for name, _, value in found]


def _pages(ssm: Any, root: str) -> Iterator[dict[str, Any]]:
    """A page may be short or empty and yet be followed by another."""
    token: dict[str, str] = {}
    while True:
        page = patiently(lambda: ssm.get_parameters_by_path(Path=root, Recursive=True, WithDecryption=False, **token))  # noqa: B023 - called at once
        yield from call_aws(lambda: page["Parameters"])  # noqa: B023
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _texts(parameter: dict[str, Any]) -> tuple[str, str, str]:
    name, kind, value = call_aws(lambda: tuple(parameter[key] for key in ("Name", "Type", "Value")))
    if not (isinstance(name, str) and _NAME(name) and isinstance(value, str)):
        raise NonsenseAnswer
    return name, kind, value


def _decrypted(ssm: Any, names: tuple[str, ...]) -> list[Parameter]:
    try:
        found = patiently(lambda: {one["Name"]: one["Value"] for one in ssm.get_parameters(Names=list(names), WithDecryption=True)["Parameters"]})
    except AWS_ERRORS as error:
        if len(names) > 1 and is_answer(error):
            return [parameter for name in names for parameter in _decrypted(ssm, (name,))]
        return [_unread(names[0], error_code(error))]
    # What was deleted since the list is an invalid parameter to GetParameters.
    return [Parameter(name, found[name]) if isinstance(found.get(name), str) else _unread(name, "ParameterNotFound") for name in names]


def _unread(name: str, code: str) -> Parameter:
    return Parameter(
        name,
        error=InvalidDocument(
            f"{name}: the SecureString cannot be decrypted: {code}",
            remedy="Allow the execution role kms:Decrypt on the parameter's key (template parameter ConfigKmsKeyArn), or store it as String.",
        ),
    )
