"""Why there was no answer: which of the ways a connection can fail it was, and what to do about it."""

import ssl
from collections.abc import Iterable

import urllib3

from ecr_public_pusher.errors import LeaseEnded, NoAnswerError, UnreachableError


class NoConnection(UnreachableError):
    """No connection came about; three tries are enough to know."""

    code = "UnreachableError"


class Final(UnreachableError):
    """Trying again cannot help."""

    code = "UnreachableError"


_NETWORK = "Is the cluster's endpoint public, or the function in its VPC? The cluster's security group must admit 443 from the function."
_NO_ANSWER: tuple[tuple[tuple[type[BaseException], ...], str, type[UnreachableError]], ...] = (
    ((urllib3.exceptions.NameResolutionError,), "has no address (DNS)", NoConnection),
    ((urllib3.exceptions.NewConnectionError, ConnectionRefusedError), "refuses connections", NoConnection),
    ((urllib3.exceptions.ConnectTimeoutError,), "did not accept a connection in time", NoConnection),
    ((ssl.SSLError,), "does not speak TLS as expected", NoConnection),
    ((urllib3.exceptions.ReadTimeoutError, TimeoutError), "gave no whole answer in time", NoAnswerError),
    ((urllib3.exceptions.IncompleteRead,), "broke off in the middle of its answer", NoAnswerError),
)


def why(error: Exception, host: str) -> UnreachableError:
    """Which of the ways in which there is no answer it was: by type, never by text. Raises the LeaseEnded that lies behind it."""
    chain = list(_causes(error))
    for link in chain:
        if isinstance(link, LeaseEnded):
            raise link
    if certificate := next((link for link in chain if isinstance(link, ssl.SSLCertVerificationError)), None):
        return Final(
            f"the TLS certificate of {host} is not the cluster's: {str(certificate.verify_message)[:200]}",
            remedy="Something answers in the cluster's place, or its certificate authority was renewed: see `aws eks describe-cluster`.",
        )
    for kinds, what, type_ in _NO_ANSWER:
        if any(isinstance(link, kinds) for link in chain):
            return type_(f"{host} {what}", remedy=_NETWORK)
    return NoAnswerError(f"{host} broke off the connection ({type(error).__name__})", remedy=_NETWORK)


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    """An exception, what caused it, and what urllib3 wraps in its arguments."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__, *(part for part in link.args if isinstance(part, BaseException))]
