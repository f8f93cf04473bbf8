"""Results -> counts, the report, the metrics and the verdict. Pure: it only counts what push decided."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.manifest import rfc3339
from ecr_public_pusher.model import ClusterResult, Finding, NamespaceOutcome, Outcome, RegistryToken
from ecr_public_pusher.request import Request

# A synchronous answer may hold 6 MB, an asynchronous destination's 256 KB, a log line 256 KB: this fits each with room for the rest.
MAX_PROBLEM_BYTES = 128 * 1024

REGISTRY = "public.ecr.aws"


@dataclass(frozen=True)
class Run:
    """Everything a run came to. `error` is set when the run as a whole failed, and may be beside results.

    `unconfigured` is None when the configuration was not read. `dispatched`: into how many messages a push of everything was dealt out,
    instead of being done here. `queued`: the ids of clusters that wait in the queue to be tried again; `queue_error`: why others do not.
    """

    request: Request
    request_id: str
    seconds: float
    results: Sequence[ClusterResult] = ()
    token: RegistryToken | None = None
    error: PusherError | None = None
    unconfigured: bool | None = None
    unknown: tuple[str, ...] = ()
    dispatched: int | None = None
    queued: tuple[str, ...] = ()
    queue_error: PusherError | None = None

    @property
    def failed(self) -> list[ClusterResult]:
        return [result for result in self.results if not result.ok]

    @property
    def ok(self) -> bool:
        return self.error is None and not self.failed and not self.unknown

    @property
    def full(self) -> bool:
        """An un-narrowed push that tried every enabled cluster, or a message's worth of one: what the dead man's switch watches."""
        return (
            self.error is None
            and (self.request.pushes_all or (self.request.action == "push" and self.request.of_full_push))
            and self.dispatched is None
            and not self.unconfigured
            and all(result.attempted for result in self.results)
        )

    @property
    def raises(self) -> bool:
        """Whether Lambda is to count an error and try again: when the run as a whole failed, or clusters failed that no queue holds.

        A plan, a check and a sweep fail only as a whole.
        """
        if not self.request.raises:
            return False
        lost = {result.id for result in self.failed} - set(self.queued) if self.request.action in ("push", "remove") else set()
        return self.error is not None or bool(lost)


def report(run: Run) -> dict[str, Any]:
    """The report, as returned and logged: DESIGN's shape, always below AWS's limits, nothing secret in it."""
    clusters = [_cluster(result) for result in run.results]
    _cap_problems(clusters)
    answer: dict[str, Any] = {
        "action": run.request.action,
        "ok": run.ok,
        "dryRun": run.request.dry_run,
        "requestId": run.request_id,
        "seconds": round(run.seconds, 3),
        "tokens": [{"registry": REGISTRY, "expiresAt": rfc3339(run.token.expires_at)}] if run.token else [],
        "totals": {"clusters": len(run.results), "clustersFailed": len(run.failed), **_total(run.results)},
        "clusters": clusters,
    }
    if problem := run.error or run.queue_error:
        answer["error"] = _error(problem)
    if run.dispatched is not None:
        answer["dispatched"] = run.dispatched
    if run.queued:
        answer["queued"] = list(run.queued)
    if run.unconfigured:
        answer["unconfigured"] = True
    if run.unknown:
        answer["unknownParameters"] = [name[:1011] for name in run.unknown[:50]]
    if run.request.deleted:
        answer["deleted"] = {
            "id": run.request.deleted,
            "message": "its document was deleted: nothing is pushed any more; the tokens left behind expire within 12 hours and then block pulls",
            "remedy": 'Put the document back with enabled: false and send {"action": "remove", "clusters": ["'
            + run.request.deleted
            + '"]}; or, where no other document serves the cluster: kubectl delete secret -A -l app.kubernetes.io/managed-by=ecr-public-pusher.',
        }
    return answer


def summary(run: Run) -> str:
    """One line for the error that Lambda counts."""
    if run.error:
        return f"{run.error.code}: {run.error.message} {run.error.remedy}"[:2000]
    parts = [f"{run.queue_error.code}: {run.queue_error.message}"[:500]] if run.queue_error else []
    if run.failed:
        names = ", ".join(result.id for result in run.failed[:10]) + (", ..." if len(run.failed) > 10 else "")
        parts.append(f"{len(run.failed)} of {len(run.results)} clusters failed: {names}")
    if run.unknown:
        parts.append(f"{len(run.unknown)} parameters nobody knows, the first {run.unknown[0][:200]}")
    return "; ".join(parts) + "; see the report in the log"


@dataclass(frozen=True)
class Metric:
    """One CloudWatch metric: `unit` is CloudWatch's name of it; `cluster` the second dimension, where it has one."""

    name: str
    value: float
    unit: str = "Count"
    cluster: str | None = field(default=None)


def metrics(run: Run, *, token_seconds: float | None = None) -> list[Metric]:
    """What a run emits, explicit zeros included so that every series lives.

    A plan, a check and a removal emit nothing: no alarm may follow from them. A sweep speaks only of clusters that it wrote to or that failed,
    and so costs nothing where there is nothing new. Who deals a push out says nothing of its being done.
    """
    if run.request.action not in ("push", "sweep"):
        return []
    told = [result for result in run.results if not result.skipped]
    if run.request.action == "sweep":
        told = [result for result in told if not result.ok or any(outcome.outcome.applied for outcome in result.outcomes)]
        found = [Metric("ClustersFailed", len(run.failed))] if told else []
    else:
        found = [] if run.dispatched is not None else [Metric("FullPushCompleted", float(run.full)), Metric("ClustersFailed", len(run.failed))]
        found.append(Metric("Duration", run.seconds, "Seconds"))
        if run.unconfigured is not None:
            found.append(Metric("Unconfigured", float(run.unconfigured)))
        if run.unconfigured is not None or run.unknown:
            found.append(Metric("UnknownParameters", len(run.unknown)))
    if token_seconds is not None:
        found.append(Metric("TokenSecondsAtIssue", token_seconds, "Seconds"))
    for result in told:
        kinds = [outcome.outcome for outcome in result.outcomes]
        found += [
            Metric("ClusterFailed", float(not result.ok), cluster=result.id),
            Metric("SecretsApplied", sum(kind.applied for kind in kinds), cluster=result.id),
            Metric("SecretsFailed", sum(kind.bad for kind in kinds), cluster=result.id),
            Metric("SecretsAdopted", kinds.count(Outcome.ADOPTED), cluster=result.id),
        ]
    return found


def _total(results: Sequence[ClusterResult]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for result in results:
        total.update(_counts(result))
    return _in_order(total)


def _counts(result: ClusterResult) -> dict[str, int]:
    if result.skipped:
        return {Outcome.SKIPPED.value: 1}
    return _in_order(Counter(outcome.outcome.value for outcome in result.outcomes))


def _in_order(counts: Counter[str]) -> dict[str, int]:
    return {kind.value: counts[kind.value] for kind in Outcome if counts[kind.value]}


def _cluster(result: ClusterResult) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": result.id,
        "ok": result.ok,
        "error": _error(result.error) if result.error else None,
        "counts": _counts(result),
        "seconds": round(result.seconds, 3),
        "problems": [_problem(outcome) for outcome in result.outcomes if outcome.outcome.bad],
    }
    if result.skipped:
        answer["skipped"] = result.skipped
    if adopted := [{"namespace": one.namespace, "from": list(one.taken_from)} for one in result.outcomes if one.outcome is Outcome.ADOPTED]:
        answer["adopted"] = adopted
    if changed := sum(len(one.service_accounts) for one in result.outcomes):
        answer["serviceAccountsChanged"] = changed
    if result.findings:
        answer["findings"] = [_finding(finding) for finding in sorted(result.findings, key=lambda finding: finding.ok)]
    return answer


def _finding(finding: Finding) -> dict[str, Any]:
    return {"check": finding.check, "ok": finding.ok, "message": finding.message} | ({"remedy": finding.remedy} if finding.remedy else {})


def _error(error: PusherError) -> dict[str, str]:
    return {"type": error.code, "message": error.message[:2000], "remedy": error.remedy[:2000]}


def _problem(outcome: NamespaceOutcome) -> dict[str, str]:
    return {"namespace": outcome.namespace, "outcome": outcome.outcome.value, "message": outcome.message, "remedy": outcome.remedy}


def _cap_problems(clusters: list[dict[str, Any]]) -> None:
    """Keeps the lists within MAX_PROBLEM_BYTES in all: the first of every cluster, then the others in turn; the rest is counted."""
    left = MAX_PROBLEM_BYTES
    for name in ("problems", "adopted", "findings"):
        waiting = [(cluster, list(cluster[name])) for cluster in clusters if cluster.get(name)]
        for cluster, _ in waiting:
            cluster[name] = []
        depth = 0
        while any(len(entries) > depth for _, entries in waiting):
            for cluster, entries in waiting:
                if len(entries) <= depth:
                    continue
                size = len(json.dumps(entries[depth], ensure_ascii=True)) + 2
                if size <= left:
                    cluster[name].append(entries[depth])
                    left -= size
                else:
                    cluster[f"{name}Left"] = cluster.get(f"{name}Left", 0) + 1
            depth += 1
