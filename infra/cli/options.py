"""The values of the options that every command takes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from .choices import Format
from .follow_up import FollowUp

STACK_VARIABLE = "ECR_PUBLIC_PUSHER_STACK"


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
