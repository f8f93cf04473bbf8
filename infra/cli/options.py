"""The options that every command takes, before it and after it; what is said after it counts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

import typer

from .output import Format

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
    """What was said of them; None: nothing."""

    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    format: Format | None = None

    def or_else(self, earlier: Self) -> "Options":
        """These, and where nothing was said, what was said earlier on the line."""
        return Options(
            self.stack or earlier.stack,
            self.region or earlier.region,
            self.profile or earlier.profile,
            self.format or earlier.format,
        )

    def stack_name(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """The stack that was asked for, if any."""
        return self.stack or environ.get(STACK_VARIABLE) or None
