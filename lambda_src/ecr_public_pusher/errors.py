"""Every way a run can fail, as a type, with what went wrong, where, and what to do about it.

No message here ever carries a foreign exception's text: those can hold bodies, headers and URLs, and so credentials.
"""


class PusherError(Exception):
    """Base of this project's errors. `message` says what and where, `remedy` what to do; both are safe to print."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    @property
    def code(self) -> str:
        """The error's name in the report."""
        return type(self).__name__


class RequestError(PusherError):
    """The event asks for nothing this function knows, or names something that does not exist."""


class ConfigurationError(PusherError):
    """Parameter Store cannot be read, or `defaults` is bad: nothing can be trusted, so nothing is written."""


class BadDocument(PusherError):
    """One cluster's document is bad; the other clusters are pushed all the same."""


class TokenError(PusherError):
    """ECR Public gave no usable token: without a token nothing is written."""


class QueueError(PusherError):
    """The retry queue did not take a message: what it was to hold would be lost, so the run as a whole is tried again."""


class RoleError(PusherError):
    """The configured role could not be assumed."""


class EksError(PusherError):
    """EKS did not describe the cluster, or described it without a usable endpoint."""


class SignInError(PusherError):
    """No sign-in token could be made, or the cluster refused it."""


class UnreachableError(PusherError):
    """The cluster's endpoint cannot be reached, or is not the server its certificate authority vouches for."""


class NoAnswerError(UnreachableError):
    """A connection stood, and one request got no whole answer: the next one may."""


class ApiError(PusherError):
    """The Kubernetes API (or whatever answers in its place) refused one request, or answered with nonsense."""


class DeadlineReached(PusherError):
    """The function's time is up; what was not started is not started."""


class LeaseEnded(PusherError):
    """This invocation is over: nothing of it may be sent any more."""


class Crash(PusherError):
    """A defect of ours: an exception nobody foresaw, reduced to its type and place."""

    @classmethod
    def from_exception(cls, error: BaseException) -> "Crash":
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        name = trace.tb_frame.f_code.co_filename.rsplit("/", 1)[-1] if trace else "?"
        line = trace.tb_lineno if trace else 0
        return cls(f"unexpected {type(error).__name__} at {name}:{line}", remedy="This is a defect of ecr-public-pusher: please report it.")


class PushFailed(Exception):
    """Raised by the handler so that Lambda counts an error and tries again. Its text is a one-line summary, nothing secret."""
