"""Errors of AWS and of the network as messages with a remedy, by type and code, never by text."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectionError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)

from .errors import CliError, ExitCode, no_region
from .follow_up import FollowUp

_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
# Their messages repeat the signed request, session token included: only the code is shown.
_INVALID = frozenset(
    {
        *(
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "AuthFailure",
            "InvalidToken",
        ),
        *(
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "IncompleteSignature",
            "IncompleteSignatureException",
        ),
        *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    }
)
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "UnauthorizedOperation",
        "AuthorizationErrorException",
        "KMS.AccessDeniedException",
    }
)
_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
    }
)
MESSAGE_LENGTH = 600


def explain(error: BotoCoreError | ClientError, *, profile: str | None = None) -> CliError:
    """Return the error to print. `profile` is named in its remedy."""
    if isinstance(error, ClientError):
        return _refused(error, profile)
    if isinstance(error, NoRegionError):
        return no_region(profile)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return _aws(
            "No AWS credentials were found.",
            f"Give --profile, or set AWS_PROFILE. {_sign_in(profile)}",
        )
    if isinstance(error, (SSOError, LoginError, TokenRetrievalError, NoAuthTokenError)):
        return _aws("You are not signed in to AWS, or your session has expired.", _sign_in(profile))
    if isinstance(error, CredentialRetrievalError):
        return _aws(
            "Your AWS credentials could not be read from the source that your profile names.",
            f"Try: {FollowUp(profile=profile).aws('sts', 'get-caller-identity')}",
        )
    return _no_way(error) or _aws(f"{type(error).__name__}: {str(error)[:MESSAGE_LENGTH]}")


def is_throttled(error: ClientError) -> bool:
    """Return whether AWS refused for too many calls, which says nothing about the request."""
    return error.response["Error"].get("Code") in _THROTTLED


def _refused(error: ClientError, profile: str | None) -> CliError:
    code = error.response["Error"].get("Code", "Unknown")
    said = str(error.response["Error"].get("Message", ""))[:MESSAGE_LENGTH]
    if code in _EXPIRED:
        return _aws("Your AWS credentials have expired.", _sign_in(profile))
    if code in _INVALID:
        return _aws(
            f"AWS does not accept your credentials ({code}).",
            f"A wrong system clock also causes this. {_sign_in(profile)}",
        )
    if code in _DENIED:
        return _aws(
            f"Access denied: {said or code}",
            "Ask for the permission that is named, or use another role: --profile or AWS_PROFILE.",
        )
    if is_throttled(error):
        return _aws(
            f"AWS is throttling requests ({error.operation_name}: {code}).",
            "Try again in a minute.",
        )
    return _aws(f"{error.operation_name} was refused: {code}: {said}")


def _no_way(error: BotoCoreError) -> CliError | None:
    """Explain a failure of the network; return None for other errors."""
    if isinstance(error, ProxyConnectionError):
        return _aws("The proxy cannot be reached.", "Check HTTPS_PROXY and NO_PROXY.")
    if isinstance(error, SSLError):
        return _aws(
            "The connection to AWS is not trusted (TLS).",
            "Behind a proxy that inspects TLS, set AWS_CA_BUNDLE.",
        )
    if isinstance(error, (ConnectTimeoutError, ConnectionError)):
        return _aws(
            f"AWS cannot be reached: {error}",
            "Check your network, --region, and AWS_ENDPOINT_URL if it is set.",
        )
    if isinstance(error, (ReadTimeoutError, ConnectionClosedError, HTTPClientError)):
        return _aws(f"AWS did not respond: {error}", "Try again.")
    return None


def _aws(message: str, remedy: str = "") -> CliError:
    return CliError(message, remedy=remedy, exit_code=ExitCode.AWS)


def _sign_in(profile: str | None) -> str:
    return f"Sign in again, as usual or with: {FollowUp(profile=profile).aws('sso', 'login')}"
