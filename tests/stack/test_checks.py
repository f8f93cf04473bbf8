"""The hooks of a commit run what `make check` runs."""

import re
import tomllib
from typing import Any

import yaml

from tests.stack.template import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def hooks() -> list[dict[str, Any]]:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"  # only what the lock names is fetched
    found: list[dict[str, Any]] = local["hooks"]
    return found


def checks() -> list[str]:
    found = re.search(r"^check: ([a-z ]+) ##", MAKEFILE, re.MULTILINE)
    assert found
    return found[1].split()


def test_a_commits_hooks_are_the_checks_of_make() -> None:
    assert [hook["id"] for hook in hooks()] == checks()
    for hook in hooks():
        assert hook["entry"] == f"make --no-print-directory {hook['id']}"
        assert hook["pass_filenames"] is False


def test_each_check_runs_something_in_an_environment_of_its_own() -> None:
    for name in checks():
        assert re.search(rf"^{name}: \.venv/\.done.*\n\t\S", MAKEFILE, re.MULTILINE), name


def test_coverage_is_of_branches_of_the_function_and_the_command_line_and_has_a_floor() -> None:
    coverage = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
    assert coverage["run"]["branch"] is True
    assert coverage["run"]["source_pkgs"] == ["ecr_public_pusher", "infra.cli"]
    assert coverage["report"]["fail_under"] > 0
