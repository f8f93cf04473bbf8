"""Repositories of Argo CD that a document no longer names, and whose Secrets it still has.

No right shows a Secret whose name is not known. So each pull Secret notes the names of the
document's repositories, and a later run compares them with what the document names by then.
"""

from collections.abc import Iterable, Mapping
from copy import replace

from ecr_public_pusher.configuration.cluster_config import Repository
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.configuration.schema import MOST_REPOSITORIES
from ecr_public_pusher.errors import ApiStatusError
from ecr_public_pusher.jobs.seen_secret import SeenSecret, seen_secret
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.ownership import Stack

_NOTHING = Selection(exclude=("*",))


def dropped(
    planned: PlannedCluster, secrets: Mapping[str, SeenSecret] | None, stack: Stack
) -> tuple[PlannedCluster, ...]:
    """Return the Secrets, as far as they may exist, of repositories that were named earlier.

    `secrets`: the document's pull Secrets as they were seen. Each Secret returned selects no
    namespace, so it is left behind, or pruned, unless another document names it.
    """
    config = planned.config
    named = {(one.namespace, one.name) for one in config.repositories}
    noted = {
        note
        for seen in (secrets or {}).values()
        if seen.repositories and stack.document_of(seen.owner) == config.id
        for note in seen.repositories
    }
    return tuple(
        _planned(planned, Repository(namespace, name, ""))
        for namespace, name in sorted(noted - named)[:MOST_REPOSITORIES]
    )


def _planned(planned: PlannedCluster, repository: Repository) -> PlannedCluster:
    config = planned.config
    (settings,) = replace(config, repositories=(repository,)).of_repositories
    own = replace(settings, selection=_NOTHING, allow_empty=True, prune=config.prune)
    others = (one for one in planned.of_cluster if one.id != config.id)
    behind = tuple(one for one in others if one.secret_name == repository.name)
    return PlannedCluster(own, behind=behind, invalid=planned.invalid)


async def still_there(
    api: KubernetesApi, found: Iterable[PlannedCluster], stack: Stack
) -> tuple[PlannedCluster, ...]:
    """Return those whose Secret is there, and the document's.

    One that may not be listed any more counts as gone. Raise as Client.send does.
    """
    there = []
    for one in found:
        config = one.config
        try:
            seen = await api.secrets_named(config.secret_name, seen_secret, namespace=config.within)
        except ApiStatusError as error:
            if not error.lacks_rights:
                raise
            continue
        if any(stack.document_of(secret.owner) == config.id for secret in seen):
            there.append(one)
    return tuple(there)
