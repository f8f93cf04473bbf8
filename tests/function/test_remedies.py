"""Every command in a message or remedy of the function is valid for its tool.

It names the region or the cluster it is for.
"""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.cluster_config import Google, Server, WebIdentity
from ecr_public_pusher.configuration.kubectl_commands import kubectl
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.jobs.outcomes import explain
from ecr_public_pusher.jobs.required_permissions import required_permissions
from ecr_public_pusher.reporting.report import report
from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.sign_in.api_server_trust import Claims
from ecr_public_pusher.sign_in.eks_remedies import EksRemedies
from ecr_public_pusher.sign_in.google_remedies import GoogleRemedies
from ecr_public_pusher.sign_in.google_tokens import Cause, NoGoogleToken, Service
from ecr_public_pusher.sign_in.kind import Endpoint
from tests.support.cluster_config import config
from tests.support.commands import Command, in_backticks, judge, parse
from tests.support.commands.aws_cli import lacks_region
from tests.support.commands.kubectl_cli import names_context
from tests.support.commands.prose import PROGRAMS
from tests.support.recorded_answers import refused

SOURCES = Path(__file__).resolve().parents[2] / "lambda_src"
ROLE = "arn:aws:iam::111122223333:role/signs+in"


def commands_of(text: str) -> list[Command]:
    """Return a remedy's commands: the whole of it, or those in backticks."""
    whole = text.startswith(tuple(f"{program} " for program in (*PROGRAMS, "for")))
    return [
        command for part in ([text] if whole else in_backticks(text)) for command in parse(part)
    ]


def problems(command: Command) -> list[str]:
    found = judge(command)
    if command.program == "aws" and lacks_region(command):
        found.append("names no region")
    if command.program == "kubectl" and not names_context(command):
        found.append("names no cluster")
    return [f"{command}: {problem}" for problem in found]


# --- remedies that are filled in


def of_eks() -> Iterator[str]:
    endpoints = (
        Endpoint("https://x", "", public=True),
        Endpoint("https://x", "", public=True, public_cidrs=("203.0.113.0/24",)),
        Endpoint("https://x", "", public=False, security_group="sg-0123"),
        Endpoint("https://x", "", authentication_mode="CONFIG_MAP"),
        Endpoint("https://x", "", "local-id", authentication_mode="CONFIG_MAP"),
    )
    for remedies in (EksRemedies(endpoint, "prod", "eu-west-1") for endpoint in endpoints):
        yield from (
            remedies.name_not_resolved(),
            remedies.not_the_cluster(),
            remedies.granted_by_policy(ROLE),
        )
        yield from (remedies.not_connected(private=private) for private in (True, False))
        yield from (remedies.not_admitted(ROLE, groups) for groups in ((), ("viewers", "{a,b}")))


def of_refusals() -> Iterator[str]:
    refusals = (
        "apply-missing-namespace",
        "pusher-may-not-write-another-secret",
        "apply-type-conflict",
        "apply-on-immutable",
        "apply-over-quota",
        "apply-against-policy",
    )
    yield from (
        explain(refused(name), "team-a", "ecr-public-token", kubectl=kubectl(config())).remedy
        for name in refusals
    )


def of_permissions() -> Iterator[str]:
    for document in (
        config(prune=True, service_accounts=AccountSelection(("*",))),
        config(secret_name="another.one"),
        config(sign_in=WebIdentity(Server("https://x"))),
    ):
        for need in required_permissions(document, needs_list=True):
            yield from (need.remedy(), need.remedy(["a", "b"]))


def of_google() -> Iterator[str]:
    provider = (
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"
    )
    for account in (None, "pusher@my-project.iam.gserviceaccount.com"):
        choice = Google(Server("https://x"), provider, account)
        remedies = GoogleRemedies(Endpoint("https://x", ""), choice, Claims("audience"), ROLE)
        user = choice.user(ROLE)
        yield from (remedies.not_admitted(user, ()), remedies.granted_by_policy(user))
        for service in Service:
            for code in ("", "invalid_target", "SERVICE_DISABLED", "PERMISSION_DENIED"):
                yield remedies.no_token(NoGoogleToken(service, Cause.REFUSED, "x", code))
        document = config(sign_in=choice, prune=True, service_accounts=AccountSelection(("*",)))
        for need in required_permissions(document, ROLE, needs_list=True):
            yield from (need.remedy(), need.remedy(["a", "b"]))


def of_a_deleted_document() -> Iterator[str]:
    yield report(RunResult(Request(deleted="prod"), "id", 1.0))["deleted"]["remedy"]


FILLED_IN = [
    *of_eks(),
    *of_refusals(),
    *of_permissions(),
    *of_google(),
    *of_a_deleted_document(),
]


def test_these_remedies_have_commands() -> None:
    assert len({str(command) for remedy in FILLED_IN for command in commands_of(remedy)}) > 25


@pytest.mark.parametrize("remedy", dict.fromkeys(FILLED_IN))
def test_every_command_of_a_remedy_that_is_filled_in_works_as_it_is_pasted(remedy: str) -> None:
    assert [problem for command in commands_of(remedy) for problem in problems(command)] == []


def test_a_name_that_a_shell_would_expand_is_quoted() -> None:
    remedy = EksRemedies(Endpoint("https://x", ""), "prod", "eu-west-1").not_admitted(
        ROLE, ("{a,b}",)
    )
    assert remedy.endswith("--kubernetes-groups '{a,b}' ecr-public-pushers")


# --- everything in the sources, whether a test fills it in or not


@cache
def texts(file: Path) -> dict[str, list[str]]:
    """Return every string except docstrings, by its line.

    A value that is filled in reads VALUE, or begins a kubectl command.
    """
    nodes = list(ast.walk(ast.parse(file.read_text())))
    inside = {
        part
        for node in nodes
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    left_out = inside | {node.value for node in nodes if isinstance(node, ast.Expr)}
    found: dict[str, list[str]] = {}
    for node in nodes:
        if (
            isinstance(node, (ast.JoinedStr, ast.Constant))
            and node not in left_out
            and (text := _text(node))
        ):
            found.setdefault(f"{file.relative_to(SOURCES)}:{node.lineno}", []).append(text)
    return found


def _text(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        _text(part) if isinstance(part, ast.Constant) else _filler(ast.unparse(part))
        for part in node.values
    )


def _filler(expression: str) -> str:
    return "kubectl --context CONTEXT" if "kubectl" in expression else "VALUE"


PREFIX = "kubectl --context VALUE"
FILES = sorted(SOURCES.rglob("*.py"))
of_each_file = pytest.mark.parametrize(
    "file", FILES, ids=[str(file.relative_to(SOURCES)) for file in FILES]
)


def written(file: Path) -> Iterator[tuple[str, Command]]:
    """Yield the commands, each with its place."""
    for place, found in texts(file).items():
        for text in found:
            if text != PREFIX:
                yield from ((place, command) for command in commands_of(text))


def test_the_sources_are_read() -> None:
    assert len({place for file in FILES for place, _ in written(file)}) > 15


@of_each_file
def test_every_command_in_the_sources_is_one(file: Path) -> None:
    assert [
        (place, problem)
        for place, command in written(file)
        for problem in problems(command)
        if "VALUE" not in str(command) or "no region" not in problem
    ] == []


@of_each_file
def test_commands_in_prose_stand_in_backticks(file: Path) -> None:
    assert [
        (place, word)
        for place, found in texts(file).items()
        for text in found
        for word in (f"{program} {verb}" for program in ("aws", "kubectl") for verb in VERBS)
        if word in prose_of(text)
    ] == []


def prose_of(text: str) -> str:
    """Return the text without what stands in backticks; nothing of one that is a command."""
    return "" if commands_of(text) and not in_backticks(text) else "".join(text.split("`")[::2])


VERBS = (
    "apply",
    "auth",
    "config",
    "create",
    "delete",
    "describe",
    "ec2",
    "eks",
    "get",
    "iam",
    "lambda",
    "patch",
    "sns",
    "sqs",
    "ssm",
    "sts",
    "-n",
)


def test_the_events_of_remedies_are_json() -> None:
    remedy = report(RunResult(Request(deleted="prod"), "id", 1.0))["deleted"]["remedy"]
    assert json.loads(remedy[remedy.index("{") : remedy.index("}") + 1]) == {
        "action": "remove",
        "clusters": ["prod"],
    }
