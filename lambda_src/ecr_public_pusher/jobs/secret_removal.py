"""Takes our Secret out of a namespace, and its name out of the ServiceAccounts where we put it. Only what is ours, as it was seen."""

from http import HTTPStatus

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError, ClusterAborted
from ecr_public_pusher.jobs import image_pull_secrets
from ecr_public_pusher.jobs.secret_manifest import is_ours
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.ownership import RBAC_GROUP
from ecr_public_pusher.results import NamespaceOutcome, Outcome

TRIES = 5  # another writer's change between our look and our delete


async def remove_secret(
    api: KubernetesApi, config: ClusterConfig, namespace: str, *, owner: str, outcome: Outcome, dry_run: bool, deadline: Deadline
) -> NamespaceOutcome | None:
    """Deletes the Secret, if it is `owner`'s: `outcome` then, else None. The accounts come first, since the Secret says which they are.

    Raises ClusterAborted when even looking is not allowed, and as KubernetesApi's methods do.
    """
    for _ in range(TRIES):
        try:
            metadata = await api.secret_metadata(namespace, config.secret_name)
        except ApiStatusError as error:
            raise (_not_allowed(config.secret_name) if error.status == HTTPStatus.FORBIDDEN else error) from None
        if metadata is None or not is_ours(metadata, owner):
            return None
        changed = await image_pull_secrets.detach(
            api, namespace, config.secret_name, metadata.get("annotations") or {}, dry_run=dry_run, deadline=deadline
        )
        try:
            await api.delete_secret(
                namespace, config.secret_name, uid=str(metadata.get("uid")), version=str(metadata.get("resourceVersion")), dry_run=dry_run
            )
        except ApiStatusError as error:
            if error.status == HTTPStatus.CONFLICT:
                continue
            if error.status == HTTPStatus.FORBIDDEN and not error.namespace_terminating:
                raise _not_allowed(config.secret_name) from None
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        return NamespaceOutcome(namespace, outcome, service_accounts=changed)
    raise ApiError(f"the Secret {config.secret_name} keeps changing", remedy="See what else writes to it; the next run tries again.")


def explain_not_removed(error: ApiStatusError, namespace: str) -> NamespaceOutcome:
    """What a refusal other than of the Secret itself means: the Secret stays, and with it the note of its accounts, for the next try."""
    if error.status == HTTPStatus.FORBIDDEN and error.kind == "serviceaccounts":
        return NamespaceOutcome(
            namespace,
            Outcome.FORBIDDEN,
            "the Secret stays, since its name may not be taken out of the ServiceAccounts where it was put",
            f"Apply infra/rbac/service-accounts.yaml (get and patch on serviceaccounts for the group {RBAC_GROUP}).",
        )
    return NamespaceOutcome(namespace, Outcome.FAILED, f"the Secret could not be removed: {error.message}", error.remedy)


def _not_allowed(name: str) -> ClusterAborted:
    return ClusterAborted(
        f"signed in, but not allowed to get and delete the Secret {name}, which prune and remove need",
        remedy=f"Apply infra/rbac/prune.yaml (get and delete on secrets with resourceNames: [{name}] for the group {RBAC_GROUP}).",
    )
