"""How clusters are, by what the function logged of them: which tokens they hold, until when, and
what failed since. Pure.

A cluster may be reported by a push of everything, a narrowed one, a worker of the queue, or a
sweep; what counts is the order of time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any

from ecr_public_pusher.configuration.names import matches

from .run_log import LogLine
from .times import moment

ASKED_WRONGLY = "RequestError"  # whoever asked was answered: it says nothing of the clusters
LEFT = "left"  # a check's finding: Secrets of a disabled document
EVERY = "/*"  # ends the id of a discovery, as of all clusters that it finds


class State(StrEnum):
    """In a word. Names of `-o json`."""

    OK = "ok"
    FAILED = "failed"  # by the last run that reached for it
    EXPIRED = (  # a Secret's token has ended, as was measured, or as the last good push is old
        "expired"
    )
    NO_PUSH = "no-push"  # no good push is in the log that was looked at
    SKIPPED = "skipped"  # as its document wants
    REMOVED = "removed"  # its Secrets were removed, and not pushed since


@dataclass(frozen=True)
class Document:
    """A document's id, as a push names it (`prod`; `fleet/*` of a discovery), and when it was last
    written.
    """

    id: str
    modified: datetime

    @property
    def is_discovery(self) -> bool:
        return self.id.endswith(EVERY)


@dataclass
class ClusterHealth:
    """What is known of one.

    `entry` is its entry in the report of the run that failed, or skipped it; `at` and `action` are
    that run's.
    """

    id: str
    last_good_push: datetime | None = None
    token_expires_at: datetime | None = None
    removed_at: datetime | None = None
    failed: "Failure | None" = None
    skipped: str | None = None
    seen_at: datetime | None = None
    inferred: bool = False
    measured_at: datetime | None = None
    empty_globs: tuple[str, ...] = ()
    check: "Check | None" = None

    @property
    def may_have_secrets(self) -> bool:
        """Return whether the last good push of what is skipped now was neither removed since, nor
        looked for in vain by a check.
        """
        pushed = self.last_good_push
        return (
            self.skipped is not None
            and pushed is not None
            and (self.check is None or self.check.at < pushed)
        )

    def state(self, now: datetime) -> State:
        if self.skipped is not None:
            return State.SKIPPED
        if self.failed is not None:
            return State.FAILED
        if self.removed_at is not None:
            return State.REMOVED
        if self.last_good_push is None:
            return State.NO_PUSH
        return (
            State.EXPIRED
            if self.token_expires_at is not None and self.token_expires_at <= now
            else State.OK
        )


@dataclass(frozen=True)
class Failure:
    """A run that failed a cluster, and the cluster's entry in its report."""

    at: datetime
    action: str
    entry: Mapping[str, Any]
    namespaces: tuple[str, ...] = ()
    queued: bool = False


@dataclass(frozen=True)
class Check:
    """A check of a document that is skipped, and what it found of Secrets that are left."""

    at: datetime
    left: Mapping[str, Any] | None = None


@dataclass
class Health:
    """All of them, by id; documents that were deleted, with the moment; the last push when it
    failed as a whole.
    """

    clusters: dict[str, ClusterHealth] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    run_error: tuple[datetime, Mapping[str, Any]] | None = None
    capped_at: datetime | None = None


def judge(
    documents: Sequence[Document], pushes: Iterable[LogLine], sweeps: Iterable[LogLine] = ()
) -> Health:
    """What the log says of the clusters that there are documents for."""
    health = Health({one.id: ClusterHealth(one.id) for one in documents if not one.is_discovery})
    modified = {one.id: one.modified for one in documents}
    for line in sorted(pushes, key=attrgetter("at")):
        if report := line.report:
            _take_push(health, line.at, report, modified)
    for line in sorted(sweeps, key=attrgetter("at"))[-1:]:
        if report := line.report:
            _take_sweep(health, line.at, report)
    _forget_deleted(health, documents)
    return health


def take_checks(health: Health, checks: Iterable[LogLine]) -> None:
    """Take what the last check of each skipped document found of its Secrets, unless it was pushed
    or removed since.
    """
    for line in sorted(checks, key=attrgetter("at")):
        for entry in (line.report or {}).get("clusters", ()):
            cluster = health.clusters.get(entry["id"])
            if cluster is None or cluster.skipped is None:
                continue
            if any(at and at > line.at for at in (cluster.last_good_push, cluster.removed_at)):
                continue
            found = [one for one in entry.get("findings", ()) if one["check"] == LEFT]
            cluster.check = Check(line.at, found[0] if found else None)


def _take_push(
    health: Health, at: datetime, report: Mapping[str, Any], modified: Mapping[str, datetime]
) -> None:
    narrowed: Mapping[str, Any] = report.get("narrowedTo", {})
    error = report.get("error")
    if report["action"] == "push" and (error or {}).get("type") != ASKED_WRONGLY:
        health.run_error = (at, error) if error else None
    if report["action"] == "push" and (gone := report.get("deleted")):
        health.deleted[gone["id"]] = at
    entries = {entry["id"]: entry for entry in report.get("clusters", ())}
    for cluster_id, entry in entries.items():
        _take_entry(
            health.clusters.setdefault(cluster_id, ClusterHealth(cluster_id)), at, report, entry
        )
    if (
        report["action"] == "push"
        and not report.get("error")
        and "dispatched" not in report
        and not narrowed
    ):
        _take_silence(health, at, report, entries, modified)


def _take_entry(
    cluster: ClusterHealth, at: datetime, report: Mapping[str, Any], entry: Mapping[str, Any]
) -> None:
    cluster.seen_at, cluster.skipped = at, entry.get("skipped")
    if report["action"] == "remove":
        if entry["ok"]:
            cluster.removed_at, cluster.failed, cluster.last_good_push, cluster.token_expires_at = (
                at,
                None,
                None,
                None,
            )
        return
    namespaces = tuple(report.get("narrowedTo", {}).get("namespaces", ()))
    if not namespaces:
        _take_life(cluster, at, entry)
        cluster.empty_globs = tuple(entry.get("emptyGlobs", ()))
    if not entry["ok"]:
        cluster.failed = Failure(
            at, report["action"], entry, namespaces, entry["id"] in report.get("queued", ())
        )
    elif not namespaces:
        _take_good(cluster, at, report)
    elif cluster.failed and cluster.failed.namespaces == namespaces:
        cluster.failed = (
            None  # the same, tried again; the other namespaces' tokens are as old as before
        )


def _take_good(
    cluster: ClusterHealth, at: datetime, report: Mapping[str, Any], *, inferred: bool = False
) -> None:
    ends = [end for token in report.get("tokens", ()) if (end := moment(token["expiresAt"]))]
    cluster.failed, cluster.inferred = None, inferred
    if cluster.skipped is None:
        cluster.last_good_push, cluster.removed_at = at, None
        cluster.token_expires_at = (
            cluster.token_expires_at if cluster.measured_at == at else min(ends, default=None)
        )


def _take_life(cluster: ClusterHealth, at: datetime, entry: Mapping[str, Any]) -> None:
    """Take the least life that any of the cluster's Secrets had left, where the run could measure
    it.
    """
    seconds = entry.get("secondsLeft")
    if isinstance(seconds, int | float):
        cluster.token_expires_at = at + timedelta(seconds=seconds)
        cluster.measured_at = at


def _take_silence(
    health: Health,
    at: datetime,
    report: Mapping[str, Any],
    entries: Mapping[str, Any],
    modified: Mapping[str, datetime],
) -> None:
    """What a push of everything says by not naming a cluster: a discovery finds it no more; or its
    report was full, and it is ok.
    """
    unnamed = [cluster for cluster in health.clusters.values() if cluster.id not in entries]
    if not report.get("clustersLeft"):
        for cluster in unnamed:
            if cluster.id not in modified or cluster.id.endswith(EVERY):
                del health.clusters[cluster.id]
                if "/" not in cluster.id and cluster.last_good_push is not None:
                    health.deleted.setdefault(cluster.id, at)
        return
    health.capped_at = at
    # Those that failed come first: when one that is ok found room, all that did not are ok.
    if any(entry["ok"] for entry in entries.values()):
        for cluster in unnamed:
            if cluster.id not in modified or modified[cluster.id] <= at:
                _take_good(cluster, at, report, inferred=True)


def _take_sweep(health: Health, at: datetime, report: Mapping[str, Any]) -> None:
    """A sweep says what fails, and of each cluster that it may look into how much life is left."""
    for entry in report.get("clusters", ()):
        cluster = health.clusters.get(entry["id"])
        if cluster and (cluster.seen_at is None or cluster.seen_at < at):
            _take_life(cluster, at, entry)
        if (
            cluster
            and not entry["ok"]
            and (cluster.seen_at is None or cluster.seen_at < at)
            and cluster.failed is None
        ):
            cluster.failed = Failure(at, "sweep", entry)


def _forget_deleted(health: Health, documents: Sequence[Document]) -> None:
    """Clusters that no document makes any more: deleted ones, unless their Secrets were removed, or
    their tokens never were.
    """
    known = {one.id for one in documents}
    for cluster in list(health.clusters.values()):
        if cluster.id in known or any(
            one.is_discovery and matches(one.id, cluster.id) for one in documents
        ):
            continue
        del health.clusters[cluster.id]
        if (
            cluster.last_good_push is not None
            and cluster.removed_at is None
            and cluster.seen_at is not None
        ):
            health.deleted.setdefault(cluster.id, cluster.seen_at)
        elif cluster.removed_at is not None:
            health.deleted.pop(cluster.id, None)
    for gone in [gone for gone in health.deleted if gone in known]:
        del health.deleted[gone]
