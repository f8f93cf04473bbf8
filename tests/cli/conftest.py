"""A person at the command line, and the AWS that the commands call."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.operator import Operator, deploy
from tests.support.world import world_of_process


@pytest.fixture(autouse=True)
def kept_drafts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep an editor's drafts, which stay on purpose, in the test's own folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """Deploy without documents and clusters; the process's environment is the function's."""
    with world_of_process(monkeypatch) as made:
        for name in ("ECR_PUBLIC_PUSHER_STACK", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        yield Operator(made, deploy(made), dict(made.environ))
