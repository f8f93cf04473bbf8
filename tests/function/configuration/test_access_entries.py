"""Commands that admit a role by an access entry have one form everywhere."""

from ecr_public_pusher.configuration.access_entries import AccessEntryCommands
from tests.support.commands import judge, parse

COMMANDS = AccessEntryCommands("eu-west-1", "prod", "arn:aws:iam::111122223333:role/pusher")
ENTRY = (
    "--region eu-west-1 --cluster-name prod --principal-arn arn:aws:iam::111122223333:role/pusher"
)


def test_an_entry_is_created_with_our_group() -> None:
    assert COMMANDS.create == (
        f"aws eks create-access-entry {ENTRY} --type STANDARD"
        " --kubernetes-groups ecr-public-pushers"
    )


def test_our_group_is_added_behind_those_that_are_there_however_they_are_written() -> None:
    assert COMMANDS.add_group(["viewers", "a b"]) == (
        f"aws eks update-access-entry {ENTRY} --kubernetes-groups viewers 'a b' ecr-public-pushers"
    )


def test_a_cluster_without_access_entries_gets_them_first() -> None:
    mode, wait, create = COMMANDS.allow_and_create.split(" && ")
    assert mode.endswith("--name prod --access-config authenticationMode=API_AND_CONFIG_MAP")
    assert wait == "aws eks wait cluster-active --region eu-west-1 --name prod"
    assert create == COMMANDS.create


def test_each_is_a_command_of_the_aws_cli() -> None:
    for text in (COMMANDS.create, COMMANDS.add_group(["viewers"]), COMMANDS.allow_and_create):
        commands = parse(text)
        assert commands
        assert [problem for command in commands for problem in judge(command)] == []
