"""A person at the command line before a deployment in the local AWS, in this process or another."""

import contextlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from typer.testing import CliRunner

from ecr_public_pusher.errors import PushFailed
from infra.cli.app import app
from infra.local.aws import FunctionAnswer, LocalDeployment
from infra.local.identity import Credential
from tests.support.world import ACCOUNT, EXECUTION_ROLE, ROOT, SPOKE_ACCOUNT, STACK, World

COMMAND = (sys.executable, "-m", "infra.cli")
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/admin"
SPOKE_ADMIN = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/admin"
SECONDS = 60
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Ran:
    """The exit code and output of a command."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class Operator:
    """A person with the function's own rights.

    `stack` is the deployment, whose function is the handler itself, called in this process.
    `environ` holds AWS's settings.
    """

    world: World
    stack: LocalDeployment
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> Ran:
        """Run the command in this process, off a terminal. Raise what it does not handle."""
        done = CliRunner().invoke(app, arguments, env={**self.environ, **environ}, input=stdin)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        """Run the command with `-o json`, and return what it printed."""
        return self.run("-o", "json", *arguments).json

    def start(
        self, *arguments: str, stdin: Any = subprocess.DEVNULL, **environ: str
    ) -> subprocess.Popen[str]:
        """Start the command as a process, its output in pipes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.process_environ(**environ),
            stdin=stdin,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    def interrupt_during(self, action: str, *arguments: str) -> Ran:
        """Start the command, interrupt it while it waits for `action`, and let the function end."""
        asked = threading.Event()
        end = threading.Event()
        ended = threading.Event()
        answer = self.stack.function
        assert answer is not None

        def slow(event: Any) -> FunctionAnswer:
            if event.get("action") != action:
                return answer(event)
            asked.set()
            end.wait(SECONDS)
            try:
                return answer(event)
            finally:
                ended.set()

        self.stack.function = slow
        process = self.start(*arguments)
        assert asked.wait(SECONDS)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=SECONDS)
        end.set()
        assert ended.wait(SECONDS)
        self.stack.function = answer
        return Ran(process.returncode, stdout, stderr)

    def process_environ(self, **more: str) -> dict[str, str]:
        """Return a process's environment: `environ`, and nothing of the caller's."""
        kept = {
            name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ
        }
        path = os.pathsep.join(str(entry) for entry in sys.path if entry)
        return {
            **kept,
            "PYTHONPATH": path,
            "TERM": "xterm-256color",
            "XDG_CACHE_HOME": os.devnull,  # no test finds what another one completed
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.environ,
            **more,
        }

    def log_report(self, report: Mapping[str, Any], *, ago: float = 0.0) -> None:
        """Log the report of a run `ago` seconds back, as the function does."""
        line = {
            "level": "INFO" if report.get("ok") else "ERROR",
            "message": "report",
            "service": self.stack.name,
            "report": dict(report),
        }
        self.world.aws.deployments.log(self.stack, json.dumps(line), at=time.time() - ago)

    def invocations(self) -> int:
        """Return how often Lambda was called to invoke the function."""
        return len(self.world.aws.called("lambda", "Invoke"))


@dataclass
class Administrator(Operator):
    """An operator with a profile, a kubeconfig and an editor of their own in the folder `home`."""

    home: Path = field(kw_only=True)

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> Ran:
        """Run the command by the profile: this process's credentials are the function's."""
        profile = ("--profile", self.environ["AWS_PROFILE"])
        return super().run(*arguments, *profile, stdin=stdin, **environ)

    def run_apart(self, *arguments: str) -> Ran:
        """Run the command in a process of its own, which knows its own command line."""
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=SECONDS)
        return Ran(process.returncode, stdout, stderr)

    def folder(self, **documents: str) -> Path:
        """Write documents, named `defaults`, `discover__<id>` or a cluster's id, to a folder."""
        root = self.home / "config"
        for name, text in documents.items():
            path = (
                "defaults"
                if name == "defaults"
                else name.replace("__", "/")
                if "__" in name
                else f"clusters/{name}"
            )
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / f"{path}.yaml").write_text(text)
        return root

    def kubeconfig(self, *clusters: str) -> None:
        """Write a kubeconfig with a context for each cluster; the first one is current."""
        parts = [self.world.clusters[name].kubeconfig() for name in clusters]
        whole = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": clusters[0],
            "clusters": [
                {**one["clusters"][0], "name": name}
                for name, one in zip(clusters, parts, strict=True)
            ],
            "users": [
                {"name": name, "user": one["users"][0]["user"]}
                for name, one in zip(clusters, parts, strict=True)
            ],
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": name}} for name in clusters
            ],
        }
        (self.home / "kubeconfig").write_text(json.dumps(whole))

    def editor(self, script: str) -> None:
        """Make these lines of shell $EDITOR; the file is $1."""
        file = self.home / "editor"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        self.environ["EDITOR"] = str(file)

    @property
    def ssm(self) -> Any:
        """Return a client of Parameter Store, as the administrator."""
        who = self.world.aws.credentials_for(ADMIN, "a-test")
        return boto3.client(
            "ssm",
            region_name="us-east-1",
            endpoint_url=self.world.aws.endpoint_url,
            aws_access_key_id=who.access_key_id,
            aws_secret_access_key=who.secret_access_key,
            aws_session_token=who.session_token,
        )

    def stored(self, name: str) -> str | None:
        """Return a document's text in Parameter Store; None when there is none."""
        found = self.ssm.get_parameters(Names=[f"{ROOT}/{name}"], WithDecryption=True)["Parameters"]
        return str(found[0]["Value"]) if found else None


def deploy(made: World, name: str = STACK.name, **more: Any) -> LocalDeployment:
    """Deploy the handler in that world, with its environment's allowed accounts.

    A change event of a document is delivered before the write that causes it returns, so a test
    sees the earliest moment at which the function can act upon it.
    """
    more.setdefault("deliver", lambda invoke: invoke())
    more.setdefault("parameters", {"AllowedAccounts": made.environ["ALLOWED_ACCOUNTS"]})
    dead_letters = made.aws.put_queue(f"{name}-dead-letters", delay_seconds=0)
    region = STACK.region
    account = STACK.account
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
    """Return the handler's answer; log what it printed, as Lambda does."""
    printed = io.StringIO()
    with _ONE_AT_A_TIME, contextlib.redirect_stdout(printed):
        for handler in logging.getLogger(STACK.name).handlers:
            if isinstance(handler, logging.StreamHandler):
                # Not by setStream: it flushes the one before, which another test has closed.
                handler.stream = printed
        try:
            answer = FunctionAnswer(made.call(event))
        except PushFailed as error:
            answer = FunctionAnswer(error={"errorType": "PushFailed", "errorMessage": str(error)})
    for line in printed.getvalue().splitlines():
        made.aws.deployments.log(stack, line)
    return answer


def administrator(world: World, home: Path) -> Administrator:
    """Deploy the function, and return an administrator with profiles `admin` and `spoke`.

    There is no kubeconfig yet.
    """
    profiles = {
        "admin": world.aws.credentials_for(ADMIN, "a-person"),
        "spoke": world.aws.credentials_for(SPOKE_ADMIN, "a-person"),
    }
    (home / "aws-config").write_text(
        "".join(_profile(name, credential) for name, credential in profiles.items())
    )
    environ = {
        "HOME": str(home),
        "AWS_ENDPOINT_URL": world.aws.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_PROFILE": "admin",
        "AWS_CONFIG_FILE": str(home / "aws-config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "KUBECONFIG": str(home / "kubeconfig"),
    }
    return Administrator(world, deploy(world, "pusher"), environ, home=home)


def _profile(name: str, credential: Credential) -> str:
    return (
        f"[profile {name}]\nregion = us-east-1\naws_access_key_id ="
        f" {credential.access_key_id}\naws_secret_access_key ="
        f" {credential.secret_access_key}\naws_session_token = {credential.session_token}\n"
    )
