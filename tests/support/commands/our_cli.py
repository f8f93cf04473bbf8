"""The project's own command line, by the names of its commands."""

from tests.support.commands.shell import Command

PROGRAM = "ecr-public-pusher"
_NAMES = (
    "status check plan push sweep remove apply diff validate logs schema clusters/add clusters/list clusters/show clusters/edit clusters/enable"
    " clusters/disable clusters/delete queue/list queue/redrive queue/purge"
)


def judge(command: Command) -> list[str]:
    """What is wrong with `ecr-public-pusher COMMAND ...`."""
    if command.option("--help") is not None:
        return []
    names = [word.text for word in command.words[:2]]
    known = set(_NAMES.split())
    return [] if names[0] in known or "/".join(names) in known else [f"no command {' '.join(names)}"]
