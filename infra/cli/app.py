"""The command line's entry: every command, and the options before them."""

from typing import Annotated

import typer

from ecr_public_pusher.version import VERSION

from .command import shared_options
from .interface import clusters, discover, documents, logs, queue, run, schema, status
from .printing import write_out
from .quick_typer import make_typer_quick

EPILOG = (
    "Exit codes: 0 ok; 1 the run is not ok, or a problem was found; 2 wrong arguments, or no"
    " single stack; 3 AWS or the network; 70 a bug in this program; 130 interrupted."
)

make_typer_quick()
app = typer.Typer(
    name="ecr-public-pusher",
    help=(
        "Operate a deployment of ecr-public-pusher: the state of every cluster, runs of the"
        " function, and its configuration."
    ),
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    # Variables in a traceback may be credentials.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        write_out(f"ecr-public-pusher {VERSION}\n")
        raise typer.Exit


@app.callback()
@shared_options
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="This program's release."),
    ] = False,
) -> None:
    pass


for module in (status, logs, run, queue, clusters, discover, documents, schema):
    module.register(app)
