"""Failures of calls to AWS, in a form that is safe to print.

An exception's text is never used: it can carry requests and credentials.
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


# The form of AWS's error codes: AccessDenied, AWS.SimpleQueueService.NonExistentQueue, 404.
_CODE = re.compile(r"[A-Za-z0-9._:-]{1,80}").fullmatch


class Failure(Enum):
    """The kind of a failed call to AWS, by what can be done about it."""

    REFUSED = "AWS refused the call, and would refuse a retry"
    UNAVAILABLE = "AWS failed or throttled the call; a retry may succeed"
    UNREACHABLE = "AWS did not respond"


class NonsenseAnswer(BotoCoreError):  # type: ignore[misc]  # botocore ships no types
    """A response that is not AWS's: botocore's parsers raise all sorts of exceptions on one."""

    fmt = "the response did not come from AWS"


def call_aws[T](call: Callable[[], T]) -> T:
    """Return `call()`; raise every failure as one of AWS_ERRORS."""
    try:
        return call()
    except AWS_ERRORS:
        raise
    except Exception:  # noqa: BLE001 - its text may repeat the response
        raise NonsenseAnswer from None


def error_code(error: AwsError) -> str:
    """Return AWS's error code, or the exception's type.

    A code of another form is not repeated.
    """
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code")
        return code if isinstance(code, str) and _CODE(code) else "unknown error"
    return type(error).__name__


def is_answer(error: AwsError) -> bool:
    """Return whether AWS responded at all."""
    return isinstance(error, ClientError)


def is_throttled(error: AwsError) -> bool:
    """Return whether AWS throttled the call."""
    return isinstance(error, ClientError) and error_code(error) in _THROTTLED


def failure_of(error: AwsError) -> Failure:
    """Return the kind of this error."""
    if isinstance(error, (ConnectionError, HTTPClientError)):
        return Failure.UNREACHABLE
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return Failure.UNAVAILABLE if status >= 500 or is_throttled(error) else Failure.REFUSED
    return Failure.UNAVAILABLE if isinstance(error, NonsenseAnswer) else Failure.REFUSED


def unless_refused(error: AwsError, service: str, *, endpoint: str) -> str | None:
    """Return the remedy where AWS did not refuse, so that no permission is at fault; else None.

    `endpoint`: the service's VPC endpoint, such as `com.amazonaws.eu-west-1.sts`.
    """
    match failure_of(error):
        case Failure.UNREACHABLE:
            way = f"through a NAT gateway or the endpoint {endpoint}"
            return f"{service} did not respond. From a VPC, it is reached {way}."
        case Failure.UNAVAILABLE:
            return f"{service} is unavailable or throttling: the cluster is retried automatically."
        case Failure.REFUSED:
            return None
