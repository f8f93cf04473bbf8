"""A person at the command line, with credentials, a kubeconfig and an editor of their own, before a
world that has the function deployed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from typer.testing import CliRunner

from infra.cli.app import app
from infra.local.aws import LocalDeployment
from infra.local.identity import Credential
from tests.support.operator import deploy
from tests.support.world import ACCOUNT, ROOT, SPOKE_ACCOUNT, World

PROJECT = Path(__file__).parents[2]
ADMIN, SPOKE_ADMIN = (
    f"arn:aws:iam::{ACCOUNT}:role/admin",
    f"arn:aws:iam::{SPOKE_ACCOUNT}:role/admin",
)
SECONDS = 60


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Administrator:
    """`home`: their folder. `more`: environment of their own."""

    world: World
    home: Path
    deployment: LocalDeployment
    more: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "") -> Ran:
        """`ecr-public-pusher ...` as an administrator of the function's account, off a terminal and
        in this process.

        By their profile: the environment's credentials are the function's, which runs here too.
        """
        done = CliRunner().invoke(
            app, [*arguments, "--profile", self.environ["AWS_PROFILE"]], env=self.own, input=stdin
        )
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    def run_apart(self, *arguments: str) -> Ran:
        """The same in a process of its own, which knows its own command line."""
        command = [sys.executable, "-m", "infra.cli", *arguments]
        done = subprocess.run(
            command,
            cwd=self.home,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def own(self) -> dict[str, str]:
        """What the person has set."""
        own = {
            "HOME": str(self.home),
            "AWS_ENDPOINT_URL": self.world.aws.endpoint_url,
            "AWS_REGION": "us-east-1",
            "AWS_PROFILE": "admin",
            "AWS_CONFIG_FILE": str(self.home / "aws-config"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "KUBECONFIG": str(self.home / "kubeconfig"),
        }
        return own | self.more

    @property
    def environ(self) -> dict[str, str]:
        """A process's environment: nothing of the function's."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "ECR_PUBLIC_PUSHER", "KUBE"))
        }
        return kept | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'lambda_src'}"} | self.own

    def folder(self, **documents: str) -> Path:
        """A folder of documents: `defaults`, `discover__<id>`, or a cluster's id."""
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
        """A kubeconfig with an administrator's context for each cluster; the first is the current
        one.
        """
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
        """$EDITOR: these lines of shell, on the file $1."""
        file = self.home / "editor"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        self.more["EDITOR"] = str(file)

    @property
    def ssm(self) -> Any:
        """Parameter Store, as the administrator."""
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
        """A document's text in Parameter Store; None where there is none."""
        found = self.ssm.get_parameters(Names=[f"{ROOT}/{name}"], WithDecryption=True)["Parameters"]
        return str(found[0]["Value"]) if found else None


@contextmanager
def administrator(world: World, home: Path) -> Iterator[Administrator]:
    """The function is deployed in the world; profiles `admin` and `spoke` are there, no kubeconfig
    yet.
    """
    deployment = deploy(world, "pusher")
    profiles = {
        "admin": world.aws.credentials_for(ADMIN, "a-person"),
        "spoke": world.aws.credentials_for(SPOKE_ADMIN, "a-person"),
    }
    (home / "aws-config").write_text(
        "".join(_profile(name, credential) for name, credential in profiles.items())
    )
    yield Administrator(world, home, deployment)


def _profile(name: str, credential: Credential) -> str:
    return (
        f"[profile {name}]\nregion = us-east-1\naws_access_key_id ="
        f" {credential.access_key_id}\naws_secret_access_key ="
        f" {credential.secret_access_key}\naws_session_token = {credential.session_token}\n"
    )
