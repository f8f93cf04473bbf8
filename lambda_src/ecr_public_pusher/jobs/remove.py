"""Removal of what one document wrote: its Secrets, and their name in ServiceAccounts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ecr_public_pusher.configuration.rbac_subject import rbac_subject
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError
from ecr_public_pusher.jobs.action import Action
from ecr_public_pusher.jobs.carry_out import CarryOut
from ecr_public_pusher.jobs.clean_up import delete_all, look_for_ours
from ecr_public_pusher.jobs.decision import Intent, Judge, Step
from ecr_public_pusher.jobs.ledger import Ledger
from ecr_public_pusher.jobs.observation import Observation, Wanted, observe
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.results import Namespace
from ecr_public_pusher.timestamps import from_epoch


@dataclass
class Remove:
    """One cluster's removal, with its progress in `ledger`."""

    planned: PlannedCluster
    intent: Intent
    deadline: Deadline
    most_connections: int
    ledger: Ledger = field(default_factory=Ledger)

    async def run(self, api: KubernetesApi) -> None:
        """Remove the document's Secrets from the whole cluster.

        Raise an error that fails the whole cluster; the ledger has the outcomes until then.
        """
        secret = self.planned.config.secret_name
        judge = Judge(self.planned, self.intent, from_epoch(self.deadline.clock.wall()))
        # Only labels tell what a selector of a document that stays selects.
        by_label = any(other.selection.selector for other in self.planned.behind)
        within = self.planned.config.within
        seen = await observe(api, Wanted(secret, list_namespaces=by_label, namespace=within))
        looks = seen.secrets is not None
        self.ledger.observed = True
        if not looks:
            found = await self._look(api)
            if found is None:
                return
            seen = found
        if any(one.repositories for one in (seen.secrets or {}).values()):
            # Imported for those who use Argo CD.
            from ecr_public_pusher.jobs.dropped_repositories import dropped

            self.ledger.dropped = dropped(self.planned, seen.secrets, self.intent.stack)
        decisions = judge.decide(seen)
        deletions = [decision for decision in decisions if decision.step is Step.DELETE]
        self.ledger.targets += tuple(decision.namespace for decision in decisions)
        self.ledger.note(decision for decision in decisions if decision.step is not Step.DELETE)
        action = Action(api, judge, self.deadline, None, looks=looks)
        await delete_all(CarryOut(action, self.ledger, self.most_connections), deletions, secret)

    async def _look(self, api: KubernetesApi) -> Observation | None:
        """Look into each namespace, without the right to list Secrets; None if all refuse."""
        config = self.planned.config
        namespaces = await self._namespaces(api)
        found = await look_for_ours(
            api,
            self.ledger,
            config.secret_name,
            [one.name for one in namespaces],
            subject=rbac_subject(config, self.intent.own_role),
            expected={one.name for one in namespaces if config.selection.selects(one)},
            says_skipped=True,
            repository=config.repository is not None,
        )
        self.ledger.targets = tuple(one for one in namespaces if one.name in self.ledger.outcomes)
        listed = tuple(one for one in namespaces if one.created_at is not None)
        return None if found is None else Observation(listed, found)

    async def _namespaces(self, api: KubernetesApi) -> Sequence[Namespace]:
        """Return all namespaces, since earlier configurations may have selected others.

        Where they may not be listed, return those named outright; raise ApiError if a list is
        needed. A repository's Secret is in one namespace.
        """
        if self.planned.config.within:
            return [Namespace(self.planned.config.within)]
        try:
            return await api.namespaces()
        except ApiStatusError as error:
            if not error.lacks_rights:
                raise
        if self.planned.config.selection.needs_list:
            raise ApiError(
                "signed in, but not allowed to list namespaces",
                remedy="Apply infra/rbac/cluster.yaml (list on namespaces) until this is done.",
            )
        return [Namespace(name) for name in self.planned.config.selection.names]
