"""A person at the command line before a world with the function deployed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.operator import Administrator, administrator
from tests.support.world import World, world_of_process


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The function's: the process's environment is its own, and the person's is theirs."""
    with world_of_process(monkeypatch) as made:
        yield made


@pytest.fixture
def person(world: World, tmp_path: Path) -> Administrator:
    return administrator(world, tmp_path)
