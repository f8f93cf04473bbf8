"""The push of one cluster: one apply for each selected namespace, its ServiceAccounts, and what is left in namespaces no longer selected."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ecr_public_pusher import manifest, namespaces, service_accounts
from ecr_public_pusher.answers import Refused
from ecr_public_pusher.errors import ApiError
from ecr_public_pusher.explanation import explained
from ecr_public_pusher.kube import Applied, Session
from ecr_public_pusher.lease import Lease
from ecr_public_pusher.model import Namespace, NamespaceOutcome, Outcome
from ecr_public_pusher.namespaces import Scope
from ecr_public_pusher.plan import PlannedCluster
from ecr_public_pusher.removal import not_withdrawn, withdraw


@dataclass(frozen=True)
class Delivery:
    """What is pushed: the docker config, and what its Secret's annotations say."""

    docker_config: bytes
    expires_at: datetime
    stack: str
    dry_run: bool = False


class Push:
    """A clusters.Job. `deliver` is asked, from several threads, once there is a namespace to push to; what it raises fails the cluster."""

    def __init__(self, planned: PlannedCluster, deliver: Callable[[], Delivery], scope: Scope, lease: Lease) -> None:
        self._planned, self._config, self._deliver, self._scope, self._lease = planned, planned.config, deliver, scope, lease
        self._leaving: frozenset[str] = frozenset()
        self._body = b""
        self._dry_run = False
        self._owner = ""

    def known(self) -> tuple[Namespace, ...]:
        return namespaces.select(self._config.selection, None, scope=self._scope)

    def find(self, session: Session) -> tuple[Namespace, ...] | None:
        selection, prunes = self._config.selection, self._config.prune and self._scope.whole
        if not self._planned.needs_list and not prunes:
            return None
        try:
            listed = session.namespaces(None if prunes else selection.selector)
        except Refused as error:
            if error.status != 403:
                raise
            raise ApiError(
                "signed in, but not allowed to list namespaces, which a glob, a selector or prune needs",
                remedy="Apply infra/rbac/cluster.yaml (ClusterRole ecr-public-pusher: list on namespaces), or name the namespaces outright.",
            ) from None
        selected = namespaces.select(selection, listed, scope=self._scope)
        if not prunes:
            return selected
        chosen = {namespace.name for namespace in selected}
        leaving = tuple(one for one in listed if one.name not in chosen and not one.terminating)
        self._leaving = frozenset(one.name for one in leaving)
        return selected + leaving

    def by_the_way(self, target: Namespace) -> bool:
        return target.name in self._leaving

    def settle(self, target: Namespace) -> NamespaceOutcome | None:
        if target.name in self._leaving:
            return None
        if holder := self._planned.holder(target):
            return NamespaceOutcome(
                target.name,
                Outcome.CONFLICT,
                f"the document {holder} selects this namespace of the same cluster, with the same Secret name, too",
                f"Exclude it from one of {holder} and {self._config.id}, or give one another secretName.",
            )
        if target.terminating:
            return NamespaceOutcome(target.name, Outcome.SKIPPED, "the namespace is being deleted")
        return None

    def begin(self) -> None:
        delivery = self._deliver()
        pushed_at = datetime.fromtimestamp(self._lease.clock.wall(), UTC)
        secret = manifest.secret(self._config, delivery.docker_config, stack=delivery.stack, expires_at=delivery.expires_at, pushed_at=pushed_at)
        self._body = json.dumps(secret, separators=(",", ":")).encode()
        self._dry_run = delivery.dry_run
        self._owner = manifest.owner(delivery.stack, self._config.id)

    def do(self, session: Session, target: Namespace) -> NamespaceOutcome | None:
        if target.name in self._leaving:
            return withdraw(session, self._config, target.name, owner=self._owner, outcome=Outcome.PRUNED, dry_run=self._dry_run, lease=self._lease)
        applied, outcome = self._apply(session, target.name)
        if not self._config.service_accounts:
            return outcome
        return service_accounts.attach(
            session,
            self._config,
            outcome,
            applied,
            apply=lambda: session.apply_secret(target.name, self._config.secret_name, self._body),
            dry_run=self._dry_run,
            lease=self._lease,
        )

    def explain(self, error: Refused, target: Namespace) -> NamespaceOutcome:
        if target.name in self._leaving:
            return not_withdrawn(error, target.name)
        listed = self._planned.needs_list and not self._config.selection.named_outright(target.name)
        return explained(error, target.name, self._config.secret_name, listed=listed)

    def _apply(self, session: Session, namespace: str) -> tuple[Applied, NamespaceOutcome]:
        """Without force first, always: a takeover must be seen, and named."""
        name = self._config.secret_name
        try:
            applied = session.apply_secret(namespace, name, self._body, dry_run=self._dry_run)
            return applied, NamespaceOutcome(namespace, Outcome.CREATED if applied.created else Outcome.UPDATED)
        except Refused as error:
            if error.conflict is None or not self._config.take_ownership or ".type" in error.conflict.fields:
                raise
            applied = session.apply_secret(namespace, name, self._body, force=True, dry_run=self._dry_run)
            return applied, NamespaceOutcome(namespace, Outcome.ADOPTED, taken_from=error.conflict.managers or ("unknown",))
