"""Entry point of `make run`: `python -m infra.local run`.

An interrupt is quiet from the first moment on, and the person's own AWS settings are dropped.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from .run.arguments import parse

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        _forget_own_settings()
        # The function's own model validates documents.
        sys.path.append(str(Path(__file__).resolve().parents[2] / "lambda_src"))
        options = parse(sys.argv[1:] if arguments is None else arguments)
        # This import takes a second: wrong arguments and interrupts need not wait for it.
        from .run.main import run

        return run(options)
    except KeyboardInterrupt:
        print("interrupted; everything is stopped", file=sys.stderr, flush=True)
        return INTERRUPTED


def _forget_own_settings() -> None:
    """Drop the person's AWS settings from this process.

    Their profile, endpoint and region must not reach the stack.
    """
    for name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_"))]:
        del os.environ[name]
    os.environ.update(
        {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End everything at a termination as at Ctrl-C; ignore further signals during the end."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
