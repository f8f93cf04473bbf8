"""Clusters outside EKS, which run on this machine."""

import pytest

from tests.support.world import World


@pytest.fixture
def loopback_allowed(world: World) -> None:
    """The stack's owner allows tokens to be sent to this machine."""
    world.environ["ALLOWED_ENDPOINTS"] = "127.0.0.1"
