"""The project's own command line: it parses the words, and runs nothing."""

import contextlib
import io
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import Exit, TyperException
from typer.main import get_command

from infra.cli.app import app
from tests.support.commands.shell import Command

PROGRAM = "ecr-public-pusher"
_NO_FILE = "does not exist."  # the reader's own files; another test checks that ours exist
# Typer does these while it takes the words apart: completion would be installed.
_AT_ONCE = ("--install-completion", "--show-completion", "--version")


def judge(command: Command) -> list[str]:
    """Return the problems of `ecr-public-pusher COMMAND ...`."""
    words = [word.text for word in command.words]
    if words and words[0] in _AT_ONCE:
        return []
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            _take_apart(get_command(app), words)
    except Exit:  # --help
        return []
    except TyperException as error:
        said: Any = error
        problem = said.format_message() if hasattr(said, "format_message") else str(error)
        return [] if problem.endswith(_NO_FILE) else [problem]
    return []


def _take_apart(command: Any, words: list[str]) -> None:
    """Parse down the groups to the command: each takes its own words, and calls nothing."""
    context: Any = None
    name: str | None = PROGRAM
    while isinstance(command, TyperGroup):
        context = command.make_context(name, words, parent=context)
        name, command, words = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
    command.make_context(name, words, parent=context)
