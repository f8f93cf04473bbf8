"""Commands in the comments and descriptions of templates, RBAC and examples.

Each is valid for its tool, and for a named region or cluster.
"""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.template import ROOT, source
from tests.support.commands import Word, in_backticks, judge, parse
from tests.support.commands.aws_cli import lacks_region
from tests.support.commands.kubectl_cli import names_context
from tests.support.commands.prose import PROGRAMS

FILES = sorted(
    file
    for pattern in (
        "template.yaml",
        "samconfig.toml",
        "infra/*.yaml",
        "infra/rbac/*.yaml",
        "infra/examples/**/*.yaml",
        "infra/terraform/**/*.tf",
    )
    for file in ROOT.glob(pattern)
)
# A command of several lines in a comment, further in than the comment's own text.
IN_COMMENT = re.compile(
    rf"^ *#   ((?:{'|'.join(PROGRAMS)}) (?:[^\n]*\\\n *# *)*[^\n]*)$", re.MULTILINE
)
PARSE = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
json.dump(CfnParameterOverridesType().convert(json.load(sys.stdin), None, None), sys.stdout)
"""


def commands() -> Iterator[tuple[str, str]]:
    for file in FILES:
        text = file.read_text()
        own = [re.sub(r"\\\n *# *", "", found) for found in IN_COMMENT.findall(text)]
        unfolded = re.sub(r"\n *(?:# )?", " ", text)
        for command in own + in_backticks(unfolded):
            yield file.name, command


@pytest.mark.parametrize(("file", "command"), commands())
def test_every_command_is_one_that_its_tool_takes(file: str, command: str) -> None:
    found = parse(command)
    assert found
    for one in found:
        assert judge(one) == []
        assert one.program != "aws" or not lacks_region(one)
        assert one.program != "kubectl" or names_context(one)
        assert "put-parameter" not in str(one) or "--overwrite" in str(one)


def test_commands_are_found_in_comments_and_descriptions() -> None:
    assert {"minimal.yaml", "namespaced.yaml", "access-entry.yaml"} <= {
        file for file, _ in commands()
    }


def overrides(*texts: str) -> dict[str, str]:
    """Return the parameter overrides as the SAM CLI reads them."""
    sam = Path(os.environ.get("SAM") or ROOT / ".venv-sam" / "bin" / "sam")
    asked = subprocess.run(
        [sam.with_name("python"), "-c", PARSE],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def test_the_quotes_in_the_refusal_of_a_schedule_keep_its_blanks() -> None:
    parameters = source()["Parameters"]
    shown = [
        word.text
        for name in ("Schedule", "SweepSchedule")
        for word in _quoted(parameters[name]["ConstraintDescription"])
    ]
    assert [overrides(text) for text in shown] == [
        {"Schedule": "rate(8 hours)"},
        {"SweepSchedule": "rate(5 minutes)"},
    ]


def _quoted(text: str) -> Iterator[Word]:
    return (word for found in re.findall(r"'[^']*'", text) for word in parse(f"x {found}")[0].words)


def test_the_overrides_in_samconfig_are_what_they_say() -> None:
    line = next(
        line
        for line in (ROOT / "samconfig.toml").read_text().splitlines()
        if line.startswith("# parameter_overrides")
    )
    assert overrides(*tomllib.loads(line.removeprefix("# "))["parameter_overrides"]) == {
        "AlarmEmail": "platform@example.com",
        "Schedule": "rate(4 hours)",
        "AlarmAfterHours": "5",
        "SweepSchedule": "none",
    }
