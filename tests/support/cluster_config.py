"""A document as the loader makes it, for tests of what is derived from one."""

from typing import Any

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.namespace_selector import Selection


def config(region: str = "us-east-1", **fields: Any) -> ClusterConfig:
    """Return the document `prod`, which selects the namespace `a`."""
    selection = Selection(include=("a",))
    return ClusterConfig(
        "prod", "prod", region, selection, function_account="111122223333", **fields
    )
