"""What happened, for a person: the Secrets as the clusters hold them, beside what the function
reported; and whether that is as it should be.

A token is never shown, only a short fingerprint of it: enough to see that it changed.
"""

import base64
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from .demo import DemoCluster, DemoNamespace
from .kube import Cluster
from .stack import SECRET_NAME

EXPIRES, PUSHED = "ecr-public-pusher/expires-at", "ecr-public-pusher/pushed-at"
FINGERPRINT = 8
_COLOURS = {
    **dict.fromkeys(("created", "updated", "adopted", "current", "good"), "32"),
    "skipped": "33",
    **dict.fromkeys(("conflict", "missing", "forbidden", "wrong-type", "left", "failed"), "31"),
    **dict.fromkeys(("not-attempted", "bad"), "31"),
    "bold": "1",
    **dict.fromkeys(("faint", ""), "2"),
}


class Paint:
    """Colours, on a terminal only, and not where NO_COLOR asks for none."""

    def __init__(self, stream: TextIO) -> None:
        self._on = (
            stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    def __call__(self, kind: str, text: str) -> str:
        return f"\033[{_COLOURS[kind]}m{text}\033[0m" if self._on and kind in _COLOURS else text


@dataclass(frozen=True)
class SeenSecret:
    """A Secret as the cluster holds it; of the token only a fingerprint."""

    uid: str
    token: str
    managers: tuple[str, ...]
    created_at: datetime | None
    pushed_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Row:
    """One namespace after a push: what became of it, and the Secret that is there now."""

    cluster: str
    namespace: DemoNamespace
    outcome: str | None
    secret: SeenSecret | None


def see(cluster: Cluster, demo: DemoCluster) -> dict[str, SeenSecret]:
    """The Secrets of the demonstration's namespaces, asked for as administrator."""
    found = {}
    for namespace in demo.namespaces:
        status, secret = cluster.admin(
            "GET", f"/api/v1/namespaces/{namespace.name}/secrets/{SECRET_NAME}"
        )
        if status == 200:
            found[namespace.name] = _seen(secret)
    return found


def rows(
    demo: DemoCluster,
    before: Mapping[str, SeenSecret],
    after: Mapping[str, SeenSecret],
    reported: Mapping[str, Any] | None,
) -> list[Row]:
    """Each namespace's outcome: the reported problem, or else what the Secret shows."""
    problems = {
        problem["namespace"]: problem["outcome"] for problem in (reported or {}).get("problems", [])
    }
    return [
        Row(
            demo.name,
            one,
            problems.get(one.name) or _change(one, before.get(one.name), after.get(one.name)),
            after.get(one.name),
        )
        for one in demo.namespaces
    ]


def _change(
    namespace: DemoNamespace, before: SeenSecret | None, after: SeenSecret | None
) -> str | None:
    if after is not None and after != before:
        return "created" if before is None else "updated" if before.pushed_at else "adopted"
    return "skipped" if namespace.terminating else None


def surprises(
    found: Sequence[Row], reported: Mapping[str, Any] | None, *, again: bool
) -> list[str]:
    """What is not as the demonstration expects it; nothing, normally."""
    wrong = [
        f"{row.cluster}/{row.namespace.name}: {row.outcome or 'untouched'}, expected"
        f" {wanted or 'untouched'}"
        for row in found
        if row.outcome
        != (wanted := row.namespace.expected_again if again else row.namespace.expected)
    ]
    counts = dict(Counter(row.outcome for row in found if row.outcome))
    if reported is None:
        wrong.append(f"{found[0].cluster}: not in the report")
    elif dict(reported.get("counts", {})) != counts:
        wrong.append(
            f"{found[0].cluster}: the report counts {reported.get('counts')}, the cluster shows"
            f" {counts}"
        )
    return wrong


def rotation(first: Iterable[Row], second: Iterable[Row]) -> list[str]:
    """What is wrong with the second push: Secrets must be the same objects with another token, and
    somebody else's the same in all.
    """
    wrong = []
    for before, after in zip(first, second, strict=True):
        where, old, new = f"{after.cluster}/{after.namespace.name}", before.secret, after.secret
        if old is None or new is None:
            wrong += [f"{where}: the Secret came or went"] if old != new else []
        elif old.uid != new.uid:
            wrong.append(f"{where}: the Secret was replaced by another (UID)")
        elif after.namespace.foreign_secret:
            wrong += [f"{where}: somebody else's Secret was changed"] if old != new else []
        elif old.token == new.token:
            wrong.append(f"{where}: the token did not change")
    return wrong


def table(
    demo: DemoCluster,
    found: Sequence[Row],
    previous: Sequence[Row] | None,
    now: datetime,
    paint: Paint,
) -> list[str]:
    """A cluster's namespaces, one a line.

    `previous`: the last push's, to show what stayed and what changed.
    """
    where = f"{demo.region}, account {demo.account}" + (
        ", through an assumed role" if "roleArn" in demo.document else ""
    )
    head = ["NAMESPACE", "OUTCOME", "AGE", "EXPIRES", "TOKEN", "UID", "WHY"]
    last = {row.namespace.name: row for row in previous or ()}
    cells = [_cells(row, last.get(row.namespace.name), now) for row in found]
    widths = [max(len(line[column]) for line in [head, *cells]) for column in range(len(head))]
    lines = [f"{paint('bold', demo.name)} ({where})", "  " + paint("faint", _line(head, widths))]
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


def terminal(stream: TextIO = sys.stdout) -> Paint:
    """The colours for a stream."""
    return Paint(stream)


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


def _seen(secret: Mapping[str, Any]) -> SeenSecret:
    metadata = secret["metadata"]
    annotations = metadata.get("annotations", {})
    return SeenSecret(
        uid=metadata["uid"],
        token=_fingerprint(secret),
        managers=tuple(
            dict.fromkeys(entry["manager"] for entry in metadata.get("managedFields", []))
        ),
        created_at=_time(metadata.get("creationTimestamp")),
        pushed_at=_time(annotations.get(PUSHED)),
        expires_at=_time(annotations.get(EXPIRES)),
    )


def _fingerprint(secret: Mapping[str, Any]) -> str:
    try:
        config = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
        credential = config["auths"]["public.ecr.aws"]["auth"]
    except (KeyError, TypeError, ValueError):
        return "unreadable"
    return hashlib.sha256(credential.encode()).hexdigest()[:FINGERPRINT]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
