"""Programs that end with us, however we end: no emulator, etcd or kube-apiserver is left behind by
a killed test run.
"""

import sys

# prctl(PR_SET_PDEATHSIG, SIGKILL), kept across exec: the kernel kills the program when the thread
# that started it goes. Not as a preexec_fn: that is unsafe beside threads, of which the stack has
# many.
_BIND_AND_BECOME = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"
)


def bound(*command: str) -> list[str]:
    """`command`, whose first word is an absolute path, as the argument list of a program bound to
    this process.
    """
    return [sys.executable, "-S", "-c", _BIND_AND_BECOME, *command]
