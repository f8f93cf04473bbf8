"""The removal of what was written to one cluster: our Secret goes from every namespace that can be known, and its name from ServiceAccounts."""

from http import HTTPStatus

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError
from ecr_public_pusher.jobs.secret_manifest import owner
from ecr_public_pusher.jobs.secret_removal import explain_not_removed, remove_secret
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.results import Namespace, NamespaceOutcome, Outcome


class Remove:
    """A Job: `remove_secret` in every namespace that can be known."""

    def __init__(self, config: ClusterConfig, *, stack: str, dry_run: bool, deadline: Deadline) -> None:
        self._config, self._owner, self._dry_run, self._deadline = config, owner(stack, config.id), dry_run, deadline

    def known(self) -> tuple[Namespace, ...]:
        return ()

    async def find(self, api: KubernetesApi) -> tuple[Namespace, ...]:
        """All namespaces, since earlier configurations may have selected others; or those named, where no list is allowed or needed."""
        try:
            return tuple(await api.namespaces())
        except ApiStatusError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
        if self._config.selection.needs_list:
            raise ApiError(
                "signed in, but not allowed to list namespaces", remedy="Apply infra/rbac/cluster.yaml (list on namespaces) until this is done."
            )
        return tuple(Namespace(name) for name in self._config.selection.names)

    def is_cleanup(self, target: Namespace) -> bool:
        return True

    def precheck(self, target: Namespace) -> NamespaceOutcome | None:
        return None

    async def prepare(self) -> None:
        """Nothing is needed beforehand: no token goes anywhere."""

    async def reconcile(self, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        return await remove_secret(
            api, self._config, target.name, owner=self._owner, outcome=Outcome.REMOVED, dry_run=self._dry_run, deadline=self._deadline
        )

    def explain(self, error: ApiStatusError, target: Namespace) -> NamespaceOutcome:
        return explain_not_removed(error, target.name)
