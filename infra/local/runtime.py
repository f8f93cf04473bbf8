"""The built function, run as Lambda runs it.

Only the Runtime Interface Emulator, AWS's runtime client and the output of `sam build` take part.
The interpreter runs without its site-packages, so a module missing from the package is missing here
too.
"""

import contextlib
import http.client
import importlib.metadata
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .aws.deployed_stack import FunctionAnswer
from .aws.template import FunctionSpec
from .closable import Closable
from .identity import Credential
from .processes import LOOPBACK, bound, free_ports, stop

FUNCTION_NAME = "ecr-public-pusher"
INVOCATIONS = "/2015-03-31/functions/function/invocations"
# Lambda's runtime client and its dependencies, which are part of the runtime in Lambda.
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
START_SECONDS = 10.0
STOP_SECONDS = 5.0
LOG_SECONDS = 3.0
# Added to the function's timeout, so that the emulator can report that it has passed.
GRACE_SECONDS = 15.0


class RuntimeFailed(RuntimeError):
    """An emulator that does not start, or does not answer."""


@dataclass(frozen=True)
class Invocation:
    """The result of one invocation.

    `payload` is set when it returned, `error` (errorType, errorMessage) when it raised, timed out
    or died.
    """

    payload: Any
    error: dict[str, Any] | None
    logs: tuple[str, ...]
    seconds: float

    @property
    def report(self) -> dict[str, Any] | None:
        """The function's report: returned, or, when it raised, taken from the log."""
        if self.error is None and isinstance(self.payload, dict):
            return self.payload
        logged = [
            line["report"]
            for line in map(_json, self.logs)
            if isinstance(line, dict) and isinstance(line.get("report"), dict)
        ]
        return logged[-1] if logged else None


class BuiltFunction(Closable):
    """The function, warm between invocations, while the context lasts.

    `logs` is all that it printed, the emulator's lines included; `log` gets each line as it is
    printed. `more`: variables of its environment, beside Lambda's and the template's. The function
    ends with the thread that starts it.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        emulator: Path,
        *,
        credential: Credential,
        region: str,
        aws_endpoint_url: str,
        more: Mapping[str, str] = MappingProxyType({}),
        log: Callable[[str], None] | None = None,
    ) -> None:
        self.logs: list[str] = []
        self._log = log
        self._spec = spec
        self._printed = threading.Condition()
        self._one_at_a_time = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="local-lambda-"))
        runtime, self._port = free_ports(2)
        try:
            _copy_runtime_client(self._folder / "runtime")
            environment = function_environment(
                spec,
                credential,
                region=region,
                aws_endpoint_url=aws_endpoint_url,
                home=self._folder,
                more=more,
            )
            self._process = subprocess.Popen(
                bound(
                    *(
                        str(_runnable(emulator, self._folder)),
                        "--runtime-interface-emulator-address",
                        f"{LOOPBACK}:{self._port}",
                    ),
                    *("--runtime-api-address", f"{LOOPBACK}:{runtime}"),
                    *(sys.executable, "-S", "-m", "awslambdaric", spec.handler),
                ),
                cwd=spec.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._reader = threading.Thread(target=self._read, name="local-lambda-log", daemon=True)
        self._reader.start()
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The URL that invokes the function, by a POST with the event."""
        return f"http://{LOOPBACK}:{self._port}{INVOCATIONS}"

    def invoke(self, event: Any) -> Invocation:
        """Invoke the function once, and wait for its answer.

        Raise RuntimeFailed when the emulator itself does not answer.
        """
        seen = len(self.logs)
        began = time.monotonic()
        connection = http.client.HTTPConnection(
            LOOPBACK, self._port, timeout=self._spec.timeout + GRACE_SECONDS
        )
        try:
            connection.request("POST", INVOCATIONS, json.dumps(event))
            response = connection.getresponse()
            answer = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise RuntimeFailed(
                f"the Lambda emulator does not respond: {type(error).__name__}\n"
                + "\n".join(self.logs[-20:])
            ) from None
        finally:
            connection.close()
        seconds = time.monotonic() - began
        self._await_report(seen)
        payload, failure = _verdict(response.status, answer)
        return Invocation(payload, failure, tuple(self.logs[seen:]), seconds)

    def answer(self, event: Any) -> FunctionAnswer:
        """Return what Lambda's caller gets.

        Invocations wait for each other: the emulator has one sandbox.
        """
        with self._one_at_a_time:
            try:
                invocation = self.invoke(event)
            except RuntimeFailed as failure:
                return FunctionAnswer(
                    error={"errorType": "Sandbox.Failure", "errorMessage": str(failure)}
                )
        return FunctionAnswer(invocation.payload, invocation.error)

    def cpu_seconds(self) -> float:
        """Return the processor time of the emulator and the function in it, in seconds."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self._process.pid:  # the session that the emulator leads
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def process(self) -> Path:
        """Return the folder of the function's own process in /proc (proc(5)).

        It is the interpreter that the emulator started.
        """
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = status.read_text().rpartition(")")[2].split()
                is_function = (
                    int(fields[3]) == self._process.pid
                    and b"awslambdaric" in (status.parent / "cmdline").read_bytes()
                )
                if is_function and (status.parent / "comm").read_text().startswith("python"):
                    return status.parent
        raise RuntimeFailed("the function's process is not running\n" + "\n".join(self.logs[-20:]))

    def close(self) -> None:
        """End the emulator and free its ports.

        The function ends with it: the kernel kills it when the emulator ends.
        """
        stop(self._process, STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                text = line.decode(errors="replace").rstrip("\n")
                if self._log is not None:
                    self._log(text)
                with self._printed:
                    self.logs.append(text)
                    self._printed.notify_all()

    def _await_report(self, seen: int) -> None:
        """Wait for the emulator's closing line: the answer may overtake the log."""
        with self._printed:
            self._printed.wait_for(
                lambda: any(line.startswith("REPORT RequestId:") for line in self.logs[seen:]),
                LOG_SECONDS,
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self._port), 1):
                return
            time.sleep(0.02)
        raise RuntimeFailed("the Lambda emulator did not start:\n" + "\n".join(self.logs[-20:]))


def function_environment(
    spec: FunctionSpec,
    credential: Credential,
    *,
    region: str,
    aws_endpoint_url: str,
    home: Path,
    more: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Return the function's whole environment: Lambda's variables and the template's.

    The person's own environment is left out, profiles and proxies included. `more`: variables that
    lead to local services other than AWS.
    """
    return {
        **spec.environment,
        "PATH": os.defpath,
        "HOME": str(home),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": str(home / "runtime"),
        "LAMBDA_TASK_ROOT": str(spec.folder),
        "LAMBDA_RUNTIME_DIR": str(home / "runtime"),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": FUNCTION_NAME,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(spec.timeout),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        **_logging(spec.logging),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": credential.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credential.secret_access_key,
        "AWS_SESSION_TOKEN": credential.session_token or "",
        "AWS_ENDPOINT_URL": aws_endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }


def _logging(config: Mapping[str, str]) -> dict[str, str]:
    names = {"LogFormat": "AWS_LAMBDA_LOG_FORMAT", "ApplicationLogLevel": "AWS_LAMBDA_LOG_LEVEL"}
    return {variable: config[name] for name, variable in names.items() if name in config}


def _verdict(status: int, answer: str) -> tuple[Any, dict[str, Any] | None]:
    """Return an answer's payload and error, one of which is None.

    The emulator answers 200 for errors too, so only the shape distinguishes them from a result.
    """
    payload = _json(answer)
    if isinstance(payload, dict) and {"errorType", "errorMessage"} <= set(payload):
        return None, payload
    if status == 200 and (payload is not None or answer.strip() == "null"):
        return payload, None
    return None, {
        "errorType": "Sandbox.Failure",
        "errorMessage": answer.strip() or f"the function did not run (status {status})",
    }


def _json(text: str) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return None


def _runnable(program: Path, folder: Path) -> Path:
    """Return the program, or an executable copy of it: a wheel can lose the executable bit."""
    if os.access(program, os.X_OK):
        return program
    copy = Path(shutil.copy(program, folder / program.name))
    copy.chmod(0o755)
    return copy


def _copy_runtime_client(folder: Path) -> None:
    """Copy only the runtime client, so that the function can import nothing else from here."""
    for name in RUNTIME_CLIENT:
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            raise RuntimeFailed(
                f"{name} is not installed: pip install -r requirements-dev.txt"
            ) from None
        for file in files:
            if (
                ".." in file.parts
                or file.parts[0].endswith(".dist-info")
                or "__pycache__" in file.parts
            ):
                continue
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)
