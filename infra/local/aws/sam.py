"""The SAM CLI: builds the function for this machine's processor, and brings Lambda's emulator.

The build has a folder of its own: .aws-sam/build must hold what `sam deploy` deploys, for the
template's own architecture.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.tools.install import NO_NETWORK

from .template import parameter_names

BUILD_FOLDER = Path(".aws-sam", "local", "build")
# A file in the build folder, which sam empties first: a failed or foreign build leaves none.
STAMP = ".sources"
SOURCES = ("lambda_src", "requirements.txt", "template.yaml", "samconfig.toml")
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class SamError(RuntimeError):
    """The SAM CLI is missing, or did not build."""


@dataclass(frozen=True)
class Build:
    """A built function: its template, the template parameters used, and whether it was reused."""

    template: Path
    parameters: Mapping[str, str]
    reused: bool


def host_architecture() -> str:
    """Return this machine's processor, by Lambda's names. Raise SamError for any other."""
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        raise SamError(f"Lambda has no {machine} processors: this needs an x86_64 or arm64 machine")
    return _ARCHITECTURES[machine]


def sam_command(root: Path, environ: Mapping[str, str]) -> Path:
    """Return the SAM CLI: the one that SAM names, else the one that `make` installs."""
    command = Path(environ.get("SAM") or root / ".venv-sam" / "bin" / "sam").absolute()
    if not os.access(command, os.X_OK):
        raise SamError(
            f"there is no SAM CLI at {command}: use `make run`, which installs it, or set SAM to"
            " the path of one"
        )
    return command


def emulator(sam: Path) -> Path:
    """Return the AWS Lambda Runtime Interface Emulator that comes with the SAM CLI."""
    if sys.platform != "linux":
        raise SamError(
            f"the Lambda Runtime Interface Emulator is a Linux program and this is {sys.platform}:"
            " use a Linux machine or container"
        )
    name = f"aws-lambda-rie-{host_architecture()}"
    found = sorted(
        sam.resolve().parent.parent.glob(f"lib/python*/site-packages/samcli/local/rapid/{name}")
    )
    if not found:
        raise SamError(
            f"no {name} beside {sam}: set SAM to the command in the virtual environment of"
            " aws-sam-cli"
        )
    return found[-1]


def build(root: Path, sam: Path, *, echo: bool = False) -> Build:
    """Run `sam build` in `root`, unless the last build was of the same sources.

    `echo`: sam's own output goes to stderr.
    """
    wanted = {"Architecture": host_architecture()}
    parameters = {
        name: value
        for name, value in wanted.items()
        if name in parameter_names(root / "template.yaml")
    }
    folder = root / BUILD_FOLDER
    with _locked(folder.parent):
        stamp = folder / STAMP
        sources = _fingerprint(root, [*parameters.values(), platform.python_version()])
        reused = stamp.exists() and stamp.read_text() == sources
        if not reused:
            _run(_command(sam, parameters), root, echo=echo)
            stamp.write_text(sources)
    return Build(folder / "template.yaml", parameters, reused)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process build at a time, since sam empties the folder first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _command(sam: Path, parameters: Mapping[str, str]) -> list[str]:
    # Not cached: sam keeps one folder of dependencies for all build folders, and would delete the
    # deployable build's.
    command = [str(sam), "build", "--no-cached", "--build-dir", str(BUILD_FOLDER)]
    if parameters:
        command += [
            "--parameter-overrides",
            *(f"{name}={value}" for name, value in parameters.items()),
        ]
    return command


def _run(command: list[str], root: Path, *, echo: bool) -> None:
    # sam looks for the runtime's interpreter in PATH.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {
        "PATH": path,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    # A session of its own, so that an interrupt ends all of it: sam runs pip, and pip compilers.
    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if echo:
        print(said, file=sys.stderr)
    if process.returncode:
        head = f"sam build failed ({process.returncode})"
        if any(mark in said for mark in NO_NETWORK):
            head = (
                "sam build cannot fetch the function's packages: pip does not reach its index. A"
                " rebuild needs the network (or PIP_INDEX_URL)"
            )
        raise SamError(f"{head}:\n{said.strip()[-4000:]}")


def _fingerprint(root: Path, more: Iterable[str]) -> str:
    """Return a hash of everything that the build is made from."""
    digest = hashlib.sha256("\n".join(more).encode())
    for source in (root / name for name in SOURCES):
        files = sorted(source.rglob("*")) if source.is_dir() else [source]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                content = file.read_bytes()
                digest.update(
                    f"\n{file.relative_to(root).as_posix()} {len(content)}\n".encode() + content
                )
    return digest.hexdigest()
