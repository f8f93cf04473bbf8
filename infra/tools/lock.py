"""`make lock`: uv.lock from the dependencies of pyproject.toml, and what pip reads from uv.lock.

pip suffices to install everything: each requirements file is a group of uv.lock, exported with the
hashes of all its files. The command line's package pins the whole of its group in its metadata.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path("pyproject.toml")
LOCK = Path("uv.lock")
# By group; the group `cli` is exported into the package's own dependencies.
EXPORTS = {
    "function": Path("requirements.txt"),
    "dev": Path("requirements-dev.txt"),
    "sam": Path("infra/local/requirements-sam.txt"),
    "checkov": Path("infra/local/requirements-checkov.txt"),
    "bench": Path("tests/bench/requirements.txt"),
    "mutation": Path("tests/mutation/requirements.txt"),
    "fuzz": Path("tests/fuzz/requirements.txt"),
    "lock": Path("infra/requirements-lock.txt"),
}
COMMAND_LINE = "cli"
HEADER = "# Written by `make lock`: the group `{group}` of pyproject.toml, from uv.lock.\n"
_DEPENDENCIES = re.compile(r"(?<=^dependencies = \[\n)[^]]*(?=^\])", re.MULTILINE)


class LockError(RuntimeError):
    """The dependencies contradict each other, or uv's export is not as expected."""


def main(options: Sequence[str]) -> int:
    """Run `lock.py [OPTION OF uv lock ...]` and return the exit code.

    Leave pyproject.toml and uv.lock as they were when that fails, or is interrupted.
    """
    before = {path: (ROOT / path).read_text() for path in (PROJECT, LOCK)}
    try:
        write_pins([])  # else the old pins would hold back what is raised
        _uv("lock", *options)
        write_pins(_pins(export(COMMAND_LINE, hashes=False)))
        _uv("lock")
        exports = {
            path: HEADER.format(group=group) + export(group) for group, path in EXPORTS.items()
        }
    except BaseException as error:
        for path, text in before.items():
            (ROOT / path).write_text(text)
        if not isinstance(error, LockError):
            raise
        sys.stderr.write(f"failed: {error}\n")
        return 1
    for path, text in exports.items():
        (ROOT / path).write_text(text)
    return 0


def export(group: str, *, hashes: bool = True) -> str:
    """Return the requirements of a group in pip's form, without the marker that all of them have.

    Raise LockError for one with another marker: pip would install it in some environments only.
    """
    options = ["--no-header", "--no-annotate", *([] if hashes else ["--no-hashes"])]
    exported = _uv("export", "--frozen", "--only-group", group, *options)
    for marker in tomllib.loads((ROOT / LOCK).read_text())["supported-markers"]:
        exported = exported.replace(f" ; {marker}", "")
    if other := [line for line in exported.splitlines() if ";" in line]:
        raise LockError(f"not for all environments of [tool.uv]: {', '.join(other)}")
    return exported


def write_pins(pins: Sequence[str]) -> None:
    """Replace the dependencies of the command line's package."""
    path = ROOT / PROJECT
    lines = "".join(f'    "{pin}",\n' for pin in pins)
    path.write_text(_DEPENDENCIES.sub(lines, path.read_text(), count=1))


def _pins(requirements: str) -> list[str]:
    return [line for line in requirements.splitlines() if line]


def _uv(*arguments: str) -> str:
    """Run the uv of this interpreter's environment and return its standard output."""
    environment = os.environ | {"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise LockError(f"{uv} does not exist: run this as `make lock`")
    command = [str(uv), "--quiet", *arguments]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LockError(f"uv {' '.join(arguments)} ({done.returncode})\n{done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
