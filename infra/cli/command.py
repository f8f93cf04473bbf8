"""What makes a function a command: the shared options in its signature, and errors turned into
messages and exit codes.
"""

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any

import typer

from .errors import CliError, ExitCode
from .options import FormatOption, Options, ProfileOption, RegionOption, StackOption
from .output import Format, Output
from .session import Session

_SHARED: dict[str, Any] = {
    "stack": StackOption,
    "region": RegionOption,
    "profile": ProfileOption,
    "output_format": FormatOption,
}


class Cli:
    """What a command works with: AWS as the options say, and where to print."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.output = Output(options.format or Format.TABLE)

    @cached_property
    def session(self) -> Session:
        """AWS, when first needed: a mistake in the arguments is said without it."""
        return Session(
            profile=self.options.profile,
            region=self.options.region,
            stack_name=self.options.stack_name(),
        )


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """A Typer command out of a function that takes a `Cli` first and returns its exit code (None:
    0).
    """

    def run(ctx: typer.Context, **given: Any) -> None:
        options = Options(*(given.pop(name) for name in _SHARED)).or_else(ctx.obj or Options())
        cli = Cli(options)
        raise typer.Exit(_guarded(cli, lambda: function(cli, **given)))

    return _with_shared_options(run, function, skip=1)


def group(name: str, help: str) -> typer.Typer:
    """A group of commands, which takes the shared options too."""
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
    """A callback of a group: keeps the shared options for its commands."""

    def keep(ctx: typer.Context, **given: Any) -> None:
        ctx.obj = Options(*(given.pop(name) for name in _SHARED)).or_else(ctx.obj or Options())
        function(**given)

    return _with_shared_options(keep, function, skip=0)


def _with_shared_options(
    wrapper: Callable[..., None], function: Callable[..., Any], *, skip: int
) -> Callable[..., None]:
    """Typer reads a command's parameters from its signature: the function's own ones, and the
    shared ones after them.
    """
    own = list(inspect.signature(function, eval_str=True).parameters.values())[skip:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(name, keyword, default=None, annotation=kind)
        for name, kind in _SHARED.items()
    ]
    context = inspect.Parameter("ctx", keyword, annotation=typer.Context)
    parameters = [context, *(one.replace(kind=keyword) for one in own), *shared]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
    wrapper.__name__, wrapper.__doc__, wrapper.__module__ = (
        function.__name__,
        function.__doc__,
        function.__module__,
    )
    return wrapper


def _guarded(cli: Cli, work: Callable[[], int | None]) -> int:
    """The exit code of `work`.

    AWS's errors are explained; what nobody foresaw goes on, as a traceback.
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
