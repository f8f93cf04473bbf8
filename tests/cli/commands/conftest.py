"""An administrator at the command line, in a world with the function deployed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.operator import Administrator, administrator
from tests.support.world import World, world_of_process


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Make the function's world; its environment is this process's, the person's is their own."""
    with world_of_process(monkeypatch) as made:
        yield made


@pytest.fixture
def person(world: World, tmp_path: Path) -> Administrator:
    return administrator(world, tmp_path)
