"""The health of clusters by the function's log: tokens, their expiry, and failures since. Pure.

A cluster is reported by a push of everything, a narrowed push, a worker of the queue, or a sweep;
the order of time decides.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any

from ecr_public_pusher.configuration.names import matches

from .run_log import LogLine
from .times import moment

FORGET = "forget"  # the action that acknowledges clusters that are gone for good
ASKED_WRONGLY = "RequestError"  # a wrong request, which says nothing about the clusters
LEFT = "left"  # a check's finding: Secrets of a disabled document
ADOPTED_FROM = "document "  # begins a report's name for the document that an adoption took from
# Outcomes of namespaces that have a Secret of ours after the run; the last was not pushed by it.
PUSHED = frozenset({"created", "updated", "adopted", "current"})
HOLDING = PUSHED | {"left"}
TOKEN_LIFE = timedelta(hours=12)  # Amazon ECR Public, GetAuthorizationToken
EVERY = "/*"  # ends the id that stands for all clusters of a discovery


class State(StrEnum):
    """A cluster's state. Stable names: `-o json` shows them."""

    OK = "ok"
    FAILED = "failed"  # in the last run that included it
    # As measured, or by the age of the last good push; a disabled document counts, too.
    EXPIRED = "expired"
    NO_PUSH = "no-push"  # no good push in the log that was read
    SKIPPED = "skipped"  # disabled by its document
    REMOVED = "removed"  # its Secrets were removed, and not pushed since


@dataclass
class ClusterHealth:
    """A cluster's health according to the log.

    `seen_at` is the time of the last report that names it, `secrets_at` of the last that shows
    Secrets of ours there, since a removal. `inferred` says that a full report, which leaves out
    clusters that are ok, made it ok. `new` says that an earlier push of everything shows that its
    document was not there yet. `credential_expires_at`: the end of the stored credential, if the
    last run that could read it knew it.
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
    adopted_at: datetime | None = None
    secrets_at: datetime | None = None
    new: bool = False
    credential_expires_at: datetime | None = None

    @property
    def may_have_secrets(self) -> bool:
        """Return whether Secrets of a skipped document may be there.

        They are, according to the log, if what was pushed last was not removed since, no other
        document has adopted it, and no check since found none.
        """
        pushed = self.secrets_at
        return (
            self.skipped is not None
            and pushed is not None
            and (self.adopted_at is None or self.adopted_at < pushed)
            and (self.check is None or self.check.at < pushed)
        )

    @property
    def expires_at(self) -> datetime | None:
        """Return when the first of its Secrets' tokens expires, according to the log.

        None where it is not known, and where a skipped document has left no Secrets.
        """
        if self.skipped is None:
            return self.token_expires_at
        if self.check is not None and self.check.left is not None:
            return self.check.expires_at or self.token_expires_at
        if not self.may_have_secrets or self.secrets_at is None:
            return None
        return self.token_expires_at or self.secrets_at + TOKEN_LIFE

    @property
    def partial_push(self) -> datetime | None:
        """Return the time of the last push, if it failed and wrote some of the Secrets."""
        if self.failed is None or self.failed.action != "push":
            return None
        return self.failed.at if _holds(self.failed.entry, PUSHED) else None

    @property
    def is_harmless(self) -> bool:
        """Return whether nothing of it is left: removed, acknowledged as gone, or never written."""
        return self.secrets_at is None and (self.removed_at is not None or self.new)

    def state(self, now: datetime) -> State:
        expired = self.expires_at is not None and self.expires_at <= now
        if self.skipped is not None:
            return State.EXPIRED if expired else State.SKIPPED
        if self.failed is not None:
            return State.FAILED
        if self.removed_at is not None:
            return State.REMOVED
        if self.last_good_push is None:
            return State.NO_PUSH
        return State.EXPIRED if expired else State.OK


@dataclass(frozen=True)
class Failure:
    """A run that failed a cluster, with the cluster's entry in the report."""

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

    @property
    def expires_at(self) -> datetime | None:
        """Return when the first of their tokens ends; None where the check does not say."""
        seconds = (self.left or {}).get("secondsLeft")
        return self.at + timedelta(seconds=seconds) if isinstance(seconds, int | float) else None


@dataclass
class Health:
    """All clusters by id, and the last push if it failed as a whole.

    `deleted` holds when a document was found deleted, by its id, unless nothing of it is left:
    those are in `settled`. `acknowledged` holds ids and globs of clusters that are gone for good.
    `complete` says that a push of everything has named all clusters. `heirs` holds, by the id of a
    document, which other one of its cluster has adopted its Secrets last. `removed` are the ids of
    those whose Secrets were removed, and not written since.
    """

    clusters: dict[str, ClusterHealth] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    acknowledged: list[str] = field(default_factory=list)
    heirs: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    complete: bool = False
    run_error: tuple[datetime, Mapping[str, Any]] | None = None
    capped_at: datetime | None = None


def assess(
    documents: Mapping[str, datetime], pushes: Iterable[LogLine], sweeps: Iterable[LogLine] = ()
) -> Health:
    """Return the health of the clusters that documents name, by the log.

    `documents` holds the time of each document's last write, by what a push names for it: `prod`,
    or `fleet/*` for a discovery.
    """
    health = Health({name: ClusterHealth(name) for name in documents if not name.endswith(EVERY)})
    by_time = attrgetter("at")
    pushes = sorted(pushes, key=by_time)
    sweeps = sorted(sweeps, key=by_time)
    for line in pushes:
        if report := line.report:
            _take_push(health, line.at, report, documents)
    for line in sweeps[-1:]:
        if report := line.report:
            _take_sweep(health, line.at, report)
    for line in sorted([*pushes, *sweeps], key=by_time):
        _take_adoptions(health, line.at, line.report or {})
    _forget_deleted(health, documents)
    return health


def take_checks(health: Health, checks: Iterable[LogLine]) -> None:
    """Note what the last check of each skipped document found of its Secrets.

    A check from before its last push or removal does not count.
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
    if report["action"] == FORGET:
        _take_acknowledgement(health, at, narrowed.get("clusters", ()), modified)
        return
    if report["action"] == "push" and (gone := report.get("deleted")):
        _take_deletion(health, at, gone["id"])
    entries = {entry["id"]: entry for entry in report.get("clusters", ())}
    for cluster_id, entry in entries.items():
        if entry["ok"] and report["action"] == "remove":
            health.removed.add(cluster_id)
        elif "skipped" not in entry:
            health.removed.discard(cluster_id)
        _take_entry(
            health.clusters.setdefault(cluster_id, ClusterHealth(cluster_id, new=health.complete)),
            at,
            report,
            entry,
        )
    if (
        report["action"] == "push"
        and not report.get("error")
        and "dispatched" not in report
        and not narrowed
    ):
        _take_silence(health, at, report, entries, modified)


def _take_deletion(health: Health, at: datetime, document: str) -> None:
    """Take the deletion of a document (`<id>/*`: a discovery), unless nothing of it is left."""
    its = [cluster for cluster in health.clusters.values() if matches(document, cluster.id)]
    if its:
        harmless = all(cluster.is_harmless for cluster in its)
    else:
        harmless = health.complete or _is_acknowledged(health, document)
    if harmless:
        health.settled.add(document)
    else:
        health.deleted[document] = at


def _take_acknowledgement(
    health: Health, at: datetime, patterns: Collection[str], modified: Collection[str]
) -> None:
    """Take it that clusters of deleted documents are gone for good, with their Secrets."""
    health.acknowledged += patterns
    for cluster in health.clusters.values():
        if cluster.id not in modified and _is_acknowledged(health, cluster.id):
            cluster.removed_at = at
            cluster.last_good_push = cluster.token_expires_at = cluster.secrets_at = None
    for document in [one for one in health.deleted if _is_acknowledged(health, one)]:
        del health.deleted[document]
        health.settled.add(document)


def _is_acknowledged(health: Health, cluster_id: str) -> bool:
    return any(matches(pattern, cluster_id) for pattern in health.acknowledged)


def _holds(entry: Mapping[str, Any], outcomes: Collection[str]) -> bool:
    return any(number and name in outcomes for name, number in entry.get("counts", {}).items())


def _take_entry(
    cluster: ClusterHealth, at: datetime, report: Mapping[str, Any], entry: Mapping[str, Any]
) -> None:
    cluster.seen_at = at
    cluster.skipped = entry.get("skipped")
    _take_credential(cluster, entry)
    if report["action"] == "remove":
        if entry["ok"]:
            cluster.removed_at = at
            cluster.failed = None
            cluster.last_good_push = None
            cluster.token_expires_at = None
            cluster.secrets_at = None
        return
    if cluster.skipped is None and _holds(entry, HOLDING):
        cluster.secrets_at = at
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
        # The same namespaces, tried again; the others' tokens are as old as before.
        cluster.failed = None


def _take_good(
    cluster: ClusterHealth, at: datetime, report: Mapping[str, Any], *, inferred: bool = False
) -> None:
    ends = [end for token in report.get("tokens", ()) if (end := moment(token["expiresAt"]))]
    cluster.failed = None
    cluster.inferred = inferred
    if cluster.skipped is None:
        if inferred:
            cluster.secrets_at = at
        cluster.last_good_push = at
        cluster.removed_at = None
        cluster.token_expires_at = (
            cluster.token_expires_at if cluster.measured_at == at else min(ends, default=None)
        )


def _take_life(cluster: ClusterHealth, at: datetime, entry: Mapping[str, Any]) -> None:
    """Take over the least remaining life of the cluster's Secrets, if the run measured it."""
    seconds = entry.get("secondsLeft")
    if isinstance(seconds, int | float):
        cluster.token_expires_at = at + timedelta(seconds=seconds)
        cluster.measured_at = at


def _take_credential(cluster: ClusterHealth, entry: Mapping[str, Any]) -> None:
    """Take over the end of the stored credential.

    A cluster that failed without naming one may not have been able to read it.
    """
    if (text := entry.get("credentialExpiresAt")) or entry["ok"]:
        cluster.credential_expires_at = moment(text) if text else None


def _take_silence(
    health: Health,
    at: datetime,
    report: Mapping[str, Any],
    entries: Mapping[str, Any],
    modified: Mapping[str, datetime],
) -> None:
    """Take a push of everything that does not name a cluster.

    Either a discovery no longer finds it; or the report was full, and the cluster is ok.
    """
    unnamed = [cluster for cluster in health.clusters.values() if cluster.id not in entries]
    if not report.get("clustersLeft"):
        health.complete = True
        for cluster in unnamed:
            if cluster.id not in modified or cluster.id.endswith(EVERY):
                del health.clusters[cluster.id]
                if "/" not in cluster.id and cluster.secrets_at is not None:
                    health.deleted.setdefault(cluster.id, at)
        return
    health.capped_at = at
    # Failed clusters come first: if the report has room for one that is ok, all left out are ok.
    if any(entry["ok"] for entry in entries.values()):
        for cluster in unnamed:
            if cluster.id not in modified or modified[cluster.id] <= at:
                _take_good(cluster, at, report, inferred=True)


def _take_sweep(health: Health, at: datetime, report: Mapping[str, Any]) -> None:
    """Take a sweep's failures, and the remaining life in each cluster that it may list."""
    for entry in report.get("clusters", ()):
        cluster = health.clusters.get(entry["id"])
        if cluster and (cluster.seen_at is None or cluster.seen_at < at):
            _take_life(cluster, at, entry)
            _take_credential(cluster, entry)
        if (
            cluster
            and not entry["ok"]
            and (cluster.seen_at is None or cluster.seen_at < at)
            and cluster.failed is None
        ):
            cluster.failed = Failure(at, "sweep", entry)


def _take_adoptions(health: Health, at: datetime, report: Mapping[str, Any]) -> None:
    """Note whose Secrets each document has adopted: those of another one of its stack, if named."""
    for entry in report.get("clusters", ()):
        for adopted in entry.get("adopted", ()):
            for whose in adopted["from"]:
                if whose.startswith(ADOPTED_FROM):
                    old = whose.removeprefix(ADOPTED_FROM)
                    health.heirs[old] = entry["id"]
                    health.heirs.pop(entry["id"], None)  # what it had given away is back
                    if old in health.clusters:
                        health.clusters[old].adopted_at = at


def _forget_deleted(health: Health, documents: Collection[str]) -> None:
    """Drop clusters that no document covers.

    They count as deleted, unless their Secrets were removed or never pushed, or another document
    has adopted them that is there, and reports what is left, or of which nothing is left either. A
    discovery counts as its clusters do.
    """
    discoveries = [name for name in documents if name.endswith(EVERY)]

    def covered(cluster_id: str) -> bool:
        return cluster_id in documents or any(matches(name, cluster_id) for name in discoveries)

    def is_settled(cluster_id: str) -> bool:
        if cluster_id in health.removed:
            return True
        heir = cluster_id
        while heir in health.heirs:
            heir = health.heirs[heir]
        if heir == cluster_id:
            return False
        return covered(heir) or heir in health.removed or _is_acknowledged(health, heir)

    for cluster in list(health.clusters.values()):
        if covered(cluster.id):
            continue
        del health.clusters[cluster.id]
        if cluster.secrets_at is not None and cluster.seen_at is not None:
            health.deleted.setdefault(cluster.id, cluster.seen_at)
        elif cluster.removed_at is not None and cluster.id in health.deleted:
            del health.deleted[cluster.id]
            health.settled.add(cluster.id)
    for gone in [one for one in health.deleted if is_settled(one)]:
        health.settled.add(gone)
        del health.deleted[gone]
    for gone in [one for one in health.deleted if one in documents]:
        del health.deleted[gone]
    settled = [one for one in {*health.heirs, *health.removed} if is_settled(one)]
    for every in [one for one in health.deleted if one.endswith(EVERY)]:
        left = [one for one in health.deleted if one != every and matches(every, one)]
        if not left and any(matches(every, one) for one in settled):
            health.settled.add(every)
            del health.deleted[every]
