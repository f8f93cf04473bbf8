"""Takes our Secrets out of namespaces, and their name out of the ServiceAccounts where we put it. Only what is ours, as it was seen.

First every namespace is looked into, then all that is ours goes: so that it is known beforehand how much that would be.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.kube_context import kubectl
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError, ClusterAborted
from ecr_public_pusher.jobs import image_pull_secrets
from ecr_public_pusher.jobs.secret_manifest import claims_ours, data_managers, is_ours
from ecr_public_pusher.kubernetes_api.access_reviews import Right, can_i
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.ownership import RBAC_GROUP, Stack
from ecr_public_pusher.results import NamespaceOutcome, Outcome

TRIES = 5  # another writer's change between our look and our delete
# When looking was refused in so many namespaces and allowed in none, it will be refused in all.
REFUSALS = 8


class SecretRemoval:
    """The removal of one document's Secrets from a cluster. `outcome`: what becomes of a namespace whose Secret goes."""

    def __init__(self, config: ClusterConfig, *, stack: Stack, outcome: Outcome, dry_run: bool, deadline: Deadline) -> None:
        self._config, self._stack, self._outcome, self._dry_run, self._deadline = config, stack, outcome, dry_run, deadline
        self._found: dict[str, Mapping[str, Any]] = {}
        self._refused: dict[str, None] = {}
        self._allowed = False

    @property
    def found(self) -> list[str]:
        """The namespaces with a Secret of ours, as far as was looked."""
        return sorted(self._found)

    def concerns(self, namespace: str) -> bool:
        """Whether there is something to do, or to say, after the look."""
        return namespace in self._found or namespace in self._refused

    async def look(self, api: KubernetesApi, namespace: str, *, expected: bool) -> NamespaceOutcome | None:
        """Looks for a Secret of ours. An outcome is final; None leaves the rest to `remove`, where it `concerns` the namespace.

        `expected`: the configuration says that there is one. Raises ClusterAborted when looking is allowed nowhere, and as KubernetesApi does.
        """
        try:
            metadata = await api.secret_metadata(namespace, self._config.secret_name)
        except ApiStatusError as error:
            if not error.lacks_rights:
                raise
            return await self._not_allowed_to_look(api, namespace, expected=expected)
        self._allowed = True
        if metadata is None or not claims_ours(metadata, self._stack, self._config.id):
            return None
        if not is_ours(metadata, self._stack, self._config.id):
            return self._taken_over(namespace, metadata)
        self._found[namespace] = metadata
        return None

    def refused_everywhere(self) -> ClusterAborted | None:
        """Set when every namespace that was looked into refused it."""
        return self._may_not() if self._refused and not self._allowed else None

    async def remove(self, api: KubernetesApi, namespace: str) -> NamespaceOutcome | None:
        """Deletes the Secret that was found. The accounts come first, since the Secret says which they are; where the Secret turns out to be
        another manager's by then, they get its name back.
        """
        if namespace in self._refused:
            del self._refused[namespace]
            return NamespaceOutcome(namespace, Outcome.FORBIDDEN, self._may_not().message, self._may_not().remedy)
        metadata: Mapping[str, Any] | None = self._found.pop(namespace)
        secret, taken = self._config.secret_name, dict[str, None]()
        for _ in range(TRIES):
            if metadata is None:
                break
            if not is_ours(metadata, self._stack, self._config.id):
                await self._put_back(api, namespace, taken)
                return self._taken_over(namespace, metadata) if claims_ours(metadata, self._stack, self._config.id) else None
            if held := metadata.get("deletionTimestamp") and metadata.get("finalizers"):
                return self._waiting(namespace, held)
            annotations = metadata.get("annotations") or {}
            changed = await image_pull_secrets.detach(api, namespace, secret, annotations, dry_run=self._dry_run, deadline=self._deadline)
            taken |= dict.fromkeys(changed)
            try:
                gone = await api.delete_secret(
                    namespace, secret, uid=str(metadata.get("uid")), version=str(metadata.get("resourceVersion")), dry_run=self._dry_run
                )
            except ApiStatusError as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    break
                if error.status != HTTPStatus.CONFLICT:
                    await self._put_back(api, namespace, taken)
                    if error.lacks_rights:
                        return NamespaceOutcome(namespace, Outcome.FORBIDDEN, self._may_not().message, self._may_not().remedy)
                    raise
                metadata = await api.secret_metadata(namespace, secret)
                continue
            if not gone:
                return self._waiting(namespace, metadata.get("finalizers"))
            break
        else:
            await self._put_back(api, namespace, taken)
            raise ApiError(f"the Secret {secret} keeps changing", remedy="See what else writes to it; the next run tries again.")
        return NamespaceOutcome(namespace, self._outcome, service_accounts=tuple(taken))

    async def _not_allowed_to_look(self, api: KubernetesApi, namespace: str, *, expected: bool) -> NamespaceOutcome | None:
        """Where we may not write either, as where access is granted namespace by namespace, nothing of ours is to be expected."""
        if not expected and not (await can_i(api, Right("patch", "secrets", self._config.secret_name), namespace=namespace)).allowed:
            if self._outcome is Outcome.PRUNED:
                return None
            return NamespaceOutcome(namespace, Outcome.SKIPPED, "not looked into: the function may neither read nor write the Secret there")
        self._refused[namespace] = None
        if not self._allowed and len(self._refused) >= REFUSALS:
            raise self._may_not()
        return None

    async def _put_back(self, api: KubernetesApi, namespace: str, accounts: Mapping[str, None]) -> None:
        if not self._dry_run:
            await image_pull_secrets.put_back(api, namespace, self._config.secret_name, accounts, deadline=self._deadline)

    def _taken_over(self, namespace: str, metadata: Mapping[str, Any]) -> NamespaceOutcome:
        ours = self._stack.field_manager
        others = sorted(manager for manager, _ in data_managers(metadata) if manager != ours and manager.isprintable())
        by = f" by {', '.join(others)[:200]}" if others else ""
        return NamespaceOutcome(namespace, Outcome.SKIPPED, f"the Secret stays: its data were written{by} since our last push")

    def _waiting(self, namespace: str, finalizers: Any) -> NamespaceOutcome:
        names = [str(name) for name in finalizers if str(name).isprintable()] if isinstance(finalizers, list) else []
        return NamespaceOutcome(
            namespace,
            Outcome.FAILED,
            f"the Secret is being deleted, but waits for finalizers set by others: {', '.join(names)[:200] or 'unknown'}",
            "See what set them: it takes them away when it is done. If it is gone, take them away: "
            f"`{kubectl(self._config)} -n {namespace} patch secret {self._config.secret_name} --type=merge "
            '-p \'{"metadata":{"finalizers":null}}\'`.',
        )

    def _may_not(self) -> ClusterAborted:
        name = self._config.secret_name
        return ClusterAborted(
            f"signed in, but not allowed to get and delete the Secret {name}, which prune and remove need",
            remedy=f"Apply infra/rbac/prune.yaml (get and delete on secrets with resourceNames: [{name}] for the group {RBAC_GROUP}).",
        )


def explain_not_removed(error: ApiStatusError, namespace: str) -> NamespaceOutcome:
    """What a refusal other than of the Secret itself means: the Secret stays, and with it the note of its accounts, for the next try."""
    if error.lacks_rights and error.kind == "serviceaccounts":
        return NamespaceOutcome(
            namespace,
            Outcome.FORBIDDEN,
            "the Secret stays, since its name may not be taken out of the ServiceAccounts where it was put",
            f"Apply infra/rbac/service-accounts.yaml (get and patch on serviceaccounts for the group {RBAC_GROUP}).",
        )
    return NamespaceOutcome(namespace, Outcome.FAILED, f"the Secret could not be removed: {error.message}", error.remedy)
