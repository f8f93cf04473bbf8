"""Every command that the command line prints to run next is run as it is printed."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws import Answer
from infra.local.aws.deployed_stack import FunctionAnswer
from tests.support.commands import Command, in_backticks, parse, problems
from tests.support.commands.our_cli import PROGRAM, judge
from tests.support.operator import Administrator, Operator, Ran
from tests.support.world import ROOT

CLI = Path(__file__).resolve().parents[3] / "infra" / "cli"
# A printed command ends its line.
PRINTED = re.compile(
    rf"(?:^|[\s:(])((?:{PROGRAM} [a-z]+\b"
    r"|kubectl --|KUBECONFIG=|aws [a-z]|sam build).*)$",
    re.MULTILINE,
)
GIVEN = ("--stack", "pusher", "--region", "us-east-1")
PLACEHOLDERS = {"ID": "new", "NAME": "team-a"}
# `schema` needs no deployment; what is repeated as it was given has its options elsewhere.
OF_NO_DEPLOYMENT = ("schema",)
DOCUMENT = "namespaces: [team-a]"
DISCOVERY = "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [team-a]"


@dataclass
class Situation:
    """An administrator who names stack, region and profile, and all that was printed."""

    person: Administrator
    monkeypatch: pytest.MonkeyPatch
    printed: list[str] = field(default_factory=list)
    # What a remedy says to do before its command, by the command's first words.
    first: dict[str, Callable[[], None]] = field(default_factory=dict)

    def run(self, *words: str) -> Ran:
        """Run a command as a person types it; keep what it printed."""
        line = [*words, *GIVEN, "--profile", "admin"]
        self.monkeypatch.setattr(sys, "argv", [PROGRAM, *line])
        ran = Operator.run(self.person, *line)
        self.printed += [ran.stdout, ran.stderr]
        return ran

    def cluster(self, name: str = "prod", *, document: str | None = DOCUMENT, **more: Any) -> None:
        self.person.world.add_cluster(
            name, namespaces=("team-a", "team-b"), document=document, **more
        )

    def refuse(self, service: str, action: str, code: str, *, times: int = 1) -> None:
        self.person.world.aws.script(
            service, action, lambda request: Answer.refusal(request, code, "no"), times=times
        )

    def answer(self, answer: FunctionAnswer) -> None:
        self.person.stack.function = lambda event: answer

    def delete(self, name: str) -> None:
        """Delete a document, and have the function work off the event."""
        self.person.world.aws.delete_parameter(f"{ROOT}/{name}")
        detail = {"name": f"{ROOT}/{name}", "operation": "Delete"}
        change = {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
        assert self.person.stack.function is not None
        self.person.stack.function({**change, "raise": False})

    def commands(self) -> list[str]:
        """Return what was printed to run next, each once."""
        found = [one for text in self.printed for one in PRINTED.findall(text)]
        return list(dict.fromkeys(one for one in found if not in_backticks(one)))


@pytest.fixture
def situation(person: Administrator, monkeypatch: pytest.MonkeyPatch) -> Situation:
    person.editor("true")
    return Situation(person, monkeypatch)


SITUATIONS: list[tuple[Callable[[Situation], None], set[str]]] = []


def prints(*heads: str) -> Callable[[Callable[[Situation], None]], Callable[[Situation], None]]:
    """Register a situation with the commands that are printed in it, by their first words."""

    def register(provoke: Callable[[Situation], None]) -> Callable[[Situation], None]:
        SITUATIONS.append((provoke, set(heads)))
        return provoke

    return register


@prints("clusters add")
def no_configuration(now: Situation) -> None:
    for words in (("status",), ("push",), ("clusters", "list"), ("clusters", "show", "nowhere")):
        now.run(*words)


@prints("apply", "clusters add")
def a_removal_without_rights(now: Situation) -> None:
    now.cluster()
    now.run("push")
    now.run("remove", "prod", "--yes")
    now.run("clusters", "delete", "prod", "--yes")


@prints("apply", "kubectl apply")
def a_removal_without_rights_in_a_discovered_cluster(now: Situation) -> None:
    now.cluster("one", document=None, tags={"team": "a"})
    now.person.world.discovery("platform", DISCOVERY)
    now.run("push")
    now.run("remove", "platform/*", "--yes")
    now.run("clusters", "delete", "discover/platform", "--yes")


@prints("apply", "remove", "check")
def a_disabled_document(now: Situation) -> None:
    now.cluster()
    now.run("push")
    now.run("clusters", "disable", "prod")
    now.run("push")
    now.run("status")
    now.run("apply", str(now.person.folder(prod=f"{DOCUMENT}\n")), "--yes", "--no-wait")


@prints("remove")
def a_document_that_leaves_secrets_behind(now: Situation) -> None:
    now.cluster()
    for change in ("secretName: other", "cluster: other", "enabled: false"):
        now.run("diff", str(now.person.folder(prod=f"{DOCUMENT}\n{change}\n")))


@prints("apply", "clusters delete", "clusters forget")
def deleted_documents(now: Situation) -> None:
    now.cluster("prod")
    now.cluster("one", document=None, tags={"team": "a"})
    now.person.world.discovery("platform", DISCOVERY)
    now.run("push")
    now.run("clusters", "forget", "prod")
    now.cluster("other")
    now.cluster("third")
    now.run("clusters", "delete", "third", "--keep-secrets", "--yes")
    now.delete("clusters/prod")
    now.delete("discover/platform")
    now.run("status")

    def put_back() -> None:
        now.person.world.document("prod", f"{DOCUMENT}\nenabled: false\n")
        now.person.world.discovery("platform", DISCOVERY)

    def take_away() -> None:
        for name in ("clusters/prod", "discover/platform"):
            now.person.world.aws.delete_parameter(f"{ROOT}/{name}")

    now.first = {"clusters delete": put_back, "clusters forget": take_away}


@prints("queue list", "queue redrive", "queue purge", "logs")
def dead_letters(now: Situation) -> None:
    now.cluster()
    now.person.stack.dead_letters.put({"action": "push"})
    now.run("push")
    now.run("status")
    now.run("queue", "list")
    now.run("queue", "redrive")
    now.person.stack.dead_letters.put({"action": "push"})


@prints("clusters list")
def logs_of_an_unknown_cluster(now: Situation) -> None:
    now.run("logs", "team-*")


@prints("logs")
def nothing_logged(now: Situation) -> None:
    now.cluster("team-a")
    now.run("logs", "team-*")
    assert now.commands()
    assert "Look further" not in now.run("logs", "--since", "7d").stderr


@prints("clusters list")
def a_log_of_what_is_not_there(now: Situation) -> None:
    now.run("logs", "nowhere")


@prints("logs")
def many_problems(now: Situation) -> None:
    problem = {"outcome": "missing", "message": "there is none", "remedy": ""}
    names = [f"namespace-{number}" for number in range(30)]
    problems_of_all = [{"namespace": name, **problem, "message": name} for name in names]
    entry = {"id": "prod", "ok": False, "error": None, "counts": {}, "problems": problems_of_all}
    now.cluster()
    now.person.log_report({"action": "push", "ok": False, "clusters": [entry], "tokens": []})
    now.run("status")


@prints("status", "logs")
def answers_of_the_function(now: Situation) -> None:
    now.answer(FunctionAnswer({"action": "push", "ok": True, "dispatched": 3, "clusters": []}))
    now.run("push")
    for kind in ("ValueError", "Runtime.ImportModuleError", "Runtime.ExitError"):
        now.answer(FunctionAnswer(error={"errorType": kind, "errorMessage": "no"}))
        now.run("push")


@prints("logs", "sam deploy", "aws sso", "aws sts")
def refusals_of_aws(now: Situation) -> None:
    for code in ("ServiceException", "ResourceNotFoundException", "ExpiredTokenException"):
        now.refuse("lambda", "Invoke", code)
        now.run("push")
    now.refuse("logs", "FilterLogEvents", "ResourceNotFoundException")
    now.run("logs")
    now.refuse("sts", "GetCallerIdentity", "InvalidClientTokenId")
    now.printed.append(now.run("push", "--stack", "nowhere").stderr.replace("nowhere", "pusher"))
    del now.printed[-3:-1]  # the name of a stack that is not there
    (now.person.home / "aws-config").write_text("[profile admin]\ncredential_process = false\n")
    now.run("push")


@prints("schema", "clusters edit")
def invalid_documents(now: Situation) -> None:
    now.person.world.document("flow", "{namespaces: [a], enabled: !!bool true}")
    now.person.world.document("bad", "namespaces: [")
    now.run("validate", str(now.person.folder(bad="namespaces: [a]\nprunes: true\n")))
    for document in ("flow", "bad"):
        now.run("clusters", "enable", document)
    now.person.world.document("prod", DOCUMENT)
    now.run("clusters", "add", "prod", "-n", "other", "--yes")


@prints(
    *("clusters add", "check"),
    *("aws eks", "kubectl apply", "kubectl auth", "kubectl get", "kubectl config"),
)
def onboarding(now: Situation) -> None:
    now.cluster(document=None, rbac=None)
    add = ("clusters", "add", "prod", "-n", "team-a", "--admit", "--yes")
    now.run(*add)  # there is no kubeconfig
    file = now.person.home / "kubeconfig"
    file.write_text("[")
    now.run(*add)
    now.person.kubeconfig("prod")
    config = json.loads(file.read_text())
    config["users"][0]["user"] = {"token": "wrong"}
    file.write_text(json.dumps(config))
    now.run(*add, "--kubeconfig", str(file))
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    file.write_text(json.dumps(config))
    now.run(*add, "--context", "prod", "--trust-context")
    ran = now.run(
        "clusters", "add", "prod", "-n", "team-a", "--rbac", "none", "--yes", "-o", "json"
    )
    now.printed[-2:] = [step["remedy"] for step in ran.json["steps"]]


@prints("clusters import", "aws eks", "aws secretsmanager", "kubectl apply", "kubectl config")
def an_import(now: Situation) -> None:
    now.cluster("one", document=None, rbac=None)
    now.cluster("two", document=None, rbac=None)
    now.person.kubeconfig("two")
    now.run("clusters", "import", "-n", "team-a", "--stored", "two", "--yes")
    now.run("clusters", "import", "-n", "team-a", "--in-region", "us-east-1", "--yes")


@prints("apply")
def an_import_to_a_folder(now: Situation) -> None:
    now.cluster("one", document=None)
    now.person.kubeconfig("one")
    folder = str(now.person.home / "config")
    command = ("clusters", "import", "-n", "team-a", "--in-region", "us-east-1")
    now.run(*command, "--output-dir", folder, "--yes")


@prints("clusters enable")
def a_disabled_document_to_make_ready(now: Situation) -> None:
    now.cluster(document=f"{DOCUMENT}\nenabled: false\n")
    now.run("clusters", "add", "prod", "--rbac", "none", "--yes")


@prints("aws ssm")
def a_document_that_somebody_else_writes_at_the_same_moment(now: Situation) -> None:
    now.cluster()
    ours = now.person.world.aws

    def twice(request: Any) -> None:
        ours.put_parameter(f"{ROOT}/clusters/prod", "namespaces: [theirs]")

    ours.script("ssm", "PutParameter", twice)
    now.run("clusters", "disable", "prod")
    now.printed[-1] = now.printed[-1].replace("For a longer pause:", "")


@prints("clusters delete", "clusters edit")
def a_document_that_cannot_have_the_other_id(now: Situation) -> None:
    now.cluster()
    now.cluster("other")
    now.run("clusters", "rename", "prod", "other")
    now.person.world.aws.put_parameter(f"{ROOT}/clusters/wrong", "namespace: a")
    now.run("clusters", "rename", "wrong", "right")


@prints("diff")
def files_that_differ_from_what_is_stored(now: Situation) -> None:
    now.cluster()
    now.run("clusters", "export", str(now.person.folder(prod="namespaces: [other]\n")))


@prints("discover edit")
def a_discovery_that_says_something_else(now: Situation) -> None:
    now.person.world.discovery("platform", DISCOVERY)
    now.run("discover", "add", "platform", "--in-region", "eu-west-1", "--tag", "team=b", "--yes")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl here")
def test_rbac_that_is_printed_takes_over_what_kubectl_apply_wrote(
    situation: Situation, tmp_path: Path
) -> None:
    situation.cluster(document=f"{DOCUMENT}\nsecretName: mine\n", rbac=None)
    situation.run("clusters", "add", "prod", "--yes")
    (printed,) = [one for one in situation.commands() if "--print-rbac" in one]
    situation.person.kubeconfig("prod")
    program = tmp_path / PROGRAM
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m infra.cli "$@"\n')
    program.chmod(0o755)
    environ = situation.person.process_environ()
    environ |= {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    for line in (
        "kubectl --context prod apply -k infra/rbac",
        printed.replace("CONTEXT", "prod"),
        printed.replace("CONTEXT", "prod"),
    ):
        ran = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env=environ,
            cwd=CLI.parents[1],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
    situation.run("push")
    assert situation.person.world.secret("prod", "team-a", "mine") is not None


def head(command: Command) -> str:
    """Return the first words of a command: its program, if not ours, and its subcommand."""
    words = [word.text for word in command.words]
    if command.program == "kubectl":
        words = words[words.index("--context") + 2 :] if "--context" in words else words
        words = [word for word in words if not word.startswith("-") and "/" not in word]
        return f"kubectl {words[0]}"
    if command.program != PROGRAM:
        return f"{command.program} {words[0]}"
    return " ".join(words[:2]) if words[0] in ("clusters", "discover", "queue") else words[0]


def run_as_printed(situation: Situation, command: Command) -> str:
    """Run one of our commands; return what is wrong with it, "" where nothing is."""
    if first := situation.first.get(head(command)):
        first()
    words = [PLACEHOLDERS.get(word.text, word.text) for word in command.words]
    words = [word for word in words if word != "--follow"]  # it would not end
    ran = Operator.run(situation.person, *words)
    fine = ran.exit_code != 2 or "there is no terminal" in ran.stderr
    return "" if fine else f"{command}: {ran.stderr}"


@pytest.mark.parametrize(
    ("provoke", "heads"), SITUATIONS, ids=[provoke.__name__ for provoke, _ in SITUATIONS]
)
def test_each_command_that_is_printed_works_as_it_is_printed(
    situation: Situation, provoke: Callable[[Situation], None], heads: set[str]
) -> None:
    provoke(situation)
    printed = situation.commands()
    assert [one for text in printed for one in problems(text, more={PROGRAM: judge})] == []
    found = [command for text in printed for command in parse(text)]
    assert {head(command) for command in found} - {"sam build"} == heads
    ours = [command for command in found if command.program == PROGRAM]
    for command in ours:
        if command.words[0].text not in OF_NO_DEPLOYMENT:
            options = [command.option("--stack"), command.option("--region")]
            assert options == ["pusher", "us-east-1"], str(command)
    for command in found:
        if command.program in (PROGRAM, "aws", "sam") and str(command) != "sam build":
            assert (
                command.option("--profile") == "admin" or command.words[0].text in OF_NO_DEPLOYMENT
            ), str(command)
    wrong = [run_as_printed(situation, command) for command in ours]
    assert [problem for problem in wrong if problem] == []


def heads_in_the_sources() -> Iterator[str]:
    """Yield the first words of each command of ours in the sources."""
    for path in sorted(CLI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or path.name == "follow_up.py":
                continue
            made = ast.unparse(node.func)
            words = [str(one.value) for one in node.args if isinstance(one, ast.Constant)]
            if words and (made == "local" or made.endswith("follow_up.command")):
                two = words[0] in ("clusters", "discover", "queue")
                yield " ".join(words[:2]) if two else words[0]


def test_every_command_of_the_sources_has_its_situation() -> None:
    in_sources = set(heads_in_the_sources())
    assert len(in_sources) > 10
    assert in_sources - set().union(*(heads for _, heads in SITUATIONS)) == set()
