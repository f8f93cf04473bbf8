"""The result of a run, from which the report, the metrics and the verdict are made.

Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.results import ClusterResult, IssuedToken, Outcome


@dataclass(frozen=True)
class RunResult:
    """The result of one run.

    `error` is set when the run as a whole failed; there may be results beside it.
    `unconfigured` is None when the configuration was not read.
    `dispatched`: the number of messages into which a push of everything was split; None if it was
    done here.
    `queued`: the ids of clusters that wait in the queue for a retry.
    `queue_error`: the reason why others do not.
    `asked`: the action of an event that was refused.
    `gone`: ids in a message that the configuration no longer holds.
    `left_to_documents`: clusters that a discovery found and that a document of their own names.
    """

    request: Request
    request_id: str
    seconds: float
    results: Sequence[ClusterResult] = ()
    tokens: tuple[IssuedToken, ...] = ()
    error: PusherError | None = None
    unconfigured: bool | None = None
    unknown: tuple[str, ...] = ()
    dispatched: int | None = None
    queued: tuple[str, ...] = ()
    queue_error: PusherError | None = None
    asked: str | None = None
    gone: tuple[str, ...] = ()
    left_to_documents: tuple[str, ...] = ()

    @cached_property
    def failed(self) -> list[ClusterResult]:
        """The results of the clusters that failed."""
        return [result for result in self.results if not result.ok]

    @property
    def ok(self) -> bool:
        """Return whether the run succeeded as a whole and in every cluster."""
        return (
            self.error is None
            and not self.failed
            and not self.unknown
            and self.request.deleted is None
        )

    @property
    def full(self) -> bool:
        """Return whether it tried all namespaces of all enabled clusters, or a message's share.

        The dead man's switch watches it.
        """
        return (
            self.error is None
            and (
                self.request.pushes_all
                or (self.request.action == "push" and self.request.of_full_push)
            )
            and self.dispatched is None
            and not self.unconfigured
            and all(
                result.attempted and Outcome.NOT_ATTEMPTED not in result.counts
                for result in self.results
            )
        )

    @property
    def raises(self) -> bool:
        """Return whether Lambda is to count an error and retry.

        It is when the run as a whole failed, or clusters failed that no queue holds. A plan, a
        check and a sweep fail only as a whole.
        """
        if not self.request.raises:
            return False
        lost = (
            {result.id for result in self.failed} - set(self.queued)
            if self.request.action in ("push", "remove")
            else set()
        )
        return self.error is not None or bool(lost)
