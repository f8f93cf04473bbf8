"""What a job in one cluster is made of: it is asked what to do where, the cluster runner does it, and everything ends in an outcome."""

from typing import Protocol

from ecr_public_pusher.errors import ApiStatusError
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.results import Namespace, NamespaceOutcome


class Job(Protocol):
    """A push, a removal. `find`, `prepare`, `reconcile` may speak to the cluster and wait; the others decide at once."""

    def known(self) -> tuple[Namespace, ...]:
        """The namespaces that are planned whatever the cluster says."""

    async def find(self, api: KubernetesApi) -> tuple[Namespace, ...] | None:
        """All namespaces to work on, as the cluster lists them; None when it need not be asked. Raises what fails the cluster as a whole."""

    def is_cleanup(self, target: Namespace) -> bool:
        """Whether the namespace is only looked at, after the others: where there is nothing to do, it gets no outcome."""

    def precheck(self, target: Namespace) -> NamespaceOutcome | None:
        """The outcome of a namespace that needs no request."""

    async def prepare(self) -> None:
        """Called before the first namespace that needs a request. Raises what fails the cluster as a whole."""

    async def reconcile(self, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        """The work itself. None: there was nothing to do. An ApiStatusError goes to `explain`, a ClusterAborted fails the cluster."""

    def explain(self, error: ApiStatusError, target: Namespace) -> NamespaceOutcome:
        """The outcome that a final answer other than success means."""
