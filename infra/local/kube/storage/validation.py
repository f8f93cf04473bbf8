"""The server's validation before it stores an object: names, labels, data, immutable fields."""

import base64
import re

from ..kinds import NAMESPACES, RBAC, SECRETS, Kind, Object
from ..status import ApiError, Cause, bad_request, invalid
from .gojson import base64_error, json_error

DOCKER_CONFIG = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
}
MAX_SECRET_BYTES = 1 << 20
MAX_ANNOTATION_BYTES = 256 << 10
_LABEL1123 = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL1123}(\.{_LABEL1123})*"
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SAYS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
    " '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used"
    f" for validation is '{_SUBDOMAIN}')"
)
_SAYS_LABEL1123 = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and"
    " must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used"
    f" for validation is '{_LABEL1123}')"
)
_SAYS_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or"
    f" '12345', regex used for validation is '{_VALUE}')"
)
_SAYS_QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end"
    " with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
    f" validation is '{_QUALIFIED}')"
)
_SAYS_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name', "
    " or 'KEY_NAME',  or 'key-name', "
)
_SAYS_KEY += "regex used for validation is '[-._a-zA-Z0-9]+')"


def check(kind: Kind, value: Object, live: Object | None) -> None:
    """Raise the 422 that lists everything wrong with an object about to be stored."""
    causes = [*_metadata(kind, value["metadata"])]
    if kind is SECRETS:
        causes += _immutable(value, live) + _secret(value) if live else _secret(value)
    if kind.group == RBAC:
        causes += _rbac(value)
    if kind.group == RBAC and live and live.get("roleRef") != value.get("roleRef"):
        causes.append(_wrong("roleRef", "object", "cannot change roleRef"))
    if causes:
        raise invalid(kind, value["metadata"]["name"], causes)


def check_encoding(kind: Kind, value: Object, *, applied: bool) -> None:
    """Raise the decoding error for Secret data that is not base64.

    It is a 400 for a create and a bare 500 for an apply.
    """
    texts = value.get("data") if kind is SECRETS else None
    wrong = next(
        filter(
            None, (base64_error(str(text)) for text in (texts or {}).values() if text is not None)
        ),
        None,
    )
    if wrong and applied:
        metadata = value["metadata"]
        about = f"({metadata.get('namespace', '')}/{metadata['name']}; /v1, Kind=Secret)"
        detail = (
            "unable to convert unstructured object to /v1, Kind=Secret: error decoding from json:"
            f" {wrong}"
        )
        raise ApiError(500, f"failed to convert new object {about} to proper version: {detail}")
    if wrong:
        raise bad_request(f'Secret in version "v1" cannot be handled as a Secret: {wrong}')


def check_schema(kind: Kind, value: Object) -> None:
    """Raise the 500 for an apply with fields that the schema does not declare."""
    unknown = sorted(value.keys() - {"apiVersion", "kind", "metadata", *kind.fields})
    if unknown:
        metadata = value["metadata"]
        about = (
            f"({metadata.get('namespace', '')}/{metadata['name']}; {kind.group}/{kind.version},"
            f" Kind={kind.kind})"
        )
        raise ApiError(
            500,
            f"failed to create typed patch object {about}: .{unknown[0]}: field not declared in"
            " schema",
        )


def _metadata(kind: Kind, metadata: Object) -> list[Cause]:
    name = metadata["name"]
    causes = []
    if kind is NAMESPACES and (len(name) > 63 or not re.fullmatch(_LABEL1123, name)):
        causes.append(
            _wrong(
                "metadata.name",
                name,
                _SAYS_LABEL1123 if len(name) <= 63 else "must be no more than 63 characters",
            )
        )
    elif kind.group == RBAC and (name in (".", "..") or "/" in name or "%" in name):
        causes.append(_wrong("metadata.name", name, "may not contain '/'"))
    elif kind.group != RBAC and (len(name) > 253 or not re.fullmatch(_SUBDOMAIN, name)):
        causes.append(
            _wrong(
                "metadata.name",
                name,
                _SAYS_SUBDOMAIN if len(name) <= 253 else "must be no more than 253 characters",
            )
        )
    for key, text in (metadata.get("labels") or {}).items():
        causes += _qualified("metadata.labels", key)
        if len(text) > 63 or not re.fullmatch(_VALUE, text):
            causes.append(
                _wrong(
                    "metadata.labels",
                    text,
                    _SAYS_VALUE if len(text) <= 63 else "must be no more than 63 bytes",
                )
            )
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        causes += _qualified("metadata.annotations", key.lower())
    if sum(len(key) + len(text) for key, text in annotations.items()) > MAX_ANNOTATION_BYTES:
        causes.append(
            _cause(
                "FieldValueTooLong",
                "metadata.annotations",
                f"Too long: may not be more than {MAX_ANNOTATION_BYTES} bytes",
            )
        )
    return causes


def _qualified(field: str, key: str) -> list[Cause]:
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        return [_wrong(field, key, f"prefix part {_SAYS_SUBDOMAIN}")]
    if len(name) > 63:
        return [_wrong(field, key, "name part must be no more than 63 bytes")]
    return [] if re.fullmatch(_QUALIFIED, name) else [_wrong(field, key, _SAYS_QUALIFIED)]


def _secret(value: Object) -> list[Cause]:
    data = value.get("data") or {}
    causes = [
        _wrong(f"data[{key}]", key, _SAYS_KEY)
        for key in data
        if not re.fullmatch(r"[-._a-zA-Z0-9]+", key)
    ]
    if sum(len(text) * 3 // 4 for text in data.values()) > MAX_SECRET_BYTES:
        causes.append(
            _cause(
                "FieldValueTooLong",
                "data",
                f"Too long: may not be more than {MAX_SECRET_BYTES} bytes",
            )
        )
    key = DOCKER_CONFIG.get(value.get("type", ""))
    if key and key not in data:
        causes.append(_cause("FieldValueRequired", f"data[{key}]", "Required value"))
    elif key and (detail := json_error(base64.b64decode(data[key]))):
        causes.append(_wrong(f"data[{key}]", "<secret contents redacted>", detail))
    return causes


def _rbac(value: Object) -> list[Cause]:
    """Return the faults of roles, references and subjects that name nothing."""
    ref = value.get("roleRef")
    causes = []
    if value["kind"].endswith("Binding"):
        ref = ref or {}
        if ref.get("kind") not in ("Role", "ClusterRole"):
            detail = (
                f'Unsupported value: "{ref.get("kind", "")}": supported values: "ClusterRole",'
                ' "Role"'
            )
            causes.append(_cause("FieldValueNotSupported", "roleRef.kind", detail))
        if not ref.get("name"):
            causes.append(_cause("FieldValueRequired", "roleRef.name", "Required value"))
    for at, subject in enumerate(value.get("subjects") or []):
        missing = [part for part in ("kind", "name") if not subject.get(part)]
        causes += [
            _cause("FieldValueRequired", f"subjects[{at}].{part}", "Required value")
            for part in missing
        ]
    for at, rule in enumerate(value.get("rules") or []):
        if not rule.get("verbs"):
            causes.append(
                _cause(
                    "FieldValueRequired",
                    f"rules[{at}].verbs",
                    "Required value: verbs must contain at least one value",
                )
            )
    return causes


def _immutable(value: Object, live: Object) -> list[Cause]:
    causes = []
    if value.get("type") != live.get("type"):
        causes.append(_wrong("type", str(value.get("type")), "field is immutable"))
    if live.get("immutable"):
        frozen = [field for field in ("immutable", "data") if value.get(field) != live.get(field)]
        causes += [
            _cause(
                "FieldValueForbidden",
                field,
                "Forbidden: field is immutable when `immutable` is set",
            )
            for field in frozen
        ]
    return causes


def _wrong(field: str, value: str, detail: str) -> Cause:
    return _cause("FieldValueInvalid", field, f'Invalid value: "{value}": {detail}')


def _cause(reason: str, field: str, message: str) -> Cause:
    return {"reason": reason, "message": message, "field": field}
