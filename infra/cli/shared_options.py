"""The options that every command takes, before and after its name; those after it win."""

from typing import Annotated

import typer

from .choices import Format
from .completion import complete_profiles, complete_stacks
from .options import STACK_VARIABLE

_PANEL = "Deployment and output"

StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        metavar="NAME",
        autocompletion=complete_stacks,
        rich_help_panel=_PANEL,
        help=f"The stack's name (or {STACK_VARIABLE}); else the only one in the region.",
    ),
]
RegionOption = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        rich_help_panel=_PANEL,
        help="The stack's region (or AWS_REGION, or the profile's).",
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        autocompletion=complete_profiles,
        rich_help_panel=_PANEL,
        help="A profile of your AWS configuration (or AWS_PROFILE).",
    ),
]
FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--output",
        "-o",
        rich_help_panel=_PANEL,
        help="table (the default) is for people, json and yaml for scripts.",
        show_default=False,
    ),
]
