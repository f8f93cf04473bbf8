"""How a command ends when it does not end well: what and where, what to do about it, and the exit
code.
"""

from enum import IntEnum

from ecr_public_pusher.visible_text import visible


class ExitCode(IntEnum):
    """An interface that scripts rely on."""

    OK = 0
    # it was done, or looked at, and something is wrong: a cluster failed, a difference, an alarm
    NOT_OK = 1
    USAGE = 2  # wrong arguments, no or several stacks, a question without a terminal to ask it at
    AWS = 3  # AWS refused, or did not answer
    DEFECT = 70  # a defect of this program (EX_SOFTWARE of sysexits.h)
    INTERRUPTED = 130  # Ctrl-C (128 + SIGINT)


class CliError(Exception):
    """`message` says what and where, `remedy` what to do; both are safe to print: no credential, no
    URL that holds one.
    """

    def __init__(
        self, message: str, *, remedy: str = "", exit_code: ExitCode = ExitCode.USAGE
    ) -> None:
        self.message = visible(message, keep="\n\t")
        super().__init__(self.message)
        self.remedy, self.exit_code = visible(remedy, keep="\n\t"), exit_code
