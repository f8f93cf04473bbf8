"""Commands that people paste from remedies and documents.

They are parsed as bash parses them, and judged by the models of the tools themselves.

`problems(text)` says what is wrong with a shell text; `commands(text)` gives its simple commands.
In a text, a word of capitals such as `ROLE_ARN` is to be replaced, and fits everywhere.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.support.commands import aws_cli, further, kubectl_cli, sam_cli
from tests.support.commands.prose import in_backticks, in_fences
from tests.support.commands.shell import Command, ShellSyntaxError, Word, parse

__all__ = [
    "JUDGES",
    "Command",
    "Judge",
    "ShellSyntaxError",
    "Word",
    "in_backticks",
    "in_fences",
    "judge",
    "parse",
    "problems",
]

type Judge = Callable[[Command], list[str]]

# Programs that may be in a command without a model here.
_KNOWN = (
    "awk base64 cat cd chmod cp cut date docker echo export false git grep head jq kustomize ls"
    " make mkdir mv openssl pip pipx python3 rm sed set sh sleep sort tail tee test touch tr true"
    " uniq unset uv uvx wc which xargs"
)
KNOWN_PROGRAMS = frozenset(_KNOWN.split())
JUDGES: Mapping[str, Judge] = MappingProxyType(
    {
        "aws": aws_cli.judge,
        "kubectl": kubectl_cli.judge,
        "sam": sam_cli.judge,
        "az": further.judge_az,
        "eksctl": further.judge_eksctl,
        "helm": further.judge_helm,
        "gcloud": further.judge_gcloud,
        "terraform": further.judge_terraform,
    }
)


def problems(text: str, *, more: Mapping[str, Judge] = MappingProxyType({})) -> list[str]:
    """Return the problems of a shell text's commands, each with the command.

    `more`: judges of further programs.
    """
    try:
        found = parse(text)
    except ShellSyntaxError as error:
        return [str(error)]
    return [f"{command}: {problem}" for command in found for problem in judge(command, more=more)]


def judge(command: Command, *, more: Mapping[str, Judge] = MappingProxyType({})) -> list[str]:
    """Return the problems of one command."""
    judges = {**JUDGES, **more}
    if command.program in judges:
        return judges[command.program](command)
    if command.program in KNOWN_PROGRAMS or command.program.startswith((".", "/", "$")):
        return []
    return [f"{command.program} is not a program known to tests.support.commands"]
