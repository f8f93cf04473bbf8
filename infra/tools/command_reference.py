"""The command line's reference as Markdown, from Typer's own data."""

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from infra.cli.app import app

PROGRAM = "ecr-public-pusher"
COLUMNS = 120
SHARED = ("stack", "region", "profile", "output_format")
_EXAMPLES = re.compile(r"\[bold\]Examples\[/bold\]\s*\n", re.IGNORECASE)


def commands() -> str:
    """Return a section for each command, in the order of --help."""
    return "\n".join(
        _section(path, command) for path, command in _leaves([PROGRAM], get_command(app))
    )


def exit_codes() -> str:
    """Return a list of the exit codes, from --help."""
    said = str(get_command(app).epilog).removeprefix("Exit codes: ").rstrip(".")
    return "".join(
        f"- `{code}`: {meaning}\n"
        for code, meaning in (part.split(" ", 1) for part in said.split("; "))
    )


def shared_options() -> str:
    """Return the table of the options that every command takes."""
    command = next(command for _, command in _leaves([PROGRAM], get_command(app)))
    return _options([option for option in command.params if _shared(option)])


def _leaves(path: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    for name, inner in command.commands.items():
        if not inner.hidden:
            yield from _leaves([*path, name], inner)


def _section(path: list[str], command: Any) -> str:
    text, examples = (*_EXAMPLES.split(command.help, maxsplit=1), "")[:2]
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    own = [
        one
        for one in command.params
        if isinstance(one, TyperOption) and not _shared(one) and not one.hidden
    ]
    usage = " ".join([*path[1:], *(_usage(argument) for argument in arguments)])
    parts = [
        f"### {' '.join(path[1:])}",
        _wrapped(text),
        f"```text\n{PROGRAM} {usage}{' [OPTIONS]' if own else ''}\n```",
        f"```sh\n{textwrap.dedent(examples).strip()}\n```" if examples else "",
        _options([*arguments, *own]).rstrip("\n") if arguments or own else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _wrapped(text: str) -> str:
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "\n\n".join(
        textwrap.fill(part, COLUMNS, break_long_words=False, break_on_hyphens=False)
        for part in paragraphs
    )


def _usage(argument: Any) -> str:
    name = _name(argument)
    several = "..." if argument.nargs == -1 else ""
    return f"{name}{several}" if argument.required else f"[{name}{several}]"


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper()).strip("[]{}")


def _shared(option: Any) -> bool:
    return option.name in SHARED


def _options(options: list[Any]) -> str:
    rows = [
        f"| {_said(option)} | {_cell(f'{option.help or ""}{_default(option)}')} |\n"
        for option in options
    ]
    return "".join(["| argument, option | |\n| --- | --- |\n", *rows])


def _said(option: Any) -> str:
    if isinstance(option, TyperArgument):
        return f"`{_cell(_name(option))}`"
    value = "" if option.is_flag else f" {option.metavar or _choices(option)}"
    return f"`{_cell(', '.join(option.opts) + value)}`"


def _default(option: Any) -> str:
    """Return the default of an option that has a value, as --help shows it."""
    if isinstance(option, TyperArgument) or option.is_flag or option.default is None:
        return ""
    return f" Default: `{option.default}`."


def _choices(option: Any) -> str:
    kind: Any = option.type_descriptor.annotation
    return (
        "|".join(str(one) for one in kind)
        if hasattr(kind, "__members__")
        else str(kind.__name__).upper()
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
