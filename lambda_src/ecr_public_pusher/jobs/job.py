"""What a job in one cluster is made of: it is asked what to do where, the cluster runner does it, and everything ends in an outcome."""

from typing import Protocol

from ecr_public_pusher.errors import ApiStatusError, PusherError
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.results import Namespace, NamespaceOutcome


class Job(Protocol):
    """A push, a removal. `find`, `prepare`, `look`, `reconcile` may speak to the cluster and wait; the others decide at once.

    A namespace is worked on (`reconcile`), or cleaned up. Clean-up comes last, and in two steps: a `look` into every such namespace, then, unless
    there is an `objection`, `reconcile` where the look has found something.
    """

    def known(self) -> tuple[Namespace, ...]:
        """The namespaces that are planned whatever the cluster says."""

    async def find(self, api: KubernetesApi) -> tuple[Namespace, ...] | None:
        """All namespaces to work on, as the cluster lists them; None when it need not be asked. Raises what fails the cluster as a whole."""

    def is_cleanup(self, target: Namespace) -> bool:
        """Whether the namespace is only cleaned up: where there is nothing to do, it gets no outcome."""

    def precheck(self, target: Namespace) -> NamespaceOutcome | None:
        """The outcome of a namespace that needs no request."""

    async def prepare(self) -> None:
        """Called before the first namespace that is worked on. Raises what fails the cluster as a whole."""

    async def look(self, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        """Looks into a namespace to clean up. An outcome is final. Errors as of `reconcile`."""

    def objection(self) -> PusherError | None:
        """Asked once everything was looked into, or there was nothing to look into: why the clean-up must not go on."""

    def after_look(self, target: Namespace) -> NamespaceOutcome | None:
        """Where there is an objection: the outcome of a namespace that would have been cleaned up."""

    def has_cleanup(self, target: Namespace) -> bool:
        """Whether the look has found something to do."""

    async def reconcile(self, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        """The work itself. None: there was nothing to do. An ApiStatusError goes to `explain`, a ClusterAborted fails the cluster."""

    def explain(self, error: ApiStatusError, target: Namespace) -> NamespaceOutcome:
        """The outcome that a final answer other than success means."""
