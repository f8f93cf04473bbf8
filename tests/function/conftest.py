"""The world that the edge tests run the function in."""

from collections.abc import Iterator

import pytest

from tests.support.world import World
from tests.support.world import world as make_world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An AWS without parameters, and no cluster yet; the process's environment is the function's."""
    environ: dict[str, str] = {}
    with make_world(environ) as made:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_STS", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        yield made
