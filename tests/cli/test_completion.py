"""The shell's completion, called as a shell calls it."""

import json
import os
import stat
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.app import app
from tests.cli.test_startup import SLOW, asked, imported
from tests.support.operator import Operator


def completed(operator: Operator, line: str, **environ: str) -> list[str]:
    """Return what is printed for a line, completed in this process."""
    cache = {"XDG_CACHE_HOME": os.devnull}  # no test finds what another one completed
    done = CliRunner().invoke(
        app,
        prog_name="ecr-public-pusher",
        env={**operator.environ, **cache, **asked("fish", line), **environ},
    )
    assert (done.exit_code, done.stderr) == (0, ""), done.exception
    return done.stdout.split()


def test_ids_come_from_parameter_store(operator: Operator) -> None:
    for name in ("prod", "prod-eu", "edge"):
        operator.world.document(name, "namespaces: [a]")
    line = "ecr-public-pusher push pro"
    process = operator.start(**asked("fish", line))
    assert process.communicate(timeout=60) == ("prod\nprod-eu\n", "")
    assert completed(operator, line) == ["prod", "prod-eu"]


def test_a_discoverys_id_is_the_glob_of_what_it_finds(operator: Operator) -> None:
    operator.world.discovery("fleet", "regions: [eu-west-1]\ntags: {a: b}")
    assert completed(operator, "ecr-public-pusher status ") == ["fleet/*"]


def test_without_aws_there_is_nothing_and_no_complaint(operator: Operator) -> None:
    operator.world.document("prod", "namespaces: [a]")
    assert (
        completed(operator, "ecr-public-pusher status ", AWS_ENDPOINT_URL="http://127.0.0.1:9")
        == []
    )


def test_commands_are_completed(operator: Operator) -> None:
    assert "status" in " ".join(completed(operator, "ecr-public-pusher sta"))


def test_documents_are_completed_by_their_names_and_the_stack_before_the_group_counts(
    operator: Operator,
) -> None:
    operator.world.document("prod", "namespaces: [a]")
    operator.world.discovery("fleet", "regions: [eu-west-1]\ntags: {a: b}")
    assert completed(operator, "ecr-public-pusher clusters edit ") == ["discover/fleet", "prod"]
    assert completed(operator, "ecr-public-pusher clusters edit dis") == ["discover/fleet"]
    assert completed(operator, "ecr-public-pusher --stack another clusters edit ") == []


def test_each_command_is_offered_the_documents_that_it_takes(operator: Operator) -> None:
    operator.world.defaults("prune: false")
    operator.world.document("prod", "namespaces: [a]")
    operator.world.discovery("fleet", "regions: [eu-west-1]\ntags: {a: b}")
    every = ["defaults", "discover/fleet", "prod"]
    assert completed(operator, "ecr-public-pusher clusters show ") == every
    assert completed(operator, "ecr-public-pusher clusters edit d") == every[:2]
    assert completed(operator, "ecr-public-pusher clusters delete ") == every
    assert completed(operator, "ecr-public-pusher clusters rename ") == every[1:]
    assert completed(operator, "ecr-public-pusher discover edit ") == ["fleet"]
    assert completed(operator, "ecr-public-pusher clusters disable ") == ["prod"]


def test_stacks_are_those_of_the_region_that_are_deployments(operator: Operator) -> None:
    assert completed(operator, "ecr-public-pusher --stack ") == [operator.stack.name]
    assert completed(operator, "ecr-public-pusher status -s no-such") == []


def test_profiles_come_from_both_files(operator: Operator, tmp_path: Path) -> None:
    config = tmp_path / "config"
    credentials = tmp_path / "credentials"
    config.write_text(
        "[default]\nregion = a\n[profile dev]\ncolor = 10%\n"
        "[sso-session corp]\n[profile 'a\x1bb']\n"
    )
    credentials.write_text("[ci]\naws_access_key_id = a\n")
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    assert completed(operator, "ecr-public-pusher --profile ", **files) == ["ci", "default", "dev"]
    assert completed(operator, "ecr-public-pusher push --profile d", **files) == ["default", "dev"]
    line = "ecr-public-pusher clusters add prod --cluster-profile c"
    assert completed(operator, line, **files) == ["ci"]
    config.write_text("no configuration")
    assert completed(operator, "ecr-public-pusher --profile ", **files) == ["ci"]


def test_contexts_come_from_all_kubeconfigs_or_from_the_one_that_is_given(
    operator: Operator, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("one", "two", "missing", "broken")]
    files[0].write_text("contexts: [{name: here, context: {}}]")
    files[1].write_text(json.dumps({"contexts": [{"name": "arn:aws:eks:a:b:cluster/c"}]}))
    files[3].write_text("contexts: {a: [b}")
    kubeconfig = {"KUBECONFIG": os.pathsep.join(map(str, files))}
    line = "ecr-public-pusher clusters add prod --context "
    assert completed(operator, line, **kubeconfig) == ["arn:aws:eks:a:b:cluster/c", "here"]
    line = f"ecr-public-pusher clusters add prod --kubeconfig {files[0]} --context "
    assert completed(operator, line, **kubeconfig) == ["here"]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def calls(operator: Operator) -> int:
    return len(operator.world.aws.called("ssm", "GetParametersByPath"))


def test_ids_are_kept_for_a_minute(operator: Operator, cache: Path) -> None:
    line = "ecr-public-pusher push "
    kept = {"XDG_CACHE_HOME": str(cache)}
    operator.world.document("prod", "namespaces: [a]")
    assert completed(operator, line, **kept) == ["prod"]
    operator.world.document("edge", "namespaces: [a]")
    before = calls(operator)
    assert completed(operator, line, **kept) == ["prod"]
    assert calls(operator) == before
    for file in cache.rglob("*"):
        os.utime(file, times=(time.time() - 61, time.time() - 61))
    assert completed(operator, line, **kept) == ["edge", "prod"]


def test_kept_ids_are_completed_without_anything_slow(operator: Operator, cache: Path) -> None:
    operator.world.document("prod", "namespaces: [a]")
    environ = operator.process_environ(XDG_CACHE_HOME=str(cache))
    completed(operator, "ecr-public-pusher push ", XDG_CACHE_HOME=str(cache))
    for line in ("ecr-public-pusher push p", "ecr-public-pusher clusters show pr"):
        said, packages = imported(**{**environ, **asked("zsh", line)})
        assert '"prod"' in said
        assert not packages & {*SLOW, "rich"}


def test_the_first_completion_of_ids_needs_no_pydantic(operator: Operator) -> None:
    operator.world.document("prod", "namespaces: [a]")
    line = asked("bash", "ecr-public-pusher push p")
    said, packages = imported(**{**operator.process_environ(), **line})
    assert said == "prod\n"
    assert not packages & {"pydantic", "kubernetes", "rich"}


def test_the_cache_contains_only_names_and_only_its_owner_reads_it(
    operator: Operator, cache: Path
) -> None:
    operator.world.document("prod", "namespaces: [a]")
    completed(operator, "ecr-public-pusher push ", XDG_CACHE_HOME=str(cache))
    (folder,) = cache.iterdir()
    (file,) = folder.iterdir()
    assert file.read_text() == "clusters/prod\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("other", [("--stack", "other"), ("--region", "eu-west-1")])
def test_another_deployments_ids_are_not_those_that_were_kept(
    operator: Operator, cache: Path, other: tuple[str, str]
) -> None:
    operator.world.document("prod", "namespaces: [a]")
    assert completed(operator, "ecr-public-pusher push ", XDG_CACHE_HOME=str(cache)) == ["prod"]
    line = f"ecr-public-pusher push {' '.join(other)} "
    assert completed(operator, line, XDG_CACHE_HOME=str(cache)) == []


def test_what_could_not_be_asked_for_is_not_kept(operator: Operator, cache: Path) -> None:
    kept = {"XDG_CACHE_HOME": str(cache)}
    line = "ecr-public-pusher push --stack later "
    assert completed(operator, line, **kept) == []
    assert not list(cache.rglob("*"))


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"prod", b"\n", b"a\n\nb\n"])
def test_a_broken_cache_is_no_error(operator: Operator, cache: Path, text: bytes) -> None:
    kept = {"XDG_CACHE_HOME": str(cache)}
    operator.world.document("prod", "namespaces: [a]")
    completed(operator, "ecr-public-pusher push ", **kept)
    (file,) = (file for file in cache.rglob("*") if file.is_file())
    file.write_bytes(text)
    assert completed(operator, "ecr-public-pusher push ", **kept) == ["prod"]


def test_without_a_home_nothing_is_kept_and_ids_are_completed(operator: Operator) -> None:
    operator.world.document("prod", "namespaces: [a]")
    line = "ecr-public-pusher push "
    assert completed(operator, line, XDG_CACHE_HOME="", HOME="") == ["prod"]
