"""A terminal of a given width, with a process in it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

from infra.local.closable import Closable

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
PATIENCE = 60.0


class Terminal(Closable):
    """A process on a terminal. `raw` is all of its output so far, escape sequences included.

    stdin, stdout and stderr are the terminal.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        columns: int = 80,
        rows: int = 60,
    ) -> None:
        self.raw = ""
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            list(command),
            env=dict(environ),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    @property
    def text(self) -> str:
        """Return what was printed, without escape sequences."""
        return _ESCAPE.sub("", self.raw).replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """Return the lines as they are left on the screen.

        What a carriage return overwrites is gone.
        """
        return [line.rpartition("\r")[2].rstrip() for line in self.text.splitlines()]

    def wait_for(self, text: str) -> None:
        """Read until it was printed."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def enter(self, text: str) -> None:
        r"""Type as a person does; Ctrl-C is `\x03`."""
        os.write(self._own, text.encode())

    def interrupt(self) -> None:
        """Send what Ctrl-C sends. The terminal is no process's controlling terminal here."""
        self._process.send_signal(2)

    def finish(self) -> int:
        """Read until the process ends, and return its exit code."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._own], [], [], PATIENCE)
        assert ready, self.text
        try:
            chunk = os.read(self._own, 65536)
        except OSError:  # on Linux: the other end was closed
            return False
        self.raw += chunk.decode(errors="replace")
        return bool(chunk)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._own)
