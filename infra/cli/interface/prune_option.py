"""`--prune`, and `--prune=all`: an option whose value may be missing, which Typer does not have."""

from typing import Annotated

import typer
from typer.core import TyperCommand

Prune = Annotated[
    bool,
    typer.Option(
        "--prune",
        help=(
            "Delete stored documents without a file; their Secrets are removed first."
            " --prune=all: any number of them."
        ),
    ),
]
PruneAll = Annotated[bool, typer.Option("--prune-all", hidden=True)]

_WITH_VALUE = "--prune="


class PruningCommand(TyperCommand):
    """A command with `Prune` and `PruneAll`, which `--prune=all` sets both."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typed as its base class
        """Parse the arguments. Raise BadParameter for another value of --prune."""
        end = args.index("--") if "--" in args else len(args)
        options = [part for one in args[:end] for part in _spelled_out(one)]
        return super().parse_args(ctx, [*options, *args[end:]])


def _spelled_out(argument: str) -> list[str]:
    if not argument.startswith(_WITH_VALUE):
        return [argument]
    value = argument.removeprefix(_WITH_VALUE)
    if value != "all":
        raise typer.BadParameter(
            f"{value!r} is not one of its values. Give --prune, or --prune=all to delete any"
            " number of documents.",
            param_hint="--prune",
        )
    return ["--prune", "--prune-all"]
