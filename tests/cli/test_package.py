"""The command line as installed: a wheel that is complete, and not part of the function."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ecr_public_pusher.version import VERSION

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Modules of Python itself, or of this project.
OWN = {"ecr_public_pusher", "ecr_public_pusher_cli", "infra"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (made,) = folder.glob("*.whl")
    return made


def pins(file: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / file).read_text(), re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in found}


def test_its_pins_are_those_that_the_tests_run_with() -> None:
    tested = pins("requirements-dev.txt")
    assert pins("requirements.txt").items() <= tested.items()
    wanted = dict(pin.lower().replace("_", "-").split("==") for pin in PROJECT["dependencies"])
    assert wanted == {name: tested[name] for name in wanted}


def test_nothing_that_they_need_is_left_unpinned() -> None:
    pinned = {pin.split("==")[0].lower().replace("_", "-") for pin in PROJECT["dependencies"]}
    for name in pinned:
        needed = {Requirement(text) for text in importlib.metadata.requires(name) or ()}
        names = {
            one.name.lower().replace("_", "-")
            for one in needed
            if one.marker is None or one.marker.evaluate({"extra": ""})
        }
        assert names <= pinned, name


def test_it_is_named_by_the_release_and_holds_command_model_and_rbac(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name == f"ecr_public_pusher-{VERSION}-py3-none-any.whl"
    assert {
        "ecr_public_pusher_cli/app.py",
        "ecr_public_pusher/configuration/schema.py",
        "ecr_public_pusher_cli/rbac/cluster.yaml",
    } <= names
    assert not [
        name for name in names if "infra" in name or "tests" in name or "__pycache__" in name
    ]


def test_it_runs_from_only_the_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "from ecr_public_pusher_cli.__main__ import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("--version").stdout == f"ecr-public-pusher {VERSION}\n"
    assert "status" in run("--help").stdout
    assert run("push").returncode == 2  # no region


def test_every_module_that_it_imports_is_among_its_dependencies() -> None:
    imported: set[str] = set()
    for module in (ROOT / "infra" / "cli").rglob("*.py"):
        imported |= set(re.findall(r"^\s*(?:from|import) (\w+)", module.read_text(), re.MULTILINE))
    packages = {"yaml": "pyyaml"}
    foreign = {packages.get(name, name) for name in imported - OWN - set(sys.stdlib_module_names)}
    assert foreign <= {pin.split("==")[0].lower() for pin in PROJECT["dependencies"]}


def test_nothing_of_it_is_in_what_is_deployed() -> None:
    """`sam build` takes the folder lambda_src and requirements.txt."""
    assert not {"typer", "rich", "shellingham"} & set(pins("requirements.txt"))
    assert {path.name for path in (ROOT / "lambda_src").iterdir()} == {"ecr_public_pusher"}
