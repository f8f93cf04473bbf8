"""`make run`, as a person runs it."""

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
from pathlib import Path

import pytest
import yaml

from infra.local.aws import sam
from infra.local.scenarios.push.stack import CLUSTERS
from tests.support.emulator import alive, emulator

ROOT = Path(__file__).resolve().parents[2]
MINUTES = 300


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
    """Run once, with AWS settings of the person's own that must not matter."""
    return run(
        AWS_PROFILE="nobodys",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_REGION="ap-south-1",
        MOTO_ACCOUNT_ID="999999999999",
    )


def test_the_demonstration_is_as_expected(
    demonstration: "subprocess.CompletedProcess[str]",
) -> None:
    assert demonstration.returncode == 0, demonstration.stderr
    assert "All as expected" in demonstration.stdout


def test_it_shows_each_namespace_twice_with_its_outcome(
    demonstration: "subprocess.CompletedProcess[str]",
) -> None:
    for expected in CLUSTERS:
        for namespace in expected.namespaces:
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
        one.name
        for expected in CLUSTERS
        for one in expected.namespaces
        if one.expected == "created"
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


def test_progress_is_printed_to_stderr_and_nothing_is_coloured_off_a_terminal(
    demonstration: "subprocess.CompletedProcess[str]",
) -> None:
    assert demonstration.stderr.count("· ") >= 4
    assert "· " not in demonstration.stdout
    assert "\033" not in demonstration.stdout + demonstration.stderr


def test_no_token_is_shown(demonstration: "subprocess.CompletedProcess[str]") -> None:
    # "QVdTO" begins the base64 of "AWS:".
    assert "QVdTO" not in demonstration.stdout + demonstration.stderr
    assert "k8s-aws-v1" not in demonstration.stdout + demonstration.stderr


def test_the_second_scenario_is_as_expected() -> None:
    done = run("--scenario", "life")
    assert done.returncode == 0, done.stderr
    healed = "1 created, 1 updated, 1 current"
    left = "2 updated, 2 left"
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


def test_the_third_scenario_is_as_expected() -> None:
    done = run("--scenario", "reach")
    assert done.returncode == 0, done.stderr
    for said in (
        "AuthenticationConfiguration",
        "iamAuthenticator",
        "webIdentity",
        "google",
        "workload-identity-pools providers create-oidc",
        "kubeconfig",
        "fleet/eu-west-1/blue",
        "All as expected.",
    ):
        assert said in done.stdout
    assert not re.search(r"QVdTO|k8s-aws-v1|eyJ|ya29|PRIVATE KEY", done.stdout + done.stderr)


def test_own_documents_are_pushed_and_shown(tmp_path: Path) -> None:
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


def test_an_own_event_is_sent_once_and_reported(tmp_path: Path) -> None:
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


def test_an_unknown_event_fails_with_a_reason() -> None:
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
    """Send the signal once `line` is on stderr; return all of stderr."""
    assert process.stderr is not None
    said = ""
    while line not in said and (text := process.stderr.readline()):
        said += text
    process.send_signal(number)
    process.send_signal(number)  # a second signal changes nothing
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
    """Return the command lines of all running processes."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_an_interrupted_build_leaves_no_process(tmp_path: Path) -> None:
    program = tmp_path / "sam"
    started = tmp_path / "started"
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


def test_a_build_without_the_network_is_explained(tmp_path: Path) -> None:
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
    """A run that is kept up, and its output until it waited."""

    process: "subprocess.Popen[str]"
    said: str

    @property
    def files(self) -> list[Path]:
        """Return the kubeconfig, and the file to source."""
        return [
            Path(re.findall(pattern, self.said)[0])
            for pattern in (r"KUBECONFIG=(/\S+)", r"  \. (/\S+)")
        ]

    @property
    def url(self) -> str:
        return str(re.findall(r"http://\S+/invocations", self.said)[0])


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Start a run with `--keep` of the test's own, whose temporary files are in `tmp_path`."""
    with keeping(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Start a run with `--keep` for the tests that only use it."""
    with keeping(tmp_path_factory.mktemp("kept")) as found:
        yield found


@contextlib.contextmanager
def keeping(folder: Path) -> Iterator[Kept]:
    """Start a run with `--keep`, whose temporary files are in `folder`."""
    emulator()
    command = [sys.executable, "-m", "infra.local", "run", "--keep", "--event", '{"raise": false}']
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
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


def test_a_kept_stack_can_be_used(shared: Kept) -> None:
    kubeconfig, settings = shared.files
    contexts = {context["name"] for context in yaml.safe_load(kubeconfig.read_text())["contexts"]}
    assert {name for name in contexts if not name.startswith("arn:")} == {"prod", "edge"}
    assert "It does by itself what AWS does: the push every 8 hours" in shared.said
    assert f"export KUBECONFIG={kubeconfig}\n" in settings.read_text()
    with urllib.request.urlopen(shared.url, data=b'{"action": "plan"}', timeout=60) as answer:
        assert json.load(answer)["action"] == "plan"
    assert [stat.S_IMODE(file.stat().st_mode) for file in shared.files] == [0o600, 0o600]


def test_the_contexts_that_the_functions_remedies_name_are_there(shared: Kept) -> None:
    contexts = {
        context["name"] for context in yaml.safe_load(shared.files[0].read_text())["contexts"]
    }
    with urllib.request.urlopen(
        shared.url, data=b'{"action": "check", "raise": false}', timeout=60
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


def test_each_command_that_it_suggests_works_as_printed(shared: Kept) -> None:
    commands = re.findall(
        r"^  ((?:ecr-public-pusher|kubectl|aws|curl) .*)$", shared.said, re.MULTILINE
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
        script = f". {shared.files[1]} && {command}"
        done = subprocess.run(
            ["sh", "-c", script],
            env=os.environ | own,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        # The demonstration has a conflict, so the command line exits with 1.
        fine = (0, 1) if command.startswith("ecr-public-pusher") else (0,)
        assert done.returncode in fine, f"{command}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_kept_stack_ends_without_a_trace(
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
    """Return whether nothing listens at the URL."""
    try:
        with socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])), 1):
            return False
    except ConnectionRefusedError:
        return True
