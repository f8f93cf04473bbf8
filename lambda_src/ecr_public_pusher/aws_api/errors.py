"""What went wrong with a call to AWS, in a form that is safe to print: never an exception's text,
which can carry requests and credentials.
"""

import re
from collections.abc import Callable
from enum import Enum

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

AWS_ERRORS = (ClientError, BotoCoreError)

type AwsError = ClientError | BotoCoreError

_THROTTLED = frozenset(
    {
        *("Throttling", "ThrottlingException", "ThrottledException", "TooManyUpdates"),
        *("RequestThrottled", "RequestLimitExceeded", "TooManyRequestsException"),
    }
)


# As AWS's services name their errors: AccessDenied, AWS.SimpleQueueService.NonExistentQueue, 404.
_CODE = re.compile(r"[A-Za-z0-9._:-]{1,80}").fullmatch


class Failure(Enum):
    """What kind of failure a call to AWS came to, by what can be done about it."""

    REFUSED = "AWS answered, and will answer so again"
    UNWELL = "AWS answered, and may answer otherwise later"
    UNREACHABLE = "no answer"


class NonsenseAnswer(BotoCoreError):  # type: ignore[misc]  # botocore ships no types
    """Something answered in AWS's place: botocore's parsers let all sorts of exceptions through on
    such a body.
    """

    fmt = "the answer is not AWS's"


def call_aws[T](call: Callable[[], T]) -> T:
    """`call()`, whose every failure is one of AWS_ERRORS."""
    try:
        return call()
    except AWS_ERRORS:
        raise
    except Exception:  # noqa: BLE001 - its text may repeat the answer
        raise NonsenseAnswer from None


def error_code(error: AwsError) -> str:
    """AWS's error code, or the exception's type.

    What has not the form of a code is not repeated.
    """
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code")
        return code if isinstance(code, str) and _CODE(code) else "unknown error"
    return type(error).__name__


def is_answer(error: AwsError) -> bool:
    """Whether AWS answered at all."""
    return isinstance(error, ClientError)


def is_throttled(error: AwsError) -> bool:
    """Return whether AWS refused for too many calls."""
    return isinstance(error, ClientError) and error_code(error) in _THROTTLED


def failure_of(error: AwsError) -> Failure:
    """The kind of this error."""
    if isinstance(error, (ConnectionError, HTTPClientError)):
        return Failure.UNREACHABLE
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return Failure.UNWELL if status >= 500 or is_throttled(error) else Failure.REFUSED
    return Failure.UNWELL if isinstance(error, NonsenseAnswer) else Failure.REFUSED


def unless_refused(error: AwsError, service: str, *, endpoint: str) -> str | None:
    """Return the remedy where AWS did not refuse, so that no permission is to blame; else None.

    `endpoint`: the one of the service in a VPC, such as `com.amazonaws.eu-west-1.sts`.
    """
    match failure_of(error):
        case Failure.UNREACHABLE:
            way = f"through a NAT gateway or the endpoint {endpoint}"
            return f"{service} gave no answer. From a VPC, it is reached {way}."
        case Failure.UNWELL:
            return f"{service} is unwell, or throttles: the cluster is tried again by itself."
        case Failure.REFUSED:
            return None
