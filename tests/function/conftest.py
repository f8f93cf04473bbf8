"""The world that the edge tests run the function in."""

from collections.abc import Iterator

import pytest

from tests.support.world import World, world_of_process


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An AWS without parameters, and no cluster yet; the process's environment is the
    function's.
    """
    with world_of_process(monkeypatch) as made:
        yield made
