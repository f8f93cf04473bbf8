"""Commands to run next: by one maker, with the options that were given, quoted for a shell."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cli.follow_up import (
    ADD_A_CLUSTER,
    FollowUp,
    again,
    apply_file,
    kubectl,
    local,
    print_rbac,
    view_kubeconfig,
)
from infra.cli.options import Options
from tests.support.commands import parse, problems
from tests.support.commands.our_cli import PROGRAM, judge

ROOT = Path(__file__).resolve().parents[2]
MAKER = ROOT / "infra" / "cli" / "follow_up.py"
SOURCES = sorted(path for path in (ROOT / "infra" / "cli").rglob("*.py") if path != MAKER)
GIVEN = FollowUp("a stack", "eu-west-1", "me")
# What begins a command to paste: a program with one of its commands.
COMMAND = re.compile(
    r"\becr-public-pusher (?:status|logs|check|plan|push|sweep|remove|validate|diff|apply|schema"
    r"|queue|clusters)\b|\bkubectl (?:--context|apply|auth|config|delete|edit|get|patch)\b"
    r"|\baws (?:configure|eks|iam|lambda|logs|sqs|ssm|sso|sts)\b|\bsam (?:build|deploy)\b"
)


def test_a_command_names_the_deployment_as_it_was_named() -> None:
    assert shlex.split(GIVEN.command("remove", "fleet/*")) == [
        *(PROGRAM, "remove", "fleet/*"),
        *("--stack", "a stack", "--region", "eu-west-1", "--profile", "me"),
    ]
    assert FollowUp().command("status") == "ecr-public-pusher status"


def test_what_the_environment_names_is_left_to_it() -> None:
    assert Options(region="eu-west-1").follow_up == FollowUp(region="eu-west-1")


@pytest.mark.parametrize(
    "text",
    [
        GIVEN.command(*ADD_A_CLUSTER),
        GIVEN.command("logs", "prod"),
        local("schema"),
        GIVEN.aws("sso", "login"),
        GIVEN.aws("eks", "update-kubeconfig", "--name", "a b", region="us-east-1"),
        GIVEN.deploy(region="us-east-1"),
        FollowUp().deploy(region="us-east-1", stack="pusher"),
        kubectl("auth", "whoami", context="a b", kubeconfig=Path("a file")),
        view_kubeconfig("/one/file:/another file"),
        apply_file("infra/rbac/prune.yaml"),
        print_rbac(["clusters", "add", "prod", "-n", "team-*", "--stack", "a stack"]),
        print_rbac(["clusters", "add", "prod", "-f", "-"]),
        print_rbac(["clusters", "import", "-n", "a", "--only", "x*", "--skip=y"], only="gke-1"),
        again(["clusters", "import", "--context", "prod-*", "-n", "a"]),
        GIVEN.store_kubeconfig(
            "/root/edge", region="us-east-1", context="a b", kubeconfig=Path("a file")
        ),
    ],
)
def test_a_command_is_one_that_its_program_takes(text: str) -> None:
    assert problems(text, more={PROGRAM: judge}) == []


def test_a_deployment_is_of_the_stack_that_was_asked_for() -> None:
    build, deploy = parse(GIVEN.deploy(region="us-east-1"))
    assert str(build) == "sam build"
    assert deploy.option("--stack-name") == "a stack"
    assert deploy.option("--profile") == "me"


def test_a_document_from_stdin_is_asked_for_again() -> None:
    for line in (["add", "x", "-f", "-"], ["add", "x", "--file=-"], ["add", "x", "-f-"]):
        assert " --print-rbac < FILE | kubectl" in print_rbac(line)
    assert "FILE" not in print_rbac(["add", "-", "-f", "shop.yaml"])


def test_one_cluster_of_an_import_is_named_instead_of_those_that_were_chosen() -> None:
    line = ["clusters", "import", "--only", "gke-*", "-n", "a", "--skip=b", "--only", "edge"]
    assert print_rbac(line, only="gke-1").startswith(
        "ecr-public-pusher clusters import -n a --only gke-1 --print-rbac | kubectl"
    )


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a source but docstrings, with its line; what is filled in reads VALUE."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (
                part.value if isinstance(part, ast.Constant) else "VALUE" for part in node.values
            )
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield node.lineno, str(node.value)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(MAKER.parent)))
def test_nothing_else_makes_a_command_to_paste(path: Path) -> None:
    assert [f"{line}: {text}" for line, text in _texts(path) if COMMAND.search(text)] == []
