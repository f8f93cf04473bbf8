"""The decision table: states of a Secret, and the step of a push and of a sweep for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal, NamedTuple

from ecr_public_pusher.configuration.namespace_selector import Scope
from ecr_public_pusher.jobs.seen_account import SeenAccount
from ecr_public_pusher.jobs.seen_secret import SeenSecret
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.results import Namespace, NamespaceOutcome


class State(Enum):
    """State of the Secret in a namespace that the document selects."""

    UNKNOWN = "the function may not look"
    ABSENT = "nothing"
    FRESH = "ours"
    ENDING = "ours, about to expire"
    HIDDEN = "ours, without the label by which Argo CD finds a repository's Secret"
    NEWER = "ours, written after this run read its configuration"
    KEPT = (
        "of another document of this stack, which selects the namespace and comes first, or is"
        " invalid"
    )
    RELEASED = (
        "of another document of this stack, which was deleted or no longer selects the namespace"
    )
    RESTORED = "has our annotations, but its field managers were cleared, or Velero restored it"
    FOREIGN = "somebody else's"
    DELETING = "being deleted"


class Step(Enum):
    """Step taken for a state. APPLY, TAKE and ASK send the Secret's manifest."""

    APPLY = "apply, bound to the version seen, if one was"
    TAKE = "apply by force, bound to the version seen"
    ASK = "a dry run of an apply: the API server says who holds the Secret"
    DELETE = "delete the version seen"
    CURRENT = "nothing: it is as it should be"
    LEAVE = "nothing, and it is not reported"
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
    State.HIDDEN: (Step.APPLY, Step.APPLY),
    State.NEWER: (Step.CURRENT, Step.CURRENT),
    State.KEPT: (Step.CONFLICT, Step.LEAVE),
    State.RELEASED: (Step.APPLY, Step.APPLY),
    State.RESTORED: (Step.TAKE, Step.TAKE),
    State.FOREIGN: (Step.ASK, Step.LEAVE),  # a push with takeOwnership: TAKE
    State.DELETING: (Step.WAIT, Step.LEAVE),
}


@dataclass(frozen=True)
class Intent:
    """Purpose and options of a run, the same for every cluster.

    `own_role`: the ARN of the function's role. `read_at`: when the run read its configuration.
    `new_since`: for a sweep that may not list
    Secrets, the creation time from which a namespace is new, and lacks its Secret.
    """

    kind: Literal["push", "sweep", "remove"]
    stack: Stack
    read_at: datetime
    scope: Scope
    new_since: datetime | None
    dry_run: bool
    prune_all: bool
    own_role: str

    @property
    def cleans_up(self) -> bool:
        """Return whether Secrets in unselected namespaces are looked at.

        Only a push does that, unless it is narrowed to some namespaces.
        """
        return self.kind == "push" and self.scope.whole


class Decision(NamedTuple):
    """The step to take in one namespace, and its reason.

    `outcome`: of a step without requests, or of one with requests if it succeeds; None if there is
    nothing to report. `accounts`: those to change, which lack the Secret's name or opted out of it
    (for a deletion: that have it); None if they must be looked for. `missing_accounts`: named by
    the document, but not found.
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
        """Return whether the Secret is applied, so that a token is needed."""
        return self.step in (Step.APPLY, Step.TAKE, Step.ASK)


_IDLE = (Step.CURRENT, Step.LEAVE, Step.CONFLICT, Step.WAIT)
