"""Decide what is done in each namespace. Pure.

The inputs are the documents, the request, the observation and the time. TABLE says for each state
what a push does, and what a sweep does.
"""

from collections.abc import Collection
from copy import replace
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ecr_public_pusher.configuration.namespace_selector import EVERYTHING, Scope, select
from ecr_public_pusher.configuration.rbac_subject import Subject, rbac_subject
from ecr_public_pusher.jobs.decision_table import TABLE, Decision, Intent, State, Step
from ecr_public_pusher.jobs.observation import Observation
from ecr_public_pusher.jobs.secret_state import SecretStates
from ecr_public_pusher.jobs.seen_account import SeenAccount
from ecr_public_pusher.jobs.seen_secret import RESTORE_MANAGER, SeenSecret
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.jobs.unselected import Unselected, waiting
from ecr_public_pusher.results import Namespace, NamespaceOutcome, Outcome

__all__ = ["TABLE", "Decision", "Intent", "Judge", "State", "Step", "waiting"]

# Field managers of fields set before managers were tracked, or restored by Velero: no writer uses
# these names again.
LEFT_BY_RESTORES = ("before-first-apply", RESTORE_MANAGER)


@dataclass(frozen=True)
class Judge:
    """Decisions on one cluster's document in one run.

    Pure: `now` is an argument like everything else.
    """

    planned: PlannedCluster
    intent: Intent
    now: datetime

    @property
    def subject(self) -> Subject:
        """Return the subject that the cluster's roles are bound to."""
        return rbac_subject(self.planned.config, self.intent.own_role)

    def decide(
        self, observation: Observation, selected: tuple[Namespace, ...] | None = None
    ) -> list[Decision]:
        """Return one decision for each selected namespace, and for each Secret of ours to clean up.

        The most urgent come first. `selected`: those that are selected, if the caller knows them.
        """
        if self.intent.kind == "remove":
            return sorted(
                self._unselected.removals(observation), key=lambda decision: decision.name
            )
        if selected is None:
            selected = self.selected(observation, self.intent.scope)
        decisions = [self._of_selected(namespace, observation) for namespace in selected]
        decisions.sort(key=self._urgency)
        if not self.intent.cleans_up:
            return decisions
        chosen = {namespace.name for namespace in selected}
        return [*decisions, *self.clean_up(observation, chosen)]

    def selected(
        self, observation: Observation, scope: Scope = EVERYTHING
    ) -> tuple[Namespace, ...]:
        """Return the namespaces that the document selects within `scope`.

        Those named outright come first.
        """
        return select(self.planned.config.selection, observation.namespaces, scope=scope)

    def again(self, decision: Decision, seen: SeenSecret | None) -> Decision:
        """Return the decision for a Secret that is no longer the version decided upon."""
        if decision.step is Step.DELETE:
            found = (
                None
                if seen is None
                else self._unselected.deletion(decision.namespace, seen, decision.accounts)
            )
            return found or Decision(decision.namespace, State.ABSENT, Step.LEAVE)
        state = self.state(seen)
        return self._decision(
            decision.namespace, state, seen, decision.accounts, decision.missing_accounts
        )

    def contested(self, decision: Decision, managers: tuple[str, ...]) -> Decision:
        """Return the decision for a Secret of ours with other fields held by `managers`.

        The data is ours, but they hold fields that we apply. What a restore left behind is no
        writer: it holds fields until they change for the first time.
        """
        if managers and all(name.startswith(LEFT_BY_RESTORES) for name in managers):
            return replace(decision, step=Step.TAKE)
        if (
            self.intent.kind != "push"
            or not self.planned.config.take_ownership
            or decision.step is Step.TAKE
        ):
            return replace(decision, step=Step.LEAVE)
        taken = NamespaceOutcome(
            decision.name, Outcome.ADOPTED, taken_from=managers or ("unknown",), replaces=True
        )
        return replace(decision, step=Step.TAKE, outcome=taken)

    def state(self, seen: SeenSecret | None) -> State:
        """Return the state of the Secret in a namespace that no document ahead selects."""
        return self._states.of(seen)

    def clean_up(self, observation: Observation, chosen: Collection[str]) -> list[Decision]:
        """Return decisions on this stack's Secrets in namespaces that the document does not select.

        `chosen`: the names of those it selects.
        """
        return self._unselected.clean_up(observation, chosen)

    @cached_property
    def _states(self) -> SecretStates:
        return SecretStates(self.planned, self.intent, self.now)

    @cached_property
    def _unselected(self) -> Unselected:
        return Unselected(self.planned, self.intent, self.now, self._states)

    def _of_selected(self, namespace: Namespace, observation: Observation) -> Decision:
        seen = None if observation.secrets is None else observation.secrets.get(namespace.name)
        if self.planned.ahead and (holder := self.planned.holder(namespace)):
            return self._held(namespace, holder, seen)
        if namespace.terminating:
            outcome = NamespaceOutcome(
                namespace.name, Outcome.SKIPPED, "the namespace is being deleted"
            )
            return Decision(
                namespace, State.ABSENT, Step.LEAVE, outcome if self.intent.kind == "push" else None
            )
        if observation.secrets is None or namespace.name in observation.unseen:
            return self._unknown(namespace, observation)
        if seen is None and self._is_missing(namespace, observation):
            return self._missing(namespace)
        accounts, missing = self._accounts(namespace, observation)
        return self._decision(namespace, self.state(seen), seen, accounts, missing)

    def _decision(
        self,
        namespace: Namespace,
        state: State,
        seen: SeenSecret | None,
        accounts: tuple[SeenAccount, ...] | None,
        missing: tuple[str, ...],
    ) -> Decision:
        push = self.intent.kind == "push"
        step = TABLE[state][0 if push else 1]
        if state is State.FOREIGN and push and self.planned.config.take_ownership:
            step = Step.TAKE
        outcome = self._outcome(namespace.name, state, step, seen)
        if (
            step is Step.CURRENT
        ):  # where accounts may not be listed, looking into each namespace would cost a request
            return Decision(
                namespace, state, step, outcome, seen, accounts or (), missing if push else ()
            )
        if step in (Step.APPLY, Step.TAKE):
            return Decision(namespace, state, step, outcome, seen, accounts, missing)
        return Decision(namespace, state, step, outcome, seen)

    def _outcome(
        self, name: str, state: State, step: Step, seen: SeenSecret | None
    ) -> NamespaceOutcome | None:
        secret = self.planned.config.secret_name
        match step:
            case Step.APPLY if state is State.RELEASED:
                return NamespaceOutcome(
                    name, Outcome.ADOPTED, taken_from=(f"document {self._states.document(seen)}",)
                )
            case Step.APPLY:
                return NamespaceOutcome(
                    name, Outcome.CREATED if state is State.ABSENT else Outcome.UPDATED
                )
            case Step.TAKE:
                return NamespaceOutcome(
                    name,
                    Outcome.ADOPTED,
                    taken_from=self._states.holders(seen),
                    replaces=state is State.FOREIGN,
                )
            case Step.CURRENT:
                return NamespaceOutcome(name, Outcome.CURRENT)
            case Step.CONFLICT:
                document = self._states.document(seen)
                return NamespaceOutcome(
                    name,
                    Outcome.CONFLICT,
                    f"the Secret {secret} belongs to the document {document}, which is invalid,"
                    " and keeps what it wrote",
                    f"Correct {document}, or delete it: then this document takes the Secret over.",
                )
            case Step.WAIT:
                assert seen is not None
                return waiting(name, secret, seen, kubectl=self.planned.kubectl)
            case _:
                return None

    def _held(self, namespace: Namespace, holder: str, seen: SeenSecret | None) -> Decision:
        """Leave the namespace to a document that comes first and selects it too."""
        own = self.planned.config
        outcome = NamespaceOutcome(
            namespace.name,
            Outcome.CONFLICT,
            f"the document {holder} also selects this namespace of the same cluster, with the"
            " same Secret name",
            (
                f"Remove the repository from one of {holder} and {own.id}, or give its Secrets"
                " different names."
                if own.repository
                else f"Exclude it from one of {holder} and {own.id}, or give them different"
                " secretNames."
            ),
        )
        push = self.intent.kind == "push"
        return Decision(
            namespace,
            State.KEPT,
            Step.CONFLICT if push else Step.LEAVE,
            outcome if push else None,
            seen,
        )

    def _unknown(self, namespace: Namespace, observation: Observation) -> Decision:
        """Decide where the function may not look.

        A push applies; a sweep does so only if the namespace is new.
        """
        since = self.intent.new_since
        if self.intent.kind == "sweep" and (
            since is None or namespace.created_at is None or namespace.created_at < since
        ):
            return Decision(namespace, State.UNKNOWN, Step.LEAVE)
        accounts, missing = self._accounts(namespace, observation)
        outcome = NamespaceOutcome(namespace.name, Outcome.UPDATED)
        return Decision(namespace, State.UNKNOWN, Step.APPLY, outcome, None, accounts, missing)

    def _is_missing(self, namespace: Namespace, observation: Observation) -> bool:
        listed = observation.namespaces
        return (
            listed is not None
            and namespace.created_at is None
            and all(one.name != namespace.name for one in listed)
        )

    def _missing(self, namespace: Namespace) -> Decision:
        outcome = NamespaceOutcome(
            namespace.name,
            Outcome.MISSING,
            "the namespace does not exist",
            f"`{self.planned.kubectl} create namespace {namespace.name}`, or remove it from the"
            " configuration.",
        )
        return Decision(
            namespace, State.ABSENT, Step.LEAVE, outcome if self.intent.kind == "push" else None
        )

    def _accounts(
        self, namespace: Namespace, observation: Observation
    ) -> tuple[tuple[SeenAccount, ...] | None, tuple[str, ...]]:
        """Return the accounts to change, and the named ones that do not exist.

        The former are None if accounts may not be listed.
        """
        wanted = self.planned.config.service_accounts
        if not wanted:
            return (), ()
        there = observation.accounts_in(namespace.name)
        if there is None:
            return None, ()
        secret = self.planned.config.secret_name
        changing = tuple(one for _, one in sorted(there.items()) if one.needs_change(secret))
        return changing, tuple(name for name in wanted.expected if name not in there)

    def _urgency(self, decision: Decision) -> tuple[bool, float, str]:
        """Return the sort key: missing Secrets first, then those with the least life left."""
        return (
            decision.seen is not None,
            decision.seen.seconds_left(self.now) if decision.seen else 0.0,
            decision.name,
        )
