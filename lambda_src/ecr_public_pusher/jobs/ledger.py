"""Progress of one cluster's run, complete at any moment.

A run that is cancelled at the deadline is reported from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.jobs.decision import Decision
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.results import Namespace, NamespaceOutcome


@dataclass
class Ledger:
    """Outcomes of one cluster's run so far.

    `targets`: namespaces that must come to an outcome. `outcomes`: by namespace; None if there is
    nothing to report.

    `started`: namespaces that something was sent for. `error`: what fails the whole cluster.
    `observed`: the cluster has shown what is there.

    `seconds_left`: least life of a selected namespace's Secret; None if unknown. `empty_globs`:
    globs that match no namespace. `dropped`: Secrets of repositories that the document no longer
    names.
    """

    targets: tuple[Namespace, ...] = ()
    outcomes: dict[str, NamespaceOutcome | None] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    error: PusherError | None = None
    observed: bool = False
    seconds_left: float | None = None
    empty_globs: tuple[str, ...] = ()
    dropped: tuple[PlannedCluster, ...] = ()

    def note(self, decisions: Iterable[Decision]) -> None:
        """Enter the outcomes of decisions that need no request."""
        for decision in decisions:
            self.outcomes[decision.name] = decision.outcome

    def fail(self, error: PusherError) -> None:
        """Enter an error that fails the whole cluster; the first one stands."""
        self.error = self.error or error

    def restart(self) -> None:
        """Forget the findings at an endpoint where the cluster no longer is."""
        self.outcomes.clear()
        self.started.clear()
        self.error = None
