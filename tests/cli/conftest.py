"""Whoever types the commands, and the AWS that they are typed against."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.operator import Operator, deploy
from tests.support.world import world_of_process


@pytest.fixture(autouse=True)
def kept_drafts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What an editor's draft leaves behind by intent goes with the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """A deployment without documents and clusters; the process's environment is the function's."""
    with world_of_process(monkeypatch) as made:
        for name in ("ECR_PUBLIC_PUSHER_STACK", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        yield Operator(made, deploy(made), dict(made.environ))
