"""Request bodies in JSON, YAML and protobuf, decoded, or refused as the server refuses them."""

import json
from typing import Any

import yaml

from ..kinds import Object
from ..status import ApiError, bad_request
from ..storage import schema
from . import protobuf
from .call import APPLY, Call


def delete_options(call: Call) -> Object:
    """Return the DeleteOptions in the body of a delete; empty when there is no body."""
    if not call.body:
        return {}
    options = (
        _protobuf(call.body)
        if call.content_type == protobuf.CONTENT_TYPE
        else plain_json(call.body)
    )
    if not isinstance(options, dict) or not isinstance(options.get("preconditions") or {}, dict):
        raise bad_request("the body of a delete must be DeleteOptions")
    return options


def decoded(call: Call) -> Object:
    """Return the body of a create or replace, with its types checked."""
    if call.content_type == protobuf.CONTENT_TYPE:
        return typed(call, _protobuf(call.body))
    if call.content_type == "application/yaml":
        return decoded_yaml(call)
    if call.content_type not in ("application/json", ""):
        types = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        raise ApiError(
            415,
            "the body of the request was in an unknown format - accepted media types include:"
            f" {types}",
        )
    return typed(call, plain_json(call.body))


def decoded_yaml(call: Call) -> Object:
    """Return the body of an apply."""
    try:
        return typed(call, json.loads(call.body))
    except ValueError:
        pass
    try:
        return typed(
            call, yaml.load(call.body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        )
    except yaml.MarkedYAMLError as error:
        raise bad_request(
            "error decoding YAML: error converting YAML to JSON: yaml:"
            f" {_yaml_line(error)}{error.problem}"
        ) from None
    except yaml.YAMLError:
        raise bad_request(
            "error decoding YAML: error converting YAML to JSON: yaml: invalid document"
        ) from None


def _yaml_line(error: yaml.MarkedYAMLError) -> str:
    """Return an error's line as go-yaml counts it.

    The parser counts from zero, the scanner from one; line zero is left out.
    """
    marks = (error.context_mark, error.problem_mark)
    line = next((mark.line for mark in marks if mark and mark.line), 0)
    line += isinstance(error, yaml.scanner.ScannerError) and line > 0
    return f"line {line}: " if line else ""


def _protobuf(body: bytes) -> Object:
    try:
        return protobuf.decode(body)
    except ValueError:
        raise bad_request(
            "couldn't get version/kind; the body is no protobuf of a served kind"
        ) from None


def plain_json(body: bytes) -> Any:
    """Return the body of a patch."""
    try:
        return json.loads(body)
    except ValueError:
        raise bad_request(
            "couldn't get version/kind; json parse error: invalid or incomplete JSON"
        ) from None


def typed(call: Call, body: Any) -> Object:
    """Return the object after a check of its kind and its fields' types."""
    if not isinstance(body, dict):
        raise bad_request(
            "couldn't get version/kind; json parse error: cannot unmarshal into Go value of type"
            " struct"
        )
    version = body.get("apiVersion")
    kind = body.get("kind", call.kind.kind)
    if call.content_type == APPLY and version != call.kind.api_version:
        group = version if "/" in str(version) else f"/{version or ''}"
        raise bad_request(f"invalid object type: {group}, Kind={kind}")
    if version not in (None, call.kind.api_version):
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version"
            f" ({call.kind.api_version})"
        )
    about = f'{kind} in version "{call.kind.api_version}" cannot be handled as a {call.kind.kind}: '
    if kind != call.kind.kind:
        raise bad_request(about + f"no kind {kind} is registered for this resource")
    if wrong := schema.mistyped(body):
        raise bad_request(f"{about}json: cannot unmarshal {wrong}")
    unknown = sorted(body.keys() - {"apiVersion", "kind", "metadata", *call.kind.fields})
    if unknown and call.query.get("fieldValidation") == "Strict":
        raise bad_request(f'{about}strict decoding error: unknown field "{unknown[0]}"')
    return {
        **body,
        "apiVersion": call.kind.api_version,
        "kind": kind,
        "metadata": dict(body.get("metadata") or {}),
    }
