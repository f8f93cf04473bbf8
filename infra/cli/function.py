"""Invocation of the function: once, for as long as it takes, never repeated."""

import json
import socket
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)

from .errors import CliError, ExitCode
from .follow_up import FollowUp
from .json_text import read_json
from .session import CONNECT_SECONDS, Session

type Report = Mapping[str, Any]

# A run takes up to 15 minutes without traffic, and a NAT gateway drops connections that are idle
# for 350 seconds.
KEEPALIVE_SECONDS = 60


# The package is not one that Lambda can start with its runtime, processor and handler.
_NOT_LOADED = frozenset(
    {
        "Runtime.ImportModuleError",
        "Runtime.HandlerNotFound",
        "Runtime.UserCodeSyntaxError",
        "Runtime.InvalidEntrypoint",
    }
)
_WRONG_PACKAGE = (
    "Its package could not be loaded: is it built for the function's processor (template parameter"
    " Architecture) and its Python? Build it again, and deploy it."
)
_KILLED = (
    "It was killed or did not start, usually for lack of memory (template parameter MemorySize)."
)


def invoke(session: Session, event: Mapping[str, Any]) -> Report:
    """Run the function with the event, and return its report.

    The event gets `"raise": false`, so that a failed run returns its report as well. Raise CliError
    when there is no report, KeyboardInterrupt when interrupted: the function then continues.
    """
    client = _client(session)
    stack = session.stack
    name = stack.function_name
    payload = json.dumps({**event, "raise": False}).encode()
    began = time.monotonic()
    try:
        answer = client.invoke(FunctionName=name, InvocationType="RequestResponse", Payload=payload)
        body = answer["Payload"].read()
    except ClientError as error:
        deploy = session.follow_up.deploy(region=stack.region, stack=stack.name)
        raise _refused(error, name, deploy, session.follow_up) from None
    except (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError, SSLError):
        raise  # there was no connection, so nothing was sent
    except (HTTPClientError, ConnectionClosedError) as error:
        raise CliError(
            f"The connection to Lambda broke after {time.monotonic() - began:.0f} s"
            f" ({type(error).__name__}). The function may still be running.",
            remedy=_look(session.follow_up),
            exit_code=ExitCode.AWS,
        ) from None
    if answer.get("FunctionError"):
        raise _failed(body, name, session.follow_up)
    return _report(body, name)


def _look(follow_up: FollowUp) -> str:
    return f"It is not sent again. See its outcome: {follow_up.command('logs', '--since', '30m')}"


def _client(session: Session) -> Any:
    client = session.make_client(
        "lambda",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=None,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
    )
    # botocore turns keepalive on, leaves it at the system's two hours, and has no setting for it.
    # It hands this list to urllib3 as it is.
    client._endpoint.http_session._socket_options += _keepalive()  # noqa: SLF001
    return client


def _keepalive() -> list[tuple[int, int, int]]:
    # Linux and Windows; macOS.
    idle = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)
    options = [
        (idle, KEEPALIVE_SECONDS),
        (getattr(socket, "TCP_KEEPINTVL", None), KEEPALIVE_SECONDS),
    ]
    return [
        (socket.IPPROTO_TCP, option, seconds) for option, seconds in options if option is not None
    ]


def _refused(
    error: ClientError, name: str, deploy: str, follow_up: FollowUp
) -> ClientError | CliError:
    code = error.response["Error"].get("Code")
    if code == "TooManyRequestsException":
        return CliError(
            f"Lambda cannot start another run of {name} now: it did not run.",
            remedy=(
                "The account's or the function's concurrency is used up (template parameter"
                " ReservedConcurrency). Try again in a minute."
            ),
            exit_code=ExitCode.AWS,
        )
    if code == "ResourceNotFoundException":
        return CliError(
            f"The function {name} does not exist, though the stack names it.",
            remedy=f"Deploy the stack again: {deploy}",
            exit_code=ExitCode.AWS,
        )
    if code in ("ServiceException", "InternalFailure", "EC2ThrottledException"):
        return CliError(
            f"Lambda failed ({code}). The function may have run.",
            remedy=_look(follow_up),
            exit_code=ExitCode.AWS,
        )
    return error


def _failed(body: bytes, name: str, follow_up: FollowUp) -> CliError:
    """Return the error for a function that raised, timed out, ran out of memory, or was killed."""
    try:
        said = read_json(body)
        kind = str(said.get("errorType") or "unknown")
        text = str(said.get("errorMessage") or "")[:600]
    except (ValueError, AttributeError):
        kind = "unknown"
        text = ""
    if kind == "Sandbox.Timedout" or "Task timed out" in text:
        remedy = (
            "Part of the work is not done. Raise the template parameter Timeout, or set FanOut."
        )
    else:
        remedy = f"See the log: {follow_up.command('logs')}"
        if kind in _NOT_LOADED:
            remedy = f"{_WRONG_PACKAGE} {remedy}"
        elif kind.startswith(("Runtime.", "Extension.")):
            remedy = f"{_KILLED} {remedy}"
    return CliError(f"{name} failed: {kind}: {text}", remedy=remedy, exit_code=ExitCode.NOT_OK)


def _report(body: bytes, name: str) -> Report:
    try:
        report = read_json(body)
    except ValueError:
        report = None
    if not isinstance(report, dict) or not {"action", "ok"} <= set(report):
        raise CliError(
            f"The response of {name} is not a report.",
            remedy="Is it this project's function?",
            exit_code=ExitCode.NOT_OK,
        )
    return report
