"""Clusters outside EKS, which run on this machine."""

import pytest

from tests.support.world import World


@pytest.fixture
def loopback_allowed(world: World) -> None:
    """Allow tokens to be sent to this machine, as the stack's owner does."""
    world.environ["ALLOWED_ENDPOINTS"] = "127.0.0.1"
