"""Every command of the documents is valid for its program.

It names its region or context, and sends an event that the function understands.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from ecr_public_pusher.configuration import loader
from ecr_public_pusher.events.parser import parse as parse_event
from tests.docs.documents import DOCUMENTS, ROOT, Block, blocks, prose
from tests.support.commands import Command, Judge, in_backticks, parse, problems
from tests.support.commands.aws_cli import lacks_region
from tests.support.commands.kubectl_cli import names_context
from tests.support.commands.our_cli import PROGRAM, judge
from tests.support.commands.prose import PROGRAMS

SHELL = blocks({"sh"})
CONFIG_PATH = "/ecr-public-pusher"
MAKEFILE = (ROOT / "Makefile").read_text()
# Functions that a block defines take any words.
JUDGES: Mapping[str, Judge] = {PROGRAM: judge} | {
    name: lambda _: []
    for block in SHELL
    for name in re.findall(r"^(\w+)\(\) \{", block.text, re.MULTILINE)
}
# Without it a command deploys to, or deletes from, the region that the shell happens to have.
# Commands that ask for confirmation, and the option with which they do not.
ASKING = re.compile(
    rf"^(sam (deploy|delete)|terraform (apply|destroy)|{PROGRAM} (clusters"
    r" (add|delete)|apply|remove|queue purge|.*--prune-all))\b"
)
SILENT = re.compile(
    r"--(yes|no-confirm-changeset|no-prompts|dry-run|help|print-rbac|guided|auto-approve)\b|-y\b"
)
OF_A_REGION = ("deploy", "delete", "remote")


def named(program: str) -> list[tuple[Block, Command]]:
    return [
        (block, command)
        for block in SHELL
        for command in parse(block.text)
        if command.program == program
    ]


def idle(found: list[tuple[Block, Command]]) -> list[str]:
    return [f"{block}: {command}" for block, command in found]


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_each_program_takes_its_commands(block: Block) -> None:
    assert problems(block.text, more=JUDGES) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_program_takes_its_commands_in_the_text_too(document: Path) -> None:
    shown = in_backticks(prose(document), (*PROGRAMS, PROGRAM))
    # The name of a command (`kubectl edit`, `sam remote invoke`) is not a command to paste.
    whole = [text for text in shown if re.search(r" -|/|=", text)]
    assert [problem for text in whole for problem in problems(text, more=JUDGES)] == []


def test_each_aws_command_names_its_region() -> None:
    assert (
        idle([(block, command) for block, command in named("aws") if lacks_region(command)]) == []
    )


def test_each_sam_command_that_changes_a_stack_names_its_region() -> None:
    assert (
        idle(
            [
                pair
                for pair in named("sam")
                if pair[1].words[0].text in OF_A_REGION and not pair[1].option("--region")
            ]
        )
        == []
    )


def test_each_kubectl_command_names_its_cluster() -> None:
    assert (
        idle(
            [(block, command) for block, command in named("kubectl") if not names_context(command)]
        )
        == []
    )


def test_each_stack_of_an_access_entry_is_of_one_cluster() -> None:
    """A second cluster's stack of the same name would delete the first one's access entry."""
    deployed = [
        (block, command)
        for block, command in named("aws")
        if "infra/access-entry.yaml" in str(command)
    ]
    assert deployed
    for _, command in deployed:
        stack = str(command.option("--stack-name"))
        assert f"ClusterName={stack.removeprefix('ecr-public-pusher-access-')}" in str(command)


def test_each_change_of_a_parameter_may_be_repeated() -> None:
    assert (
        idle(
            [
                pair
                for pair in named("aws")
                if pair[1].words[1].text == "put-parameter" and "--overwrite" not in str(pair[1])
            ]
        )
        == []
    )


def test_each_stack_may_be_deployed_again() -> None:
    assert (
        idle(
            [
                pair
                for pair in named("aws")
                if pair[1].words[1].text == "deploy"
                and "--no-fail-on-empty-changeset" not in str(pair[1])
            ]
        )
        == []
    )


def test_each_event_that_is_sent_is_one() -> None:
    events = [command.option("--payload", "--event") for _, command in named("aws") + named("sam")]
    sent = [json.loads(event) for event in events if event]
    assert sent
    assert all(parse_event(event, root=CONFIG_PATH) for event in sent)


def test_each_invocation_is_sent_once() -> None:
    """The AWS CLI and the SAM CLI send the event again when no answer comes.

    The AWS CLI stops reading after a minute.
    """
    invocations = [
        pair
        for pair in named("aws") + named("sam")
        if re.search(r"lambda invoke|remote invoke", str(pair[1]))
    ]
    assert invocations
    assert (
        idle([pair for pair in invocations if not str(pair[1]).startswith("AWS_MAX_ATTEMPTS=1 ")])
        == []
    )


def test_each_document_that_is_written_is_one() -> None:
    for _, command in named("aws"):
        name = command.option("--name")
        value = command.option("--value")
        if command.words[1].text == "put-parameter" and name and value:
            built = loader.load(
                [loader.Parameter(name, value)], root=CONFIG_PATH, region="us-east-1"
            )
            assert (dict(built.invalid), built.unknown) == ({}, ())


def test_each_make_target_is_one() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    given = {
        word.text for _, command in named("make") for word in command.words if "=" not in word.text
    }
    assert given - targets == set()


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_each_file_that_a_command_names_is_there(block: Block) -> None:
    words = [word.text for command in parse(block.text) for word in command.words if word.known]
    assert [
        word
        for word in words
        if word.startswith(("infra/", "docs/", "tests/")) and not (ROOT / word).exists()
    ] == []


def asks(command: Command) -> bool:
    return bool(ASKING.match(str(command))) and not SILENT.search(str(command))


@pytest.mark.parametrize(
    "block", [block for block in SHELL if block.document.name != "command-line.md"], ids=str
)
def test_a_command_that_asks_is_the_last_of_its_block(block: Block) -> None:
    """The next line of a block that is pasted would be its answer."""
    first = next(
        (number for number, command in enumerate(parse(block.text)) if asks(command)), None
    )
    assert first is None or first == len(parse(block.text)) - 1


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_no_block_holds_a_comment(block: Block) -> None:
    """zsh, at its prompt, takes a comment for words of the command."""
    assert re.findall(r"(?m)(?:^|\s)#\s.*$", block.text) == []
