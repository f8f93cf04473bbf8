"""Process that runs pytest again and again without importing the libraries anew: `server.py`.

It reads one line of JSON for each run (`arguments`, `seconds`, `output`), runs pytest in a forked
process, and prints the exit code; null when that process had to be ended. The project's own
modules, of which one is mutated, are imported by the forked process only.
"""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

# What the tests import from elsewhere: the names of the modules, from a process of its own.
_LIBRARIES = """
import sys, tests.support.world
print(*(name for name, module in list(sys.modules.items())
        if "site-packages" in (getattr(module, "__file__", None) or "")))
"""
_PLUGINS = ("pytest", "_pytest", "xdist")
_POLL_SECONDS = 0.05


def main() -> None:
    command = [sys.executable, "-c", _LIBRARIES]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    for name in done.stdout.split():
        if not name.startswith(_PLUGINS):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


def run(arguments: list[str], seconds: float, output: str) -> int | None:
    """Return pytest's exit code, or None after so many seconds; nothing it started is left."""
    pid = os.fork()
    if not pid:
        _be_pytest(arguments, output)
    ended = 0
    status: Any = None
    until = time.monotonic() + seconds
    while not ended and time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0 if ended else _POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if ended:
        return os.waitstatus_to_exitcode(status)
    os.waitpid(pid, 0)
    return None


def _be_pytest(arguments: list[str], output: str) -> None:
    code = 3  # pytest's own for an internal error
    try:
        os.setsid()
        for path, mode, numbers in ((os.devnull, "r", (0,)), (output, "w", (1, 2))):
            with open(path, mode) as file:
                for number in numbers:
                    os.dup2(file.fileno(), number)
        code = int(pytest.main(arguments))
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
