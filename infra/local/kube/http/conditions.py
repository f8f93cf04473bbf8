"""Checks of a request before anything is written: its options, names and versions."""

import uuid

from ..kinds import Kind, Object
from ..status import (
    ApiError,
    another_uid,
    bad_request,
    details,
    invalid,
    modified,
    precondition_failed,
)
from .call import APPLY, Call

MAX_MANAGER_BYTES = 128


def check_options(call: Call) -> None:
    """Raise ApiError when a query parameter does not fit the verb."""
    dry = call.query.get("dryRun")
    options = Kind(
        f"{'Patch' if call.asked.verb == 'patch' else call.asked.verb.capitalize()}Options",
        "",
        "",
        False,
        (),
        "meta.k8s.io",
    )
    if dry not in (None, "", "All"):
        detail = f'Unsupported value: ["{dry}"]: supported values: "All"'
        raise invalid(
            options,
            "",
            [{"reason": "FieldValueNotSupported", "message": detail, "field": "dryRun"}],
        )
    if (
        call.asked.verb == "patch"
        and call.content_type == APPLY
        and not call.query.get("fieldManager")
    ):
        detail = "Required value: is required for apply patch"
        raise invalid(
            options,
            "",
            [{"reason": "FieldValueRequired", "message": detail, "field": "fieldManager"}],
        )
    if len(call.query.get("fieldManager", "").encode()) > MAX_MANAGER_BYTES:
        detail = f"Too long: may not be more than {MAX_MANAGER_BYTES} bytes"
        raise invalid(
            options,
            "",
            [{"reason": "FieldValueTooLong", "message": detail, "field": "fieldManager"}],
        )
    if call.asked.verb == "patch" and call.content_type != APPLY and call.query.get("force"):
        detail = "Forbidden: may not be specified for non-apply patch"
        raise invalid(
            options, "", [{"reason": "FieldValueForbidden", "message": detail, "field": "force"}]
        )


def check_identity(call: Call, body: Object) -> None:
    """Raise the 400 unless the body's name and namespace are the URL's, or absent."""
    metadata = body["metadata"]
    name = metadata.setdefault("name", call.asked.name)
    if call.asked.name and name != call.asked.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL"
            f" ({call.asked.name})"
        )
    if metadata.get("namespace", call.namespace) != call.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not name and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
    elif not name:
        detail = "Required value: name or generateName is required"
        raise invalid(
            call.kind,
            "",
            [{"reason": "FieldValueRequired", "message": detail, "field": "metadata.name"}],
        )


def check_replaces(kind: Kind, live: Object, given: Object) -> None:
    """Raise the 409 for a replacement with the uid of another object."""
    stored = live["metadata"]
    if given.get("uid", stored["uid"]) != stored["uid"]:
        detail = (
            f"Precondition failed: UID in precondition: {given['uid']}, UID in object meta:"
            f" {stored['uid']}"
        )
        raise ApiError(
            409,
            f'Operation cannot be fulfilled on {kind.resource} "{stored["name"]}": {detail}',
            details(kind, stored["name"]),
        )


def check_version(kind: Kind, live: Object, given: Object) -> None:
    """Raise the 409 for a write with another resourceVersion; none and "0" stand for any."""
    stored = live["metadata"]
    version = given.get("resourceVersion") or "0"
    if not version.isdigit():
        raise ApiError(500, f'strconv.ParseUint: parsing "{version}": invalid syntax')
    if version not in ("0", stored["resourceVersion"]):
        raise modified(kind, stored["name"])


def check_uid(kind: Kind, live: Object, given: Object) -> None:
    """Raise the 422 for a patch or an apply with the uid of another object."""
    stored = live["metadata"]
    uid = given.get("uid")
    if uid and uid != stored["uid"]:
        raise another_uid(kind, stored["name"], uid)


def check_preconditions(kind: Kind, live: Object, wanted: Object) -> None:
    """Raise the 409 when a precondition of a delete does not hold."""
    stored = live["metadata"]
    if (uid := wanted.get("uid")) and uid != stored["uid"]:
        detail = (
            f"the UID in the precondition ({uid}) does not match the UID in record"
            f" ({stored['uid']})."
        )
        raise precondition_failed(
            kind, stored["name"], f"{detail} The object might have been deleted and then recreated"
        )
    if (version := wanted.get("resourceVersion")) and version != stored["resourceVersion"]:
        detail = (
            f"the ResourceVersion in the precondition ({version}) does not match the"
            " ResourceVersion in record"
        )
        detail += f" ({stored['resourceVersion']})."
        raise precondition_failed(
            kind, stored["name"], f"{detail} The object might have been modified"
        )
