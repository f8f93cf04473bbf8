"""The Lambda Runtime Interface Emulator for tests, and a check of the processes that it started."""

import os
from pathlib import Path

import pytest

from infra.local.aws import sam

ROOT = Path(__file__).resolve().parents[2]


def emulator() -> Path:
    """Return the emulator of the SAM CLI that `make` installs; skip the test without it."""
    try:
        return sam.emulator(sam.sam_command(ROOT, os.environ))
    except sam.SamError as missing:
        pytest.skip(str(missing))


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
