"""Child processes of the local stack: the emulator, etcd and kube-apiserver."""

import contextlib
import socket
import subprocess
import sys

LOOPBACK = "127.0.0.1"
# prctl(PR_SET_PDEATHSIG, SIGKILL), kept across exec: the kernel kills the program when the thread
# that started it ends. A preexec_fn is unsafe beside threads, of which the stack has many.
_BIND_AND_BECOME = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"
)


def bound(*command: str) -> list[str]:
    """Return the argument list of a program that ends with this process, however it ends.

    The first word of `command` is an absolute path. Nothing is left behind by a killed test run.
    """
    return [sys.executable, "-S", "-c", _BIND_AND_BECOME, *command]


def stop(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Terminate a process and wait for its end; kill it when it takes longer than `seconds`."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_ports(count: int) -> list[int]:
    """Return free ports of loopback.

    They are free when this returns; another process may take one before it is used.
    """
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
