"""Functions as commands: shared options in the signature, errors as messages and exit codes."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from .choices import Format
from .errors import CliError, ExitCode
from .follow_up import FollowUp
from .options import Options
from .shared_options import FormatOption, ProfileOption, RegionOption, StackOption

if TYPE_CHECKING:
    from .output import Output
    from .session import Session

_SHARED: dict[str, Any] = {
    "stack": StackOption,
    "region": RegionOption,
    "profile": ProfileOption,
    "output_format": FormatOption,
}


class Cli:
    """The context of a command: AWS as the options name it, and the output."""

    def __init__(self, options: Options) -> None:
        self.options = options

    @cached_property
    def output(self) -> "Output":
        """Return the output in the format of the options."""
        from .output import Output

        return Output(self.options.format or Format.TABLE)

    @cached_property
    def session(self) -> "Session":
        """Return the AWS session, made on first use, so after the arguments are checked."""
        from .session import Session

        return Session(
            profile=self.options.profile,
            region=self.options.region,
            stack_name=self.options.stack_name(),
            follow_up=self.follow_up,
        )

    @property
    def follow_up(self) -> FollowUp:
        """Return the maker of commands for the same deployment."""
        return self.options.follow_up


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Make a Typer command of a function that takes a `Cli` first and returns its exit code.

    None stands for exit code 0. A parameter whose type is a dataclass stands for an option per
    field.
    """
    groups: dict[str, Any] = {
        one.name: one.annotation
        for one in inspect.signature(function, eval_str=True).parameters.values()
        if dataclasses.is_dataclass(one.annotation)
    }

    def run(ctx: typer.Context, **given: Any) -> None:
        options = Options(*(given.pop(name) for name in _SHARED)).or_else(ctx.obj or Options())
        cli = Cli(options)
        for name, kind in groups.items():
            names = [one.name for one in dataclasses.fields(kind)]
            given[name] = kind(**{one: given.pop(one) for one in names})
        raise typer.Exit(_guarded(cli, lambda: function(cli, **given)))

    return _with_shared_options(run, function, skip=1)


def group(name: str, help: str) -> typer.Typer:
    """Return a group of commands, which takes the shared options too."""
    made = typer.Typer(
        name=name,
        help=help,
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(shared_options(lambda: None))
    return made


def shared_options(function: Callable[..., None]) -> Callable[..., None]:
    """Make a group's callback keep the shared options for its commands."""

    def keep(ctx: typer.Context, **given: Any) -> None:
        ctx.obj = Options(*(given.pop(name) for name in _SHARED)).or_else(ctx.obj or Options())
        function(**given)

    return _with_shared_options(keep, function, skip=0)


def _with_shared_options(
    wrapper: Callable[..., None], function: Callable[..., Any], *, skip: int
) -> Callable[..., None]:
    """Give `wrapper` the function's own parameters, with the shared options after them.

    Typer reads a command's parameters from its signature. `skip` leaves out the first ones.
    """
    own = list(inspect.signature(function, eval_str=True).parameters.values())[skip:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(name, keyword, default=None, annotation=kind)
        for name, kind in _SHARED.items()
    ]
    context = inspect.Parameter("ctx", keyword, annotation=typer.Context)
    expanded = [one for parameter in own for one in _options(parameter)]
    parameters = [context, *(one.replace(kind=keyword) for one in expanded), *shared]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
    wrapper.__name__ = function.__name__
    wrapper.__doc__ = _help(function.__doc__ or "")
    wrapper.__module__ = function.__module__
    return wrapper


def _options(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """Yield the parameter, or one for each field of the dataclass that is its type."""
    kind = parameter.annotation
    if not dataclasses.is_dataclass(kind):
        yield parameter
        return
    types = get_type_hints(kind, include_extras=True)
    for one in dataclasses.fields(kind):
        yield parameter.replace(name=one.name, default=one.default, annotation=types[one.name])


def _help(docstring: str) -> str:
    """Return a docstring as Typer's help: paragraphs on one line, for the terminal to wrap.

    Examples, which are indented, keep their lines; the blanks of a continued line go.
    """
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(
        "\n".join(f"  {' '.join(line.split())}" for line in text.splitlines())
        if text.startswith(" ")
        else text.replace("\n", " ")
        for text in paragraphs
    )


def _guarded(cli: Cli, work: Callable[[], int | None]) -> int:
    """Return the exit code of `work`, with AWS's errors explained.

    Raise every unexpected error: it is a bug, and ends in a traceback.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from .aws_errors import explain

    try:
        return work() or ExitCode.OK
    except CliError as error:
        cli.output.error(error)
        return error.exit_code
    except (BotoCoreError, ClientError) as error:
        explained = explain(error, profile=cli.options.profile)
        cli.output.error(explained)
        return explained.exit_code
    except KeyboardInterrupt:
        cli.output.note("interrupted")
        return ExitCode.INTERRUPTED
