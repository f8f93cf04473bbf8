"""Template parameters in the documents' commands exist, with values that are accepted."""

import re

import pytest

from tests.docs.documents import Block, blocks
from tests.stack.template import refusals, source
from tests.support.commands import Command, parse

GIVEN = [
    (block, command)
    for block in blocks({"sh"})
    for command in parse(block.text)
    if command.program in ("sam", "aws") and command.option("--parameter-overrides")
]


def overrides(command: Command) -> dict[str, str | None]:
    """Return the overrides by name; None for what the reader or a variable supplies.

    Quotes within a word are the SAM CLI's.
    """
    words = list(command.words)
    place = next(
        number for number, word in enumerate(words) if word.text == "--parameter-overrides"
    )
    found: dict[str, str | None] = {}
    for word in words[place + 1 :]:
        if word.text.startswith("--"):
            break
        name, _, value = word.text.partition("=")
        found[name] = None if word.open else value.strip('"')
    return found


def problems(command: Command) -> list[str]:
    template = command.option("--template-file") or "template.yaml"
    declared = source(template)["Parameters"]
    given = overrides(command)
    unknown = [f"{template} has no parameter {name}" for name in given if name not in declared]
    refused = [
        f"{name} may not be {value}"
        for name, value in given.items()
        if name in declared and value is not None and not fits(declared[name], value)
    ]
    known = {name: value for name, value in given.items() if name in declared and value is not None}
    return unknown + refused + refusals(template, **known)


def fits(declared: dict[str, object], value: str) -> bool:
    values = value.split(",") if declared["Type"] == "CommaDelimitedList" else [value]
    allowed = [str(one) for one in declared.get("AllowedValues", [])]  # type: ignore[attr-defined]
    return all(
        re.search(str(declared.get("AllowedPattern", "")), one) and (not allowed or one in allowed)
        for one in values
    )


@pytest.mark.parametrize(("block", "command"), GIVEN, ids=lambda value: str(value)[:60])
def test_each_parameter_that_is_given_is_let_through(block: Block, command: Command) -> None:
    assert problems(command) == [], block


@pytest.mark.parametrize(
    "text",
    [
        "sam deploy --parameter-overrides Scheduel=x",
        "sam deploy --parameter-overrides Timeout=61",
        "sam deploy --parameter-overrides 'Schedule=\"rate(11 hours)\"'",
        (
            "aws cloudformation deploy --template-file infra/access-entry.yaml"
            " --parameter-overrides Cluster=a"
        ),
    ],
)
def test_one_that_is_not_is_found(text: str) -> None:
    (command,) = parse(text)
    assert problems(command) != []
