"""uv.lock and what is exported from it for pip agree, and name public files by their hashes.

Read as they are: no uv and no network.
"""

import re
import shutil
import signal
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.tools import lock
from tests.stack.template import ROOT

PROJECT = tomllib.loads((ROOT / lock.PROJECT).read_text())
LOCK_TEXT = (ROOT / lock.LOCK).read_text()
LOCK = tomllib.loads(LOCK_TEXT)
GROUPS = PROJECT["dependency-groups"]
type Pins = dict[str, tuple[str, frozenset[str]]]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def pins(group: str) -> Pins:
    """Return versions and hashes by name from a requirements file; nothing else may be in it."""
    text = re.sub(r"^#.*\n", "", (ROOT / lock.EXPORTS[group]).read_text(), flags=re.MULTILINE)
    found: Pins = {}
    for line in text.replace("\\\n", " ").splitlines():
        requirement = re.fullmatch(
            r"([a-z0-9-]+)==([\w.]+)((?: +--hash=sha256:[0-9a-f]{64})+)", line
        )
        assert requirement, line
        name, version, hashes = requirement.groups()
        assert name not in found
        found[name] = version, frozenset(re.findall(r"sha256:\w+", hashes))
    return found


@cache
def packages() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the packages of uv.lock by name and version, without the project itself."""
    found = [package for package in LOCK["package"] if "version" in package]
    return {(package["name"], package["version"]): package for package in found}


def files(package: dict[str, Any]) -> list[dict[str, Any]]:
    sdist = [package["sdist"]] if "sdist" in package else []
    return sdist + list(package.get("wheels", []))


def project() -> dict[str, Any]:
    (found,) = (package for package in LOCK["package"] if package["name"] == "ecr-public-pusher")
    assert isinstance(found, dict)
    return found


def requirements(group: str) -> set[tuple[str, str]]:
    """Return name and version of what pyproject.toml lists for a group, included groups too."""
    found: set[tuple[str, str]] = set()
    for entry in GROUPS[group]:
        if isinstance(entry, dict):
            found |= requirements(entry["include-group"])
        else:
            name, version = re.sub(r"\[.*\]", "", entry).split("==")
            found.add((normal(name), version))
    return found


def locked(requires: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(one["name"], one["specifier"].removeprefix("==")) for one in requires}


def test_the_lock_is_of_the_projects_dependencies() -> None:
    metadata = project()["metadata"]
    direct = [pin.split("==") for pin in PROJECT["project"]["dependencies"]]
    assert locked(metadata["requires-dist"]) == {
        (normal(name), version) for name, version in direct
    }
    assert {group: locked(requires) for group, requires in metadata["requires-dev"].items()} == {
        group: requirements(group) for group in GROUPS
    }


def test_every_dependency_by_hand_is_pinned() -> None:
    by_hand = [entry for entries in GROUPS.values() for entry in entries if isinstance(entry, str)]
    assert [
        entry for entry in by_hand if not re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", entry)
    ] == []


def test_each_group_is_exported_once_and_nothing_else_is_read_by_pip() -> None:
    assert {*lock.EXPORTS, lock.COMMAND_LINE} == set(GROUPS)
    patterns = ("requirements*.txt", "infra/**/requirements*.txt", "tests/**/requirements*.txt")
    there = {path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)}
    assert there == set(lock.EXPORTS.values())


@pytest.mark.parametrize("group", lock.EXPORTS)
def test_what_pip_reads_is_what_the_lock_says(group: str) -> None:
    for name, (version, hashes) in pins(group).items():
        assert hashes == {file["hash"] for file in files(packages()[name, version])}, name


@pytest.mark.parametrize("group", lock.EXPORTS)
def test_a_group_is_what_it_lists_and_all_that_those_need(group: str) -> None:
    versions = {name: version for name, (version, _) in pins(group).items()}
    assert requirements(group) <= versions.items()
    reached: set[str] = set()
    wanted = {name for name, _ in requirements(group)}
    while wanted:
        name = wanted.pop()
        reached.add(name)
        package = packages()[name, versions[name]]
        extras = package.get("optional-dependencies", {}).values()
        always = {one["name"] for one in package.get("dependencies", ()) if "marker" not in one}
        assert always <= versions.keys(), name
        needed = [*package.get("dependencies", ()), *(one for extra in extras for one in extra)]
        wanted |= {one["name"] for one in needed} & versions.keys() - reached
    assert reached == versions.keys()


def test_the_command_line_pins_its_whole_group() -> None:
    """`dependencies` are the group `cli` with all that it needs, in the releases of the tests."""
    versions = dict(pin.split("==") for pin in PROJECT["project"]["dependencies"])
    assert requirements(lock.COMMAND_LINE) <= versions.items()
    for name, version in versions.items():
        needed = packages()[name, version].get("dependencies", ())
        assert {one["name"] for one in needed if "marker" not in one} <= versions.keys(), name


def test_files_come_only_from_the_public_index() -> None:
    assert {package["source"]["registry"] for package in packages().values()} == {
        "https://pypi.org/simple"
    }
    assert set(re.findall(r"\w+://[^/\"]*", LOCK_TEXT)) == {
        "https://pypi.org",
        "https://files.pythonhosted.org",
    }


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
def test_all_that_is_deployed_has_wheels_for_lambdas_processors(machine: str) -> None:
    fits = re.compile(
        rf"-(py3|py2\.py3|cp313)-(none|abi3|cp313)-(any|.*manylinux.*_{machine})\.whl$"
    )
    without = [
        name
        for name, (version, _) in pins("function").items()
        if not any(fits.search(file["url"]) for file in packages()[name, version]["wheels"])
    ]
    assert without == []


# --- make lock


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return the files that `make lock` reads, with an environment whose uv is a script."""
    for path in (lock.PROJECT, lock.LOCK, *lock.EXPORTS.values(), Path("infra/tools/lock.py")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def make_lock(checkout: Path, uv: str) -> "subprocess.CompletedProcess[str]":
    program = checkout / "bin" / "uv"
    program.write_text(f"#!/bin/sh\n{uv}\n")
    program.chmod(0o755)
    python = checkout / "bin" / "python"
    script = checkout / "infra" / "tools" / "lock.py"
    command = [str(python), str(script), "--upgrade"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, str]:
    paths = (lock.PROJECT, lock.LOCK, *lock.EXPORTS.values())
    return {str(path): (folder / path).read_text() for path in paths}


def test_the_command_lines_pins_and_every_file_are_written_from_the_lock(checkout: Path) -> None:
    marker = LOCK["supported-markers"][0]
    done = make_lock(checkout, f'[ "$2" = lock ] || echo "one==1 ; {marker}"')
    assert (done.returncode, done.stderr) == (0, "")
    written = contents(checkout)
    project = tomllib.loads(written[str(lock.PROJECT)])
    assert project.pop("project") == PROJECT["project"] | {"dependencies": ["one==1"]}
    assert project == {name: table for name, table in PROJECT.items() if name != "project"}
    for group, path in lock.EXPORTS.items():
        assert written[str(path)] == f"{lock.HEADER.format(group=group)}one==1\n"


def test_old_pins_hold_nothing_back(checkout: Path) -> None:
    done = make_lock(
        checkout, 'echo "$@"; sed -n "/^dependencies/,/^]/p" pyproject.toml >&2; exit 1'
    )
    assert done.returncode == 1
    assert "uv lock --upgrade (1)" in done.stderr
    assert "dependencies = [\n]" in done.stderr


@pytest.mark.parametrize(
    ("uv", "said"),
    [
        ("echo contradiction >&2; exit 2", "contradiction"),
        ("echo \"one==1 ; sys_platform == 'win32'\"", "not for all environments"),
    ],
)
def test_what_cannot_be_resolved_changes_nothing(checkout: Path, uv: str, said: str) -> None:
    done = make_lock(checkout, uv)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(checkout) == contents(ROOT)


def test_without_uv_nothing_changes_and_the_command_is_named(checkout: Path) -> None:
    command = [str(checkout / "bin" / "python"), str(checkout / "infra" / "tools" / "lock.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "run this as `make lock`" in done.stderr) == (1, True)
    assert contents(checkout) == contents(ROOT)


def test_an_interrupted_lock_changes_nothing(checkout: Path) -> None:
    done = make_lock(checkout, "kill -INT $PPID; sleep 5")
    assert done.returncode == -signal.SIGINT
    assert contents(checkout) == contents(ROOT)
