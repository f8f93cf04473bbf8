"""`make run`, as a person runs it; and its parts, where they must notice what goes wrong."""

import contextlib
import dataclasses
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local import show
from infra.local.aws import sam
from infra.local.aws.template import FunctionSpec, read_function
from infra.local.demo import CLUSTERS, EDGE, PROD, DemoStack
from infra.local.identity import Credential
from infra.local.runtime import BuiltFunction, RuntimeFailed, function_environment

ROOT = Path(__file__).resolve().parents[2]
MINUTES = 300

HANDLER = """
import importlib.util, os, sys, time

def handler(event, context):
    print("token-free line")
    if "raise" in event: raise ValueError(event["raise"])
    if "sleep" in event: time.sleep(event["sleep"])
    if "exit" in event: os._exit(event["exit"])
    if "find" in event: return importlib.util.find_spec(event["find"]) is not None
    return {"left": context.get_remaining_time_in_millis(),
            "name": context.function_name, "memory": context.memory_limit_in_mb,
            "request": context.aws_request_id, "environment": dict(os.environ), "pid": os.getpid()}
"""


def emulator() -> Path:
    """The emulator of the SAM CLI that `make` installs; its absence skips, since a machine without
    it can still run the other tests.
    """
    try:
        return sam.emulator(sam.sam_command(ROOT, os.environ))
    except sam.SamError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def function(tmp_path: Path) -> Iterator[BuiltFunction]:
    (tmp_path / "app.py").write_text(HANDLER)
    spec = FunctionSpec(
        tmp_path,
        "app.handler",
        {"OURS": "1"},
        timeout=2,
        memory=512,
        logging={},
        scheduled_event={},
    )
    with BuiltFunction(
        spec,
        emulator(),
        credential=CREDENTIAL,
        region="eu-west-1",
        aws_endpoint_url="http://127.0.0.1:9",
    ) as running:
        yield running


CREDENTIAL = Credential("ASIAX", "secret", "session", "arn:aws:sts::111122223333:assumed-role/r/s")


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- the whole, as a person runs it


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    emulator()
    command = [sys.executable, "-m", "infra.local", "run", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=MINUTES,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def demonstration() -> "subprocess.CompletedProcess[str]":
    """One run, whatever AWS settings the person has."""
    return run(
        AWS_PROFILE="nobodys",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_REGION="ap-south-1",
        MOTO_ACCOUNT_ID="999999999999",
    )


def test_the_demonstration_goes_as_expected(
    demonstration: "subprocess.CompletedProcess[str]",
) -> None:
    assert demonstration.returncode == 0, demonstration.stderr
    assert "All as expected" in demonstration.stdout


def test_it_shows_each_namespace_twice_with_its_outcome(
    demonstration: "subprocess.CompletedProcess[str]",
) -> None:
    for demo in CLUSTERS:
        for namespace in demo.namespaces:
            shown = re.findall(rf"^  {namespace.name} +(\S+)", demonstration.stdout, re.MULTILINE)
            assert shown == [
                namespace.expected or "-",
                namespace.expected_again or "-",
            ], namespace.name


def test_it_shows_that_tokens_change_and_secrets_stay(
    demonstration: "subprocess.CompletedProcess[str]",
) -> None:
    rotated = re.findall(
        r"^  (\S+) +updated .* (\w{8}) → (\w{8})  \w{8} \(same\)",
        demonstration.stdout,
        re.MULTILINE,
    )
    assert {name for name, _, _ in rotated} == {
        one.name for demo in CLUSTERS for one in demo.namespaces if one.expected == "created"
    }
    assert len({(old, new) for _, old, new in rotated}) == 1


def test_it_ends_with_the_report(demonstration: "subprocess.CompletedProcess[str]") -> None:
    report, _ = json.JSONDecoder().raw_decode(
        demonstration.stdout[demonstration.stdout.index("\n{\n") :].lstrip()
    )
    assert report["action"] == "push"
    assert [
        problem["outcome"] for cluster in report["clusters"] for problem in cluster["problems"]
    ] == ["conflict"]


def test_progress_goes_to_stderr_and_nothing_is_coloured_off_a_terminal(
    demonstration: "subprocess.CompletedProcess[str]",
) -> None:
    assert demonstration.stderr.count("· ") >= 4
    assert "· " not in demonstration.stdout
    assert "\033" not in demonstration.stdout + demonstration.stderr


def test_no_token_is_shown(demonstration: "subprocess.CompletedProcess[str]") -> None:
    # "QVdTO" begins the base64 of "AWS:".
    assert "QVdTO" not in demonstration.stdout + demonstration.stderr
    assert "k8s-aws-v1" not in demonstration.stdout + demonstration.stderr


def test_the_second_scenario_goes_as_expected() -> None:
    done = run("--scenario", "life")
    assert done.returncode == 0, done.stderr
    healed, left = "1 created, 1 updated, 1 current", "2 updated, 2 left"
    for said in (
        "check",
        healed,
        left,
        "pruned",
        "adopted from kubectl-create",
        "removed",
        "All as expected.",
    ):
        assert said in done.stdout
    assert "QVdTO" not in done.stdout + done.stderr


def test_the_third_scenario_goes_as_expected() -> None:
    done = run("--scenario", "reach")
    assert done.returncode == 0, done.stderr
    for said in (
        "AuthenticationConfiguration",
        "iamAuthenticator",
        "webIdentity",
        "kubeconfig",
        "fleet/eu-west-1/blue",
        "All as expected.",
    ):
        assert said in done.stdout
    assert not re.search(r"QVdTO|k8s-aws-v1|eyJ|PRIVATE KEY", done.stdout + done.stderr)


def test_documents_of_ones_own_are_pushed_and_shown(tmp_path: Path) -> None:
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "prod.yaml").write_text("namespaces: [payments, team-*]")
    done = run("--config", str(tmp_path))
    assert done.returncode == 0, done.stderr
    for namespace in ("payments", "team-example", "team-sample"):
        assert re.search(
            rf"^prod +{namespace} +ecr-public-token +public.ecr.aws", done.stdout, re.MULTILINE
        )
    (tmp_path / "clusters" / "bad.yaml").write_text("namespcaes: [a]")
    done = run("--config", str(tmp_path))
    assert done.returncode == 1
    assert "did you mean namespaces?" in done.stdout


def test_a_report_is_a_table_unless_json_is_asked_for() -> None:
    done = run("--event", "check")
    assert re.search(r"^edge +ok ", done.stdout, re.MULTILINE)
    assert "{" not in done.stdout


def test_an_event_of_ones_own_is_sent_once_and_reported(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"action": "plan", "clusters": ["edge"]}')
    done = run("--event", str(event), "-o", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (
        report["action"],
        report["dryRun"],
        [cluster["id"] for cluster in report["clusters"]],
    ) == ("plan", True, ["edge"])


def test_an_event_nobody_understands_fails_with_a_reason() -> None:
    done = run("--event", '{"action": "dance"}')
    assert done.returncode == 1
    assert "PushFailed" in done.stderr
    assert "dance" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--event", "@/no/such/file"],
        ["--event", "{"],
        ["--frobnicate"],
        ["--config", "/no/such/folder"],
    ],
)
def test_wrong_arguments_are_explained_before_anything_starts(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "error:" in done.stderr
    assert "sam build" not in done.stderr
    assert done.stderr.startswith("usage: make run")


def interrupted(process: "subprocess.Popen[str]", line: str, number: signal.Signals) -> str:
    """What is said on stderr until the end, when the signal comes as soon as `line` is said."""
    assert process.stderr is not None
    said = ""
    while line not in said and (text := process.stderr.readline()):
        said += text
    process.send_signal(number)
    process.send_signal(number)  # impatience changes nothing
    _, rest = process.communicate(timeout=30)
    return said + rest


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("building the function", signal.SIGINT),
        ("starting AWS", signal.SIGINT),
        ("starting the function", signal.SIGTERM),
        ("invoking it", signal.SIGINT),
    ],
)
def test_an_early_interrupt_is_quiet_and_leaves_nothing(
    tmp_path: Path, line: str, number: signal.Signals
) -> None:
    emulator()
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local", "run"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = interrupted(process, line, number)
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "interrupted; everything is stopped"
    assert "Traceback" not in said
    assert not any(str(tmp_path) in command for command in commands())


def commands() -> list[str]:
    """The command lines of all processes that run."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_an_interrupted_build_leaves_no_process(tmp_path: Path) -> None:
    program, started = tmp_path / "sam", tmp_path / "started"
    program.write_text(
        f"#!/bin/sh\nsleep 300 &\necho $! > {started}.new; mv {started}.new {started}; wait\n"
    )
    program.chmod(0o755)
    (tmp_path / "template.yaml").write_text("Parameters: {}")
    for name in ("requirements.txt", "samconfig.toml"):
        (tmp_path / name).touch()
    code = (
        "from pathlib import Path; from infra.local.aws.sam import build;"
        f" build(Path({str(tmp_path)!r}), Path({str(program)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    while not started.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    deadline = time.monotonic() + 5
    while alive(int(started.read_text())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(int(started.read_text()))


def test_a_build_without_the_network_says_so(tmp_path: Path) -> None:
    program = tmp_path / "sam"
    program.write_text(
        "#!/bin/sh\necho 'NewConnectionError: Failed to establish a new connection' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    (tmp_path / "template.yaml").write_text("Parameters: {}")
    for name in ("requirements.txt", "samconfig.toml"):
        (tmp_path / name).touch()
    with pytest.raises(sam.SamError, match="pip does not reach its index"):
        sam.build(tmp_path, program)


def test_a_missing_sam_is_explained() -> None:
    done = run(SAM=str(ROOT / "no-such-sam"))
    assert done.returncode == 1
    assert "no SAM CLI at" in done.stderr
    assert "Traceback" not in done.stderr


@dataclasses.dataclass
class Kept:
    """A run that is kept up, and what it printed until it waited."""

    process: "subprocess.Popen[str]"
    said: str

    @property
    def files(self) -> list[Path]:
        """The kubeconfig, and the file to source."""
        return [
            Path(re.findall(pattern, self.said)[0])
            for pattern in (r"KUBECONFIG=(/\S+)", r"  \. (/\S+)")
        ]

    @property
    def url(self) -> str:
        return str(re.findall(r"http://\S+/invocations", self.said)[0])


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Its temporary files are in `tmp_path`, where it can be seen what is left of them."""
    emulator()
    command = [sys.executable, "-m", "infra.local", "run", "--keep", "--event", '{"raise": false}']
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while "AWS_ENDPOINT_URL=" not in said and (line := process.stdout.readline()):
            said += line
        yield Kept(process, said)
    finally:
        process.kill()
        process.communicate()


def test_what_is_kept_up_can_be_used(kept: Kept) -> None:
    kubeconfig, settings = kept.files
    contexts = {context["name"] for context in yaml.safe_load(kubeconfig.read_text())["contexts"]}
    assert {name for name in contexts if not name.startswith("arn:")} == {"prod", "edge"}
    assert f"export KUBECONFIG={kubeconfig}\n" in settings.read_text()
    with urllib.request.urlopen(kept.url, data=b'{"action": "plan"}', timeout=60) as answer:
        assert json.load(answer)["action"] == "plan"
    assert [stat.S_IMODE(file.stat().st_mode) for file in kept.files] == [0o600, 0o600]


def test_the_contexts_that_the_functions_remedies_name_are_there(kept: Kept) -> None:
    contexts = {
        context["name"] for context in yaml.safe_load(kept.files[0].read_text())["contexts"]
    }
    with urllib.request.urlopen(
        kept.url, data=b'{"action": "check", "raise": false}', timeout=60
    ) as answer:
        found = [
            one
            for cluster in json.load(answer)["clusters"]
            for one in cluster["findings"]
            if one["check"] == "configuration"
        ]
    named = {name for one in found for name in re.findall(r"arn:aws:eks:\S+", one["message"])}
    assert len(named) == 2
    assert named <= contexts


def test_each_command_that_it_suggests_works_as_printed(kept: Kept) -> None:
    commands = re.findall(
        r"^  ((?:ecr-public-pusher|kubectl|aws|curl) .*)$", kept.said, re.MULTILINE
    )
    assert {command.split()[0] for command in commands} == {
        "ecr-public-pusher",
        "kubectl",
        "aws",
        "curl",
    }
    own = {"AWS_PROFILE": "nobodys", "AWS_REGION": "ap-south-1"}
    for command in commands:
        if (
            command.startswith("aws")
            and subprocess.run(["aws", "--version"], capture_output=True, check=False).returncode
        ):
            continue
        script = f". {kept.files[1]} && {command}"
        done = subprocess.run(
            ["sh", "-c", script],
            env=os.environ | own,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        # The demonstration holds a conflict, which the command line's exit code says.
        fine = (0, 1) if command.startswith("ecr-public-pusher") else (0,)
        assert done.returncode in fine, f"{command}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_kept_up_ends_without_a_trace(
    kept: Kept, number: signal.Signals, tmp_path: Path
) -> None:
    kept.process.send_signal(number)
    _, errors = kept.process.communicate(timeout=30)
    assert kept.process.returncode == 0, errors
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())
    assert refuses(kept.url)


def test_no_process_outlives_a_run_that_is_killed(kept: Kept) -> None:
    kept.process.kill()
    kept.process.wait()
    deadline = time.monotonic() + 5
    while not refuses(kept.url) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert refuses(kept.url)


def refuses(url: str) -> bool:
    """Whether nothing listens there any more."""
    try:
        with socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])), 1):
            return False
    except ConnectionRefusedError:
        return True


# --- the function under the emulator


def test_the_function_gets_the_deadline_and_its_context(function: BuiltFunction) -> None:
    answer = function.invoke({})
    assert answer.error is None
    assert 1000 < answer.payload["left"] <= 2000
    assert (answer.payload["name"], answer.payload["memory"]) == ("ecr-public-pusher", "512")
    assert "token-free line" in answer.logs
    assert any(answer.payload["request"] in line for line in answer.logs)


def test_the_function_stays_warm(function: BuiltFunction) -> None:
    first, second = function.invoke({}), function.invoke({})
    assert first.payload["pid"] == second.payload["pid"]
    assert first.payload["request"] != second.payload["request"]
    assert len(second.logs) < len(function.logs)


def test_the_function_sees_nothing_of_this_machine(
    function: BuiltFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = function.invoke({}).payload["environment"]
    assert (
        environment["AWS_REGION"],
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SESSION_TOKEN"],
    ) == ("eu-west-1", "ASIAX", "session")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert environment["OURS"] == "1"
    assert environment["HOME"] != os.environ.get("HOME")
    assert not {name for name in environment if name.lower().endswith("_proxy")}
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    spec = FunctionSpec(Path(), "", {}, 1, 128, {}, {})
    assert "AWS_PROFILE" not in function_environment(
        spec, CREDENTIAL, region="r", aws_endpoint_url="u", home=Path()
    )


@pytest.mark.parametrize("module", ["moto", "pytest", "boto3", "infra"])
def test_the_function_has_only_what_was_packed(function: BuiltFunction, module: str) -> None:
    assert function.invoke({"find": module}).payload is False


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        ({"raise": "on purpose"}, "ValueError", "on purpose"),
        ({"sleep": 5}, "Sandbox.Failure", "timed out after 2.00 seconds"),
        ({"exit": 3}, "Runtime.ExitError", "exit status 3"),
    ],
)
def test_a_function_that_fails_is_distinguished_from_one_that_returns(
    function: BuiltFunction, event: Any, error: str, message: str
) -> None:
    failed = function.invoke(event)
    assert failed.payload is None
    assert failed.error is not None
    assert failed.error["errorType"] == error
    assert message in failed.error["errorMessage"]
    assert function.invoke({}).error is None


def test_closing_leaves_no_process_and_frees_the_port(function: BuiltFunction) -> None:
    pid, port = function.invoke({}).payload["pid"], int(function.url.split(":")[2].split("/")[0])
    function.close()
    assert not alive(pid)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    with pytest.raises(RuntimeFailed):
        function.invoke({})


def test_the_function_does_not_outlive_a_killed_emulator(function: BuiltFunction) -> None:
    pid = function.invoke({}).payload["pid"]
    os.kill(os.getsid(pid), signal.SIGKILL)
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)


def test_an_emulator_without_its_run_bit_runs_all_the_same(tmp_path: Path) -> None:
    plain = tmp_path / "rie"
    plain.write_bytes(emulator().read_bytes())
    plain.chmod(0o644)
    (tmp_path / "app.py").write_text(HANDLER)
    spec = FunctionSpec(
        tmp_path, "app.handler", {}, timeout=2, memory=128, logging={}, scheduled_event={}
    )
    if os.access(plain, os.X_OK):
        pytest.skip("this file system lets everything run")
    with BuiltFunction(
        spec,
        plain,
        credential=CREDENTIAL,
        region="us-east-1",
        aws_endpoint_url="http://127.0.0.1:9",
    ) as running:
        assert running.invoke({}).error is None
    assert stat.S_IMODE(plain.stat().st_mode) == 0o644


def test_an_emulator_that_does_not_start_is_explained(tmp_path: Path) -> None:
    spec = FunctionSpec(
        tmp_path, "app.handler", {}, timeout=2, memory=128, logging={}, scheduled_event={}
    )
    with pytest.raises(RuntimeFailed, match="did not start"):
        BuiltFunction(
            spec,
            Path("/bin/false"),
            credential=CREDENTIAL,
            region="us-east-1",
            aws_endpoint_url="http://127.0.0.1:9",
        )


# --- the template


def test_the_template_says_how_the_function_is_run() -> None:
    spec = read_function(
        ROOT / "template.yaml",
        stack_name="mine",
        region="us-east-1",
        account_id="111122223333",
        parameters={"Timeout": "60"},
    )
    assert spec.handler == "ecr_public_pusher.handler.handler"
    assert spec.folder == ROOT / "lambda_src"
    assert spec.environment["STACK_NAME"] == "mine"
    assert spec.environment["CONFIG_PATH"] == "/ecr-public-pusher"
    assert spec.timeout == 60
    assert spec.scheduled_event in ({}, {"action": "push"})


# --- what is shown


@pytest.fixture(scope="module")
def untouched() -> Iterator[dict[str, dict[str, show.SeenSecret]]]:
    with DemoStack(ROOT) as stack:
        yield {demo.name: show.see(stack.clusters[demo.name], demo) for demo in CLUSTERS}


def test_the_stack_holds_a_dozen_namespaces_and_one_foreign_secret(
    untouched: dict[str, dict[str, show.SeenSecret]],
) -> None:
    assert sum(len(demo.namespaces) for demo in CLUSTERS) == 12
    assert {name: list(found) for name, found in untouched.items()} == {
        "prod": ["legacy"],
        "edge": [],
    }
    assert untouched["prod"]["legacy"].managers == ("kubectl-create",)


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = show.SeenSecret("uid-1", "aaaa", ("ecr-public-pusher",), NOW, NOW, NOW)


def edge_rows(
    before: dict[str, show.SeenSecret], after: dict[str, show.SeenSecret]
) -> list[show.Row]:
    return show.rows(EDGE, before, after, None)


def test_a_secret_that_is_new_changed_or_taken_over_is_distinguished() -> None:
    changed = dataclasses.replace(SECRET, token="bbbb")
    foreign = dataclasses.replace(SECRET, pushed_at=None)
    found = edge_rows(
        {"store-paris": SECRET, "ingest": foreign},
        {"store-berlin": SECRET, "store-paris": changed, "ingest": changed},
    )
    assert [row.outcome for row in found] == ["created", "updated", None, "adopted", None]


def test_a_namespace_that_came_out_otherwise_is_a_surprise() -> None:
    wrong = show.surprises(
        edge_rows({}, {"batch": SECRET}), {"counts": {"created": 3}}, again=False
    )
    assert "edge/batch: created, expected untouched" in wrong
    assert "edge/ingest: untouched, expected created" in wrong
    assert any("the report counts" in line for line in wrong)


def test_a_cluster_missing_from_the_report_is_a_surprise() -> None:
    assert "edge: not in the report" in show.surprises(edge_rows({}, {}), None, again=False)


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ({}, "the token did not change"),
        ({"uid": "uid-2", "token": "bbbb"}, "replaced by another"),
        ({"token": "bbbb"}, None),
        (None, "came or went"),
    ],
)
def test_a_rotation_that_did_not_happen_is_noticed(
    later: dict[str, str] | None, said: str | None
) -> None:
    after = (
        {}
        if later is None
        else {
            "ingest": dataclasses.replace(
                SECRET, uid=later.get("uid", "uid-1"), token=later.get("token", "aaaa")
            )
        }
    )
    wrong = show.rotation(edge_rows({}, {"ingest": SECRET}), edge_rows({"ingest": SECRET}, after))
    assert [line for line in wrong if said is None or said not in line] == []
    assert bool(wrong) == (said is not None)


def test_a_change_to_somebody_elses_secret_is_noticed() -> None:
    changed = dataclasses.replace(SECRET, token="bbbb")
    first, second = (show.rows(PROD, {}, {"legacy": one}, None) for one in (SECRET, changed))
    assert show.rotation(first, second) == ["prod/legacy: somebody else's Secret was changed"]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_whose_owner_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert show.Paint(Terminal())("good", "x") == "\033[32mx\033[0m"
    assert show.Paint(StringIO())("good", "x") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert show.Paint(Terminal())("good", "x") == "x"
