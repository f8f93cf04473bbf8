"""A Lambda sandbox in its own process, which can be frozen, and killed while it works.

Its standard output and error are the function's own.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.local.closable import Closable
from tests.support.world import Context

# Added to an invocation's time before its sandbox is taken to hang.
GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Result:
    """The end of one invocation; `answer` or `error` is None.

    `seconds`: from the event to the answer. `output`: all that it printed.
    """

    answer: Any = None
    error: str | None = None
    seconds: float = 0.0
    output: str = ""
    killed: bool = False
    hung: bool = False

    @property
    def reports(self) -> tuple[dict[str, Any], ...]:
        """The reports in the log, in order; a batch of messages has several."""
        found = []
        for line in self.output.splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and isinstance(entry.get("report"), dict):
                    found.append(entry["report"])
        return tuple(found)


class SandboxProcess(Closable):
    """The parent's side. `environ`: the whole environment of the function."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._seen = 0
        self._allowed = 0.0
        reader, writer = os.pipe()
        self._results = os.fdopen(reader, "rb")
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.sandbox_process", str(writer)],
                env={**environ, "PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(writer,),
            )
        os.close(writer)
        self._results.readline()  # ready: the handler is imported

    def begin(
        self, event: Any, seconds: float, *, fresh: bool, environ: Mapping[str, str] | None = None
    ) -> None:
        """Start one invocation. `fresh`: as the first in its sandbox. `environ`: in addition."""
        self._allowed = seconds
        asked = {
            "event": event,
            "context": asdict(Context(seconds)),
            "fresh": fresh,
            "environ": {**(environ or {})},
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()

    def end(self) -> Result:
        """Wait for the invocation's end, and freeze the process as Lambda does."""
        ready, _, _ = select.select([self._results], [], [], self._allowed + GRACE_SECONDS)
        line = self._results.readline() if ready else b""
        if not line:
            self.kill()
            return Result(output=self._printed(), hung=True)
        self._process.send_signal(signal.SIGSTOP)
        return Result(**json.loads(line), output=self._printed())

    def killed(self) -> Result:
        """Kill the process while it works."""
        self.kill()
        return Result(output=self._printed(), killed=True)

    @property
    def starved(self) -> float:
        """The seconds that its threads have waited for a processor."""
        return starved(self._process.pid)

    def thaw(self) -> None:
        """Let a frozen process run again."""
        if self.alive:
            self._process.send_signal(signal.SIGCONT)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def rest(self) -> str:
        """Return what was printed since the last result."""
        return self._printed()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._results.close()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _printed(self) -> str:
        whole = self._log.read_bytes()
        new = whole[self._seen :]
        self._seen = len(whole)
        return new.decode(errors="replace")


def starved(pid: int) -> float:
    """Return the seconds that a process's threads have waited for a processor so far.

    The second number of /proc/PID/task/TID/schedstat (Documentation/scheduler/sched-stats.rst).
    """
    nanoseconds = 0
    for stat in Path("/proc").glob(f"{pid}/task/*/schedstat"):
        with contextlib.suppress(OSError, IndexError):
            nanoseconds += int(stat.read_text().split()[1])
    return nanoseconds / 1e9
