"""Tables of a push: a cluster's namespaces, and the report's problems.

A token is never shown, only a short fingerprint of it: enough to see that it changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from infra.cli.rendering.text import BAD, HEAD, state, table

from .outcomes import FINGERPRINT, Row
from .stack import ExpectedCluster

COLUMNS = ("NAMESPACE", "OUTCOME", "AGE", "EXPIRES", "TOKEN", "UID", "WHY")


def render_cluster(
    expected: ExpectedCluster, found: Sequence[Row], previous: Sequence[Row], now: datetime
) -> Iterator[RenderableType]:
    """Yield a cluster's name and its namespaces, one a line.

    `previous`: the rows of the push before, if any, to show what stayed and what changed.
    """
    assumed = ", through an assumed role" if "roleArn" in expected.document else ""
    where = f" ({expected.region}, account {expected.account}{assumed})"
    yield Text.assemble((expected.name, HEAD), where)
    last = {row.namespace.name: row for row in previous}
    rows = [_cells(row, last.get(row.namespace.name), now) for row in found]
    yield Padding(table(*COLUMNS, rows=rows), (0, 0, 1, 2))


def render_problems(report: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the report's problems and errors, each with its remedy."""
    if error := report.get("error"):
        yield _problem(error["message"], error["remedy"])
    for cluster in report.get("clusters", []):
        if error := cluster.get("error"):
            yield _problem(f"{cluster['id']}: {error['message']}", error["remedy"])
        for one in cluster["problems"]:
            where = f"{cluster['id']}/{one['namespace']}"
            yield _problem(f"{where}: {one['outcome']}: {one['message']}", one["remedy"])


def _problem(message: str, remedy: str) -> Text:
    return Text.assemble((message, BAD), f"\n  {remedy}")


def _cells(row: Row, old: Row | None, now: datetime) -> list[str | Text]:
    secret = row.secret
    outcome = state(row.outcome or "-")
    if secret is None:
        return [row.namespace.name, outcome, "", "", "", "", row.namespace.because]
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
    return [row.namespace.name, outcome, age, expires, token, uid, why]


def _span(seconds: float) -> str:
    """Return a duration to the second below an hour: `59s`, `2m05s`, `11h59m`."""
    whole = max(0, round(seconds))
    hours = whole // 3600
    minutes = whole % 3600 // 60
    return (
        f"{hours}h{minutes:02}m"
        if hours
        else f"{minutes}m{whole % 60:02}s"
        if minutes
        else f"{whole}s"
    )
