"""Decide on Secrets of ours that are to go, or that no document selects any more. Pure."""

from collections.abc import Collection, Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from ecr_public_pusher.jobs.decision_table import Decision, Intent, State, Step
from ecr_public_pusher.jobs.observation import Observation
from ecr_public_pusher.jobs.secret_state import SecretStates
from ecr_public_pusher.jobs.seen_account import SeenAccount
from ecr_public_pusher.jobs.seen_secret import SeenSecret
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.results import Namespace, NamespaceOutcome, Outcome

# The command is repeated in each namespace's problem, and a report's size is limited.
NAMESPACES_A_COMMAND = 20


@dataclass(frozen=True)
class Unselected:
    """Judgement of one cluster's Secrets outside of what is selected, and of all in a removal."""

    planned: PlannedCluster
    intent: Intent
    now: datetime
    states: SecretStates

    def clean_up(self, observation: Observation, chosen: Collection[str]) -> list[Decision]:
        """Return decisions on this stack's Secrets in namespaces that the document does not select.

        `chosen`: the names of those it selects.
        """
        known = {one.name: one for one in observation.namespaces or ()}
        found = [
            decision
            for name, seen in sorted((observation.secrets or {}).items())
            if name not in chosen
            and (decision := self._of_unselected(name, known.get(name), seen)) is not None
        ]
        return _with_commands(found, self.planned)

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
            return None  # theirs to adopt; perhaps theirs where its labels are unknown
        if self.states.is_newer(seen):
            return None  # written after this run read its configuration
        if own and self.planned.config.prune:
            return self.deletion(namespace, seen, None)
        if not seen.held_by(self.intent.stack.field_manager) and not self.states.is_restored(seen):
            return None
        return Decision(
            namespace, State.FRESH, Step.LEAVE, self._left(name, seen, document, own=own), seen
        )

    def _left(self, name: str, seen: SeenSecret, document: str, *, own: bool) -> NamespaceOutcome:
        secret = self.planned.config.secret_name
        hours = seen.seconds_left(self.now) / 3600
        ends = (
            f"its token expires in {hours:.1f} hours, and then blocks pulls"
            if hours
            else "its token has expired, and blocks pulls"
        )
        repository = self.planned.config.repository is not None
        what = "names the repository" if repository else "selects the namespace"
        whose = (
            f"this document wrote it, and no longer {what}"
            if own
            else f"written by {document}, which is disabled or deleted"
        )
        remedy = (
            f"{'Name the repository' if repository else 'Select the namespace'} again, set"
            " prune: true, or "
            if own
            else "Select the namespace here or enable that document, or "
        )
        return NamespaceOutcome(
            name,
            Outcome.LEFT,
            f"the Secret {secret} is left behind ({whose}): {ends}",
            f"{remedy}delete it: ",
        )

    def removals(self, observation: Observation) -> Iterator[Decision]:
        """Yield decisions on all Secrets with this document's mark.

        What another enabled document of the cluster selects stays: that one adopts it, and Pods
        there still need it.
        """
        known = {one.name: one for one in observation.namespaces or ()}
        for name, seen in (observation.secrets or {}).items():
            if self.intent.stack.document_of(seen.owner) != self.planned.config.id:
                continue
            namespace = known.get(name) or Namespace(name)
            successor = self.planned.successor(namespace, listed=name in known)
            if successor is not None and not seen.deleting:
                yield Decision(
                    namespace, State.KEPT, Step.LEAVE, self._handed_over(name, successor), seen
                )
            elif decision := self.deletion(namespace, seen, None):
                yield decision

    def _handed_over(self, name: str, successor: str) -> NamespaceOutcome:
        return NamespaceOutcome(
            name,
            Outcome.SKIPPED,
            f"the Secret {self.planned.config.secret_name} stays: the document {successor} selects"
            " this namespace of the same cluster too, and adopts it when it is pushed next",
        )

    def deletion(
        self, namespace: Namespace, seen: SeenSecret, accounts: tuple[SeenAccount, ...] | None
    ) -> Decision | None:
        """Decide on the deletion of Secrets with this document's mark."""
        if self.intent.stack.document_of(seen.owner) != self.planned.config.id:
            return None
        name = namespace.name
        secret = self.planned.config.secret_name
        if seen.deleting:
            return Decision(
                namespace,
                State.DELETING,
                Step.WAIT,
                waiting(name, secret, seen, kubectl=self.planned.kubectl),
                seen,
            )
        if not seen.held_by(self.intent.stack.field_manager) and not self.states.is_restored(seen):
            return Decision(namespace, State.FOREIGN, Step.LEAVE, self._rewritten(name, seen), seen)
        gone = Outcome.REMOVED if self.intent.kind == "remove" else Outcome.PRUNED
        return Decision(
            namespace, State.FRESH, Step.DELETE, NamespaceOutcome(name, gone), seen, accounts
        )

    def _rewritten(self, name: str, seen: SeenSecret) -> NamespaceOutcome:
        """Return the outcome of a Secret with our mark, but data of others.

        It stays, and its removal must not be reported as done.
        """
        by = ", ".join(self.states.holders(seen))[:200]
        secret = self.planned.config.secret_name
        kind = Outcome.CONFLICT if self.intent.kind == "remove" else Outcome.SKIPPED
        return NamespaceOutcome(
            name,
            kind,
            f"the Secret {secret} stays: it has our annotations, but {by} has written its data"
            " since our last push",
            f"If nothing else needs it, delete it: `{self.planned.kubectl} -n {name} delete secret"
            f" {secret}`.",
        )


def _with_commands(decisions: Sequence[Decision], planned: PlannedCluster) -> list[Decision]:
    """Return the decisions, with the command that deletes the Secret where it is left.

    Namespaces with the same message share one, so that they can be shown as one problem.
    """
    left: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        if (outcome := decision.outcome) and outcome.outcome is Outcome.LEFT:
            left.setdefault((outcome.message, outcome.remedy), []).append(decision)
    remedies: dict[str, str] = {}
    for (_, remedy), same in left.items():
        for some in batched(same, NAMESPACES_A_COMMAND, strict=False):
            names = [decision.name for decision in some]
            command = _delete_command(names, planned)
            remedies |= dict.fromkeys(names, f"{remedy}`{command}`.")
    return [
        (
            replace(one, outcome=replace(one.outcome, remedy=remedies[one.name]))
            if one.outcome and one.name in remedies
            else one
        )
        for one in decisions
    ]


def _delete_command(names: Sequence[str], planned: PlannedCluster) -> str:
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
        "Find out what set them: it removes them when it is done. If it no longer exists, remove"
        f" them: `{kubectl} -n {name} patch secret {secret} --type=merge -p"
        ' \'{"metadata":{"finalizers":null}}\'`.',
    )
