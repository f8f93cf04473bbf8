"""Carry out a cluster's decisions concurrently.

Every namespace gets its first try before any gets a second, so that the healthy do not wait for the
others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.errors import (
    ApiError,
    ApiStatusError,
    ClusterAborted,
    ConnectionFailed,
    DeadlineReached,
    InternalError,
    NoAnswerError,
    PusherError,
    SignInError,
    UnreachableError,
)
from ecr_public_pusher.jobs.action import Action
from ecr_public_pusher.jobs.connections import MOST_AT_ONCE, connections_for
from ecr_public_pusher.jobs.decision import Decision
from ecr_public_pusher.jobs.ledger import Ledger
from ecr_public_pusher.kubernetes_api.client import PATIENT, Patience
from ecr_public_pusher.results import NamespaceOutcome, Outcome

# After this many slow tries without a response, the cluster is taken to hang, not one namespace.
UNANSWERED = 8


@dataclass
class CarryOut:
    """Decisions of one cluster on their way into its `ledger`.

    `late`: seconds that an answer takes while the processor is idle, as in `connections_for`.
    """

    action: Action
    ledger: Ledger
    most_connections: int
    late: float = 0.0
    _answered: bool = False
    _unanswered: int = 0
    _again: dict[str, tuple[Decision, PusherError]] = field(default_factory=dict)

    async def all(self, decisions: Sequence[Decision]) -> None:
        """Carry out the decisions in this order.

        Failures go into the ledger; none is raised for a namespace.
        """
        policy = self.action.api.retry_policy
        if len(decisions) > 1:
            await self._each(decisions, Patience(attempts=1, seconds=policy.first_try_seconds), {})
            again = self._again
            self._again = {}
            decisions = [decision for decision, _ in again.values()]
            errors = {name: error for name, (_, error) in again.items()}
            patience = Patience(attempts=max(1, policy.attempts - 1))
        else:
            errors = {}
            patience = PATIENT
        await self._each(decisions, patience, errors)
        for decision, error in self._again.values():
            if isinstance(error, ConnectionFailed):
                self.ledger.fail(error)
            self._failed(decision, error)

    async def _each(
        self, decisions: Sequence[Decision], patience: Patience, errors: Mapping[str, PusherError]
    ) -> None:
        if decisions:
            width = connections_for(len(decisions), late=self.late, most=self.most_connections)
            await run_concurrently(
                decisions,
                lambda decision: self._one(decision, patience, errors.get(decision.name)),
                width=width,
                most=max(width, MOST_AT_ONCE),
                stalled_after=self.action.api.retry_policy.stalled_seconds,
            )

    async def _one(
        self, decision: Decision, patience: Patience, before: PusherError | None
    ) -> None:
        if self.ledger.error is not None:
            return  # the cluster has failed as a whole
        self.ledger.started.add(decision.name)
        try:
            if before is not None:
                await self._pause(before)
            self.ledger.outcomes[decision.name] = await self._outcome(decision, patience)
        except DeadlineReached:
            return
        except (ApiStatusError, NoAnswerError, ConnectionFailed) as error:
            self._again[decision.name] = decision, error
        except (SignInError, UnreachableError, ClusterAborted) as error:
            self.ledger.fail(error)
        except ApiError as error:
            self._failed(decision, error)
        except PusherError as error:
            self.ledger.fail(error)
        except Exception as error:  # noqa: BLE001 - a bug of ours fails only this namespace
            self._failed(decision, InternalError.from_exception(error))

    async def _outcome(self, decision: Decision, patience: Patience) -> NamespaceOutcome | None:
        """Return the outcome. Raise NoAnswerError once enough long tries went unanswered."""
        long = patience.seconds is None
        if long and not self._answered and self._unanswered >= UNANSWERED:
            raise NoAnswerError(
                "the cluster responded to no write, so this one was not retried",
                remedy="Check its admission webhooks and its load; the next run tries again.",
            )
        try:
            outcome = await self.action.carry_out(decision, patience)
        except NoAnswerError:
            self._unanswered += long
            raise
        except ApiStatusError:
            self._answered = True
            raise
        self._answered = True
        return outcome

    async def _pause(self, error: PusherError) -> None:
        """Wait before the second try, as long as the answer asked for.

        Raise `error` if the deadline leaves no time for that.
        """
        retry_after = error.retry_after if isinstance(error, ApiStatusError) else None
        deadline = self.action.deadline
        seconds = self.action.api.retry_policy.pause(1, retry_after)
        if seconds >= deadline.remaining:
            raise error
        await deadline.sleep(seconds)

    def _failed(self, decision: Decision, error: PusherError) -> None:
        self.ledger.outcomes[decision.name] = NamespaceOutcome(
            decision.name, Outcome.FAILED, error.message, error.remedy
        )
