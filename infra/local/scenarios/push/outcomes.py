"""Outcomes of a push: the Secrets in the clusters, compared with the report and with expectations.

A token is never kept, only a short fingerprint of it: enough to see that it changed.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...kube import Cluster
from ...stack import SECRET_NAME
from .stack import ExpectedCluster, ExpectedNamespace

EXPIRES = "ecr-public-pusher/expires-at"
PUSHED = "ecr-public-pusher/pushed-at"
FINGERPRINT = 8


@dataclass(frozen=True)
class SeenSecret:
    """A Secret as the cluster holds it; `token` is a fingerprint."""

    uid: str
    token: str
    managers: tuple[str, ...]
    created_at: datetime | None
    pushed_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Row:
    """One namespace after a push: its outcome, and its Secret."""

    cluster: str
    namespace: ExpectedNamespace
    outcome: str | None
    secret: SeenSecret | None


def read_secrets(cluster: Cluster, expected: ExpectedCluster) -> dict[str, SeenSecret]:
    """Return the Secrets of the expected namespaces, read as administrator."""
    found = {}
    for namespace in expected.namespaces:
        status, secret = cluster.admin(
            "GET", f"/api/v1/namespaces/{namespace.name}/secrets/{SECRET_NAME}"
        )
        if status == 200:
            found[namespace.name] = _seen(secret)
    return found


def rows_of(
    expected: ExpectedCluster,
    before: Mapping[str, SeenSecret],
    after: Mapping[str, SeenSecret],
    reported: Mapping[str, Any] | None,
) -> list[Row]:
    """Return each namespace's outcome: the reported problem, or else the change of its Secret."""
    problems = {
        problem["namespace"]: problem["outcome"] for problem in (reported or {}).get("problems", [])
    }
    return [
        Row(
            expected.name,
            one,
            problems.get(one.name) or _change(one, before.get(one.name), after.get(one.name)),
            after.get(one.name),
        )
        for one in expected.namespaces
    ]


def _change(
    namespace: ExpectedNamespace, before: SeenSecret | None, after: SeenSecret | None
) -> str | None:
    if after is not None and after != before:
        return "created" if before is None else "updated" if before.pushed_at else "adopted"
    return "skipped" if namespace.terminating else None


def find_surprises(
    found: Sequence[Row], reported: Mapping[str, Any] | None, *, again: bool
) -> list[str]:
    """Return what is not as expected, by cluster and namespace."""
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


def rotation_failures(first: Iterable[Row], second: Iterable[Row]) -> list[str]:
    """Return the faults of a second push, given the rows of both.

    Secrets must be the same objects with another token, and another tool's Secret must be
    unchanged.
    """
    wrong = []
    for before, after in zip(first, second, strict=True):
        where = f"{after.cluster}/{after.namespace.name}"
        old = before.secret
        new = after.secret
        if old is None or new is None:
            wrong += [f"{where}: the Secret came or went"] if old != new else []
        elif old.uid != new.uid:
            wrong.append(f"{where}: the Secret was replaced by another (UID)")
        elif after.namespace.foreign_secret:
            wrong += [f"{where}: somebody else's Secret was changed"] if old != new else []
        elif old.token == new.token:
            wrong.append(f"{where}: the token did not change")
    return wrong


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
