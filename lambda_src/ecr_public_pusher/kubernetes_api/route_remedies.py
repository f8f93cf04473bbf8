"""Remedies for an unreachable endpoint.

Separate from `reachability`, which only `check` imports.
"""

from typing import Protocol


class RouteRemedies(Protocol):
    """Remedies for each way in which a cluster's endpoint cannot be reached."""

    def name_not_resolved(self) -> str:
        """Return the remedy for a host name without an address."""

    def not_connected(self, *, private: bool) -> str:
        """Return the remedy if no address accepts a connection; `private`: none is public."""

    def not_the_cluster(self) -> str:
        """Return the remedy for a server that the cluster's authority does not vouch for."""
