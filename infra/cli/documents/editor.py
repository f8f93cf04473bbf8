"""A person's editor on a draft, opened until the draft is valid or given up."""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import CliError, ExitCode
from .problem import Problem

MARK = "#! "
FALLBACK = "vi"


def edit(
    text: str,
    *,
    name: str,
    check: Callable[[str], list[Problem]],
    environ: Mapping[str, str] = os.environ,
) -> str | None:
    """Return the text that the person made of `text`; None when they changed nothing.

    `check` returns a draft's problems. They are shown above the draft, in lines that are removed
    again. Raise CliError when an invalid draft is saved unchanged, and on an interrupt or a signal
    to end: what the person has saved stays, and the error names it. Nothing else stays.
    """
    folder = Path(tempfile.mkdtemp(prefix="ecr-public-pusher-"))
    draft = folder / f"{name}.yaml"
    draft.touch(mode=0o600)
    shown = text
    refused = None
    keep = False
    try:
        while True:
            draft.write_text(shown)
            _open(draft, environ)
            given = _without_marks(draft.read_text())
            if given.rstrip("\n") == text.rstrip("\n"):
                return None
            wrong = check(given)
            if not wrong:
                return given
            if given == refused:
                keep = True
                said = "\n  ".join(_line(problem) for problem in wrong)
                raise CliError(
                    f"It is still invalid, so nothing was written:\n  {said}",
                    remedy=f"Your draft is in {draft}",
                    exit_code=ExitCode.USAGE,
                )
            shown = _marked(given, wrong)
            refused = given
    except UnicodeDecodeError:
        keep = True
        raise CliError(
            "The draft is not UTF-8, so nothing was written.", remedy=f"Your draft is in {draft}"
        ) from None
    except (KeyboardInterrupt, _Ended):
        keep = _without_marks(draft.read_text(errors="replace")) != text
        raise CliError(
            "Interrupted: nothing was written.",
            remedy=f"Your draft is in {draft}" if keep else "",
            exit_code=ExitCode.INTERRUPTED,
        ) from None
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


class _Ended(Exception):
    """A signal to end: an interrupt, or the terminal is closed."""


def _marked(text: str, wrong: list[Problem]) -> str:
    """Return the draft below its problems, whose line numbers are those that the editor shows."""
    head = [
        "Invalid; correct it, or save it as it is to give up:",
        *(_line(problem, shift=len(wrong) + 1) for problem in wrong),
    ]
    return "".join(f"{MARK}{line}\n" for line in head) + text


def _line(problem: Problem, shift: int = 0) -> str:
    return f"line {problem.line + shift}: {problem.message}" if problem.line else problem.message


def _without_marks(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(MARK))


def _open(draft: Path, environ: Mapping[str, str]) -> None:
    """Wait for the person's editor. Raise _Ended, with the editor ended, at a signal to end.

    The handlers raise nothing: a signal that comes while the editor starts would leave it running.
    """
    command = shlex.split(environ.get("VISUAL") or environ.get("EDITOR") or FALLBACK)
    editor: subprocess.Popen[bytes] | None = None
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True
        if editor is not None:
            editor.kill()

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        editor = subprocess.Popen([*command, str(draft)])  # noqa: S603 - the user's own editor
        if ended:
            editor.kill()
        code = editor.wait()
    except OSError as error:
        raise CliError(
            f"The editor {command[0]} does not start: {error.strerror}.",
            remedy="Set VISUAL or EDITOR to your editor.",
        ) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if ended:
        raise _Ended
    if code:
        raise CliError(
            f"The editor {command[0]} ended with {code}: nothing was written.",
            exit_code=ExitCode.NOT_OK,
        )
