"""The SAM CLI, by its own commands' options, read in its own environment."""

import functools
import json
import os
import subprocess
from pathlib import Path

from tests.support.commands.options import Option, take_apart
from tests.support.commands.shell import Command

_ROOT = Path(__file__).resolve().parents[3]
# One command's parameters, or its own commands, as click has them. A context with an object: else
# the CLI gives commands without parameters.
_ASK = """
import json, sys, click
from samcli.cli.main import cli
context = click.Context(cli, obj=cli)
command = cli
for name in sys.argv[1:]:
    command = command.get_command(context, name)
if isinstance(command, click.Group):
    json.dump(command.list_commands(context), sys.stdout)
else:
    options = [p for p in command.params if isinstance(p, click.Option)]
    json.dump({name: 0 if p.is_flag else None if p.multiple or p.nargs == -1 else 1
               for p in options for name in [*p.opts, *p.secondary_opts]}, sys.stdout)
"""


def judge(command: Command) -> list[str]:
    """Return the problems of `sam COMMAND ...`."""
    if "--version" in (word.text for word in command.words):
        return []
    path: tuple[str, ...] = ()
    words = list(command.words)
    while isinstance(asked := _asked(path), list):
        name = words.pop(0).text if words else ""
        if name not in asked:
            return [f"{' '.join(('sam', *path))} has no command {name}"]
        path += (name,)
    options = {name: Option(values) for name, values in asked.items()}
    return list(take_apart(words, options | {"--help": Option(values=0)}).problems)


@functools.cache
def _asked(path: tuple[str, ...]) -> list[str] | dict[str, int | None]:
    """Return the commands of a group, or a command's options with their number of values."""
    sam = Path(os.environ.get("SAM") or _ROOT / ".venv-sam" / "bin" / "sam")
    asked = subprocess.run(
        [sam.with_name("python"), "-c", _ASK, *path], capture_output=True, text=True, check=True
    )
    answer: list[str] | dict[str, int | None] = json.loads(asked.stdout)
    return answer
