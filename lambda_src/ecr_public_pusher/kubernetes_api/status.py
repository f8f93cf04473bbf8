"""API server errors, reduced to what is safe to repeat and needed to act.

That is their status, reason, kind, causes and conflict.
"""

import re
from http import HTTPStatus
from typing import Any

from ecr_public_pusher.errors import ApiStatusError, DeniedBy, FieldConflict
from ecr_public_pusher.kubernetes_api.names import NOT_SHOWN, Names

_MANAGER = re.compile(r'conflict with "([^"]{1,128})"')
_FIELD = re.compile(r"[\w./\[\]{},:=@-]{1,200}", re.ASCII).fullmatch
_KIND = re.compile(r"[a-z0-9.]{1,63}").fullmatch
# Most managers and fields kept: nobody reads more.
_MOST = 20
_KNOWN_CAUSES = ("NamespaceTerminating", "FieldValueInvalid", "FieldValueForbidden")
# Fields of an invalid object that are acted upon.
_KNOWN_FIELDS = ("metadata.uid",)
# A ValidatingAdmissionPolicy's refusal, and a webhook's: k8s.io/apiserver, plugin/policy/validating
# and plugin/webhook/errors. The latter comes with whatever code the webhook gives, and without
# details.
_POLICY = " denied request: "
_WEBHOOK = re.compile(r'admission webhook "([a-z0-9.-]{1,253})" denied the request')


def status_error(
    status: int, answer: Any, names: Names, *, retry_after: str | None = None
) -> ApiStatusError:
    """Return a Status answer as an error, reduced to what is safe by `names`."""
    if not isinstance(answer, dict) or answer.get("kind") != "Status":
        return ApiStatusError(status, phrase(status), retry_after=retry_after)
    given = answer.get("details")
    details = given if isinstance(given, dict) else {}
    message = str(answer.get("message"))
    listed = details.get("causes")
    causes = (
        [cause for cause in listed if isinstance(cause, dict)] if isinstance(listed, list) else []
    )
    held = [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]
    found = {
        names.shown(match[1])
        for cause in held
        if (match := _MANAGER.search(str(cause.get("message"))))
    }
    managers = sorted(found - {NOT_SHOWN})[:_MOST]
    fields = [str(cause.get("field")) for cause in held]
    conflict = FieldConflict(
        tuple(managers), tuple(field for field in fields if _FIELD(field))[:_MOST]
    )
    kind = str(details.get("kind") or "")
    return ApiStatusError(
        status,
        phrase(status),
        kind=kind if _KIND(kind) else "",
        causes=tuple(
            str(cause.get("reason")) for cause in causes if cause.get("reason") in _KNOWN_CAUSES
        ),
        invalid_fields=tuple(
            str(cause.get("field")) for cause in causes if cause.get("field") in _KNOWN_FIELDS
        ),
        conflict=conflict if held else None,
        denied_by=_denied_by(status, message),
        webhook=_webhook(message, names),
        retry_after=retry_after,
    )


def is_denial(answer: Any) -> bool:
    """Return whether an admission policy or webhook refused the request.

    Then the sign-in was accepted, whatever the status.
    """
    return (
        isinstance(answer, dict)
        and answer.get("kind") == "Status"
        and _denied_by(0, str(answer.get("message"))) is DeniedBy.POLICY
    )


def _denied_by(status: int, message: str) -> DeniedBy | None:
    """Return what denied the request, by fixed phrases of the API server's own.

    They were recorded from kube-apiserver 1.36.2. Nothing of the message itself is repeated.
    """
    if status == HTTPStatus.FORBIDDEN and " exceeded quota: " in message:
        return DeniedBy.QUOTA
    return DeniedBy.POLICY if _POLICY in message or _WEBHOOK.search(message) else None


def _webhook(message: str, names: Names) -> str | None:
    found = _WEBHOOK.search(message)
    return found[1] if found and names.shown(found[1]) == found[1] else None


def phrase(status: int) -> str:
    """Return the status's standard phrase: what a server writes there could be anything."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
