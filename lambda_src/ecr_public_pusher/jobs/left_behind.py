"""Secrets that a disabled document has left in its cluster.

Nothing renews them, and they block pulls once their tokens expire.
"""

from collections.abc import Mapping

from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.jobs.access_audit import some
from ecr_public_pusher.jobs.cluster_runner import Workplace
from ecr_public_pusher.jobs.decision import Intent
from ecr_public_pusher.jobs.observation import Wanted, observe
from ecr_public_pusher.jobs.seen_secret import SeenSecret
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.results import Check, ClusterResult, Finding, Namespace
from ecr_public_pusher.timestamps import from_epoch


async def left_behind(
    planned: PlannedCluster, intent: Intent, workplace: Workplace
) -> ClusterResult | None:
    """Return the finding on the disabled document's Secrets; None if none are left.

    Those that an enabled document selects do not count. A cluster that cannot be asked is no
    finding: it may be disabled for that very reason.
    """
    sign_in = workplace.sign_ins.of(planned.config)
    try:
        async with workplace.api(
            sign_in.access(sign_in.remembered() or await sign_in.described())
        ) as api:
            left = {
                name: secret
                for one in (planned, *planned.repositories)
                for name, secret in (await _left(one, intent, api)).items()
            }
    except PusherError:
        return None
    if not left:
        return None
    now = from_epoch(workplace.deadline.clock.wall())
    seconds = min(one.seconds_left(now) for one in left.values())
    event = f'{{"action": "remove", "clusters": ["{planned.config.id}"]}}'
    finding = Finding(
        Check.LEFT,
        False,
        f"the document is disabled, but {len(left)} of its Secrets are still there, the first"
        f" of which expires in {seconds / 3600:.1f} hours: {some(sorted(left))}",
        "Nothing renews them, and an expired token blocks pulls: enable the document, or send"
        f" {event}.",
        seconds_left=seconds,
    )
    return ClusterResult(planned.config.id, findings=(finding,))


async def _left(
    planned: PlannedCluster, intent: Intent, api: KubernetesApi
) -> Mapping[str, SeenSecret]:
    """Return the Secrets left, by namespace, or by namespace and name for repositories."""
    config = planned.config
    wanted = Wanted(config.secret_name, list_namespaces=False, namespace=config.within)
    seen = (await observe(api, wanted)).secrets or {}
    suffix = f"/{config.secret_name}" if config.within else ""
    return {f"{name}{suffix}": one for name, one in seen.items() if _is_left(planned, intent, one)}


def _is_left(planned: PlannedCluster, intent: Intent, seen: SeenSecret) -> bool:
    """Return whether the Secret is this document's, and no enabled document adopts it."""
    namespace = Namespace(seen.namespace)
    ours = intent.stack.document_of(seen.owner) == planned.config.id and not seen.deleting
    return ours and not any(other.selection.selects(namespace) for other in planned.behind)
