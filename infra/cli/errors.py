"""Errors that end a command: a message, a remedy, and the exit code."""

from enum import IntEnum

from ecr_public_pusher.visible_text import visible

from .follow_up import FollowUp


class ExitCode(IntEnum):
    """The exit codes, an interface for scripts."""

    OK = 0
    # The command ran, and something is wrong: a failed cluster, a difference, an alarm.
    NOT_OK = 1
    USAGE = 2  # wrong arguments, no or several stacks, a question without a terminal
    AWS = 3  # AWS refused, or did not respond
    DEFECT = 70  # a bug in this program (EX_SOFTWARE of sysexits.h)
    INTERRUPTED = 130  # Ctrl-C (128 + SIGINT)


class CliError(Exception):
    """An error to print: `message` says what and where, `remedy` what to do about it.

    Both are safe to print: they hold no credential, and no URL with one.
    """

    def __init__(
        self, message: str, *, remedy: str = "", exit_code: ExitCode = ExitCode.USAGE
    ) -> None:
        self.message = visible(message, keep="\n\t")
        super().__init__(self.message)
        self.remedy = visible(remedy, keep="\n\t")
        self.exit_code = exit_code


def no_region(profile: str | None) -> CliError:
    """Return the error for AWS settings without a region."""
    configure = FollowUp(profile=profile).aws("configure", "set", "region", "REGION")
    return CliError(
        "No AWS region is set.",
        remedy=f"Give --region, set AWS_REGION, or put a region into your profile: {configure}",
    )
