"""The function under the Lambda Runtime Interface Emulator."""

import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws.template import FunctionSpec
from infra.local.identity import Credential
from infra.local.runtime import BuiltFunction, RuntimeFailed, function_environment
from tests.support.emulator import alive, emulator

HANDLER = """
import os, sys, time

def handler(event, context):
    print("token-free line")
    if "raise" in event: raise ValueError(event["raise"])
    if "sleep" in event: time.sleep(event["sleep"])
    if "exit" in event: os._exit(event["exit"])
    if "find" in event:
        return __import__("importlib.util").util.find_spec(event["find"]) is not None
    return {
        "left": context.get_remaining_time_in_millis(),
        "name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "request": context.aws_request_id,
        "environment": dict(os.environ),
        "pid": os.getpid(),
    }
"""


@pytest.fixture
def function(tmp_path: Path) -> Iterator[BuiltFunction]:
    (tmp_path / "app.py").write_text(HANDLER)
    spec = FunctionSpec(
        tmp_path,
        "app.handler",
        {"OURS": "1"},
        timeout=2,
        memory=512,
        logging={},
        scheduled_event={},
    )
    with BuiltFunction(
        spec,
        emulator(),
        credential=CREDENTIAL,
        region="eu-west-1",
        aws_endpoint_url="http://127.0.0.1:9",
    ) as running:
        yield running


CREDENTIAL = Credential("ASIAX", "secret", "session", "arn:aws:sts::111122223333:assumed-role/r/s")


def test_the_function_gets_the_deadline_and_its_context(function: BuiltFunction) -> None:
    answer = function.invoke({})
    assert answer.error is None
    assert 1000 < answer.payload["left"] <= 2000
    assert (answer.payload["name"], answer.payload["memory"]) == ("ecr-public-pusher", "512")
    assert "token-free line" in answer.logs
    assert any(answer.payload["request"] in line for line in answer.logs)


def test_the_function_stays_warm(function: BuiltFunction) -> None:
    first = function.invoke({})
    second = function.invoke({})
    assert first.payload["pid"] == second.payload["pid"]
    assert first.payload["request"] != second.payload["request"]
    assert len(second.logs) < len(function.logs)


def test_the_function_sees_nothing_of_this_machine(
    function: BuiltFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = function.invoke({}).payload["environment"]
    assert (
        environment["AWS_REGION"],
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SESSION_TOKEN"],
    ) == ("eu-west-1", "ASIAX", "session")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert environment["OURS"] == "1"
    assert environment["HOME"] != os.environ.get("HOME")
    assert not {name for name in environment if name.lower().endswith("_proxy")}
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    spec = FunctionSpec(Path(), "", {}, 1, 128, {}, {})
    assert "AWS_PROFILE" not in function_environment(
        spec, CREDENTIAL, region="r", aws_endpoint_url="u", home=Path()
    )


@pytest.mark.parametrize("module", ["moto", "pytest", "boto3", "infra"])
def test_the_function_has_only_what_was_packed(function: BuiltFunction, module: str) -> None:
    assert function.invoke({"find": module}).payload is False


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        ({"raise": "on purpose"}, "ValueError", "on purpose"),
        ({"sleep": 5}, "Sandbox.Failure", "timed out after 2.00 seconds"),
        ({"exit": 3}, "Runtime.ExitError", "exit status 3"),
    ],
)
def test_a_function_that_fails_is_distinguished_from_one_that_returns(
    function: BuiltFunction, event: Any, error: str, message: str
) -> None:
    failed = function.invoke(event)
    assert failed.payload is None
    assert failed.error is not None
    assert failed.error["errorType"] == error
    assert message in failed.error["errorMessage"]
    assert function.invoke({}).error is None


def test_closing_leaves_no_process_and_frees_the_port(function: BuiltFunction) -> None:
    pid = function.invoke({}).payload["pid"]
    port = int(function.url.split(":")[2].split("/")[0])
    function.close()
    assert not alive(pid)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    with pytest.raises(RuntimeFailed):
        function.invoke({})


def test_the_function_does_not_outlive_a_killed_emulator(function: BuiltFunction) -> None:
    pid = function.invoke({}).payload["pid"]
    os.kill(os.getsid(pid), signal.SIGKILL)
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)


def test_an_emulator_without_its_run_bit_runs_all_the_same(tmp_path: Path) -> None:
    plain = tmp_path / "rie"
    plain.write_bytes(emulator().read_bytes())
    plain.chmod(0o644)
    (tmp_path / "app.py").write_text(HANDLER)
    spec = FunctionSpec(
        tmp_path, "app.handler", {}, timeout=2, memory=128, logging={}, scheduled_event={}
    )
    if os.access(plain, os.X_OK):
        pytest.skip("this file system lets everything run")
    with BuiltFunction(
        spec,
        plain,
        credential=CREDENTIAL,
        region="us-east-1",
        aws_endpoint_url="http://127.0.0.1:9",
    ) as running:
        assert running.invoke({}).error is None
    assert stat.S_IMODE(plain.stat().st_mode) == 0o644


def test_an_emulator_that_does_not_start_is_explained(tmp_path: Path) -> None:
    spec = FunctionSpec(
        tmp_path, "app.handler", {}, timeout=2, memory=128, logging={}, scheduled_event={}
    )
    with pytest.raises(RuntimeFailed, match="did not start"):
        BuiltFunction(
            spec,
            Path("/bin/false"),
            credential=CREDENTIAL,
            region="us-east-1",
            aws_endpoint_url="http://127.0.0.1:9",
        )
