"""What went wrong with a call to AWS, in a form that is safe to print: never an exception's text, which can carry requests and credentials."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError, UnknownRegionError

AWS_ERRORS = (ClientError, BotoCoreError)

# Errors that another region, or another try, could overcome; every other one is an answer.
RETRYABLE_CODES = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable", "InternalFailure", "ServerException"})


class NonsenseAnswer(BotoCoreError):  # type: ignore[misc]  # botocore ships no types
    """Something answered in AWS's place: botocore's parsers let all sorts of exceptions through on such a body."""

    fmt = "the answer is not AWS's"


def call_aws[T](call: Callable[[], T]) -> T:
    """`call()`, whose every failure is one of AWS_ERRORS."""
    try:
        return call()
    except AWS_ERRORS:
        raise
    except Exception:  # noqa: BLE001 - its text may repeat the answer
        raise NonsenseAnswer from None


def error_code(error: ClientError | BotoCoreError) -> str:
    """AWS's error code, or the exception's type."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown error"))[:80]
    return type(error).__name__


def is_retryable(error: ClientError | BotoCoreError) -> bool:
    """Whether the same call may well succeed elsewhere or later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error_code(error) in RETRYABLE_CODES
    return not isinstance(error, (ParamValidationError, UnknownRegionError))
