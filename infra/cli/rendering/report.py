"""A run's report as people read it, by cluster and namespace, with remedies to copy."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..follow_up import ADD_A_CLUSTER, FollowUp
from ..function import Report
from ..places import place
from ..times import moment
from .problems import (
    empty_globs,
    explained,
    render_error,
    render_problems,
    stored_credential,
)
from .text import (
    BAD,
    FAINT,
    GOOD,
    NEUTRAL,
    counted,
    heading,
    indented,
    life,
    pasteable,
    remedy,
    span,
    state,
    table,
)

type ClusterEntry = Mapping[str, Any]

# A dry run's outcomes as verbs, since nothing was done.
_WOULD = {
    "created": "create",
    "adopted": "adopt",
    "pruned": "prune",
    "removed": "remove",
    "updated": "update",
}
_LEFT = {
    "problems": "problem",
    "findings": "finding",
    "changes": "change",
    "adopted": "adoption",
    "selection": "selected namespace",
}
# The most names in a line of a report on several clusters.
_NAMES_SHOWN = 10


def render_report(
    report: Report, *, now: datetime, follow_up: FollowUp, verbose: bool = False
) -> list[RenderableType]:
    """Render a report. `verbose` includes the checks that are ok."""
    return list(_parts(report, now, follow_up, verbose))


def _parts(
    report: Report, now: datetime, follow_up: FollowUp, verbose: bool
) -> Iterator[RenderableType]:
    clusters: Sequence[ClusterEntry] = report.get("clusters", [])
    yield headline(report)
    if error := report.get("error"):
        yield from render_error(error)
    if report.get("unconfigured"):
        yield indented(
            "There is no configuration yet, so there is nothing to do. Add a cluster:",
            style=NEUTRAL,
        )
        yield pasteable(follow_up.command(*ADD_A_CLUSTER))
    if "dispatched" in report:
        yield indented(
            f"FanOut: split into {counted(report['dispatched'], 'message')}; workers push them now."
            " Follow:"
        )
        yield pasteable(follow_up.command("status"))
    if deleted := report.get("deleted"):
        yield from explained(Text(f"{deleted.get('id')}: document deleted", style=BAD), deleted)
    if clusters:
        yield Text("")
        yield _clusters(clusters)
    for cluster in clusters:
        yield from _cluster(
            cluster,
            now=now,
            verbose=verbose or len(clusters) == 1,
            dry_run=bool(report.get("dryRun")),
        )
    yield from _rest(report, now)


def headline(report: Report) -> Text:
    """Return the report in one line: action, verdict, numbers."""
    totals = report.get("totals", {})
    failed = totals.get("clustersFailed", 0)
    numbers = [
        counted(totals.get("clusters", 0), "cluster") + (f", {failed} failed" if failed else "")
    ]
    if counts := _counts(totals):
        numbers.append(f"namespaces: {counts}")
    good = report.get("ok")
    line = Text.assemble(
        (str(report["action"]), "bold"), ": ", ("ok", GOOD) if good else ("not ok", BAD)
    )
    line.append(f" · {' · '.join(numbers)} · {report.get('seconds', 0):.1f} s")
    if report.get("dryRun"):
        line.append(" · nothing was changed", style=FAINT)
    return line


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{number} {outcome}"
        for outcome, number in counts.items()
        if outcome not in ("clusters", "clustersFailed")
    )


def _clusters(clusters: Sequence[ClusterEntry]) -> RenderableType:
    """Render a line for each cluster, with the least remaining life of a Secret if measured."""
    rows = [_row(cluster) for cluster in clusters]
    if not any("secondsLeft" in cluster for cluster in clusters):
        return table("CLUSTER", "STATE", "NAMESPACES", "SECONDS", rows=rows)
    measured = [
        (*head, _life(one), last) for one, (*head, last) in zip(clusters, rows, strict=True)
    ]
    return table("CLUSTER", "STATE", "NAMESPACES", "TOKEN LEFT", "SECONDS", rows=measured)


def _life(cluster: ClusterEntry) -> Text:
    return life(cluster["secondsLeft"]) if "secondsLeft" in cluster else Text("-")


def _row(cluster: ClusterEntry) -> tuple[str | Text, ...]:
    word = "skipped" if cluster.get("skipped") else "ok" if cluster["ok"] else "failed"
    error = cluster.get("error") or {}
    parts = [error.get("type"), cluster.get("skipped") or _counts(cluster.get("counts", {}))]
    return (
        cluster["id"],
        state(word),
        ": ".join(filter(None, parts)) or "-",
        f"{cluster.get('seconds', 0):.1f}",
    )


def _cluster(
    cluster: ClusterEntry, *, now: datetime, verbose: bool, dry_run: bool
) -> Iterator[RenderableType]:
    lines: list[RenderableType] = []
    if error := cluster.get("error"):
        lines += render_error(error)
    lines += render_problems(cluster.get("problems", ()), with_cluster=error is not None)
    lines += _findings(cluster.get("findings", ()), verbose=verbose)
    if selection := cluster.get("selection"):
        lines += _selection(selection, most=None if verbose else _NAMES_SHOWN)
    if changes := cluster.get("changes"):
        verb = "WOULD" if dry_run else "DID"
        lines.append(
            table(
                "NAMESPACE",
                verb,
                rows=[(place(one), _change(one["outcome"])) for one in changes],
            )
        )
    if adopted := cluster.get("adopted"):
        lines.append(
            table(
                "ADOPTED",
                "FROM",
                rows=[(place(one), ", ".join(one["from"])) for one in adopted],
            )
        )
    if replaced := cluster.get("replaced"):
        verb = "would be" if dry_run else "was"
        lines.append(
            Text(
                f"{counted(replaced, 'Secret')} of others: everything in them, credentials of"
                f" other registries included, {verb} replaced",
                style=NEUTRAL,
            )
        )
    ends_at = moment(cluster.get("credentialExpiresAt", ""))
    if (ending := stored_credential(ends_at, now)) and "findings" not in cluster:
        lines.append(Text(f"{ending}: store a new kubeconfig", style=NEUTRAL))
    if globs := empty_globs(cluster.get("emptyGlobs", ())):
        lines.append(Text(f"Mistyped, or not there yet: {globs}", style=NEUTRAL))
    if changed := cluster.get("serviceAccountsChanged"):
        lines.append(Text(f"{counted(changed, 'ServiceAccount')} changed"))
    lines += [
        Text(f"... and {counted(cluster[f'{name}Left'], f'more {noun}')}", style=FAINT)
        for name, noun in _LEFT.items()
        if cluster.get(f"{name}Left")
    ]
    if lines:
        yield heading(cluster["id"])
        yield from lines


def _selection(
    selection: Sequence[Mapping[str, Any]], *, most: int | None
) -> Iterator[RenderableType]:
    """Render the namespaces of a plan by the reason why they are selected, or no longer are.

    Show at most `most` names for each reason.
    """
    for is_selected, title in ((True, "SELECTED BY"), (False, "NOT SELECTED ANY MORE")):
        by_reason: dict[str, list[str]] = {}
        for one in selection:
            if one["selected"] is is_selected:
                by_reason.setdefault(one["reason"], []).append(one["namespace"])
        rows = [
            (reason, str(len(names)), ", ".join(names[:most]) + _more(names, most))
            for reason, names in by_reason.items()
        ]
        if rows:
            yield table(title, "", "NAMESPACES", rows=rows)


def _more(names: Sequence[str], most: int | None) -> str:
    return f" and {len(names) - most} more" if most is not None and len(names) > most else ""


def _change(outcome: str) -> Text:
    return Text(_WOULD.get(outcome, outcome), style=state(outcome).style)


def _findings(findings: Sequence[Mapping[str, Any]], *, verbose: bool) -> list[RenderableType]:
    """Render failed findings in full; others in one line each if `verbose`, else their number."""
    lines: list[RenderableType] = []
    for finding in findings:
        if not finding["ok"]:
            lines += explained(Text.assemble(state("failed"), f"  {finding['check']}"), finding)
    good = [finding for finding in findings if finding["ok"]]
    if verbose and good:
        lines.append(
            table(
                "CHECK", "", "", rows=[(one["check"], state("ok"), one["message"]) for one in good]
            )
        )
        lines += [line for one in good for line in remedy(one.get("remedy", ""))]
    elif good:
        lines.append(Text(f"{counted(len(good), 'check')} ok", style=FAINT))
    return lines


def _rest(report: Report, now: datetime) -> Iterator[RenderableType]:
    if left := report.get("clustersLeft"):
        yield Text(
            f"\nThe report is full: {counted(left, 'cluster')} more, those that are ok first. Name"
            " clusters to see them.",
            style=NEUTRAL,
        )
    if unknown := report.get("unknownParameters"):
        yield heading(
            "Unknown parameters: neither defaults, nor a cluster's document, nor a discovery."
            " Rename or delete them."
        )
        yield table("PARAMETER", rows=[(name,) for name in unknown])
        if more := report.get("unknownParametersLeft"):
            yield Text(f"... and {more} more", style=FAINT)
    if left_to := report.get("leftToDocuments"):
        more = report.get("leftToDocumentsLeft")
        yield Text(
            f"\nFound by a discovery, and left to documents of their own: {', '.join(left_to)}"
            + (f", and {more} more" if more else "")
        )
    if queued := report.get("queued"):
        more = f", and {report['queuedLeft']} more" if report.get("queuedLeft") else ""
        yield Text(f"\nOn the retry queue, to be tried again: {', '.join(queued)}{more}")
    if tokens := report.get("tokens"):
        yield Text("")
        yield table("TOKEN OF", "EXPIRES", "IN", rows=[_token(token, now) for token in tokens])
    if request := report.get("requestId"):
        yield Text(
            f"\nrequest {request}"
            + (f", release {report['version']}" if report.get("version") else ""),
            style=FAINT,
        )


def _token(token: Mapping[str, str], now: datetime) -> tuple[str, str, str]:
    expires = moment(token["expiresAt"])
    return (
        token["registry"],
        token["expiresAt"],
        span((expires - now).total_seconds()) if expires else "?",
    )
