"""`make package`: the same zip for the same sources, with nothing of the machine in it."""

import hashlib
import importlib.metadata
import itertools
import os
import re
import stat
import zipfile
from pathlib import Path

import pytest

from infra.tools.package import UNPACKED_LIMIT, PackageError, build, main, pack, pip_command
from tests.stack.template import ROOT, source

FILES = {
    "ecr_public_pusher/handler.py": "def handler(event, context): ...\n",
    "ecr_public_pusher/__init__.py": "",
    "boto3/__init__.py": "",
    "boto3/data/bin/kept.json": "{}",
    "boto3-1.dist-info/METADATA": "Name: boto3\n",
}
MACHINES_OWN = {
    "ecr_public_pusher/__pycache__/handler.cpython-313.pyc": "x",
    "boto3/old.pyc": "x",
    "bin/jp.py": "#!/somewhere/python\n",
    "boto3-1.dist-info/RECORD": "x",
    "boto3-1.dist-info/INSTALLER": "pip\n",
    "boto3-1.dist-info/direct_url.json": "{}",
}


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def wheel(folder: Path) -> Path:
    """Write a package with a module and a command as a wheel, which installs without an index."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "def main(): ...\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntiny = tiny:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def project(folder: Path, wheel: Path, sha256: str | None = None) -> Path:
    """Write a project that requires a wheel, by the hash given or its own."""
    lay(
        folder / "lambda_src",
        {
            "ecr_public_pusher/handler.py": "",
            "ecr_public_pusher/__pycache__/x.pyc": "",
            ".cache/x": "",
        },
    )
    sha256 = sha256 or hashlib.sha256(wheel.read_bytes()).hexdigest()
    return lay(folder, {"requirements.txt": f"{wheel} --hash=sha256:{sha256}\n"})


def test_the_same_files_make_the_same_zip_whenever_and_however_they_were_written(
    tmp_path: Path,
) -> None:
    one = lay(tmp_path / "one", FILES)
    other = lay(tmp_path / "other", dict(reversed(FILES.items())))
    for number, file in enumerate(other.rglob("*.py")):
        os.utime(file, (number, number))
        file.chmod(0o700)
    first = pack(one, tmp_path / "first.zip")
    second = pack(other, tmp_path / "second.zip")
    assert first.sha256 == second.sha256
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_changed_file_makes_another_zip(tmp_path: Path) -> None:
    first = pack(lay(tmp_path / "one", FILES), tmp_path / "first.zip")
    second = pack(
        lay(tmp_path / "one", {"ecr_public_pusher/__init__.py": "1"}), tmp_path / "second.zip"
    )
    assert first.sha256 != second.sha256


def test_entries_are_sorted_and_readable_to_lambda(tmp_path: Path) -> None:
    package = pack(lay(tmp_path / "one", FILES), tmp_path / "package.zip")
    with zipfile.ZipFile(package.path) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(FILES)
    assert {stat.filemode(entry.external_attr >> 16) for entry in entries} == {"-rw-r--r--"}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_traces_of_the_machine_are_left_out(tmp_path: Path) -> None:
    package = pack(lay(tmp_path / "one", FILES | MACHINES_OWN), tmp_path / "package.zip")
    assert names(package.path) == sorted(FILES)


def test_its_sizes_are_reported(tmp_path: Path) -> None:
    package = pack(lay(tmp_path / "one", FILES), tmp_path / "package.zip")
    assert (package.size, package.unpacked) == (
        package.path.stat().st_size,
        sum(map(len, FILES.values())),
    )


def test_more_than_lambda_takes_is_refused_and_leaves_the_last_zip(tmp_path: Path) -> None:
    output = pack(lay(tmp_path / "one", FILES), tmp_path / "package.zip").path
    before = output.read_bytes()
    with (tmp_path / "one" / "huge.so").open("wb") as huge:
        huge.truncate(UNPACKED_LIMIT + 1)  # sparse: takes no room
    with pytest.raises(PackageError, match="262,144,000"):
        pack(tmp_path / "one", output)
    assert output.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "package.zip"]


def test_it_is_built_of_the_requirements_and_the_code(tmp_path: Path) -> None:
    root = project(tmp_path / "project", wheel(tmp_path))
    package = build(root, "arm64", tmp_path / "deep" / "package.zip")
    assert names(package.path) == [
        *(
            "ecr_public_pusher/handler.py",
            "tiny-1.0.dist-info/METADATA",
            "tiny-1.0.dist-info/WHEEL",
        ),
        *("tiny-1.0.dist-info/entry_points.txt", "tiny.py"),
    ]
    assert build(root, "arm64", tmp_path / "again.zip").sha256 == package.sha256


def test_a_failure_of_pip_makes_no_zip(tmp_path: Path) -> None:
    missing = tmp_path / "missing-1.0-py3-none-any.whl"
    root = project(tmp_path / "project", missing, sha256="0" * 64)
    with pytest.raises(PackageError, match="pip"):
        build(root, "arm64", tmp_path / "package.zip")
    assert not (tmp_path / "package.zip").exists()


@pytest.mark.parametrize("hash_of_it", [f" --hash=sha256:{'0' * 64}", ""], ids=["other", "none"])
def test_a_file_without_its_hash_makes_no_zip(tmp_path: Path, hash_of_it: str) -> None:
    root = project(tmp_path / "project", wheel(tmp_path))
    (root / "requirements.txt").write_text(
        f"{tmp_path / 'tiny-1.0-py3-none-any.whl'}{hash_of_it}\n"
    )
    with pytest.raises(PackageError, match=r"(?i)hash"):
        build(root, "arm64", tmp_path / "package.zip")
    assert not (tmp_path / "package.zip").exists()


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_wheels_are_lambdas_whatever_this_machine_is(architecture: str, machine: str) -> None:
    command = pip_command(ROOT, architecture, Path("target"))
    platforms = [value for option, value in itertools.pairwise(command) if option == "--platform"]
    assert platforms
    assert all(platform.endswith(f"_{machine}") for platform in platforms)
    assert "--only-binary=:all:" in command


def test_its_architectures_and_python_are_the_templates() -> None:
    architecture = source()["Parameters"]["Architecture"]
    command = pip_command(ROOT, architecture["Default"], Path("target"))
    assert all(pip_command(ROOT, value, Path("target")) for value in architecture["AllowedValues"])
    runtime = source()["Resources"]["PusherFunction"]["Properties"]["Runtime"]
    assert f"python{command[command.index('--python-version') + 1]}" == runtime


def test_all_that_is_installed_is_pinned() -> None:
    """Check the pins, without which another release would change the zip."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = {_name(line) for line in lines if "==" in line}
    wanted = list(pins)
    seen: set[str] = set()
    while wanted:
        if (name := wanted.pop()) not in seen:
            seen.add(name)
            # Nothing of ours asks for extras; of markers there are those of other Pythons, for
            # which nothing is installed.
            needed = [text for text in importlib.metadata.requires(name) or [] if ";" not in text]
            wanted += map(_name, needed)
    assert seen <= pins


def test_help_lists_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert "{arm64,x86_64}" in capsys.readouterr().out


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()
