"""A person at the command line before a world with the function deployed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.administrator import Administrator, administrator
from tests.support.world import World
from tests.support.world import world as make_world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The function's: the process's environment is its own, and the person's is theirs."""
    environ: dict[str, str] = {}
    with make_world(environ) as made:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_STS", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        yield made


@pytest.fixture
def person(world: World, tmp_path: Path) -> Iterator[Administrator]:
    with administrator(world, tmp_path) as made:
        yield made
