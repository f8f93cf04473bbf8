"""`ecr-public-pusher`, or `python -m infra.cli` from a clone."""

import os
import signal
import sys

INTERRUPTED = 130  # ExitCode.INTERRUPTED, which is not imported yet


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    taken = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if taken:  # by a shell's background job it is ignored
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    _find_the_functions_modules()
    try:
        from .app import app
        from .printing import adapt_streams

        adapt_streams()
        if taken:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        app(prog_name="ecr-public-pusher")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - scripts must be able to tell a bug from a failed run
        import traceback

        from .errors import ExitCode

        # Without the error's text, which may hold a credential.
        sys.stderr.write(
            "".join(traceback.format_tb(error.__traceback__)) + f"{type(error).__name__}\n"
        )
        sys.stderr.write(
            "This is a bug in ecr-public-pusher: please report it, with the lines above.\n"
        )
        sys.exit(ExitCode.DEFECT)


def _find_the_functions_modules() -> None:
    """Let a clone import them; an installation has them beside this package."""
    import importlib.util
    from pathlib import Path

    if importlib.util.find_spec("ecr_public_pusher") is None:
        sys.path.append(str(Path(__file__).parents[2] / "lambda_src"))


if __name__ == "__main__":
    main()
