"""The push of one cluster: one apply for each selected namespace, its ServiceAccounts, and what is left in namespaces no longer selected."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from ecr_public_pusher.configuration.kube_context import kubectl
from ecr_public_pusher.configuration.namespace_selector import Scope, select
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError, NothingSelected, PruneHeldBack, PusherError
from ecr_public_pusher.jobs import image_pull_secrets
from ecr_public_pusher.jobs.outcomes import explain
from ecr_public_pusher.jobs.secret_manifest import secret_manifest
from ecr_public_pusher.jobs.secret_removal import SecretRemoval, explain_not_removed
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.kubernetes_api.resources import Applied, KubernetesApi
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.registries.registry import PLACEHOLDER, PUBLIC_HOSTS, docker_config
from ecr_public_pusher.registries.token_provider import TokenProvider
from ecr_public_pusher.results import Namespace, NamespaceOutcome, Outcome
from ecr_public_pusher.timestamps import from_epoch

# So many Secrets may be pruned without asking whether they are more than what stays.
PRUNED_WITHOUT_ASKING = 5
# Of names in a message.
SHOWN = 10

# What a dry run's annotation says: an ECR token's usual life.
TOKEN_LIFE = timedelta(hours=12)


@dataclass(frozen=True)
class PushSettings:
    """What the pushes of one run have in common. `tokens` is asked once there is a namespace to push to; a `dry_run` sends a placeholder.

    `prune_all`: prune however much it is.
    """

    tokens: TokenProvider
    stack: Stack
    scope: Scope
    deadline: Deadline
    dry_run: bool = False
    prune_all: bool = False


class Push:
    """A Job."""

    def __init__(self, planned: PlannedCluster, settings: PushSettings) -> None:
        self._planned, self._config, self._settings = planned, planned.config, settings
        self._scope, self._deadline, self._dry_run = settings.scope, settings.deadline, settings.dry_run
        self._owner = settings.stack.owner(planned.config.id)
        self._removal = SecretRemoval(
            planned.config, stack=settings.stack, outcome=Outcome.PRUNED, dry_run=settings.dry_run, deadline=settings.deadline
        )
        self._leaving: frozenset[str] = frozenset()
        self._selected = 0
        self._cannot_list: ApiError | None = None
        self._body = b""

    def known(self) -> tuple[Namespace, ...]:
        return select(self._config.selection, None, scope=self._scope)

    async def find(self, api: KubernetesApi) -> tuple[Namespace, ...] | None:
        selection, prunes = self._config.selection, self._config.prune and self._scope.whole
        if not selection.needs_list and not selection.names:
            self._check_selected(())
        if not self._planned.needs_list and not prunes:
            return None
        try:
            listed = await api.namespaces(None if prunes else selection.selector)
        except ApiStatusError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            cannot_list = ApiError(
                "signed in, but not allowed to list namespaces, which a glob, a selector or prune needs",
                remedy="Apply infra/rbac/cluster.yaml (ClusterRole ecr-public-pusher: list on namespaces), or list the namespaces by name.",
            )
            if self._planned.needs_list:
                raise cannot_list from None
            self._cannot_list = cannot_list  # what is named is pushed first
            return None
        selected = select(selection, listed, scope=self._scope)
        self._check_selected(select(selection, listed))
        if not prunes:
            return selected
        self._selected = len(selected)
        chosen = {namespace.name for namespace in selected}
        leaving = tuple(one for one in listed if one.name not in chosen and not one.terminating)
        self._leaving = frozenset(one.name for one in leaving)
        return selected + leaving

    def _check_selected(self, selected: Sequence[Namespace]) -> None:
        """Raises NothingSelected where the whole selection is empty, though nobody said that it may be. A sweep leaves that to the push."""
        if not selected and not self._config.allow_empty and self._scope.created_since is None:
            raise NothingSelected(
                f"no namespace of the cluster is selected by {self._config.selection}",
                remedy=f"Correct namespaces (`{kubectl(self._config)} get namespaces --show-labels` shows what there is), "
                "or set allowEmpty: true where none is expected yet.",
            )

    def is_cleanup(self, target: Namespace) -> bool:
        return target.name in self._leaving

    def precheck(self, target: Namespace) -> NamespaceOutcome | None:
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

    async def prepare(self) -> None:
        now = from_epoch(self._deadline.clock.wall())
        authorizations, expires_at = await self._credentials(now)
        manifest = secret_manifest(self._config, docker_config(authorizations), owner=self._owner, expires_at=expires_at, pushed_at=now)
        self._body = json.dumps(manifest, separators=(",", ":")).encode()

    async def _credentials(self, now: datetime) -> tuple[dict[str, str], datetime]:
        """By host, what the Secret signs in with, and when the first of its tokens ends.

        A dry run asks for private tokens too, to find out whether they can be had (ECR Public's was asked for before), but sends none.
        """
        if not self._dry_run:
            had = await self._settings.tokens.of(self._config)
            return {host: one.token.authorization for one in had for host in one.hosts}, min(one.token.expires_at for one in had)
        private = await self._settings.tokens.private_of(self._config)
        hosts = [*(PUBLIC_HOSTS if self._config.public_registry else ()), *(host for one in private for host in one.hosts)]
        return dict.fromkeys(hosts, PLACEHOLDER), now + TOKEN_LIFE

    async def look(self, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        return await self._removal.look(api, target.name, expected=False)

    def objection(self) -> PusherError | None:
        if obstacle := self._cannot_list or self._removal.refused_everywhere():
            return obstacle
        found = self._removal.found
        if not found or self._settings.prune_all or (self._selected and len(found) <= max(PRUNED_WITHOUT_ASKING, self._selected)):
            return None
        names = ", ".join(found[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
        event = json.dumps({"action": "push", "clusters": [self._config.id], "prune": "all"})
        return PruneHeldBack(
            f"prune would delete {len(found)} of our Secrets, where {self._selected} namespaces are selected, and was held back: {names}",
            remedy=f"If namespaces is wrong, correct it. If they are to go, send {event}.",
        )

    def after_look(self, target: Namespace) -> NamespaceOutcome | None:
        if target.name not in self._removal.found:
            return None
        return NamespaceOutcome(target.name, Outcome.SKIPPED, "its Secret would be pruned, but prune was held back: see the cluster's error")

    def has_cleanup(self, target: Namespace) -> bool:
        return self._removal.concerns(target.name)

    async def reconcile(self, api: KubernetesApi, target: Namespace) -> NamespaceOutcome | None:
        if target.name in self._leaving:
            return await self._removal.remove(api, target.name)
        applied, outcome = await self._apply(api, target.name)
        if not self._config.service_accounts:
            return outcome
        return await image_pull_secrets.attach(
            api,
            self._config,
            outcome,
            applied,
            apply=lambda: api.apply_secret(target.name, self._config.secret_name, self._body),
            dry_run=self._dry_run,
            deadline=self._deadline,
        )

    def explain(self, error: ApiStatusError, target: Namespace) -> NamespaceOutcome:
        if target.name in self._leaving:
            return explain_not_removed(error, target.name)
        listed = self._planned.needs_list and not self._config.selection.named_outright(target.name)
        return explain(error, target.name, self._config.secret_name, kubectl=kubectl(self._config), listed=listed)

    async def _apply(self, api: KubernetesApi, namespace: str) -> tuple[Applied, NamespaceOutcome]:
        """Without force first, always: a takeover must be seen, and named."""
        name = self._config.secret_name
        try:
            applied = await api.apply_secret(namespace, name, self._body, dry_run=self._dry_run)
            return applied, NamespaceOutcome(namespace, Outcome.CREATED if applied.created else Outcome.UPDATED)
        except ApiStatusError as error:
            if error.conflict is None or not self._config.take_ownership or ".type" in error.conflict.fields:
                raise
            applied = await api.apply_secret(namespace, name, self._body, force=True, dry_run=self._dry_run)
            return applied, NamespaceOutcome(namespace, Outcome.ADOPTED, taken_from=error.conflict.managers or ("unknown",))
