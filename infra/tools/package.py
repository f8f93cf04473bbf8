"""`make package`: the function's zip, built with pip, without the SAM CLI (infra/terraform).

The same sources give the same bytes, so that a changed hash means a changed function: entries are
sorted, have one time and one mode, and pip's notes about this machine are left out.
"""

import argparse
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = Path(".aws-sam", "package", "ecr-public-pusher.zip")
SOURCES = "lambda_src"
REQUIREMENTS = "requirements.txt"  # whole, with hashes: nothing else is asked for
PYTHON_VERSION = "3.13"
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Wheels that run on Amazon Linux 2023, whose glibc is 2.34.
PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
# Unzipped, layers included: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
UNPACKED_LIMIT = 250 * 1024 * 1024
# The first time that a zip can hold. A file's own is the time of the checkout or of pip's run.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
MODE = stat.S_IFREG | 0o644
# Compiled files contain times, and Lambda runs without them.
LEFT_OUT_FOLDERS = {"__pycache__"}
# The folder of commands, which contain the path of this machine's interpreter.
COMMANDS = "bin"
# Files in *.dist-info with the installer, and with hashes of the commands.
LEFT_OUT_RECORDS = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}


class PackageError(RuntimeError):
    """A package that cannot be built, or is too large for Lambda."""


@dataclass(frozen=True)
class Package:
    """A zip that was written, with its sizes in bytes."""

    path: Path
    size: int
    unpacked: int
    sha256: str


def pip_command(root: Path, architecture: str, target: Path) -> list[str]:
    """Return the command that installs the function's packages into `target`.

    They are for Lambda's processor and Python, whatever this machine's are.
    """
    platforms = [
        part for name in PLATFORMS for part in ("--platform", f"{name}_{MACHINES[architecture]}")
    ]
    return [
        *(
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-compile",
        ),
        *(
            "--target",
            str(target),
            *platforms,
            "--only-binary=:all:",
            "--implementation",
            "cp",
            "--python-version",
            PYTHON_VERSION,
        ),
        *("--no-deps", "--require-hashes", "--requirement", str(root / REQUIREMENTS)),
    ]


def build(root: Path, architecture: str, output: Path) -> Package:
    """Install the packages, add the function's own code, and zip both.

    Raise PackageError; `output` is then unchanged.
    """
    with tempfile.TemporaryDirectory(prefix="package-") as folder:
        content = Path(folder)
        _run(pip_command(root, architecture, content))
        shutil.copytree(
            root / SOURCES,
            content,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"),
        )
        return pack(content, output)


def pack(folder: Path, output: Path) -> Package:
    """Zip the deployed files of a folder, reproducibly.

    Raise PackageError when Lambda would refuse the size.
    """
    files = {
        file.relative_to(folder).as_posix(): file
        for file in folder.rglob("*")
        if file.is_file() and _deployed(file.relative_to(folder))
    }
    unpacked = sum(file.stat().st_size for file in files.values())
    if unpacked > UNPACKED_LIMIT:
        raise PackageError(f"{unpacked:,} bytes unpacked: Lambda takes {UNPACKED_LIMIT:,}")
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f"{output.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name in sorted(files):
                archive.writestr(_entry(name), files[name].read_bytes(), zipfile.ZIP_DEFLATED, 9)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
    return Package(
        output, output.stat().st_size, unpacked, hashlib.sha256(output.read_bytes()).hexdigest()
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        package = build(ROOT, options.arch, options.output)
    except PackageError as error:
        sys.stderr.write(f"failed: {error}\n")
        return 1
    sys.stdout.write(
        f"{_shown(package.path)}\nsize    {package.size:,} bytes ({package.unpacked:,} unpacked, of"
        f" {UNPACKED_LIMIT:,} that Lambda takes)\nsha256  {package.sha256}\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.tools.package",
        description="Build the function's zip with pip, without the SAM CLI.",
    )
    parser.add_argument(
        "--arch",
        choices=sorted(MACHINES),
        default="arm64",
        help="the stack's Architecture (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / OUTPUT,
        metavar="ZIP",
        help=f"where to write it (default: {OUTPUT})",
    )
    return parser


def _shown(path: Path) -> Path:
    """Return the path relative to the project's folder, if it is in it."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _run(command: list[str]) -> None:
    finished = subprocess.run(  # noqa: S603 - a fixed command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise PackageError(f"pip ({finished.returncode}):\n{finished.stdout.strip()[-4000:]}")


def _deployed(path: Path) -> bool:
    if LEFT_OUT_FOLDERS & set(path.parts) or path.parts[0] == COMMANDS or path.suffix == ".pyc":
        return False
    return not (path.parent.suffix == ".dist-info" and path.name in LEFT_OUT_RECORDS)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, TIMESTAMP)
    entry.create_system = 3  # Unix, so that the mode is valid
    entry.external_attr = MODE << 16
    return entry


if __name__ == "__main__":
    sys.exit(main())
