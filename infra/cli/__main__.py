"""`ecr-public-pusher`, or `python -m infra.cli` from a clone."""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("ecr_public_pusher") is None:
    sys.path.append(str(Path(__file__).parents[2] / "lambda_src"))


INTERRUPTED = 130  # ExitCode.INTERRUPTED, before anything is imported


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    try:
        from .app import app

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


if __name__ == "__main__":
    main()
