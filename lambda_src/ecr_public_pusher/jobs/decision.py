"""Decide what is done in each namespace, from the documents, the request, what was seen and the
time: values in, values out.

The table is DESIGN's, "Look first, then act": what is there, and what a push and a sweep do about
it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from itertools import batched
from typing import Literal

from ecr_public_pusher.configuration.names import any_of, is_glob
from ecr_public_pusher.configuration.namespace_selector import EVERYTHING, Scope, select
from ecr_public_pusher.jobs.observation import Observation
from ecr_public_pusher.jobs.seen_account import SeenAccount
from ecr_public_pusher.jobs.seen_secret import RESTORE_MANAGER, SeenSecret
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.results import Namespace, NamespaceOutcome, Outcome

# Field managers of what was there before it was tracked, or was restored: nobody writes as them
# again.
LEFT_BY_RESTORES = ("before-first-apply", RESTORE_MANAGER)
# A Secret with less of its life left is renewed by the next sweep, not only by the next push.
ENDING_SHARE = 0.3
# Each of their problems bears the command, and a report has room for so much.
NAMESPACES_A_COMMAND = 20


class State(Enum):
    """What is there, under the Secret's name, in a namespace that the document selects."""

    UNKNOWN = "the function may not look"
    ABSENT = "nothing"
    FRESH = "ours"
    ENDING = "ours, about to end"
    NEWER = "ours, written after this run read its configuration"
    KEPT = (
        "of another document of this stack, which selects the namespace and comes first, or is"
        " invalid"
    )
    RELEASED = (
        "of another document of this stack, which is gone or does not select the namespace any more"
    )
    RESTORED = "bears our mark, but its field managers were cleared, or it was restored by Velero"
    FOREIGN = "somebody else's"
    DELETING = "being deleted"


class Step(Enum):
    """What is done about it. Those from APPLY to ASK are requests about the Secret."""

    APPLY = "apply, bound to the version seen, if one was"
    TAKE = "apply by force, bound to the version seen"
    ASK = "a dry run of an apply: the API server says who holds the Secret"
    DELETE = "delete the version seen"
    CURRENT = "nothing: it is as it should be"
    LEAVE = "nothing, and nothing is said"
    CONFLICT = "nothing: it is another document's"
    WAIT = "nothing: it is being deleted"


# By state: what a push does, and what a sweep does.
TABLE: Mapping[State, tuple[Step, Step]] = {
    State.UNKNOWN: (
        Step.APPLY,
        Step.APPLY,
    ),  # a sweep: in namespaces that are newer than its window
    State.ABSENT: (Step.APPLY, Step.APPLY),
    State.FRESH: (Step.APPLY, Step.CURRENT),
    State.ENDING: (Step.APPLY, Step.APPLY),
    State.NEWER: (Step.CURRENT, Step.CURRENT),
    State.KEPT: (Step.CONFLICT, Step.LEAVE),
    State.RELEASED: (Step.APPLY, Step.APPLY),
    State.RESTORED: (Step.TAKE, Step.TAKE),
    State.FOREIGN: (Step.ASK, Step.LEAVE),  # a push with takeOwnership: TAKE
    State.DELETING: (Step.WAIT, Step.LEAVE),
}
_OURS = (State.FRESH, State.ENDING, State.NEWER, State.RELEASED, State.RESTORED)


@dataclass(frozen=True)
class Intent:
    """The intent of a run for every cluster. `read_at`: when it read its configuration.

    `new_since`: of a sweep that may not look, since when a namespace must be there to lack its
    Secret.
    """

    kind: Literal["push", "sweep", "remove"]
    stack: Stack
    read_at: datetime
    scope: Scope = EVERYTHING
    new_since: datetime | None = None
    dry_run: bool = False
    prune_all: bool = False

    @property
    def cleans_up(self) -> bool:
        """Return whether Secrets in namespaces that are not selected are looked at: not in a sweep,
        nor a narrowed push.
        """
        return self.kind == "push" and self.scope.whole


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done in one namespace, and why.

    `outcome`: of a step that asks nothing of the cluster, and of one that does if it succeeds; None
    where nothing is to be said. `accounts` lack the Secret's name (of a deletion: bear it); None:
    they are to be looked for. `missing_accounts` are named by the document and not there.
    """

    namespace: Namespace
    state: State
    step: Step
    outcome: NamespaceOutcome | None = None
    seen: SeenSecret | None = None
    accounts: tuple[SeenAccount, ...] | None = ()
    missing_accounts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the namespace's name."""
        return self.namespace.name

    @property
    def idle(self) -> bool:
        """Return whether nothing is asked of the cluster."""
        return self.step in _IDLE and self.accounts == () and not self.missing_accounts

    @property
    def writes_secret(self) -> bool:
        """Return whether the Secret is applied, and so a token is needed."""
        return self.step in (Step.APPLY, Step.TAKE, Step.ASK)


_IDLE = (Step.CURRENT, Step.LEAVE, Step.CONFLICT, Step.WAIT)


@dataclass(frozen=True)
class Judge:
    """The judgement of one cluster's document in one run.

    Pure: `now` is an argument like all else.
    """

    planned: PlannedCluster
    intent: Intent
    now: datetime

    def decide(self, observation: Observation) -> list[Decision]:
        """Return one decision for each selected namespace, and for each that holds a Secret of ours
        to clean up. Most urgent first.
        """
        if self.intent.kind == "remove":
            return sorted(self._removals(observation), key=lambda decision: decision.name)
        selected = self.selected(observation, self.intent.scope)
        decisions = [self._of_selected(namespace, observation) for namespace in selected]
        decisions.sort(key=lambda decision: self._urgency(decision))
        if not self.intent.cleans_up:
            return decisions
        chosen = {namespace.name for namespace in selected}
        return [*decisions, *self.clean_up(observation, chosen)]

    def selected(
        self, observation: Observation, scope: Scope = EVERYTHING
    ) -> tuple[Namespace, ...]:
        """Return the namespaces that the document selects within `scope`, those named outright
        first.
        """
        return select(self.planned.config.selection, observation.namespaces, scope=scope)

    def again(self, decision: Decision, seen: SeenSecret | None) -> Decision:
        """Return what is decided now that the Secret turned out to be another, or
        another version.
        """
        if decision.step is Step.DELETE:
            found = (
                None
                if seen is None
                else self._deletion(decision.namespace, seen, decision.accounts)
            )
            return found or Decision(decision.namespace, State.ABSENT, Step.LEAVE)
        state = self.state(seen)
        return self._decision(
            decision.namespace, state, seen, decision.accounts, decision.missing_accounts
        )

    def contested(self, decision: Decision, managers: tuple[str, ...]) -> Decision:
        """Return what is decided where the Secret is ours by its data, but `managers` hold other
        fields that we apply.

        What a restore left behind is no writer: it holds fields until they change for the first
        time.
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
        """Return what a look at a namespace found that no document ahead selects."""
        if seen is None:
            return State.ABSENT
        if seen.deleting:
            return State.DELETING
        document = self.intent.stack.document_of(seen.owner)
        if document is None:
            return State.FOREIGN
        if self._is_invalid(document):
            return State.KEPT
        if not seen.held_by(self.intent.stack.field_manager):
            return State.RESTORED if self._is_restored(seen) else State.FOREIGN
        if document != self.planned.config.id:
            return State.RELEASED
        if self._is_newer(seen):
            return State.NEWER
        return State.ENDING if seen.share_left(self.now) < ENDING_SHARE else State.FRESH

    def _is_invalid(self, document: str) -> bool:
        """Return whether the document, or the discovery that found its cluster, is invalid: then it
        keeps what it wrote.
        """
        invalid = self.planned.invalid
        if not invalid:
            return False
        return document in invalid or any(
            document.startswith(one[:-1]) for one in invalid if one.endswith("/*")
        )

    def _is_newer(self, seen: SeenSecret) -> bool:
        """Return whether it was written after this run read its configuration."""
        return seen.pushed_at is not None and seen.pushed_at > self.intent.read_at

    def _is_restored(self, seen: SeenSecret) -> bool:
        """Return whether nobody holds the data, or Velero alone, whose label says so."""
        others = {manager for manager, _ in seen.managers | seen.writers}
        return not others or (
            seen.restored and all(manager.startswith(RESTORE_MANAGER) for manager in others)
        )

    def _of_selected(self, namespace: Namespace, observation: Observation) -> Decision:
        seen = None if observation.secrets is None else observation.secrets.get(namespace.name)
        if holder := self.planned.holder(namespace):
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
                    name, Outcome.ADOPTED, taken_from=(f"document {self._document(seen)}",)
                )
            case Step.APPLY:
                return NamespaceOutcome(
                    name, Outcome.CREATED if state is State.ABSENT else Outcome.UPDATED
                )
            case Step.TAKE:
                return NamespaceOutcome(
                    name,
                    Outcome.ADOPTED,
                    taken_from=self._holders(seen),
                    replaces=state is State.FOREIGN,
                )
            case Step.CURRENT:
                return NamespaceOutcome(name, Outcome.CURRENT)
            case Step.CONFLICT:
                document = self._document(seen)
                return NamespaceOutcome(
                    name,
                    Outcome.CONFLICT,
                    f"the Secret {secret} is of the document {document}, which is invalid, and"
                    " keeps what it wrote",
                    f"Correct {document}, or delete it: then this document takes the Secret over.",
                )
            case Step.WAIT:
                assert seen is not None
                return waiting(name, secret, seen, kubectl=self.planned.kubectl)
            case _:
                return None

    def _holders(self, seen: SeenSecret | None) -> tuple[str, ...]:
        """Return the field managers of the data other than ours."""
        return (seen.others(self.intent.stack.field_manager) if seen else ()) or ("unknown",)

    def _document(self, seen: SeenSecret | None) -> str:
        return self.intent.stack.document_of(seen.owner if seen else None) or "?"

    def _held(self, namespace: Namespace, holder: str, seen: SeenSecret | None) -> Decision:
        """Leave the namespace to a document that comes first and selects it, too."""
        own = self.planned.config
        outcome = NamespaceOutcome(
            namespace.name,
            Outcome.CONFLICT,
            f"the document {holder} selects this namespace of the same cluster, with the same"
            " Secret name, too",
            f"Exclude it from one of {holder} and {own.id}, or give one another secretName.",
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
        """Decide where the function may not look: a push applies, and a sweep where the namespace
        is new.
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
            f"`{self.planned.kubectl} create namespace {namespace.name}`, or take it out of the"
            " configuration.",
        )
        return Decision(
            namespace, State.ABSENT, Step.LEAVE, outcome if self.intent.kind == "push" else None
        )

    def _accounts(
        self, namespace: Namespace, observation: Observation
    ) -> tuple[tuple[SeenAccount, ...] | None, tuple[str, ...]]:
        """Return the accounts that lack the Secret's name, None where they may not be listed; and
        those that are not there.
        """
        patterns = self.planned.config.service_accounts
        if not patterns:
            return (), ()
        there = observation.accounts_in(namespace.name)
        if there is None:
            return None, ()
        meant = any_of(patterns)
        wanted = (one for name, one in sorted(there.items()) if meant(name))
        lacking = tuple(one for one in wanted if one.lacks(self.planned.config.secret_name))
        return lacking, tuple(
            pattern for pattern in patterns if not is_glob(pattern) and pattern not in there
        )

    def _urgency(self, decision: Decision) -> tuple[bool, float, str]:
        """Missing first, then the least life left."""
        return (
            decision.seen is not None,
            decision.seen.seconds_left(self.now) if decision.seen else 0.0,
            decision.name,
        )

    def clean_up(self, observation: Observation, chosen: Collection[str]) -> list[Decision]:
        """Decide on Secrets of this stack in namespaces other than those `chosen`, which the
        document does not select.
        """
        known = {one.name: one for one in observation.namespaces or ()}
        found = [
            decision
            for name, seen in sorted((observation.secrets or {}).items())
            if name not in chosen
            and (decision := self._of_unselected(name, known.get(name), seen)) is not None
        ]
        return with_commands(found, self.planned)

    def _of_unselected(
        self, name: str, known: Namespace | None, seen: SeenSecret
    ) -> Decision | None:
        document = self.intent.stack.document_of(seen.owner)
        own = document == self.planned.config.id
        namespace = known or Namespace(name)
        if (
            document is None
            or namespace.terminating
            or seen.deleting
            or (not own and not self.planned.answers_for(document))
        ):
            return None
        others = (*self.planned.ahead, *self.planned.behind)
        if any(
            other.selection.selects(namespace) or (other.selection.selector and known is None)
            for other in others
        ):
            return None  # theirs to adopt, or, where its labels are not known, maybe
        if self._is_newer(seen):
            return None  # by a run that knows better
        if own and self.planned.config.prune:
            return self._deletion(namespace, seen, None)
        if not seen.held_by(self.intent.stack.field_manager) and not self._is_restored(seen):
            return None
        return Decision(
            namespace, State.FRESH, Step.LEAVE, self._left(name, seen, document, own=own), seen
        )

    def _left(self, name: str, seen: SeenSecret, document: str, *, own: bool) -> NamespaceOutcome:
        secret = self.planned.config.secret_name
        hours = seen.seconds_left(self.now) / 3600
        ends = (
            f"its token ends in {hours:.1f} hours, and then blocks pulls"
            if hours
            else "its token has ended, and blocks pulls"
        )
        whose = (
            "this document wrote it, and does not select the namespace any more"
            if own
            else f"of {document}, which is disabled or gone"
        )
        remedy = (
            "Select the namespace again, set prune: true, or "
            if own
            else "Select the namespace here or enable that document, or "
        )
        return NamespaceOutcome(
            name,
            Outcome.LEFT,
            f"the Secret {secret} is left there ({whose}): {ends}",
            f"{remedy}delete it: ",
        )

    def _removals(self, observation: Observation) -> Iterator[Decision]:
        for name, seen in (observation.secrets or {}).items():
            if self.intent.stack.document_of(seen.owner) == self.planned.config.id and (
                decision := self._deletion(Namespace(name), seen, None)
            ):
                yield decision

    def _deletion(
        self, namespace: Namespace, seen: SeenSecret, accounts: tuple[SeenAccount, ...] | None
    ) -> Decision | None:
        """Decide on the deletion of what bears this document's mark."""
        if self.intent.stack.document_of(seen.owner) != self.planned.config.id:
            return None
        name, secret = namespace.name, self.planned.config.secret_name
        if seen.deleting:
            return Decision(
                namespace,
                State.DELETING,
                Step.WAIT,
                waiting(name, secret, seen, kubectl=self.planned.kubectl),
                seen,
            )
        if not seen.held_by(self.intent.stack.field_manager) and not self._is_restored(seen):
            return Decision(namespace, State.FOREIGN, Step.LEAVE, self._rewritten(name, seen), seen)
        gone = Outcome.REMOVED if self.intent.kind == "remove" else Outcome.PRUNED
        return Decision(
            namespace, State.FRESH, Step.DELETE, NamespaceOutcome(name, gone), seen, accounts
        )

    def _rewritten(self, name: str, seen: SeenSecret) -> NamespaceOutcome:
        """Return the outcome of a Secret that bears our mark, but others' data: a removal must not
        be taken for done.
        """
        by = ", ".join(self._holders(seen))[:200]
        secret = self.planned.config.secret_name
        kind = Outcome.CONFLICT if self.intent.kind == "remove" else Outcome.SKIPPED
        return NamespaceOutcome(
            name,
            kind,
            f"the Secret {secret} stays: it bears our mark, but its data were written by {by} since"
            " our last push",
            f"If nothing else needs it, delete it: `{self.planned.kubectl} -n {name} delete secret"
            f" {secret}`.",
        )


def with_commands(decisions: Sequence[Decision], planned: PlannedCluster) -> list[Decision]:
    """Return the decisions; those whose Secrets are left get the command that deletes them.

    Namespaces of which the same is said share one, so that they can be shown as one problem.
    """
    left: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        if (outcome := decision.outcome) and outcome.outcome is Outcome.LEFT:
            left.setdefault((outcome.message, outcome.remedy), []).append(decision)
    remedies: dict[str, str] = {}
    for (_, remedy), same in left.items():
        for some in batched(same, NAMESPACES_A_COMMAND, strict=False):
            names = [decision.name for decision in some]
            command = delete_command(names, planned)
            remedies |= dict.fromkeys(names, f"{remedy}`{command}`.")
    return [
        (
            replace(one, outcome=replace(one.outcome, remedy=remedies[one.name]))
            if one.outcome and one.name in remedies
            else one
        )
        for one in decisions
    ]


def delete_command(names: Sequence[str], planned: PlannedCluster) -> str:
    """Return the command that deletes the Secret in those namespaces."""
    secret = planned.config.secret_name
    if len(names) == 1:
        return f"{planned.kubectl} -n {names[0]} delete secret {secret}"
    return (
        f"for namespace in {' '.join(names)}; do {planned.kubectl} -n $namespace delete secret"
        f" {secret}; done"
    )


def waiting(name: str, secret: str, seen: SeenSecret, *, kubectl: str) -> NamespaceOutcome:
    """Return the outcome of a Secret that is being deleted and waits for its finalizers."""
    return NamespaceOutcome(
        name,
        Outcome.FAILED,
        "the Secret is being deleted, but waits for finalizers set by others:"
        f" {', '.join(seen.finalizers or ())[:200] or 'unknown'}",
        "See what set them: it takes them away when it is done. If it is gone, take them away: "
        f"`{kubectl} -n {name} patch secret {secret} --type=merge -p"
        ' \'{"metadata":{"finalizers":null}}\'`.',
    )
