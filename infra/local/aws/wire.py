"""AWS requests as they arrive, and answers in the protocol of the caller; no service's rules."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Self
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

_CREDENTIAL = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
)
_STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
# The REST services that the function uses; every other REST call keeps its method and path as its
# name.
_ENTRIES = r"/clusters/(?P<name>[^/]+)/access-entries"
_REST_ACTIONS = (
    (re.compile(r"^GET /clusters/(?P<name>[^/]+)$"), "DescribeCluster"),
    (re.compile(r"^GET /clusters$"), "ListClusters"),
    (re.compile(rf"^GET {_ENTRIES}$"), "ListAccessEntries"),
    (re.compile(rf"^POST {_ENTRIES}$"), "CreateAccessEntry"),
    (re.compile(rf"^GET {_ENTRIES}/(?P<principalArn>.+)$"), "DescribeAccessEntry"),
    (re.compile(rf"^POST {_ENTRIES}/(?P<principalArn>.+)$"), "UpdateAccessEntry"),
    (re.compile(r"^POST /2015-03-31/functions/(?P<name>[^/]+)/invocations$"), "Invoke"),
    (re.compile(rf"^DELETE {_ENTRIES}/(?P<principalArn>.+)$"), "DeleteAccessEntry"),
)

# The parameters that decide a call's resource and conditions in IAM, by service. No other part of
# a request is kept: no value, no message.
_SHOWN = {
    "kms": ("KeyId",),
    "secretsmanager": ("SecretId",),
    "sqs": ("QueueUrl",),
    "ssm": ("Path", "Recursive", "Name", "Names", "WithDecryption"),
    "sts": (
        "RoleArn",
        "RoleSessionName",
        "ExternalId",
        "SourceIdentity",
        "SigningAlgorithm",
        "DurationSeconds",
    ),
}
# Lists in a form; their members are `Name.member.1`, `Name.member.2`, ...
_LISTED = {"sts": ("Audience",)}
# Only the lengths of these lists are kept: their members hold messages and tags.
_COUNTED = {"sqs": ("Entries",), "sts": ("Tags", "ProvidedContexts")}


@dataclass
class AwsCall:
    """A call without its body, so without secrets.

    `status` is 0 until it is answered; `principal` is None for an unknown key. `parameters` holds
    those that IAM conditions use, as text: lists of names joined by commas, other lists as their
    length.
    """

    service: str
    action: str
    region: str
    account: str | None
    principal: str | None
    access_key_id: str | None
    user_agent: str
    path: str
    parameters: dict[str, str] = field(default_factory=dict)
    status: int = 0


@dataclass(frozen=True)
class AwsRequest:
    """A signed request.

    Its signature is not verified here: a wrong one fails at the clusters' sign-in.
    """

    service: str
    action: str
    region: str
    access_key_id: str | None
    method: str
    path: str
    user_agent: str
    protocol: str
    form: dict[str, str] = field(repr=False)
    parameters: dict[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes = field(repr=False, default=b"")

    @classmethod
    def read(cls, environ: dict[str, Any]) -> Self:
        """Read a WSGI request; leave its body for the next reader."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        scope = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        method = environ["REQUEST_METHOD"]
        path = environ.get("PATH_INFO", "/")
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        form = _form(environ.get("CONTENT_TYPE", ""), body)
        service = scope["service"] if scope else ""
        rest_action, in_path = _rest(f"{method} {path}")
        return cls(
            service=service,
            action=target.rpartition(".")[2] or form.get("Action") or rest_action,
            region=scope["region"] if scope else "",
            access_key_id=scope["key"] if scope else None,
            method=method,
            path=path,
            user_agent=environ.get("HTTP_USER_AGENT", ""),
            protocol="json" if target else "query" if "Action" in form else "rest",
            form=form,
            parameters=_parameters(service, form or _json(environ.get("CONTENT_TYPE", ""), body))
            | in_path,
            query=environ.get("QUERY_STRING", ""),
            body=body,
        )


@dataclass(frozen=True)
class Answer:
    """An answer to send as it is, `delay` seconds late.

    Status 0: the connection is closed without an answer.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    @classmethod
    def refusal(cls, request: AwsRequest, code: str, message: str, *, status: int = 400) -> Self:
        """Return an error in the request's protocol."""
        if request.protocol == "query":
            error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
            text = (
                f'<ErrorResponse xmlns="{_STS_NAMESPACE}">'
                f"<Error><Type>Sender</Type>{error}</Error>"
                f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
            )
            return cls(status, text.encode(), {"Content-Type": "text/xml"})
        body: dict[str, str] = (
            {"message": message}
            if request.protocol == "rest"
            else {"__type": code, "message": message}
        )
        return cls(
            status,
            json.dumps(body).encode(),
            {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code},
        )


type Scripted = Answer | Callable[[AwsRequest], Answer | None]
"""A test's answer: a fixed one, or a function that gives one, or None to leave the call alone."""


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return {}
    return {
        name: values[0]
        for name, values in parse_qs(body.decode(errors="replace"), keep_blank_values=True).items()
    }


def _json(content_type: str, body: bytes) -> dict[str, Any]:
    if "json" not in content_type:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _parameters(service: str, parameters: dict[str, Any]) -> dict[str, str]:
    kept = {name: parameters[name] for name in _SHOWN.get(service, ()) if name in parameters}
    counts = {name: _count(name, parameters) for name in _COUNTED.get(service, ())}
    kept |= {
        name: values for name in _LISTED.get(service, ()) if (values := _members(name, parameters))
    }
    shown = {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in kept.items()
    }
    return shown | {name: str(count) for name, count in counts.items() if count}


def _members(name: str, parameters: dict[str, Any]) -> list[str]:
    return [
        value for key, value in parameters.items() if re.fullmatch(rf"{name}\.member\.\d+", key)
    ]


def _count(name: str, parameters: dict[str, Any]) -> int:
    """Return the length of a list, in JSON or in a form.

    A form's members are `Name.member.1.Key`, `Name.member.1.Value`, `Name.member.2.Key`, ...
    """
    if isinstance(parameters.get(name), list):
        return len(parameters[name])
    return len(
        {
            found[1]
            for key in parameters
            if (found := re.match(rf"{name}\.(?:member\.)?(\d+)\b", key))
        }
    )


def _rest(line: str) -> tuple[str, dict[str, str]]:
    """Return a REST call's action and the parameters in its path."""
    matches = ((pattern.match(line), action) for pattern, action in _REST_ACTIONS)
    return next(((action, match.groupdict()) for match, action in matches if match), (line, {}))
