"""Takes our Secret out of a namespace, and its name out of the ServiceAccounts where we put it. Only what is ours, as it was seen."""

from http import HTTPStatus

from ecr_public_pusher import service_accounts
from ecr_public_pusher.answers import Refused
from ecr_public_pusher.clusters import GivesUp
from ecr_public_pusher.config import ClusterConfig
from ecr_public_pusher.errors import ApiError
from ecr_public_pusher.kube import Session
from ecr_public_pusher.lease import Lease
from ecr_public_pusher.manifest import is_ours, owner
from ecr_public_pusher.model import RBAC_GROUP, Namespace, NamespaceOutcome, Outcome

TRIES = 5  # another writer's change between our look and our delete


def withdraw(
    session: Session, config: ClusterConfig, namespace: str, *, owner: str, outcome: Outcome, dry_run: bool, lease: Lease
) -> NamespaceOutcome | None:
    """Deletes the Secret, if it is `owner`'s: `outcome` then, else None. The accounts come first, since the Secret says which they are.

    Raises GivesUp when even looking is not allowed, and as Session's methods do.
    """
    for _ in range(TRIES):
        try:
            metadata = session.secret_metadata(namespace, config.secret_name)
        except Refused as error:
            raise (_not_allowed(config.secret_name) if error.status == HTTPStatus.FORBIDDEN else error) from None
        if metadata is None or not is_ours(metadata, owner):
            return None
        changed = service_accounts.detach(session, namespace, config.secret_name, metadata.get("annotations") or {}, dry_run=dry_run, lease=lease)
        try:
            session.delete_secret(
                namespace, config.secret_name, uid=str(metadata.get("uid")), version=str(metadata.get("resourceVersion")), dry_run=dry_run
            )
        except Refused as error:
            if error.status == HTTPStatus.CONFLICT:
                continue
            if error.status == HTTPStatus.FORBIDDEN and "NamespaceTerminating" not in error.causes:
                raise _not_allowed(config.secret_name) from None
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        return NamespaceOutcome(namespace, outcome, service_accounts=changed)
    raise ApiError(f"the Secret {config.secret_name} keeps changing", remedy="See what else writes to it; the next run tries again.")


class Remove:
    """A clusters.Job: `withdraw` in every namespace that can be known."""

    def __init__(self, config: ClusterConfig, *, stack: str, dry_run: bool, lease: Lease) -> None:
        self._config, self._owner, self._dry_run, self._lease = config, owner(stack, config.id), dry_run, lease

    def known(self) -> tuple[Namespace, ...]:
        return ()

    def find(self, session: Session) -> tuple[Namespace, ...]:
        """All namespaces, since earlier configurations may have selected others; or those named, where no list is allowed or needed."""
        try:
            return tuple(session.namespaces())
        except Refused as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
        if self._config.selection.needs_list:
            raise ApiError(
                "signed in, but not allowed to list namespaces", remedy="Apply infra/rbac/cluster.yaml (list on namespaces) until this is done."
            )
        return tuple(Namespace(name) for name in self._config.selection.names)

    def by_the_way(self, target: Namespace) -> bool:
        return True

    def settle(self, target: Namespace) -> NamespaceOutcome | None:
        return None

    def begin(self) -> None:
        """Nothing is needed beforehand: no token goes anywhere."""

    def do(self, session: Session, target: Namespace) -> NamespaceOutcome | None:
        return withdraw(session, self._config, target.name, owner=self._owner, outcome=Outcome.REMOVED, dry_run=self._dry_run, lease=self._lease)

    def explain(self, error: Refused, target: Namespace) -> NamespaceOutcome:
        return not_withdrawn(error, target.name)


def not_withdrawn(error: Refused, namespace: str) -> NamespaceOutcome:
    """What a refusal other than of the Secret itself means: the Secret stays, and with it the note of its accounts, for the next try."""
    if error.status == HTTPStatus.FORBIDDEN and error.kind == "serviceaccounts":
        return NamespaceOutcome(
            namespace,
            Outcome.FORBIDDEN,
            "the Secret stays, since its name may not be taken out of the ServiceAccounts where it was put",
            f"Apply infra/rbac/service-accounts.yaml (get and patch on serviceaccounts for the group {RBAC_GROUP}).",
        )
    return NamespaceOutcome(namespace, Outcome.FAILED, f"the Secret could not be removed: {error.message}", error.remedy)


def _not_allowed(name: str) -> GivesUp:
    return GivesUp(
        f"signed in, but not allowed to get and delete the Secret {name}, which prune and remove need",
        remedy=f"Apply infra/rbac/prune.yaml (get and delete on secrets with resourceNames: [{name}] for the group {RBAC_GROUP}).",
    )
