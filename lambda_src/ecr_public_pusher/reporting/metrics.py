"""The CloudWatch metrics of a run's result. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.results import ClusterResult, Outcome

# The threshold of the alarm token-ending. Below it a sweep says which clusters it means.
LITTLE_LIFE_SECONDS = 3 * 3600


@dataclass(frozen=True)
class Metric:
    """One CloudWatch metric.

    `unit` is CloudWatch's name for the unit; `cluster` or `registry` the second dimension, if any.
    """

    name: str
    value: float
    unit: str = "Count"
    cluster: str | None = field(default=None)
    registry: str | None = field(default=None)


def metrics(run: RunResult, *, now: datetime, of_clusters: bool = True) -> list[Metric]:
    """Return the metrics of a run, explicit zeros included so that no series ends.

    A plan, a check and a removal emit nothing: no alarm may follow from them. A sweep counts only
    clusters that it wrote to or that failed; the remaining life is emitted for those and for
    clusters with little of it, since CloudWatch bills each series by the hours in which it is sent.
    The least of all clusters is emitted by every push and sweep. The dispatcher of a push does not
    emit its completion. The remaining life of stored credentials is emitted only where there are
    any. `of_clusters`: each cluster's own are emitted besides those of the run.
    """
    if run.request.action not in ("push", "sweep"):
        return []
    lives = [result.seconds_left for result in run.results if result.seconds_left is not None]
    shown = measured = [result for result in run.results if not result.skipped]
    if run.request.action == "sweep":
        shown = [result for result in shown if _is_news(result)]
        measured = [
            result
            for result in measured
            if _is_news(result) or (result.seconds_left or 0) < LITTLE_LIFE_SECONDS
        ]
        found = [Metric("ClustersFailed", len(run.failed))] if shown else []
    else:
        found = (
            []
            if run.dispatched is not None
            else [
                Metric("FullPushCompleted", float(run.full)),
                Metric("ClustersFailed", len(run.failed)),
            ]
        )
        found.append(Metric("Duration", run.seconds, "Seconds"))
        if run.unconfigured is not None:
            found.append(Metric("Unconfigured", float(run.unconfigured)))
        if run.unconfigured is not None or run.unknown:
            found.append(Metric("UnknownParameters", len(run.unknown)))
            found.append(Metric("DocumentsDeleted", float(run.request.deleted is not None)))
    for token in run.tokens:
        life = (token.expires_at - now).total_seconds()
        found.append(
            Metric(
                "TokenSecondsAtIssue",
                life,
                "Seconds",
                registry=token.registry if token.private else None,
            )
        )
    if lives:
        found.append(Metric("SecondsLeft", round(min(lives)), "Seconds"))
    found += [
        Metric("SecondsLeft", round(result.seconds_left), "Seconds", cluster=result.id)
        for result in measured
        if result.seconds_left is not None
    ]
    stored = [
        (result.id, max(0, round((result.credential_expires_at - now).total_seconds())))
        for result in shown
        if result.credential_expires_at is not None
    ]
    if stored:
        least = min(seconds for _, seconds in stored)
        found.append(Metric("CredentialSecondsLeft", least, "Seconds"))
    found += [
        Metric("CredentialSecondsLeft", seconds, "Seconds", cluster=cluster)
        for cluster, seconds in stored
    ]
    for result in shown:
        found += [
            Metric("ClusterFailed", float(not result.ok), cluster=result.id),
            Metric(
                "SecretsApplied",
                sum(count for outcome, count in result.counts.items() if outcome.applied),
                cluster=result.id,
            ),
            Metric(
                "SecretsFailed",
                sum(count for outcome, count in result.counts.items() if outcome.bad),
                cluster=result.id,
            ),
            Metric("SecretsAdopted", result.counts.get(Outcome.ADOPTED, 0), cluster=result.id),
        ]
    return [metric for metric in found if of_clusters or metric.cluster is None]


def _is_news(result: ClusterResult) -> bool:
    """Return whether a sweep failed in the cluster, or wrote to it."""
    return not result.ok or any(outcome.outcome.applied for outcome in result.outcomes)
