"""The Status answers of the API server, each refusal worded as kube-apiserver words it.

Clients distinguish refusals by status, reason and causes, so these must equal the server's own.
"""

from typing import Any

from .kinds import Kind, Object

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
}

type Cause = dict[str, str]

EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You can start a new list without the continue parameter, or use the continue token in this "
    "response to retrieve the remainder of the results. Continuing with the provided token "
    "results in an inconsistent list - objects that were created, modified, or deleted between "
    "the time the first chunk was returned and now may show up in the list."
)


class ApiError(Exception):
    """A refusal, with the Status that the client gets."""

    def __init__(
        self, code: int, message: str, details: Object | None = None, *, reason: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = failure(code, message, details, reason)


def failure(
    code: int, message: str, details: Object | None = None, reason: str | None = None
) -> Object:
    """Return a Status object.

    A 500 has no reason, as with the recorded server's conversions.
    """
    status: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
    }
    if reason or code in REASONS:
        status["reason"] = reason or REASONS[code]
    if details is not None:
        status["details"] = details
    return {**status, "code": code}


def details(kind: Kind, name: str = "") -> Object:
    """Return the object that a Status is about."""
    return {
        key: value
        for key, value in (("name", name), ("group", kind.group), ("kind", kind.plural))
        if value
    }


def bad_request(message: str) -> ApiError:
    """Return the 400 for a request that cannot be understood."""
    return ApiError(400, message)


def unauthorized() -> ApiError:
    """Return the 401 for a token that is not accepted, without the reason."""
    return ApiError(401, "Unauthorized")


def not_found(kind: Kind, name: str) -> ApiError:
    """Return the 404 for an object of a served kind."""
    return ApiError(404, f'{kind.resource} "{name}" not found', details(kind, name))


def no_such_path() -> ApiError:
    """Return the 404 for a path that nothing serves."""
    return ApiError(404, "the server could not find the requested resource", {})


def method_not_allowed() -> ApiError:
    """Return the 405 for a served path with an unserved method."""
    return ApiError(405, "the server does not allow this method on the requested resource", {})


def expired(following: str) -> ApiError:
    """Return the 410 for a page of a forgotten list.

    `following` is a token to go on with, from the current version.
    """
    error = ApiError(410, EXPIRED)
    error.status["metadata"] = {"continue": following}
    return error


def too_large_version(version: int, current: int) -> ApiError:
    """Return the 504 for a future version; the real server waits three seconds for it."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {version}, current: {current}"
    return ApiError(504, message, {"causes": [cause], "retryAfterSeconds": 1}, reason="Timeout")


def no_list(kind: Kind) -> ApiError:
    """Return the 406 for a list that is requested as one object's metadata."""
    group = "rbac" if kind.group else "core"
    detail = f"the requested object is a list (*{group}.{kind.kind}List)"
    return ApiError(406, f"you requested PartialObjectMetadata, but {detail}")


def another_uid(kind: Kind, name: str, uid: str) -> ApiError:
    """Return the 422 for a patch or apply with the uid of another object.

    The server lists the cause twice.
    """
    detail = f'Invalid value: "{uid}": field is immutable'
    cause = {"reason": "FieldValueInvalid", "message": detail, "field": "metadata.uid"}
    return invalid(kind, name, [cause, cause])


def already_exists(kind: Kind, name: str) -> ApiError:
    """Return the 409 for a create of an existing object."""
    return ApiError(
        409, f'{kind.resource} "{name}" already exists', details(kind, name), reason="AlreadyExists"
    )


def modified(kind: Kind, name: str) -> ApiError:
    """Return the 409 for a write that names a stale resourceVersion."""
    detail = (
        "the object has been modified; please apply your changes to the latest version and try"
        " again"
    )
    return ApiError(
        409,
        f'Operation cannot be fulfilled on {kind.resource} "{name}": {detail}',
        details(kind, name),
    )


def precondition_failed(kind: Kind, name: str, detail: str) -> ApiError:
    """Return the 409 for a delete whose precondition does not hold.

    The server names the kind here, not the resource.
    """
    about = {**details(kind, name), "kind": kind.kind}
    return ApiError(
        409, f'Operation cannot be fulfilled on {kind.qualified} "{name}": {detail}', about
    )


def invalid(kind: Kind, name: str, causes: list[Cause]) -> ApiError:
    """Return the 422 with one cause for each field that is wrong."""
    texts = list(dict.fromkeys(f"{cause['field']}: {cause['message']}" for cause in causes))
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    about = {**details(kind, name), "kind": kind.kind, "causes": causes}
    return ApiError(422, f'{kind.qualified} "{name}" is invalid: {text}', about)


def unprocessable() -> ApiError:
    """Return the 422 without a hint, for a JSON patch whose test or path does not fit."""
    return ApiError(422, "the server rejected our request due to an error in our request", {})


def namespace_terminating(kind: Kind, name: str, namespace: str) -> ApiError:
    """Return admission's 403; only its cause distinguishes it from RBAC's."""
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    detail = f"unable to create new content in namespace {namespace} because it is being terminated"
    return ApiError(
        403,
        f'{kind.resource} "{name}" is forbidden: {detail}',
        {**details(kind, name), "causes": [cause]},
    )


def success(kind: Kind, name: str, uid: str) -> Object:
    """Return the answer to a delete."""
    about = {**details(kind, name), "uid": uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": about,
    }
