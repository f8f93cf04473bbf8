"""A single invocation: sent once, waited for however long it takes, and all its failures."""

import contextlib
import json
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws import Answer, AwsRequest, FunctionAnswer
from tests.support.operator import Operator

DEEP = '{"action": "push", "ok": ' * 500 + "true" + "}" * 500


def error(kind: str, text: str) -> FunctionAnswer:
    return FunctionAnswer(error={"errorType": kind, "errorMessage": text})


@pytest.mark.parametrize(
    ("kind", "text", "remedy"),
    [
        ("Sandbox.Timedout", "RequestId: 1 Error: Task timed out after 300.00 seconds", "Timeout"),
        (
            "Runtime.ExitError",
            "RequestId: 1 Error: Runtime exited with error: signal: killed",
            "MemorySize",
        ),
        ("Runtime.ImportModuleError", "Unable to import module", "Architecture"),
        ("Runtime.OutOfMemory", "RequestId: 1 Error: Runtime exited", "MemorySize"),
        ("ValueError", "whatever", "ecr-public-pusher logs"),
    ],
)
def test_a_function_that_ends_in_an_error_exits_1_with_its_remedy(
    operator: Operator, kind: str, text: str, remedy: str
) -> None:
    operator.stack.function = lambda event: error(kind, text)
    result = operator.run("push")
    assert (result.exit_code, operator.invocations()) == (1, 1)
    assert kind in result.stderr
    assert text in result.stderr
    assert remedy in result.stderr
    assert ("MemorySize" in result.stderr) == (remedy == "MemorySize")
    assert ("ecr-public-pusher logs" in result.stderr) == (remedy != "Timeout")


@pytest.mark.parametrize("answer", [["hello"], json.loads(DEEP)])
def test_an_answer_that_is_no_report_is_reported(operator: Operator, answer: Any) -> None:
    operator.stack.function = lambda event: FunctionAnswer(answer)
    result = operator.run("push")
    assert result.exit_code == 1
    assert "is not a report" in result.stderr


def test_the_event_says_not_to_raise(operator: Operator) -> None:
    sent: list[Any] = []

    def function(event: Any) -> FunctionAnswer:
        sent.append(event)
        return FunctionAnswer({"action": "push", "ok": True})

    operator.stack.function = function
    operator.run("push", "prod")
    assert sent == [{"action": "push", "clusters": ["prod"], "raise": False}]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("TooManyRequestsException", 429, "it did not run"),
        ("ServiceException", 500, "may have run"),
        ("ResourceNotFoundException", 404, "does not exist"),
        ("AccessDeniedException", 403, "Access denied: the reason"),
        ("ExpiredTokenException", 403, "credentials have expired"),
    ],
)
def test_what_lambda_refuses_exits_3_and_is_not_sent_again(
    operator: Operator, code: str, status: int, said: str
) -> None:
    operator.world.aws.script(
        "lambda",
        "Invoke",
        lambda request: Answer.refusal(request, code, "the reason", status=status),
    )
    result = operator.run("push")
    assert (result.exit_code, operator.invocations()) == (3, 1)
    assert said in result.stderr


@contextlib.contextmanager
def lambda_that(behave: Any) -> Iterator[tuple[str, list[bytes]]]:
    """Serve in Lambda's place: read each request, then call `behave(connection)`."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        received.append(connection.recv(65536))
                        behave(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", received
        server.shutdown(socket.SHUT_RDWR)


def test_a_connection_that_breaks_exits_3_and_nothing_is_sent_again(operator: Operator) -> None:
    with lambda_that(lambda connection: None) as (url, received):
        result = operator.run("push", AWS_ENDPOINT_URL_LAMBDA=url)
    assert (result.exit_code, len(received)) == (3, 1)
    assert "The function may still be running" in result.stderr
    assert "ecr-public-pusher logs" in result.stderr


def test_an_answer_that_breaks_off_exits_3_too(operator: Operator) -> None:
    with lambda_that(
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    ) as (url, received):
        result = operator.run("push", AWS_ENDPOINT_URL_LAMBDA=url)
    assert (result.exit_code, len(received)) == (3, 1)
    assert "The function may still be running" in result.stderr


def test_a_lambda_that_cannot_be_reached_exits_3_and_nothing_ran(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    result = operator.run("push", AWS_ENDPOINT_URL_LAMBDA=f"http://127.0.0.1:{port}")
    assert result.exit_code == 3
    assert "cannot be reached" in result.stderr
    assert "may still be running" not in result.stderr


@pytest.fixture
def hangs(operator: Operator) -> Iterator[tuple[Operator, threading.Event, threading.Event]]:
    """Make a function that does not respond, with an event for its start, and one that ends it."""
    started = threading.Event()
    ended = threading.Event()

    def function(event: Any) -> FunctionAnswer:
        started.set()
        ended.wait(60)
        return FunctionAnswer(
            {
                "action": "push",
                "ok": True,
                "totals": {"clusters": 0, "clustersFailed": 0},
                "seconds": 1.0,
            }
        )

    operator.stack.function = function
    yield operator, started, ended
    ended.set()


def test_an_interrupt_notes_that_the_function_continues(
    hangs: tuple[Operator, threading.Event, threading.Event],
) -> None:
    operator, started, _ = hangs
    process = operator.start("push")
    assert started.wait(30)
    process.send_signal(signal.SIGINT)
    said, complaint = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "")
    assert "The function continues the push" in complaint
    assert "Traceback" not in complaint


@pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="/proc/net/tcp says which timer a connection runs"
)
def test_while_it_waits_the_connection_is_kept_alive_every_minute(
    hangs: tuple[Operator, threading.Event, threading.Event],
) -> None:
    operator, started, ended = hangs
    process = operator.start("push")
    assert started.wait(30)
    port = int(operator.environ["AWS_ENDPOINT_URL"].rpartition(":")[2])
    timers = list(_timers(port))
    ended.set()
    process.communicate(timeout=30)
    assert process.returncode == 0
    # 02 is the keepalive timer; the time is in hundredths of a second (proc_net_tcp in the kernel's
    # documentation).
    assert any(kind == 2 and 0 < hundredths <= 60 * 100 for kind, hundredths in timers)


def _timers(port: int) -> Iterator[tuple[int, int]]:
    """Return kind and remaining time of the timers of connections to a port of this machine."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[2].split(":")[1], 16) == port and fields[3] == "01":  # established
            timer = re.fullmatch(r"(\w\w):(\w{8})", fields[5])
            assert timer
            yield int(timer[1], 16), int(timer[2], 16)


def test_no_time_out_of_botocores_own_ends_the_waiting(
    operator: Operator,
) -> None:
    """The client sets no read timeout: botocore's own 60 seconds would be too long for a test."""
    from infra.cli.function import _client
    from infra.cli.session import Session

    client = _client(Session(stack_name=operator.stack.name))
    assert client.meta.config.read_timeout is None
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 1}


def test_nothing_of_the_request_is_in_what_is_printed(operator: Operator) -> None:
    """A refusal of the signature repeats the request that was signed, session token and all."""
    token = operator.environ["AWS_SESSION_TOKEN"]

    def refuse(request: AwsRequest) -> Answer:
        return Answer.refusal(
            request,
            "InvalidSignatureException",
            f"The Canonical String should have been x-amz-security-token:{token}",
            status=403,
        )

    operator.world.aws.script("lambda", "Invoke", refuse)
    result = operator.run("push")
    assert result.exit_code == 3
    assert token not in result.stderr + result.stdout
