"""The Makefile's installation, and its messages before it installs anything."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.tools.install import InstallError, check_version, explained

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "public.ecr.aws/docker/library/python"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a fresh clone's files that make needs, with nothing installed."""
    for name in (
        "Makefile",
        "infra/tools/install.py",
        "requirements.txt",
        "requirements-dev.txt",
        "infra/local/requirements-sam.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(checkout: Path, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", *words],
        cwd=checkout,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_missing_python_is_explained_before_anything_is_installed(checkout: Path) -> None:
    done = make(checkout, "run", "PYTHON=no-such-python3.13")
    assert done.returncode == 2
    assert "There is no no-such-python3.13 here" in done.stderr
    assert "uv python install 3.13" in done.stderr
    assert not (checkout / ".venv").exists()


def test_another_system_than_linux_is_shown_a_container_before_anything_is_installed(
    checkout: Path,
) -> None:
    program = checkout / "bin" / "uname"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho Darwin\n")
    program.chmod(0o755)
    done = make(checkout, "run", PATH=f"{program.parent}:{os.environ['PATH']}")
    assert done.returncode == 2
    assert (
        f'docker run --rm -it -v "{checkout}":/work -w /work {IMAGE}:3.13 make run' in done.stderr
    )
    assert not (checkout / ".venv").exists()


def test_the_containers_python_is_the_functions() -> None:
    version = (ROOT / ".python-version").read_text().strip()
    assert (
        json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())["image"]
        == f"{IMAGE}:{version}"
    )
    assert f"{IMAGE}:{version} " in (ROOT / "Makefile").read_text()


def test_another_python_than_the_functions_is_refused() -> None:
    check_version((3, 13))
    with pytest.raises(InstallError, match=r"needs Python 3\.13, .* got 3\.14"):
        check_version((3, 14))


def install(folder: Path, requirements: Path, **environ: str) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        str(ROOT / "infra" / "tools" / "install.py"),
        str(folder),
        str(requirements),
    ]
    variables = (
        {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        | {"PIP_CONFIG_FILE": os.devnull}
        | environ
    )
    return subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)


# An environment with the pip of this one, which is made of the same Python.
QUICK_VENV = """
import subprocess, sys
from pathlib import Path

subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", *sys.argv[1:]], check=True)
Path(sys.argv[-1], "bin", "pip").symlink_to(Path(sys.executable).with_name("pip"))
"""


@pytest.fixture
def quick_venv(tmp_path: Path) -> dict[str, str]:
    """Return the environment in which `python -m venv` takes pip from this environment.

    To unpack and compile pip takes three seconds of CPU time. One test below does it.
    """
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "venv.py").write_text(QUICK_VENV)
    return {"PYTHONPATH": str(tmp_path / "library")}


PIN = f"certifi==2026.1.1 --hash=sha256:{'0' * 64}\n"


def test_a_missing_network_is_explained_and_leaves_nothing_half_done(
    tmp_path: Path, quick_venv: dict[str, str]
) -> None:
    (tmp_path / "requirements.txt").write_text(PIN)
    process = install(
        tmp_path / "venv",
        tmp_path / "requirements.txt",
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES="1",
        **quick_venv,
    )
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "pip does not reach its index" in said
    assert "Traceback" not in said
    assert not (tmp_path / "venv").exists()


def test_an_interrupt_is_quiet_and_leaves_nothing_half_done(
    tmp_path: Path, quick_venv: dict[str, str]
) -> None:
    (tmp_path / "requirements.txt").write_text(PIN)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = install(
            tmp_path / "venv",
            tmp_path / "requirements.txt",
            PIP_INDEX_URL=f"http://127.0.0.1:{silent.getsockname()[1]}/simple",
            **quick_venv,
        )
        silent.settimeout(60)
        silent.accept()  # pip has started, and waits for a response
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "· interrupted"
    assert "Traceback" not in said
    assert not (tmp_path / "venv").exists()


def test_what_has_no_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "pyproject.toml").write_text("")
    (tmp_path / "requirements.txt").write_text(f"{tmp_path / 'package'}\n")
    process = install(tmp_path / "venv", tmp_path / "requirements.txt")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Can't verify hashes" in said
    assert not (tmp_path / "venv").exists()


def test_a_python_without_venv_is_explained() -> None:
    assert explained(
        "The virtual environment was not created because ensurepip is not available."
    ).startswith("this Python has no venv")


def test_any_other_failure_is_shown_as_it_is() -> None:
    assert explained("ERROR: Could not find a version\n") == "ERROR: Could not find a version"
