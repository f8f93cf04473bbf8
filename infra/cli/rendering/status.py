"""A status as people read it: clusters, failures with remedies, queues, alarms."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from ..documents.document import CLUSTERS, DocumentName
from ..follow_up import ADD_A_CLUSTER, FollowUp
from ..health import ClusterHealth, State
from ..queues import QueueState
from ..status import FINE, Status, left_secrets
from .problems import empty_globs, render_error, render_problems, stored_credential
from .text import (
    BAD,
    FAINT,
    GOOD,
    HEAD,
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

PROBLEMS_SHOWN = 20


def render_status(status: Status) -> list[RenderableType]:
    return list(_parts(status))


def _parts(status: Status) -> Iterator[RenderableType]:
    yield _headline(status)
    if status.unconfigured:
        yield indented(
            "There is no configuration yet, so nothing is pushed. Add a cluster:", style=NEUTRAL
        )
        yield pasteable(status.follow_up.command(*ADD_A_CLUSTER))
    if status.clusters:
        yield Text("")
        yield table(
            "CLUSTER",
            "STATE",
            "LAST GOOD PUSH",
            "TOKEN LEFT",
            "DETAIL",
            rows=[_row(cluster, status) for cluster in status.clusters],
        )
    if error := status.health.run_error:
        at, said = error
        yield heading(f"The last push ({_ago(at, status.now)}) failed as a whole: {said['type']}")
        yield indented(said["message"])
        yield from remedy(said["remedy"])
    for cluster in status.clusters:
        yield from _failure(cluster, status)
        yield from _left_behind(cluster, status)
    if not status.narrowed:
        yield from _surroundings(status)
    for note in status.notes:
        yield Text(f"\n{note}", style=NEUTRAL)


def _headline(status: Status) -> Text:
    stack = status.stack
    bad = sum(cluster.state(status.now) not in FINE for cluster in status.clusters)
    line = Text.assemble(
        (str(stack["name"]), HEAD),
        f" {stack['version'] or ''} · {stack['account']} {stack['region']} · ",
    )
    line.append(*(("ok", GOOD) if status.ok else ("not ok", BAD)))
    return line.append(
        f" · {counted(len(status.clusters), 'cluster')}" + (f", {bad} not ok" if bad else "")
    )


def _row(cluster: ClusterHealth, status: Status) -> tuple[str | Text, ...]:
    now = status.now
    word = cluster.state(status.now)
    return (
        cluster.id,
        state(word.value),
        _pushed(cluster, word, status),
        _left(cluster, now),
        _detail(cluster, word, now),
    )


def _pushed(cluster: ClusterHealth, word: State, status: Status) -> str:
    if cluster.partial_push and word is State.FAILED:
        return f"{_ago(cluster.partial_push, status.now)}, in part"
    if cluster.last_good_push:
        return _ago(cluster.last_good_push, status.now)
    return "-" if word in FINE else f"none in {span((status.now - status.since).total_seconds())}"


def _left(cluster: ClusterHealth, now: datetime) -> Text:
    if cluster.expires_at is None:
        return Text("-")
    return life((cluster.expires_at - now).total_seconds())


def _detail(cluster: ClusterHealth, word: State, now: datetime) -> str:
    if cluster.skipped is not None:
        return str(cluster.skipped)
    parts = [
        _outcome(cluster, word),
        stored_credential(cluster.credential_expires_at, now),
        empty_globs(cluster.empty_globs),
    ]
    return "; ".join(filter(None, parts))


def _outcome(cluster: ClusterHealth, word: State) -> str:
    if word is State.FAILED and cluster.failed:
        error = cluster.failed.entry.get("error")
        counts = cluster.failed.entry.get("counts", {})
        what = (
            error["type"]
            if error
            else ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        )
        return f"{what}; queued" if cluster.failed.queued else what
    return "by a full report" if cluster.inferred and word is State.OK else ""


def _failure(cluster: ClusterHealth, status: Status) -> Iterator[RenderableType]:
    now = status.now
    if cluster.state(now) is not State.FAILED or cluster.failed is None:
        return
    entry = cluster.failed.entry
    yield heading(f"{cluster.id} ({cluster.failed.action}, {_ago(cluster.failed.at, now)})")
    if error := entry.get("error"):
        yield from render_error(error)
    problems = entry.get("problems", [])
    yield from render_problems(problems[:PROBLEMS_SHOWN], with_cluster=error is not None)
    if left := len(problems[PROBLEMS_SHOWN:]) + entry.get("problemsLeft", 0):
        logs = status.follow_up.command("logs", cluster.id)
        yield Text(f"... and {left} more: {logs}", style=FAINT)


def _left_behind(cluster: ClusterHealth, status: Status) -> Iterator[RenderableType]:
    if left := left_secrets(cluster, status.now, status.follow_up):
        yield heading(f"{cluster.id}: {cluster.skipped}, and its Secrets are left")
        yield indented(left["message"])
        yield from remedy(left["remedy"])


def _surroundings(status: Status) -> Iterator[RenderableType]:
    if status.alarms:
        yield heading("Active alarms")
        for alarm in status.alarms:
            settled = status.is_settled(alarm)
            yield Text.assemble(
                (alarm.name, FAINT if settled else BAD),
                f"  for {span((status.now - alarm.since).total_seconds())}",
                ", will clear: nothing of the deleted documents is left" if settled else "",
            )
            yield indented(alarm.description)
    if status.unknown:
        yield heading(
            "Unknown parameters: neither defaults, nor a cluster, nor a discovery. Rename or delete"
            " them."
        )
        yield table("PARAMETER", rows=[(name,) for name in status.unknown])
    for deleted, at in sorted(status.health.deleted.items()):
        yield heading(f"{deleted}: its document was deleted (seen {_ago(at, status.now)})")
        yield indented(
            "Nothing is pushed there any more, and the tokens left behind block pulls when they"
            " expire. Another document of the cluster takes over what it selects."
        )
        name = DocumentName.of_clusters(deleted)
        called, how = (
            (name.id, " with enabled: false") if name.folder == CLUSTERS else (str(name), "")
        )
        delete = status.follow_up.command("clusters", "delete", called)
        forget = status.follow_up.command("clusters", "forget", deleted)
        yield pasteable(f"Restore the document{how}, and: {delete}")
        yield pasteable(f"Or, if the cluster is gone for good: {forget}")
    if status.lost_runs:
        last, how = status.lost_runs[-1]
        yield heading(
            f"{counted(len(status.lost_runs), 'run')} gave no report; the last one"
            f" {_ago(last, status.now)}: {how}"
        )
    yield Text("")
    yield _retry_line(status.retry_queue)
    yield _dead_letters_line(status.dead_letters, status.follow_up)
    if not status.alarms:
        yield Text("Alarms: none")


def _retry_line(queue: QueueState) -> Text:
    if not queue.total:
        return Text("Retry queue: empty")
    return Text(
        f"Retry queue: {queue.waiting} available, {queue.delayed} delayed,"
        f" {queue.in_flight} in flight",
        style=NEUTRAL,
    )


def _dead_letters_line(queue: QueueState, follow_up: FollowUp) -> Text:
    if not queue.total:
        return Text("Dead letters: empty")
    listed = follow_up.command("queue", "list")
    return Text(f"Dead letters: {queue.total}, not tried again: {listed}", style=BAD)


def _ago(moment: datetime, now: datetime) -> str:
    return f"{span((now - moment).total_seconds())} ago"
