"""The reader of Parameter Store: each parameter under a path, with its text or its error."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, chain
from typing import Any

from ecr_public_pusher.aws_api.errors import (
    AWS_ERRORS,
    AwsError,
    Failure,
    NonsenseAnswer,
    call_aws,
    error_code,
    failure_of,
    is_answer,
    is_throttled,
)
from ecr_public_pusher.aws_api.throttling import patiently
from ecr_public_pusher.configuration.loader import Parameter
from ecr_public_pusher.errors import ConfigurationError, InvalidDocument, UnreadDocument

NAMES_AT_ONCE = 10  # GetParameters' limit
# The default of an account in a region, for GetParameter, GetParameters and GetParametersByPath
# together: https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm.
REQUESTS_A_SECOND = 40
# MaximumConcurrency may be far higher than the number of runs that read at the same time.
LONGEST_PAUSE_SECONDS = 1.0
# The form of Parameter Store's names; they stand in the report.
_NAME = re.compile(r"[A-Za-z0-9_./-]{1,2048}").fullmatch

_UNAVAILABLE = (
    "Parameter Store, or KMS behind it, is unavailable or throttling: it is read again"
    " automatically. If it persists, see the AWS Health Dashboard."
)
_REMEDIES = {
    Failure.REFUSED: (
        "Allow the execution role kms:Decrypt on the parameter's key (template parameter"
        " ConfigKmsKeyArn), or store it as String."
    ),
    Failure.UNREACHABLE: (
        "Parameter Store returned the list, but not this parameter: it, or KMS behind it, is slow."
        " The parameter is read again automatically."
    ),
    Failure.UNAVAILABLE: _UNAVAILABLE,
}
_LIST_REMEDIES = {
    Failure.REFUSED: "The execution role needs ssm:GetParametersByPath on the path ROOT.",
    Failure.UNREACHABLE: (
        "The function must reach Parameter Store: from a VPC, through a NAT gateway or the endpoint"
        " com.amazonaws.REGION.ssm."
    ),
    Failure.UNAVAILABLE: _UNAVAILABLE,
}


@dataclass(frozen=True)
class Pace:
    """The pace of requests of one of `readers` runs, which together must not exceed the quota."""

    readers: int = 1
    sleep: Callable[[float], None] = time.sleep

    def keep(self) -> None:
        """Wait between two requests, where other runs may read too. Block meanwhile."""
        if self.readers > 1:
            self.sleep(min(LONGEST_PAUSE_SECONDS, self.readers / REQUESTS_A_SECOND))


def read_parameters(ssm: Any, root: str, *, pace: Pace | None = None) -> list[Parameter]:
    """Return every parameter below `root`, at this pace.

    Raise ConfigurationError when the path as a whole cannot be read.

    Parameters are listed undecrypted. SecureStrings are then read ten at a time, and one by one
    where one of the ten cannot be decrypted: that one fails its own cluster, not the list. The
    listed value of a SecureString is never taken for its text. Parameter Store's quota is shared
    with everything else in the account, so throttling is waited out.
    """
    pace = pace or Pace()
    try:
        found = [_texts(parameter) for parameter in _pages(ssm, root, pace)]
    except AWS_ERRORS as error:
        raise ConfigurationError(
            f"cannot read the parameters under {root} in {ssm.meta.region_name}:"
            f" {error_code(error)}",
            remedy=_LIST_REMEDIES[failure_of(error)]
            .replace("ROOT", root)
            .replace("REGION", ssm.meta.region_name),
        ) from None
    secure = [name for name, kind, _ in found if kind == "SecureString"]
    decrypted = {parameter.name: parameter for parameter in _decrypted(ssm, secure, pace)}
    return [
        decrypted[name] if kind == "SecureString" else Parameter(name, value)
        for name, kind, value in found
    ]


def _pages(ssm: Any, root: str, pace: Pace) -> Iterator[dict[str, Any]]:
    """Yield all parameters. A page may be short or empty and yet be followed by another."""
    token: dict[str, str] = {}
    while True:
        page = patiently(
            lambda: ssm.get_parameters_by_path(
                Path=root,
                Recursive=True,
                WithDecryption=False,
                **token,  # noqa: B023 - called at once
            )
        )
        yield from call_aws(lambda: page["Parameters"])  # noqa: B023
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
        pace.keep()


def _texts(parameter: dict[str, Any]) -> tuple[str, str, str]:
    name, kind, value = call_aws(lambda: tuple(parameter[key] for key in ("Name", "Type", "Value")))
    if not (isinstance(name, str) and _NAME(name) and isinstance(value, str)):
        raise NonsenseAnswer
    return name, kind, value


def _decrypted(ssm: Any, names: Sequence[str], pace: Pace) -> Iterator[Parameter]:
    """Yield each of them once, with its text or its error.

    Where Parameter Store does not respond, or throttles for good, the others are not read: each ten
    would wait as long, and the documents that could be read would wait with them.
    """
    waiting = deque(batched(names, NAMES_AT_ONCE, strict=False))
    while waiting:
        batch = waiting.popleft()
        pace.keep()
        try:
            texts = patiently(lambda: _texts_of(_get(ssm, batch)))  # noqa: B023 - called at once
        except AWS_ERRORS as error:
            if not is_answer(error) or is_throttled(error):
                yield from (_unread(name, error) for name in chain(batch, *waiting))
                return
            if len(batch) == 1:
                yield _unread(batch[0], error)
            else:
                waiting.extendleft((name,) for name in reversed(batch))
        else:
            yield from (
                Parameter(name, texts[name]) if name in texts else _gone(name) for name in batch
            )


def _get(ssm: Any, names: Sequence[str]) -> Any:
    return ssm.get_parameters(Names=list(names), WithDecryption=True)


def _texts_of(answer: Any) -> dict[str, str]:
    """Return the texts by name.

    GetParameters calls a parameter that was deleted after the list invalid.
    """
    texts = {one["Name"]: one["Value"] for one in answer["Parameters"]}
    if not all(isinstance(text, str) for text in texts.values()):
        raise NonsenseAnswer
    return texts


def _gone(name: str) -> Parameter:
    return Parameter(
        name,
        error=InvalidDocument(
            f"{name}: the SecureString was listed, but no longer exists",
            remedy="It was deleted or replaced at that moment; the next run reads it again.",
        ),
    )


def _unread(name: str, error: AwsError) -> Parameter:
    kind = failure_of(error)
    what = "cannot be decrypted" if kind is Failure.REFUSED else "could not be read"
    said = f"{name}: the SecureString {what}: {error_code(error)}"
    return Parameter(name, error=UnreadDocument(said, remedy=_REMEDIES[kind]))
