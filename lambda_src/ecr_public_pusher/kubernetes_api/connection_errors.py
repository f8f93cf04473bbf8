"""Kinds of failed connections, and the remedy for each."""

import ssl
from collections.abc import Iterable

import aiohttp

from ecr_public_pusher.errors import (
    CertificateMismatch,
    ConnectionFailed,
    DeadlineReached,
    NoAnswerError,
    PusherError,
    UnreachableError,
    WrongAnswer,
)

_NETWORK = (
    "Is the endpoint public, or the function in a network that reaches it? Its security group or"
    " firewall must admit the function."
)
NOT_THE_API = (
    "Something between the function and the cluster responds in its place: check DNS, proxies"
    " and the endpoint."
)
# The order matters: aiohttp's types derive from one another, and from OSError and TimeoutError.
_KINDS: tuple[tuple[type[BaseException], str, type[UnreachableError]], ...] = (
    (aiohttp.ClientConnectorDNSError, "has no address (DNS)", ConnectionFailed),
    (aiohttp.ClientConnectorSSLError, "does not speak TLS as expected", ConnectionFailed),
    (aiohttp.ConnectionTimeoutError, "did not accept a connection in time", ConnectionFailed),
    (ConnectionRefusedError, "refuses connections", ConnectionFailed),
    (aiohttp.ClientConnectorError, "cannot be reached", ConnectionFailed),
    (TimeoutError, "did not complete its response in time", NoAnswerError),
    (
        aiohttp.ClientPayloadError,
        "closed the connection in the middle of its response",
        NoAnswerError,
    ),
)


def classify(error: BaseException, host: str) -> PusherError:
    """Return the error for a missing answer, chosen by exception type and never by text.

    DeadlineReached if that is the cause.
    """
    chain = list(_causes(error))
    if ours := next((link for link in chain if isinstance(link, DeadlineReached)), None):
        return DeadlineReached(ours.message, remedy=ours.remedy)
    if certificate := next(
        (
            link
            for link in chain
            if isinstance(link, ssl.SSLCertVerificationError) and hasattr(link, "verify_message")
        ),
        None,
    ):
        return CertificateMismatch(
            f"the TLS certificate of {host} is not the cluster's:"
            f" {str(certificate.verify_message)[:200]}",
            remedy=(
                "Something else responds at the cluster's address, or its certificate"
                " authority was renewed: compare the two, as `check` shows."
            ),
        )
    # Not HTTP, or endless headers: a retry would not help.
    if isinstance(error, aiohttp.ClientResponseError):
        return WrongAnswer(
            f"{host} did not respond as a Kubernetes API does (not even in HTTP)",
            remedy=NOT_THE_API,
        )
    for kind, what, type_ in _KINDS:
        if any(isinstance(link, kind) for link in chain):
            return type_(f"{host} {what}", remedy=_NETWORK)
    return NoAnswerError(f"{host} closed the connection ({type(error).__name__})", remedy=_NETWORK)


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    """Yield an exception, its causes, and those that aiohttp keeps in attributes."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [
            link.__cause__,
            link.__context__,
            getattr(link, "os_error", None),
            getattr(link, "certificate_error", None),
        ]
