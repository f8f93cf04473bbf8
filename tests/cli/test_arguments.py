"""Commands that need no AWS: help, version, usage errors."""

import pytest
from typer.testing import CliRunner

from ecr_public_pusher.version import VERSION
from infra.cli.app import app

RUNS = ["push", "plan", "check", "sweep", "remove"]


def test_version_is_the_functions() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.strip() == f"ecr-public-pusher {VERSION}"


@pytest.mark.parametrize("name", RUNS)
def test_help_of_each_run_has_examples(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert f"ecr-public-pusher {name}" in result.output.split("Examples")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["remove"],
        ["push", "--prune-all"],
        ["plan", "--remove"],
        ["sweep", "--window", "0"],
        ["pusch"],
        ["-o", "xml", "push"],
    ],
)
def test_wrong_arguments_exit_2_without_asking_aws(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")  # a call to AWS fails without it
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "no-such-profile" not in result.output
