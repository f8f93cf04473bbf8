"""What is said of an endpoint that cannot be reached.

Apart from the way there, which only a check goes.
"""

from typing import Protocol


class RouteRemedies(Protocol):
    """What to do about each way in which the endpoint cannot be reached, by whoever knows where the
    cluster is.
    """

    def name_not_resolved(self) -> str:
        """Its host name has no address."""

    def not_connected(self, *, private: bool) -> str:
        """No address accepts a connection; `private`: none of them is public."""

    def not_the_cluster(self) -> str:
        """What answers there does not speak TLS as the cluster's certificate authority
        vouches for.
        """
