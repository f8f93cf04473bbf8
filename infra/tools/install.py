"""Virtual environments for the Makefile, from Python 3.13 only.

An interrupt ends the installation quietly, and a failure names what is missing. This runs before
anything is installed, so it uses the standard library only.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

VERSION = (3, 13)
INTERRUPTED = 130
LONGEST_READ_SECONDS = 0.5
# Parts of pip's messages, in any of its versions, when it cannot reach the index.
NO_NETWORK = (
    "NewConnectionError",
    "Failed to establish a new connection",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "NameResolutionError",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "ProxyError",
    "Connection refused",
)
_NO_VENV = ("ensurepip is not available", "No module named ensurepip", "No module named venv")


class InstallError(Exception):
    """A missing prerequisite, with what to do about it."""


def main(arguments: list[str]) -> int:
    """Run `install.py FOLDER REQUIREMENTS`; return the exit code.

    The environment has exactly these packages. After a failure or an interrupt it is removed.
    """
    folder, requirements = (Path(argument) for argument in arguments)
    try:
        check_version(sys.version_info[:2])
        say(f"installing {requirements} into {folder} (a minute, once)")
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = [
            str(folder / "bin" / "pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            "-r",
            str(requirements),
        ]
        _run(pip)
    except InstallError as error:
        shutil.rmtree(folder, ignore_errors=True)
        say(f"failed: {error}")
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        say("interrupted")
        return INTERRUPTED
    return 0


def check_version(version: tuple[int, int]) -> None:
    """Raise InstallError for another Python than the function's."""
    if version != VERSION:
        found, wanted = (".".join(map(str, each)) for each in (version, VERSION))
        raise InstallError(
            f"this needs Python {wanted}, which the function runs on, and got {found}: make"
            f" PYTHON=/path/to/python{wanted} ..."
        )


def _run(command: list[str]) -> None:
    """Run a command; raise InstallError with its output when it fails.

    It runs in its own session, so that an interrupt reaches only this process, which then ends
    all processes of that session.
    """
    process = subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said = None
    try:
        while said is None:
            # A signal that arrives just before a read does not end it: so none lasts long.
            with contextlib.suppress(subprocess.TimeoutExpired):
                said, _ = process.communicate(timeout=LONGEST_READ_SECONDS)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        raise InstallError(explained(said))


def explained(said: str) -> str:
    """Return the output of a failed step, with the known causes explained first."""
    if any(mark in said for mark in _NO_VENV):
        head = "this Python has no venv: on Debian and Ubuntu install python3.13-venv"
    elif any(mark in said for mark in NO_NETWORK):
        head = (
            "the packages cannot be fetched: pip does not reach its index. This needs the network"
            " once (or PIP_INDEX_URL, PIP_PROXY)"
        )
    else:
        return said.strip()
    return f"{head}\n{said.strip()[-1500:]}"


def say(text: str) -> None:
    """Print a line of progress on stderr."""
    sys.stderr.write(f"· {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
