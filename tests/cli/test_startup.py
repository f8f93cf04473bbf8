"""Startup: a shell's completion, `--version` and `--help` import nothing slow."""

import os
import resource
import subprocess
import sys

import pytest

SLOW = {"pydantic", "pydantic_core", "boto3", "botocore", "kubernetes", "yaml"}
# Runs the command line, and prints to stderr which modules it imported.
PROGRAM = """\
import sys
from infra.cli.__main__ import main
try:
    main()
finally:
    print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)
"""
COMPLETE = "_ECR_PUBLIC_PUSHER_COMPLETE"


def imported(*arguments: str, **environ: str) -> tuple[str, set[str]]:
    """Return what a command printed, and the packages that it imported."""
    path = os.pathsep.join(str(entry) for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout, set(done.stderr.split())


def test_the_version_is_printed_without_anything_slow() -> None:
    assert not imported("--version")[1] & {*SLOW, "rich"}


@pytest.mark.parametrize(
    "line", ["", "status", "clusters", "clusters add", "clusters import", "apply", "queue purge"]
)
def test_help_imports_nothing_slow_but_what_prints_it(line: str) -> None:
    said, packages = imported(*line.split(), "--help")
    assert "Usage: " in said
    assert not packages & SLOW


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ecr-public-pusher sta", "status"),
        ("ecr-public-pusher clusters ed", "edit"),
        ("ecr-public-pusher clusters import --from", "--from-profile"),
        ("ecr-public-pusher push --na", "--namespace"),
        ("ecr-public-pusher -s a clusters add --rbac name", "namespaced"),
        ("ecr-public-pusher -o js", "json"),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_names_of_commands_and_options_are_completed_without_anything_slow(
    shell: str, line: str, expected: str
) -> None:
    said, packages = imported(**asked(shell, line))
    assert expected in said
    assert not packages & {*SLOW, "rich"}


def asked(shell: str, line: str) -> dict[str, str]:
    """Return the environment with which a shell asks for the completion of a line's last word."""
    return {
        COMPLETE: f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }


@pytest.mark.alone
def test_a_completion_takes_little_time_beside_pythons_own_start() -> None:
    """CPU time, the least of a few: 0.12 s where Python itself takes 0.02 s."""
    python, completion = (
        min(cpu_seconds(*command, **asked("bash", "ecr-public-pusher sta")) for _ in range(7))
        for command in (("-c", "pass"), ("-m", "infra.cli"))
    )
    assert completion < 0.05 + 8 * python


def cpu_seconds(*arguments: str, **environ: str) -> float:
    path = os.pathsep.join(str(entry) for entry in sys.path if entry)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **environ},
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
