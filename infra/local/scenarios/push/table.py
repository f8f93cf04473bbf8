"""Tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...terminal import Paint
from .outcomes import FINGERPRINT, Row
from .stack import ExpectedCluster


def table(
    expected: ExpectedCluster,
    found: Sequence[Row],
    previous: Sequence[Row] | None,
    now: datetime,
    paint: Paint,
) -> list[str]:
    """A cluster's namespaces, one a line.

    `previous`: the last push's, to show what stayed and what changed.
    """
    where = f"{expected.region}, account {expected.account}" + (
        ", through an assumed role" if "roleArn" in expected.document else ""
    )
    head = ["NAMESPACE", "OUTCOME", "AGE", "EXPIRES", "TOKEN", "UID", "WHY"]
    last = {row.namespace.name: row for row in previous or ()}
    cells = [_cells(row, last.get(row.namespace.name), now) for row in found]
    widths = [max(len(line[column]) for line in [head, *cells]) for column in range(len(head))]
    lines = [
        f"{paint('bold', expected.name)} ({where})",
        "  " + paint("faint", _line(head, widths)),
    ]
    for row, line in zip(found, cells, strict=True):
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        padded[1] = paint(row.outcome or "", padded[1])
        lines.append("  " + "  ".join(padded).rstrip())
    return lines


def verdict(report: Mapping[str, Any], paint: Paint) -> list[str]:
    """The report's problems and errors in words, with their remedies."""
    lines = (
        [_said(paint, f"{report['error']['message']}", report["error"]["remedy"])]
        if report.get("error")
        else []
    )
    for cluster in report.get("clusters", []):
        if cluster.get("error"):
            lines.append(
                _said(
                    paint,
                    f"{cluster['id']}: {cluster['error']['message']}",
                    cluster["error"]["remedy"],
                )
            )
        lines += [
            _said(
                paint,
                f"{cluster['id']}/{one['namespace']}: {one['outcome']}: {one['message']}",
                one["remedy"],
            )
            for one in cluster["problems"]
        ]
    return lines


def _said(paint: Paint, what: str, remedy: str) -> str:
    return f"{paint('bad', what)}\n  {remedy}"


def _cells(row: Row, old: Row | None, now: datetime) -> list[str]:
    secret = row.secret
    if secret is None:
        return [row.namespace.name, row.outcome or "-", "", "", "", "", row.namespace.because]
    before = old.secret if old else None
    token = (
        secret.token
        if before is None
        else (
            f"{before.token} → {secret.token}"
            if before.token != secret.token
            else f"{secret.token} (same)"
        )
    )
    uid = secret.uid[:FINGERPRINT] + (" (same)" if before and before.uid == secret.uid else "")
    written = secret.pushed_at or secret.created_at
    age = _span((now - written).total_seconds()) if written else "?"
    expires = (
        f"{secret.expires_at:%H:%M:%SZ} (in {_span((secret.expires_at - now).total_seconds())})"
        if secret.expires_at
        else "not said"
    )
    why = row.namespace.because + (
        f" ({', '.join(secret.managers)})" if row.namespace.foreign_secret else ""
    )
    return [row.namespace.name, row.outcome or "-", age, expires, token, uid, why]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _span(seconds: float) -> str:
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole % 3600 // 60
    return (
        f"{hours}h{minutes:02}m"
        if hours
        else f"{minutes}m{whole % 60:02}s"
        if minutes
        else f"{whole}s"
    )
