"""All errors that a run can end with: each type has a message with what and where, and a remedy.

No message repeats the text of a foreign exception: it can hold bodies, headers and URLs, and so
credentials. The names of the types are public: they stand in the report as `error.type`
(docs/report.md, "Errors").
"""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from ecr_public_pusher.visible_text import visible


@dataclass(frozen=True)
class DocumentProblem:
    """One thing that is wrong with a document.

    `path`: the field's, outermost name first.
    `line`: counted from 1, where it is known.
    """

    message: str
    path: tuple[str, ...] = ()
    line: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", visible(self.message))


class PusherError(Exception):
    """The base of this project's errors.

    `message` says what and where, `remedy` what to do; both are safe to print. Characters in them
    that a reader could not see are escaped.
    `problems`: each thing that is wrong with an invalid document.
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
    """The event is not one that this function accepts, or names something that does not exist."""


class RemovalNotRepeated(RequestError):
    """A removal arrived through a queue or a failure record, possibly hours after it was requested.

    The cluster may have been pushed again since.
    """

    code = "RequestError"

    def __init__(self) -> None:
        super().__init__(
            "a removal runs only when it is sent directly, never from a queue or a failure record:"
            " the cluster may have been pushed again since",
            remedy=(
                "See the report of the removal that failed, correct its cause, and send the removal"
                " again. Then delete this message."
            ),
        )


class ConfigurationError(PusherError):
    """Parameter Store cannot be read, or `defaults` is invalid, so nothing is written."""


class InvalidDocument(PusherError):
    """One cluster's document is invalid; the other clusters are pushed all the same."""


class UnreadDocument(InvalidDocument):
    """Parameter Store did not give the document's text in this run."""

    code = "InvalidDocument"


class CannotBeJudged(PusherError):
    """This run cannot tell whether a cluster or a token is safe to use, so nothing is sent.

    The cluster is retried.
    """


class TokenError(PusherError):
    """ECR Public, or a private registry's region, gave no usable token: nothing is written."""


class QueueError(PusherError):
    """The retry queue did not accept a message, which would be lost: the whole run is retried."""


class RoleError(PusherError):
    """The configured role could not be assumed."""


class EksError(PusherError):
    """EKS did not describe the cluster, or described it without a usable endpoint."""


class NotThereError(EksError):
    """EKS does not know the cluster, not yet or no longer."""

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
    """The kubeconfig in Secrets Manager cannot be read or used, or its credential has expired."""


class UnreachableError(PusherError):
    """The cluster's endpoint is unreachable, or its certificate is not signed by its CA."""


class ConnectionFailed(UnreachableError):
    """No connection could be made.

    It is retried less often than a request that failed: a host that is down rarely comes back
    within seconds.
    """

    code = "UnreachableError"


class CertificateMismatch(UnreachableError):
    """The server's certificate is not the cluster's: a retry cannot help."""

    code = "UnreachableError"


class WrongAnswer(UnreachableError):
    """The server does not speak HTTP, or its response does not end: a retry cannot help."""

    code = "UnreachableError"


class AnswerTooLong(WrongAnswer):
    """The response does not end, or a page of a list is larger than a response may be."""


class NoAnswerError(UnreachableError):
    """A request on an open connection got no complete response; the next one may."""


class ApiError(PusherError):
    """The response is not the Kubernetes API's, or an object keeps changing while it is written."""


class TooManyValues(ApiError):
    """A page of a list with more values than an answer may hold; a smaller page may have fewer."""

    code = "ApiError"


# Every other status is final.
RETRYABLE_STATUS = frozenset({408, 429, 500, 502, 503, 504})

_OVERLOADED = (
    "The API server is overloaded or unhealthy; the next run tries again. See its metrics and log."
)
_AUDIT_LOG = "See the API server's audit log for this request."


class DeniedBy(Enum):
    """The source of a refusal of a write that RBAC allows."""

    QUOTA = "a ResourceQuota"
    POLICY = "an admission policy or webhook"


@dataclass(frozen=True)
class FieldConflict:
    """Fields of a Secret that other field managers own."""

    managers: tuple[str, ...]
    fields: tuple[str, ...]


class ApiStatusError(ApiError):
    """The Kubernetes API's final response was not success.

    It carries the HTTP status, the reason, the kind of object, and the causes' reasons and fields.

    `kind` is empty where the response is not the API server's own Status about an object.
    `webhook` names the webhook that denied the request, where it is known.
    `retry_after` is the header of a response that asks to be called again later.
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
            f"the API server responded {status} {reason}".rstrip(),
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
        """Return whether the authorizer refused it.

        That is a 403 with the API server's own Status, not denied by admission or a terminating
        namespace.
        """
        return (
            self.status == HTTPStatus.FORBIDDEN
            and bool(self.kind)
            and not self.namespace_terminating
            and self.denied_by is None
        )

    @property
    def not_found(self) -> bool:
        """Return whether the object is missing: a 404 with the API server's Status about it."""
        return self.status == HTTPStatus.NOT_FOUND and bool(self.kind)

    @property
    def type_conflict(self) -> bool:
        """Return whether others own a `type` that differs from ours, which no apply can change."""
        return self.conflict is not None and ".type" in self.conflict.fields

    @property
    def retryable(self) -> bool:
        """Return whether a retry may help: an overloaded server, or writers racing for a quota.

        A denial is final, whatever its code.
        """
        return self.denied_by is None and (self.status in RETRYABLE_STATUS or self.lost_quota_race)

    @property
    def lost_quota_race(self) -> bool:
        """Return whether creations raced for a ResourceQuota (409 of kind `resourcequotas`)."""
        return self.status == HTTPStatus.CONFLICT and self.kind == "resourcequotas"

    @property
    def stale(self) -> bool:
        """Return whether the object was changed or replaced after the write was decided upon."""
        if self.denied_by is not None or self.lost_quota_race:
            return False
        if self.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return "metadata.uid" in self.invalid_fields
        return self.status == HTTPStatus.CONFLICT


class NothingSelected(PusherError):
    """A document selects no namespace of its cluster, and does not set `allowEmpty`."""


class PruneHeldBack(PusherError):
    """Prune would delete more Secrets than stay: it is done only on request."""


class ClusterAborted(ApiError):
    """One namespace's refusal that all others would get too, so work on the cluster stops."""

    code = "ApiError"


class DeadlineReached(PusherError):
    """The function's time is up: no further work is started, and nothing more is sent."""


class InternalError(PusherError):
    """A bug in ecr-public-pusher: an unexpected exception, reduced to its type and place."""

    @classmethod
    def from_exception(cls, error: BaseException) -> "InternalError":
        """Return the error that names the exception's type, file and line, never its text."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        name = trace.tb_frame.f_code.co_filename.rsplit("/", 1)[-1] if trace else "?"
        line = trace.tb_lineno if trace else 0
        return cls(
            f"unexpected {type(error).__name__} at {name}:{line}",
            remedy="This is a bug in ecr-public-pusher: please report it.",
        )


class PushFailed(Exception):
    """A failed run, raised by the handler so that Lambda counts an error and retries.

    Its text is a one-line summary without secrets.
    """
