"""The world that the edge tests run the function in."""

from collections.abc import Iterator

import pytest

from tests.support.world import World, world_of_process


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Return an AWS without parameters and clusters, with the process's environment."""
    with world_of_process(monkeypatch) as made:
        yield made
