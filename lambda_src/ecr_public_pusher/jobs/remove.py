"""The removal of what was written to one cluster: our Secret goes from every namespace that can be known, and its name from ServiceAccounts."""

from http import HTTPStatus

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError, PusherError
from ecr_public_pusher.jobs.secret_removal import SecretRemoval, explain_not_removed
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.results import Namespace, NamespaceOutcome, Outcome


class Remove:
    """A Job: a look, then the removal, in every namespace that can be known."""

    def __init__(self, config: ClusterConfig, *, stack: Stack, dry_run: bool, deadline: Deadline) -> None:
        self._config = config
        self._removal = SecretRemoval(config, stack=stack, outcome=Outcome.REMOVED, dry_run=dry_run, deadline=deadline)

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

    async def look(self, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        return await self._removal.look(api, target.name, expected=self._config.selection.selects(target))

    def objection(self) -> PusherError | None:
        return self._removal.refused_everywhere()

    def after_look(self, target: Namespace) -> NamespaceOutcome | None:
        return None

    def has_cleanup(self, target: Namespace) -> bool:
        return self._removal.concerns(target.name)

    async def reconcile(self, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        return await self._removal.remove(api, target.name)

    def explain(self, error: ApiStatusError, target: Namespace) -> NamespaceOutcome:
        return explain_not_removed(error, target.name)
