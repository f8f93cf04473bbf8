"""The SAM CLI, by its own commands' options, read in its own environment."""

import functools
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.commands.options import Option, take_apart
from tests.support.commands.shell import Command

_ROOT = Path(__file__).resolve().parents[3]
# Each group's commands and each command's parameters, as click has them. A context with an object:
# else the CLI gives commands without parameters. All at once: they share what takes a second to
# import.
_ASK = """
import json, sys, click
from samcli.cli.main import cli
context = click.Context(cli, obj=cli)

def of(command):
    if isinstance(command, click.Group):
        return [{name: of(command.get_command(context, name))
                 for name in command.list_commands(context)}]
    options = [p for p in command.params if isinstance(p, click.Option)]
    return {name: 0 if p.is_flag else None if p.multiple or p.nargs == -1 else 1
            for p in options for name in [*p.opts, *p.secondary_opts]}

json.dump(of(cli), sys.stdout)
"""


@dataclass(frozen=True)
class _Group:
    """A command that has commands of its own."""

    commands: "Mapping[str, _Command]"


# A command without others: its options, with their number of values.
type _Command = _Group | Mapping[str, int | None]


def judge(command: Command) -> list[str]:
    """Return the problems of `sam COMMAND ...`."""
    if "--version" in (word.text for word in command.words):
        return []
    path = ["sam"]
    words = list(command.words)
    found: _Command = _all()
    while isinstance(found, _Group):
        name = words.pop(0).text if words else ""
        if name not in found.commands:
            return [f"{' '.join(path)} has no command {name}"]
        path.append(name)
        found = found.commands[name]
    options = {name: Option(values) for name, values in found.items()}
    return list(take_apart(words, options | {"--help": Option(values=0)}).problems)


@functools.cache
def _all() -> _Command:
    """Return the program's commands, read from the SAM CLI."""
    sam = Path(os.environ.get("SAM") or _ROOT / ".venv-sam" / "bin" / "sam")
    asked = subprocess.run(
        [sam.with_name("python"), "-c", _ASK], capture_output=True, text=True, check=True
    )
    return _read(json.loads(asked.stdout))


def _read(found: Any) -> _Command:
    match found:
        case [commands]:
            return _Group({name: _read(command) for name, command in commands.items()})
        case _:
            return dict(found)
