"""The report of a run's result, as returned and logged.

Pure: it only counts what the jobs decided.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.results import ClusterResult, Finding, NamespaceOutcome, Outcome
from ecr_public_pusher.timestamps import rfc3339
from ecr_public_pusher.version import VERSION
from ecr_public_pusher.visible_text import visible

# A synchronous response may hold 6 MB, an asynchronous destination's record 256 KB, a log line
# 256 KB: this fits each, with room for the rest.
MAX_PROBLEM_BYTES = 128 * 1024
# The limits of the clusters' entries without their lists, and of names in a list of names.
MAX_CLUSTER_BYTES = 64 * 1024
MAX_NAMES = 100

_ORDER = tuple(Outcome)
# The lists of a cluster's entry, in the order in which they are given the available room.
_LISTS = ("problems", "findings", "changes", "adopted", "selection")
# A plan names these: all that a push would do besides renewing tokens.
_CHANGES = (Outcome.CREATED, Outcome.ADOPTED, Outcome.PRUNED, Outcome.REMOVED)


def report(run: RunResult) -> dict[str, Any]:
    """Return the report, always below AWS's size limits, with nothing secret in it.

    docs/report.md describes its fields. Long lists come last: Logs Insights reads an event's first
    200 fields.
    """
    answer: dict[str, Any] = {
        "action": run.asked or run.request.action,
        "ok": run.ok,
        "dryRun": run.request.dry_run,
        "version": VERSION,
        "requestId": run.request_id,
        "seconds": round(run.seconds, 3),
    }
    if problem := run.error or run.queue_error:
        answer["error"] = _error(problem)
    if run.dispatched is not None:
        answer["dispatched"] = run.dispatched
    if run.unconfigured:
        answer["unconfigured"] = True
    if run.request.deleted:
        answer["deleted"] = _deleted(run.request.deleted)
    answer["totals"] = {
        "clusters": len(run.results),
        "clustersFailed": len(run.failed),
        **_total(run.results),
    }
    answer["tokens"] = [
        {"registry": token.registry, "expiresAt": rfc3339(token.expires_at)}
        for token in run.tokens[:MAX_NAMES]
    ]
    if len(run.tokens) > MAX_NAMES:
        answer["tokensLeft"] = len(run.tokens) - MAX_NAMES
    if narrowed := _narrowed(run):
        answer["narrowedTo"] = narrowed
    lists = {
        "unknownParameters": [name[:1011] for name in run.unknown],
        "queued": list(run.queued),
        "gone": list(run.gone),
        "leftToDocuments": list(run.left_to_documents),
    }
    for name, listed in lists.items():
        if listed:
            answer[name] = listed[:MAX_NAMES]
        if len(listed) > MAX_NAMES:
            answer[f"{name}Left"] = len(listed) - MAX_NAMES
    answer["clusters"], left = _clusters(run)
    if left:
        answer["clustersLeft"] = left
    return answer


def _narrowed(run: RunResult) -> dict[str, list[str]]:
    """Return the request's narrowing, as given.

    Without it a reader of the log would take the run for one of everything.
    """
    asked = {"clusters": run.request.clusters, "namespaces": run.request.namespaces}
    return {
        name: [pattern[:253] for pattern in patterns[:MAX_NAMES]]
        for name, patterns in asked.items()
        if patterns
    }


def _clusters(run: RunResult) -> tuple[list[dict[str, Any]], int]:
    """Return the clusters' entries within the limits, in order of id, and how many are left out.

    Clusters that are ok are left out first.
    """
    entries = [_cluster(result, dry_run=run.request.dry_run) for result in run.results]
    if run.request.action == "plan":
        for entry, result in zip(entries, run.results, strict=True):
            if result.selection:
                entry["selection"] = [choice._asdict() for choice in result.selection]
    room = MAX_CLUSTER_BYTES
    kept = set[int]()
    for place in sorted(range(len(entries)), key=lambda place: entries[place]["ok"]):
        room -= _size({name: value for name, value in entries[place].items() if name not in _LISTS})
        if room < 0:
            break
        kept.add(place)
    shown = [entry for place, entry in enumerate(entries) if place in kept]
    _cap_lists(shown)
    return shown, len(entries) - len(shown)


def _deleted(document: str) -> dict[str, str]:
    event, gone = (
        json.dumps({"action": action, "clusters": [document]}) for action in ("remove", "forget")
    )
    back = (
        "Restore the document"
        if document.endswith("/*")
        else "Restore the document with enabled: false"
    )
    return {
        "id": document,
        "message": (
            "its document was deleted: nothing is pushed any more; the tokens left behind expire"
            " within 12 hours and then block pulls"
        ),
        "remedy": (
            f"{back} and send {event}; or, where no other document serves the cluster: `kubectl"
            " --context CONTEXT delete secret -A -l"
            " app.kubernetes.io/managed-by=ecr-public-pusher` (CONTEXT: that cluster's in your"
            f" kubeconfig). Where the cluster is gone for good, send {gone}."
        ),
    }


def summary(run: RunResult) -> str:
    """Return one line for the error that Lambda counts."""
    if run.error:
        return _one_line(f"{run.error.code}: {run.error.message} {run.error.remedy}")[:2000]
    parts = [f"{run.queue_error.code}: {run.queue_error.message}"[:500]] if run.queue_error else []
    if run.failed:
        names = ", ".join(result.id for result in run.failed[:10]) + (
            ", ..." if len(run.failed) > 10 else ""
        )
        parts.append(f"{len(run.failed)} of {len(run.results)} clusters failed: {names}")
    if run.unknown:
        first = _one_line(run.unknown[0])[:200]
        parts.append(f"{len(run.unknown)} unknown parameters, the first {first}")
    return "; ".join(parts) + "; see the report in the log"


def _one_line(text: str) -> str:
    """Return the text without line breaks, which remedies may have; control characters escaped."""
    return visible(text.replace("\n", " "))


def _total(results: Sequence[ClusterResult]) -> dict[str, int]:
    total: Counter[Outcome] = Counter()
    for result in results:
        total.update(result.counts)
    return _in_order(total)


def _in_order(counts: Mapping[Outcome, int]) -> dict[str, int]:
    """Return the counts by name, in the order in which outcomes are documented."""
    return {outcome.value: counts[outcome] for outcome in _ORDER if outcome in counts}


def _cluster(result: ClusterResult, *, dry_run: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": result.id,
        "ok": result.ok,
        "error": _error(result.error) if result.error else None,
        "counts": _in_order(result.counts),
        "seconds": round(result.seconds, 3),
        "problems": (
            [_problem(outcome) for outcome in result.outcomes if outcome.outcome.bad]
            if not result.ok
            else []
        ),
    }
    if result.seconds_left is not None and not dry_run:
        answer["secondsLeft"] = round(result.seconds_left)
    if result.credential_expires_at is not None:
        answer["credentialExpiresAt"] = rfc3339(result.credential_expires_at)
    if result.skipped:
        answer["skipped"] = result.skipped
    if result.empty_globs:
        answer["emptyGlobs"] = [glob[:253] for glob in result.empty_globs[:MAX_NAMES]]
    if adopted := [
        {**_place(one), "from": list(one.taken_from)}
        for one in result.outcomes
        if one.outcome is Outcome.ADOPTED
    ]:
        answer["adopted"] = adopted
    if replaced := sum(one.replaces for one in result.outcomes if one.outcome is Outcome.ADOPTED):
        answer["replaced"] = replaced
    if changed := sum(len(one.service_accounts) for one in result.outcomes):
        answer["serviceAccountsChanged"] = changed
    if dry_run and (changes := [one for one in result.outcomes if one.outcome in _CHANGES]):
        answer["changes"] = [{**_place(one), "outcome": one.outcome.value} for one in changes]
    if result.findings:
        answer["findings"] = [
            _finding(finding) for finding in sorted(result.findings, key=lambda finding: finding.ok)
        ]
    return answer


def _finding(finding: Finding) -> dict[str, Any]:
    answer = {"check": finding.check, "ok": finding.ok, "message": finding.message}
    if finding.remedy:
        answer["remedy"] = finding.remedy
    if finding.seconds_left is not None:
        answer["secondsLeft"] = round(finding.seconds_left)
    return answer


def _error(error: PusherError) -> dict[str, str]:
    return {"type": error.code, "message": error.message[:2000], "remedy": error.remedy[:2000]}


def _problem(outcome: NamespaceOutcome) -> dict[str, str]:
    return {
        **_place(outcome),
        "outcome": outcome.outcome.value,
        "message": outcome.message,
        "remedy": outcome.remedy,
    }


def _place(outcome: NamespaceOutcome) -> dict[str, str]:
    """Return the namespace, and the Secret's name unless it is the document's `secretName`."""
    secret = {"secret": outcome.secret} if outcome.secret else {}
    return {"namespace": outcome.namespace, **secret}


def _cap_lists(clusters: list[dict[str, Any]]) -> None:
    """Keep the lists within MAX_PROBLEM_BYTES in all, and count what is left out.

    The first entry of every cluster comes first, then the others in turn.
    """
    left = MAX_PROBLEM_BYTES
    for name in _LISTS:
        waiting = [(cluster, list(cluster[name])) for cluster in clusters if cluster.get(name)]
        for cluster, _ in waiting:
            cluster[name] = []
        depth = 0
        while any(len(entries) > depth for _, entries in waiting):
            for cluster, entries in waiting:
                if len(entries) <= depth:
                    continue
                size = _size(entries[depth])
                if size <= left:
                    cluster[name].append(entries[depth])
                    left -= size
                else:
                    cluster[f"{name}Left"] = cluster.get(f"{name}Left", 0) + 1
            depth += 1


def _size(entry: Any) -> int:
    """Return an entry's size in bytes in the report, with the comma after it."""
    return len(json.dumps(entry, ensure_ascii=True)) + 2
