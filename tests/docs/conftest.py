"""A shell in which the documents' commands are run as they stand.

`aws` is botocore against a local AWS, `kubectl` the real one.
"""

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.local.aws import LocalDeployment
from tests.docs.documents import ROOT, Block, blocks
from tests.support.operator import deploy
from tests.support.world import World
from tests.support.world import world as make_world

AWS = f'#!/bin/sh\nexec {sys.executable} -m tests.support.commands.aws_runner "$@"\n'
OURS = f'#!/bin/sh\nexec {sys.executable} -m infra.cli "$@"\n'
# Only these can be run: commands for make, terraform or pip in a document must not run on the
# machine that runs the tests.
REAL = (
    "awk",
    "basename",
    "bash",
    "cat",
    "cut",
    "date",
    "dirname",
    "env",
    "grep",
    "head",
    "jq",
    "kubectl",
    "ls",
    "readlink",
    "sed",
    "sh",
    "tr",
    "uname",
)
NOTHING = "#!/bin/sh\n"
SECONDS = 60
PATIENCE = 5
NAME = "ecr-public-pusher"


@dataclass
class Shell:
    """Runs blocks of documents, with what earlier ones left in `environ`."""

    world: World
    deployment: LocalDeployment
    folder: Path
    environ: dict[str, str]

    def run(self, block: Block) -> str:
        """Run a block, and return what it printed. Fail where a command does."""
        return self.run_text(block.text)

    def run_text(self, text: str) -> str:
        """Run part of a block, or several blocks: a shell keeps what was set in it."""
        command = ["bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def type(self, text: str, *, answer: str = "y") -> str:
        """Run a block on a terminal, where a command may ask, and return what was shown."""
        leader, follower = pty.openpty()
        command = ["bash", "-euo", "pipefail", "-c", text]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environ,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        ) as running:
            os.close(follower)
            os.write(leader, f"{answer}\n".encode())
            shown = _shown(leader)
            try:
                running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGTERM)
        os.close(leader)
        assert running.returncode == 0, shown
        return shown

    def knows(self, *names: str) -> None:
        """Have kubectl's contexts be the clusters of these names."""
        parts = [self.world.clusters[name].kubeconfig() for name in names]
        whole = {
            **parts[0],
            **{
                kind: [one for part in parts for one in part[kind]]
                for kind in ("clusters", "contexts")
            },
        }
        whole["users"] = []
        for name, part in zip(names, parts, strict=True):
            whole["users"].append({**part["users"][0], "name": name})
        whole["contexts"] = [
            {"name": name, "context": {"cluster": name, "user": name}} for name in names
        ]
        (self.folder / "kubeconfig").write_text(json.dumps(whole))


def _shown(terminal: int) -> str:
    """Return all output, until the terminal is closed or is silent for long.

    A silent terminal is one that asks again.
    """
    parts = []
    with contextlib.suppress(OSError):  # Linux: EIO at the end
        while select.select([terminal], [], [], SECONDS)[0] and (part := os.read(terminal, 65536)):
            parts.append(part)
    return b"".join(parts).decode()


def block_of(document: str, *, starts: str = "", holds: str = "") -> Block:
    """Return the first shell block of a document that begins so, and contains that."""
    return next(
        block
        for block in blocks({"sh"})
        if block.document == ROOT / document
        and block.text.startswith(starts)
        and holds in block.text
    )


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Return the shell of an administrator of AWS and the clusters.

    The function's environment is the process's.
    """
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl on this machine")
    environ: dict[str, str] = {}
    with make_world(environ) as world:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        yield Shell(world, deploy(world, NAME), tmp_path, environ | _surroundings(tmp_path))


def _surroundings(folder: Path) -> dict[str, str]:
    programs = folder / "bin"
    programs.mkdir()
    for name, text in {
        "aws": AWS,
        "ecr-public-pusher": OURS,
        "sam": NOTHING,
        "pipx": NOTHING,
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(stat.S_IRWXU)
    for name in REAL:
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    return {
        "PATH": str(programs),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}",
        "HOME": str(folder),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "TERM": "dumb",
    }
