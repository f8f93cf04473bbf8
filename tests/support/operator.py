"""A person at the command line, before a deployment in the local AWS: the command in this process,
or as a process of its own.
"""

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from typer.testing import CliRunner, Result

from ecr_public_pusher.errors import PushFailed
from infra.cli.app import app
from infra.local.aws import FunctionAnswer, LocalDeployment
from tests.support.world import EXECUTION_ROLE, ROOT, STACK, World, world

COMMAND = (sys.executable, "-m", "infra.cli")
_ONE_AT_A_TIME = threading.Lock()


@dataclass
class Operator:
    """`stack` is the deployment, whose function is the handler itself, called in this process.

    `environ` holds AWS's settings.
    """

    world: World
    stack: LocalDeployment
    environ: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **environ: str) -> Result:
        """The command in this process: its output is in a pipe."""
        return CliRunner().invoke(app, arguments, env={**self.environ, **environ})

    def json(self, *arguments: str) -> Any:
        """The same with `-o json`, read."""
        return json.loads(self.run("-o", "json", *arguments).stdout)

    def start(
        self, *arguments: str, stdin: Any = subprocess.DEVNULL, **environ: str
    ) -> subprocess.Popen[str]:
        """The command as a process, its output in pipes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.process_environ(**environ),
            stdin=stdin,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    def process_environ(self, **more: str) -> dict[str, str]:
        """The environment of a process: AWS's settings, and nothing of the person's who runs the
        tests.
        """
        kept = {
            name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ
        }
        path = os.pathsep.join(str(entry) for entry in sys.path if entry)
        return {
            **kept,
            "PYTHONPATH": path,
            "TERM": "xterm-256color",
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.environ,
            **more,
        }

    def log_report(self, report: Mapping[str, Any], *, ago: float = 0.0) -> None:
        """A run of some time ago, as the function logs it."""
        line = {
            "level": "INFO" if report.get("ok") else "ERROR",
            "message": "report",
            "service": self.stack.name,
            "report": dict(report),
        }
        self.world.aws.deployments.log(self.stack, json.dumps(line), at=time.time() - ago)

    def invocations(self) -> int:
        """How often Lambda was asked to invoke the function."""
        return len(self.world.aws.called("lambda", "Invoke"))


def deploy(made: World, name: str = STACK.name, **more: Any) -> LocalDeployment:
    """A deployment of the handler in that world, which allows the accounts that its environment
    does.
    """
    more.setdefault("parameters", {"AllowedAccounts": made.environ["ALLOWED_ACCOUNTS"]})
    dead_letters = made.aws.put_queue(f"{name}-dead-letters", delay_seconds=0)
    region, account = STACK.region, STACK.account
    stack = LocalDeployment(
        name,
        region,
        account,
        made.queue,
        dead_letters,
        config_path=ROOT,
        role_arn=EXECUTION_ROLE,
        **more,
    )
    stack.function = lambda event: _called(made, stack, event)
    return made.aws.deployments.put(stack)


def _called(made: World, stack: LocalDeployment, event: Any) -> FunctionAnswer:
    """The handler's answer; what it printed goes to the log, as in Lambda."""
    printed = io.StringIO()
    with _ONE_AT_A_TIME, contextlib.redirect_stdout(printed):
        for handler in logging.getLogger(STACK.name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(printed)
        try:
            answer = FunctionAnswer(made.call(event))
        except PushFailed as error:
            answer = FunctionAnswer(error={"errorType": "PushFailed", "errorMessage": str(error)})
    for line in printed.getvalue().splitlines():
        made.aws.deployments.log(stack, line)
    return answer


@contextlib.contextmanager
def operator(environ: dict[str, str]) -> Iterator[Operator]:
    """`environ` receives the function's environment, which is the person's too."""
    with world(environ) as made:
        yield Operator(made, deploy(made), dict(environ))
