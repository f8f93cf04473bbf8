"""Look into the namespaces that a document names outright, by one list for each.

For those who grant access namespace by namespace (infra/rbac/namespaced.yaml).
"""

from collections.abc import Mapping, Sequence

from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.errors import ApiError, PusherError
from ecr_public_pusher.jobs.observation import LOOKS_AT_ONCE
from ecr_public_pusher.jobs.seen_secret import SeenSecret, seen_secret
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi

# With more names, looking would double a push's requests, and a sweep would send as many as a push.
MOST_NAMES = 10
# After this many refusals without a success, the other namespaces are taken to refuse as well.
REFUSALS = 3


def looks_by_name(selection: Selection) -> bool:
    """Return whether a document names its namespaces outright, and not too many of them."""
    return not selection.needs_list and len(selection.names) <= MOST_NAMES


async def look_by_name(
    api: KubernetesApi, secret_name: str, namespaces: Sequence[str]
) -> tuple[Mapping[str, SeenSecret], frozenset[str]]:
    """Return the Secrets of that name in `namespaces`, and the namespaces that could not be seen.

    There the list was refused or failed: one namespace's trouble is not the cluster's. The first is
    asked alone, and where it is refused the next, on the one connection that there is: after so
    many refusals the rest counts as refused. Raise UnreachableError, SignInError, DeadlineReached
    as Client.send does.
    """
    seen: dict[str, SeenSecret] = {}
    unseen = set(namespaces)
    failures: list[PusherError] = []

    async def look(namespace: str) -> None:
        if failures:
            return
        try:
            found = await api.secrets_named(secret_name, seen_secret, namespace=namespace)
        except ApiError:
            return
        except PusherError as error:
            failures.append(error)
            return
        unseen.discard(namespace)
        seen.update({one.namespace: one for one in found})

    for asked, namespace in enumerate(namespaces[:REFUSALS], start=1):
        await look(namespace)
        if failures or len(unseen) < len(namespaces):
            await run_concurrently(namespaces[asked:], look, width=LOOKS_AT_ONCE)
            break
    if failures:
        raise failures[0]
    return seen, frozenset(unseen)
