"""Every way a run can fail, as a type, with what went wrong, where, and what to do about it.

No message here ever carries a foreign exception's text: those can hold bodies, headers and URLs,
and so credentials. The names of the types are public: they stand in the report as `error.type`
(each is in docs/report.md, "Errors").
"""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from ecr_public_pusher.visible_text import visible


@dataclass(frozen=True)
class DocumentProblem:
    """One thing that is wrong with a document.

    `path`: the field's, outermost name first; `line`: counted from 1, where it is known.
    """

    message: str
    path: tuple[str, ...] = ()
    line: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", visible(self.message))


class PusherError(Exception):
    """Base of this project's errors.

    `message` says what and where, `remedy` what to do; both are safe to print.

    What others wrote and a reader could not see in them is escaped.
    `problems`: of an invalid document, what is wrong with it, one by one.
    """

    def __init__(
        self, message: str, *, remedy: str, problems: tuple[DocumentProblem, ...] = ()
    ) -> None:
        self.message = visible(message)
        super().__init__(self.message)
        self.remedy = visible(remedy, keep="\n")
        self.problems = problems

    @property
    def code(self) -> str:
        """The error's name in the report."""
        return type(self).__name__


class RequestError(PusherError):
    """The event asks for nothing this function knows, or names something that does not exist."""


class RemovalNotRepeated(RequestError):
    """A removal that comes from a queue, hours after it was asked for: the cluster may have been
    pushed again since.
    """

    code = "RequestError"

    def __init__(self) -> None:
        super().__init__(
            "a removal is done when it is asked for, and never from a queue or a failure record:"
            " the cluster may have been pushed again since",
            remedy=(
                "See the report of the removal that failed, correct its cause, and send the removal"
                " again. Then delete this message."
            ),
        )


class ConfigurationError(PusherError):
    """Parameter Store cannot be read, or `defaults` is invalid: nothing can be trusted, so nothing
    is written.
    """


class InvalidDocument(PusherError):
    """One cluster's document is invalid; the other clusters are pushed all the same."""


class CannotBeJudged(PusherError):
    """What a cluster, or a token for it, may be besides cannot be known in this run: nothing is
    sent, and it is tried again.
    """


class TokenError(PusherError):
    """ECR Public, or a private registry's region, gave no usable token: without a token nothing is
    written.
    """


class QueueError(PusherError):
    """The retry queue did not take a message: what it was to hold would be lost, so the run as a
    whole is tried again.
    """


class RoleError(PusherError):
    """The configured role could not be assumed."""


class EksError(PusherError):
    """EKS did not describe the cluster, or described it without a usable endpoint."""


class NotThereError(EksError):
    """EKS has no such cluster, or not yet, or no more."""

    code = "EksError"


class NotReadyError(NotThereError):
    """EKS has the cluster, but it is being created or deleted, or its creation failed."""


class DiscoveryError(EksError):
    """A discovery finds no cluster, or may not look for them."""


class SignInError(PusherError):
    """No sign-in token could be made, or the cluster refused it."""


class SignInRefused(SignInError):
    """The cluster answered 401, and again to a fresh credential some seconds later."""

    code = "SignInError"


class KubeconfigError(SignInError):
    """The kubeconfig in Secrets Manager cannot be read, is not one that may be used, or its
    credential has expired.
    """


class UnreachableError(PusherError):
    """The cluster's endpoint cannot be reached, or its certificate is not signed by the cluster's
    certificate authority.
    """


class ConnectionFailed(UnreachableError):
    """No connection could be made.

    It is tried less often than a request that failed: a host that is down rarely comes back within
    seconds.
    """

    code = "UnreachableError"


class CertificateMismatch(UnreachableError):
    """Something answers with a certificate that is not the cluster's: trying again cannot help."""

    code = "UnreachableError"


class WrongAnswer(UnreachableError):
    """What answers speaks no HTTP, or does not stop: trying again cannot help."""

    code = "UnreachableError"


class AnswerTooLong(WrongAnswer):
    """What answers does not stop, or a page of a list holds more than an answer may."""


class NoAnswerError(UnreachableError):
    """There was a connection, and one request got no complete answer: the next one may."""


class ApiError(PusherError):
    """The answer is not one of the Kubernetes API, or an object keeps changing while it
    is written.
    """


class TooManyValues(ApiError):
    """A page of a list holds more values than an answer may: with fewer objects it may do."""

    code = "ApiError"


# Worth another try; every other status is an answer.
RETRYABLE_STATUS = frozenset({408, 429, 500, 502, 503, 504})

_OVERLOADED = (
    "The API server is overloaded or not healthy; the next run tries again. See its metrics and"
    " log."
)
_AUDIT_LOG = "See the API server's audit log for this request."


class DeniedBy(Enum):
    """Who refused a write that RBAC allows."""

    QUOTA = "a ResourceQuota"
    POLICY = "an admission policy or webhook"


@dataclass(frozen=True)
class FieldConflict:
    """Fields of a Secret that other field managers hold."""

    managers: tuple[str, ...]
    fields: tuple[str, ...]


class ApiStatusError(ApiError):
    """The Kubernetes API's final answer was not success: its HTTP status, reason, kind of object,
    and the causes' reasons and fields.

    `kind` is empty where what answered is not the API server's own Status about an object.
    `webhook` names who denied the request, where that is known; `retry_after` is the header of an
    answer that asks for patience.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        kind: str = "",
        causes: tuple[str, ...] = (),
        invalid_fields: tuple[str, ...] = (),
        conflict: FieldConflict | None = None,
        denied_by: DeniedBy | None = None,
        webhook: str | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(
            f"the API server answered {status} {reason}".rstrip(),
            remedy=_OVERLOADED if status in RETRYABLE_STATUS else _AUDIT_LOG,
        )
        self.status = status
        self.reason = reason
        self.kind = kind
        self.causes = causes
        self.invalid_fields = invalid_fields
        self.conflict = conflict
        self.denied_by = denied_by
        self.webhook = webhook
        self.retry_after = retry_after

    @property
    def namespace_terminating(self) -> bool:
        """Return whether a 403 is not about permissions: the namespace is being deleted."""
        return self.status == HTTPStatus.FORBIDDEN and "NamespaceTerminating" in self.causes

    @property
    def lacks_rights(self) -> bool:
        """Return whether the authorizer refused it: a 403 that is the API server's own Status, and
        nobody else's denial.
        """
        return (
            self.status == HTTPStatus.FORBIDDEN
            and bool(self.kind)
            and not self.namespace_terminating
            and self.denied_by is None
        )

    @property
    def not_found(self) -> bool:
        """Return whether the object is not there: a 404 that is the API server's own Status about
        an object.
        """
        return self.status == HTTPStatus.NOT_FOUND and bool(self.kind)

    @property
    def type_conflict(self) -> bool:
        """Return whether other field managers hold another type than ours, which no apply can
        change.
        """
        return self.conflict is not None and ".type" in self.conflict.fields

    @property
    def retryable(self) -> bool:
        """Return whether another try may help: the server is overloaded, or several writers raced
        for a quota. A denial is an answer, whatever its code.
        """
        return self.denied_by is None and (self.status in RETRYABLE_STATUS or self.lost_quota_race)

    @property
    def lost_quota_race(self) -> bool:
        """Return whether creations raced for a ResourceQuota (409 of kind `resourcequotas`)."""
        return self.status == HTTPStatus.CONFLICT and self.kind == "resourcequotas"

    @property
    def stale(self) -> bool:
        """Return whether the object is not the one, or not the version, that the write was decided
        upon.
        """
        if self.denied_by is not None or self.lost_quota_race:
            return False
        if self.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return "metadata.uid" in self.invalid_fields
        return self.status == HTTPStatus.CONFLICT


class NothingSelected(PusherError):
    """A glob or a selector found no namespace, and the document does not say `allowEmpty`."""


class PruneHeldBack(PusherError):
    """Prune would delete more Secrets than stay: done only when it is asked for."""


class ClusterAborted(ApiError):
    """One namespace's refusal that all others would get too, so the cluster's work ends there."""

    code = "ApiError"


class DeadlineReached(PusherError):
    """The function's time is up; what was not started is not started, and nothing more is sent."""


class InternalError(PusherError):
    """A defect of ours: an unexpected exception, reduced to its type and place."""

    @classmethod
    def from_exception(cls, error: BaseException) -> "InternalError":
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        name = trace.tb_frame.f_code.co_filename.rsplit("/", 1)[-1] if trace else "?"
        line = trace.tb_lineno if trace else 0
        return cls(
            f"unexpected {type(error).__name__} at {name}:{line}",
            remedy="This is a defect of ecr-public-pusher: please report it.",
        )


class PushFailed(Exception):
    """Raised by the handler so that Lambda counts an error and tries again.

    Its text is a one-line summary, nothing secret.
    """
