"""The options that every command takes, before and after its name; those after it win."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

import typer

from .choices import Format
from .follow_up import FollowUp

STACK_VARIABLE = "ECR_PUBLIC_PUSHER_STACK"
_PANEL = "Deployment and output"

StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        metavar="NAME",
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


@dataclass(frozen=True)
class Options:
    """The shared options given on the command line; None means not given."""

    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    format: Format | None = None

    def or_else(self, earlier: Self) -> "Options":
        """Return these options, completed by those given earlier on the line."""
        return Options(
            self.stack or earlier.stack,
            self.region or earlier.region,
            self.profile or earlier.profile,
            self.format or earlier.format,
        )

    @property
    def follow_up(self) -> FollowUp:
        """Return the maker of commands for the same deployment."""
        return FollowUp(self.stack, self.region, self.profile)

    def stack_name(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """Return the name of the stack asked for; None when there is none."""
        return self.stack or environ.get(STACK_VARIABLE) or None
