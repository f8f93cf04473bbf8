"""What one cluster's run has come to until now, whole at any moment: what is cancelled at the
deadline says so afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.jobs.decision import Decision
from ecr_public_pusher.results import Namespace, NamespaceOutcome


@dataclass
class Ledger:
    """`targets`: the namespaces that must come to an outcome.

    `outcomes`: by namespace, None where there is nothing to say.

    `started`: those that something was sent for. `error`: what fails the cluster as a whole.
    `observed`: the cluster has shown what is there.
    """

    targets: tuple[Namespace, ...] = ()
    outcomes: dict[str, NamespaceOutcome | None] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    error: PusherError | None = None
    observed: bool = False
    seconds_left: float | None = None
    empty_globs: tuple[str, ...] = ()

    def note(self, decisions: Iterable[Decision]) -> None:
        """Enter the outcomes of decisions that ask nothing of the cluster."""
        for decision in decisions:
            self.outcomes[decision.name] = decision.outcome

    def fail(self, error: PusherError) -> None:
        """Enter what fails the cluster as a whole: the first such error stands."""
        self.error = self.error or error

    def restart(self) -> None:
        """Forget what was found where the cluster is not any more."""
        self.outcomes.clear()
        self.started.clear()
        self.error = None
