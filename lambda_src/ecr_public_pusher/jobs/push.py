"""Push or sweep of one cluster: observe, decide, act, clean up what is no longer selected."""

from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ecr_public_pusher.configuration.account_selector import NO_ACCOUNTS
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.names import is_glob, matches
from ecr_public_pusher.configuration.namespace_selector import SYSTEM_NAMESPACES, in_scope
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, NothingSelected
from ecr_public_pusher.jobs.action import Action
from ecr_public_pusher.jobs.carry_out import CarryOut
from ecr_public_pusher.jobs.clean_up import delete_all, look_for_ours
from ecr_public_pusher.jobs.decision import Decision, Intent, Judge, State, Step
from ecr_public_pusher.jobs.lateness import Lateness, LoopLag
from ecr_public_pusher.jobs.ledger import Ledger
from ecr_public_pusher.jobs.look_by_name import look_by_name, looks_by_name
from ecr_public_pusher.jobs.observation import LISTS, Observation, Wanted, observe
from ecr_public_pusher.jobs.prune_brake import held_back
from ecr_public_pusher.jobs.pull_secret import pull_secret
from ecr_public_pusher.jobs.secret_manifest import SecretManifest
from ecr_public_pusher.jobs.seen_secret import SeenSecret
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.kubernetes_api.resources import PAGE, KubernetesApi
from ecr_public_pusher.registries.token_provider import TokenProvider
from ecr_public_pusher.results import Namespace, NamespaceOutcome, Outcome
from ecr_public_pusher.timestamps import from_epoch

# A cluster's share of the invocation's connections is this small from some fifty clusters on.
SCARCE_CONNECTIONS = 4
# Outcomes of namespaces that are gone or going, or whose Secret is somebody else's: they lack
# nothing of ours.
_LACKING_NOTHING = (Outcome.MISSING, Outcome.SKIPPED, Outcome.CONFLICT, Outcome.WRONG_TYPE)


@dataclass
class Push:
    """One cluster's push or sweep, with its progress in `ledger`."""

    planned: PlannedCluster
    intent: Intent
    tokens: TokenProvider
    deadline: Deadline
    most_connections: int
    lag: LoopLag
    ledger: Ledger = field(default_factory=Ledger)
    _observation: Observation = field(default_factory=Observation)
    _manifest: SecretManifest | None = None
    _late: float = 0.0
    _lacking: Collection[str] = ()
    _seen_again: dict[str, SeenSecret | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger.targets = self._judge().selected(self._observation, self.intent.scope)

    async def run(self, api: KubernetesApi) -> None:
        """Push, or sweep, the whole cluster.

        Raise an error that fails the whole cluster; the ledger has the outcomes until then.
        """
        selection = self.planned.config.selection
        if not selection.needs_list and not selection.names:
            self._check_selected(())
        seen = self._observation = await self._measured(self._observe(api))
        judge = self._judge()
        selected = judge.selected(seen)
        self.ledger.targets = in_scope(selected, self.intent.scope)
        self.ledger.observed = True
        self._check_selected(selected)
        decisions = judge.decide(seen, self.ledger.targets)
        self._lacking = {
            one.name
            for one in decisions
            if one.state is State.ABSENT and one.seen is None and one.writes_secret
        }
        self.ledger.empty_globs = self._empty_globs()
        try:
            await self._act(api, judge, [one for one in decisions if one.step is not Step.DELETE])
        finally:  # needed most without a token, or at the deadline
            self.ledger.seconds_left = self._seconds_left()
        if self.ledger.error is None and self._prunes:
            await self._prune(api, judge, [one for one in decisions if one.step is Step.DELETE])

    @property
    def _prunes(self) -> bool:
        return self.intent.cleans_up and self.planned.config.prune

    def _judge(self) -> Judge:
        return Judge(self.planned, self.intent, self._now())

    def _now(self) -> datetime:
        return from_epoch(self.deadline.clock.wall())

    async def _measured(self, looking: Awaitable[Observation]) -> Observation:
        """Await the observation, and measure how late its answers are."""
        lateness = Lateness(self.lag)
        seen = await looking
        parts = (seen.namespaces, seen.secrets)
        pages = [1 + len(part) // PAGE for part in parts if part is not None] or [1]
        self._late = lateness.per_answer(sum(pages) if self._lists_at_once == 1 else max(pages))
        return seen

    @property
    def _lists_at_once(self) -> int:
        """Return how many lists are asked for side by side.

        In a sweep of many clusters, each of which mostly has nothing to write, one after another: a
        second connection would cost more processor time than all that is asked over it.
        """
        sparing = self.intent.kind == "sweep" and self.most_connections <= SCARCE_CONNECTIONS
        return 1 if sparing else LISTS

    async def _observe(self, api: KubernetesApi) -> Observation:
        config = self.planned.config
        wanted = Wanted(
            config.secret_name,
            list_namespaces=self.planned.needs_list or self._prunes,
            selector=None if self._prunes else config.selection.selector,
            accounts=config.service_accounts,
            namespace=config.within,
        )
        seen = await observe(api, wanted, at_once=self._lists_at_once)
        if "namespaces" in seen.refused and self.planned.needs_list:
            raise _cannot_list()
        named = config.selection.names
        if seen.secrets is None:
            return seen if config.within else await self._looked_by_name(api, seen)
        if (
            self.intent.kind != "sweep"
            or wanted.list_namespaces
            or all(name in seen.secrets for name in named)
        ):
            return seen
        # A name that lacks its Secret may not be a namespace at all; a sweep does not write to find
        # out.
        there = await observe(api, replace(wanted, list_namespaces=True, accounts=NO_ACCOUNTS))
        return replace(seen, namespaces=there.namespaces)

    async def _looked_by_name(self, api: KubernetesApi, seen: Observation) -> Observation:
        """Add what single namespaces show, if the document names only a few and does not prune.

        What is left in other namespaces stays unseen.
        """
        scope = self.intent.scope
        config = self.planned.config
        if self._prunes or not looks_by_name(config.selection):
            return seen
        names = [name for name in config.selection.names if scope.holds(Namespace(name))]
        found, unseen = await look_by_name(api, config.secret_name, names)
        return replace(seen, secrets=found, unseen=unseen) if len(unseen) < len(names) else seen

    def _check_selected(self, selected: Sequence[Namespace]) -> None:
        """Raise NothingSelected if a push selects nothing and the document does not allow that.

        A sweep leaves it to the push.
        """
        config = self.planned.config
        if not selected and not config.allow_empty and self.intent.kind == "push":
            raise NothingSelected(
                f"no namespace of the cluster is selected by {config.selection}",
                remedy=(
                    f"Correct namespaces (`{self.planned.kubectl} get namespaces --show-labels`"
                    " shows what there is), or set allowEmpty: true where none is expected yet."
                ),
            )

    async def _act(self, api: KubernetesApi, judge: Judge, decisions: Sequence[Decision]) -> None:
        idle: list[Decision] = []
        busy: list[Decision] = []
        for decision in decisions:
            (idle if decision.idle else busy).append(decision)
        self.ledger.note(idle)
        writes = any(decision.writes_secret for decision in busy)
        secrets = self._observation.secrets or {}
        if (writes or self.intent.cleans_up) and any(one.repositories for one in secrets.values()):
            # Imported for those who use Argo CD.
            from ecr_public_pusher.jobs.dropped_repositories import dropped, still_there

            stack = self.intent.stack
            noted = dropped(self.planned, secrets, stack)
            self.ledger.dropped = await still_there(api, noted, stack)
        if writes:
            self._manifest = await pull_secret(
                self._noting(self.planned.config),
                self.tokens,
                stack=self.intent.stack,
                now=self._now(),
                dry_run=self.intent.dry_run,
            )
        await self._carry_out(api, judge).all(busy)

    def _noting(self, config: ClusterConfig) -> ClusterConfig:
        """Return the settings with repositories whose Secrets are still there, to be noted on."""
        kept = (one.config.repository for one in self.ledger.dropped)
        return replace(
            config, repositories=(*config.repositories, *(one for one in kept if one is not None))
        )

    def _carry_out(self, api: KubernetesApi, judge: Judge) -> CarryOut:
        action = Action(
            api,
            judge,
            self.deadline,
            self._manifest,
            looks=self._observation.secrets is not None,
            seen_again=self._seen_again,
        )
        return CarryOut(action, self.ledger, self.most_connections, self._late)

    async def _prune(self, api: KubernetesApi, judge: Judge, deletions: Sequence[Decision]) -> None:
        """Delete our Secrets from unselected namespaces, unless more would go than stay."""
        config = self.planned.config
        seen = self._observation
        if seen.namespaces is None:
            self.ledger.fail(_cannot_list())
            return
        if seen.secrets is None:
            if config.within:
                return
            chosen = {target.name for target in self.ledger.targets}
            names = [
                one.name
                for one in seen.namespaces
                if one.name not in chosen and not one.terminating
            ]
            found = await look_for_ours(
                api,
                self.ledger,
                config.secret_name,
                names,
                subject=judge.subject,
                expected=(),
                says_skipped=False,
            )
            if found is None:
                return
            cleanup = judge.clean_up(replace(seen, secrets=found), chosen)
            self.ledger.note(one for one in cleanup if one.step is not Step.DELETE)
            deletions = [one for one in cleanup if one.step is Step.DELETE]
        leaving = [decision.name for decision in deletions]
        held = (
            None
            if self.intent.prune_all or config.within  # dropped by its name: no glob takes many
            else held_back(config.id, leaving, applied=self._there())
        )
        if held is None:
            await delete_all(self._carry_out(api, judge), deletions, config.secret_name)
            return
        for name in leaving:
            message = "its Secret would be pruned, but prune was held back: see the cluster's error"
            self.ledger.outcomes[name] = NamespaceOutcome(name, Outcome.SKIPPED, message)
        self.ledger.fail(held)

    def _there(self) -> int:
        """Return the number of selected namespaces whose Secret is now as it should be."""
        outcomes = [self.ledger.outcomes.get(target.name) for target in self.ledger.targets]
        return sum(
            1 for one in outcomes if one and (one.outcome.applied or one.outcome is Outcome.CURRENT)
        )

    def _seconds_left(self) -> float | None:
        """Return the least life of a selected namespace's Secret, in seconds.

        0 if one lacks its Secret; None if nothing is known.
        """
        now = self._now()
        return min(
            (
                life
                for target in self.ledger.targets
                if (life := self._life(target.name, now)) is not None
            ),
            default=None,
        )

    def _life(self, name: str, now: datetime) -> float | None:
        outcome = self.ledger.outcomes.get(name)
        if outcome is not None and outcome.outcome.applied and self._manifest is not None:
            return (self._manifest.expires_at - now).total_seconds()
        if self._observation.secrets is None:
            return None
        # Another run, or another owner, may have written or deleted it since.
        seen = self._seen_again.get(name, self._observation.secrets.get(name))
        if outcome is not None and outcome.outcome in _LACKING_NOTHING:
            if outcome.outcome is not Outcome.CONFLICT or seen is None or not self._is_ours(seen):
                return None
            # Others hold some of its fields, but the token is ours, and nothing renews it.
            return seen.seconds_left(now)
        if seen is None:
            return 0.0 if name in self._lacking or name in self._seen_again else None
        return seen.seconds_left(now) if self.intent.stack.document_of(seen.owner) else None

    def _is_ours(self, seen: SeenSecret) -> bool:
        """Return whether its data is what this document wrote."""
        stack = self.intent.stack
        return (
            stack.document_of(seen.owner) == self.planned.config.id
            and not seen.deleting
            and seen.held_by(stack.field_manager)
        )

    def _empty_globs(self) -> tuple[str, ...]:
        """Return globs that match no namespace, and so may be mistyped.

        A single name or glob that selects nothing is an error of its own.
        """
        selection = self.planned.config.selection
        listed = self._observation.namespaces
        if (
            listed is None
            or len(selection.include) < 2
            or selection.selector
            or not self.intent.cleans_up
        ):
            return ()
        names = [one.name for one in listed if one.name not in SYSTEM_NAMESPACES]
        return tuple(
            glob
            for glob in selection.include
            if is_glob(glob) and not any(matches(glob, name) for name in names)
        )


def _cannot_list() -> ApiError:
    return ApiError(
        "signed in, but not allowed to list namespaces, which a glob, a selector or prune needs",
        remedy=(
            "Apply infra/rbac/cluster.yaml (ClusterRole ecr-public-pusher: list on namespaces), or"
            " list the namespaces by name."
        ),
    )
