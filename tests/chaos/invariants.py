"""The rules that hold in every round, whatever failed. Pure: each returns what broke it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tests.chaos.estate import DROPPED, SELECTED, Furnished, stand_ins
from tests.chaos.leaks import leaks
from tests.chaos.observed import Seen, State
from tests.chaos.sandbox import Result
from tests.support.world import SECRET

WRITES = frozenset({"push", "sweep", "remove"})
# Seconds by which the reported least life may differ from the one read after the round.
TOLERANCE_SECONDS = 60.0
# Errors and outcomes that a machine without time for anything causes.
OF_TIME = frozenset({"DeadlineReached", "UnreachableError", "ConnectionFailed", "NoAnswerError"})
# The end of a message about AWS, whichever error it became.
TOO_LATE = "did not respond in time"
LATE = frozenset({"failed", "not-attempted"})
# Errors of documents whose namespaces are not known.
UNREAD = frozenset({"InvalidDocument", "CannotBeJudged"})
# Errors of clusters that a discovery could not look up, so that they have no document.
NOT_FOUND = frozenset({"EksError", "DiscoveryError", "RoleError"})


@dataclass(frozen=True)
class Invocation:
    """One invocation as it was asked for, and its result.

    `seconds`: Lambda's limit. `messages`: of a batch, the clusters by message id. `waiting`: the
    clusters on the queue when it had ended. `dispatches`: it only puts its clusters there.
    `dispatched`: such an invocation sent its messages.
    """

    action: str
    targets: frozenset[str]
    namespaces: frozenset[str]
    seconds: float
    result: Result
    messages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    dispatches: bool = False
    dispatched: bool = False

    def entry(self, cluster: str) -> dict[str, Any] | None:
        """Return the entry of a cluster, or of the discovery that did not find it.

        Of a discovery that a message names since it did not find its cluster: of the cluster, if it
        was found now.
        """
        names = (cluster, *stand_ins(cluster), *_found_by(cluster, self.entries))
        return next((self.entries[name] for name in names if name in self.entries), None)

    @property
    def reported(self) -> bool:
        return not (self.result.killed or self.result.hung)

    @property
    def entries(self) -> dict[str, dict[str, Any]]:
        """The clusters' entries by id, of all reports."""
        return {one["id"]: one for report in self.result.reports for one in report["clusters"]}

    @property
    def run_error(self) -> str | None:
        """The type of the error of a run as a whole; a queue that fails spares the clusters."""
        found = (report.get("error") for report in self.result.reports)
        return next((one["type"] for one in found if one and one["type"] != "QueueError"), None)

    def done(self, cluster: str) -> bool:
        """Return whether it reported the cluster as done."""
        entries = [
            self.entries[name]
            for name in _found_by(cluster, self.entries) or [cluster]
            if name in self.entries
        ]
        return bool(entries) and all(one["ok"] for one in entries) and self.run_error is None

    def may_delete(self, furnished: Furnished, namespace: str) -> bool:
        if furnished.cluster not in self.targets:
            return False
        prunes = furnished.prune and self.action == "push" and self.namespaces >= {*SELECTED}
        return self.action == "remove" or (prunes and namespace == DROPPED)

    def may_take(self, cluster: str, namespace: str) -> bool:
        return self.action == "push" and self.may_write(cluster, namespace)

    def may_write(self, cluster: str, namespace: str) -> bool:
        return (
            self.action in ("push", "sweep")
            and cluster in self.targets
            and namespace in self.namespaces
        )


@dataclass(frozen=True)
class Judged:
    """Everything that a round left behind.

    `touched`: the clusters that a fault can reach. `later`: the states after the sandbox was
    thawed. `issued`: the registries' tokens of this round; `known`: these and earlier ones.
    `strays`: further rules that the round itself saw broken. `texts`: every output, by name.
    `meddled`: the Secrets that somebody else wrote meanwhile.
    """

    invocations: Sequence[Invocation]
    furnished: Mapping[str, Furnished]
    before: Mapping[str, State]
    after: Mapping[str, State]
    later: Mapping[str, State]
    touched: frozenset[str]
    issued: frozenset[str]
    known: frozenset[str]
    queued: frozenset[str]
    texts: Mapping[str, str] = field(repr=False)
    secrets: Sequence[tuple[str, str]] = field(repr=False)
    strays: Sequence[str] = ()
    meddled: Mapping[tuple[str, str], Seen] = field(default_factory=dict)

    def meddled_with(self, made: Mapping[tuple[str, str], Seen]) -> "Judged":
        """Return the round in which somebody else wrote these Secrets, by cluster and namespace.

        They count as what was there before.
        """
        before = dict(self.before)
        for (cluster, namespace), seen in made.items():
            state = before[cluster]
            secrets = {**state.secrets, (namespace, SECRET): seen}
            before[cluster] = replace(state, secrets=secrets)
        return replace(self, before=before, meddled=made)

    def sole(self, cluster: str) -> Invocation | None:
        """Return the one invocation that explains every change in a cluster, if there is one."""
        those = [one for one in self.invocations if cluster in one.targets and not one.dispatches]
        if len(those) != 1 or not those[0].reported:
            return None
        (one,) = those
        entries = [
            entry["id"]
            for report in one.result.reports
            for entry in report["clusters"]
            if entry["id"] == cluster
        ]
        return one if one.result.reports and len(entries) <= 1 else None

    def changed(self, cluster: str) -> frozenset[str]:
        """Return the namespaces whose Secret is another than before."""
        before = self.before[cluster]
        after = self.after[cluster]
        return frozenset(
            name for name in (*SELECTED, DROPPED) if _version(before, name) != _version(after, name)
        )


@dataclass(frozen=True)
class Broken:
    """A rule that did not hold, in words. `timed`: a machine that is too busy breaks it, too."""

    text: str
    timed: bool = False

    def __str__(self) -> str:
        return self.text


def violations(judged: Judged) -> list[Broken]:
    """Return the rules that did not hold; empty after a good round."""
    always = (
        *(_of_others, _newer_kept, _never_worse, _only_what_was_asked),
        *(_complete, _true, _messages_kept, _still),
    )
    return [
        *(Broken(text) for rule in always for text in rule(judged)),
        *(Broken(text, timed=True) for text in _in_time(judged)),
        *_untouched_unaffected(judged),
        *map(Broken, leaks(judged.texts, judged.secrets)),
        *map(Broken, judged.strays),
    ]


def _of_others(judged: Judged) -> Iterator[str]:
    """Require that no Secret or ServiceAccount's entry of somebody else is touched."""
    for cluster, before in judged.before.items():
        after = judged.after[cluster]
        for key, seen in before.secrets.items():
            if key[1] == SECRET and seen.ours:
                continue
            now = after.secrets.get(key)
            if (
                now is not None
                and key[1] == SECRET
                and now.ours
                and judged.furnished[cluster].takes
                and any(one.may_take(cluster, key[0]) for one in judged.invocations)
            ):
                continue  # taken over, as its document says
            if now is None or now.version != seen.version:
                yield f"{cluster}: the Secret {'/'.join(key)} of somebody else was changed"
        for key in after.secrets.keys() - before.secrets.keys():
            if key[1] != SECRET:
                yield f"{cluster}: there is a new Secret {'/'.join(key)}"
        for key, names in before.accounts.items():
            kept = after.accounts.get(key, ())
            if [name for name in kept if name != SECRET] != [
                name for name in names if name != SECRET
            ]:
                yield f"{cluster}: the ServiceAccount {'/'.join(key)} names {', '.join(kept)}"


def _newer_kept(judged: Judged) -> Iterator[str]:
    """Require that what another run wrote meanwhile is left, or removed where that was asked."""
    for (cluster, namespace), seen in judged.meddled.items():
        after = judged.after[cluster].ours_in(namespace)
        if not seen.ours or (after and after.version == seen.version):
            continue
        furnished = judged.furnished[cluster]
        if after or not any(one.may_delete(furnished, namespace) for one in judged.invocations):
            yield f"{cluster}: the newer Secret in {namespace} was overwritten or removed"


def _never_worse(judged: Judged) -> Iterator[str]:
    """Require each Secret of ours to be as before, or good and no shorter-lived, or unwanted."""
    for cluster, furnished in judged.furnished.items():
        for name in judged.changed(cluster):
            old = judged.before[cluster].ours_in(name)
            new = judged.after[cluster].ours_in(name)
            if old is not None and not old.ours and not (new and new.ours):
                continue  # judged as somebody else's
            where = f"{cluster}: the Secret in {name}"
            if new is None:
                if not any(one.may_delete(furnished, name) for one in judged.invocations):
                    yield f"{where} was deleted, and nobody asked for that"
                continue
            if flaw := new.flaw(cluster, judged.issued):
                yield f"{where} {flaw}"
            elif (
                old is not None
                and old.ours
                and old.expires_at is not None
                and new.expires_at is not None
                and new.expires_at < old.expires_at
            ):
                yield f"{where} now expires earlier"


def _only_what_was_asked(judged: Judged) -> Iterator[str]:
    for cluster, furnished in judged.furnished.items():
        for name in judged.changed(cluster):
            gone = judged.after[cluster].ours_in(name) is None
            if not any(
                one.may_delete(furnished, name) if gone else one.may_write(cluster, name)
                for one in judged.invocations
            ):
                yield f"{cluster}: the Secret in {name} was changed, and nobody asked for that"


def _in_time(judged: Judged) -> Iterator[str]:
    for one in judged.invocations:
        if one.result.killed:
            continue
        if one.result.hung:
            yield f"{one.action}: no answer, long after the deadline"
        elif one.result.seconds >= one.seconds:
            yield f"{one.action}: the answer came after {one.result.seconds:.2f} s"
        elif not one.result.reports:
            yield f"{one.action}: no report in the log: {(one.result.error or '')[:300]}"


def _complete(judged: Judged) -> Iterator[str]:
    """Require each cluster and namespace in the report, and the report in the answer."""
    for one in judged.invocations:
        if not one.reported or not one.result.reports:
            continue
        if "InternalError" in one.result.output:
            yield f"{one.action}: an InternalError was reported"
        answer = one.result.answer
        if isinstance(answer, dict) and "clusters" in answer and answer != one.result.reports[-1]:
            yield f"{one.action}: the answer is not the report in the log"
        if one.run_error is not None or any(
            report.get("unconfigured") for report in one.result.reports
        ):
            continue
        for cluster in sorted(one.targets):
            if one.dispatches:
                failed = any("error" in report for report in one.result.reports)
                if not failed and not one.waiting & {cluster, *stand_ins(cluster)}:
                    yield f"dispatched, but not on the queue: {cluster}"
            elif one.entry(cluster) is None:
                yield f"{one.action}: the report does not have {cluster}"
        for cluster, entry in one.entries.items():
            furnished = judged.furnished.get(cluster)
            if furnished is None or one.action != "push" or not furnished.names:
                continue
            error = (entry["error"] or {}).get("type")
            if error in UNREAD or (error in NOT_FOUND and furnished.kind == "found"):
                continue
            selected = one.namespaces & {*SELECTED}
            if sum(entry["counts"].values()) < len(selected):
                yield f"{one.action}: {cluster} has {entry['counts']} for {sorted(selected)}"


def _true(judged: Judged) -> Iterator[str]:
    """Require that what was reported is what is."""
    for cluster in judged.furnished:
        one = judged.sole(cluster)
        if one is None or one.action not in WRITES:
            continue
        entry = one.entries.get(cluster)
        if entry is None:
            if changed := judged.changed(cluster):
                yield f"{cluster}: not in the report, but {sorted(changed)} were changed"
            continue
        problems = {problem["namespace"]: problem["outcome"] for problem in entry["problems"]}
        changed = judged.changed(cluster)
        for name in sorted(changed & problems.keys()):
            if problems[name] != "failed":
                yield f"{cluster}: {name} is reported as {problems[name]}, but was changed"
        before = judged.before[cluster]
        after = judged.after[cluster]
        certain = changed - problems.keys()
        gone = {name for name in certain if after.ours_in(name) is None}
        new = {name for name in certain - gone if before.ours_in(name) is None}
        counts = entry["counts"]
        for said, did, what in (
            (counts.get("created", 0), len(new), "created"),
            (
                counts.get("updated", 0) + counts.get("adopted", 0),
                len(certain - gone - new),
                "updated",
            ),
            (counts.get("removed", 0) + counts.get("pruned", 0), len(gone), "removed"),
        ):
            if said != did:
                yield f"{cluster}: reported {said} {what}, but it is {did}"
        if "secondsLeft" in entry and "failed" not in problems.values():
            least = _least_life(after, one.namespaces)
            if least is not None and abs(least - entry["secondsLeft"]) > TOLERANCE_SECONDS:
                yield f"{cluster}: reported secondsLeft {entry['secondsLeft']}, but it is {least}"


def _least_life(after: State, namespaces: frozenset[str]) -> float | None:
    now = datetime.now(UTC)
    lives = []
    for name in namespaces:
        seen = after.ours_in(name)
        if seen is None:
            lives.append(0.0)
        elif seen.ours and seen.expires_at is not None:
            lives.append(max(0.0, (seen.expires_at - now).total_seconds()))
    return min(lives, default=None)


def _untouched_unaffected(judged: Judged) -> Iterator[Broken]:
    """Require a cluster that no fault can reach to be as it would be without any.

    Only what lacks time is a matter of time: what was done is not, nor any other error.
    """
    for one in judged.invocations:
        if not one.reported or one.dispatches:
            continue
        # A worker's messages may be about a discovery, too.
        for cluster in sorted((one.targets & judged.furnished.keys()) - judged.touched):
            entry = one.entries.get(cluster)
            if entry is None or entry["error"] is not None:
                found = one.entry(cluster)
                error = found and found["error"]
                if error and error["type"] == "PruneHeldBack" and _all_foreign(judged, cluster):
                    continue  # prune's brake: more would go than stay
                yield Broken(
                    f"{cluster}: no fault can reach it, but {one.action} reports {error}",
                    timed=error is not None and _lacked_time(error),
                )
            elif judged.sole(cluster) is one:
                yield from _as_asked(judged, one, cluster, entry)


def _all_foreign(judged: Judged, cluster: str) -> bool:
    contents = judged.furnished[cluster].contents
    return all(contents.get(name) == "foreign" for name in SELECTED)


def _lacked_time(error: Mapping[str, str]) -> bool:
    return error["type"] in OF_TIME or TOO_LATE in error.get("message", "")


def _as_asked(
    judged: Judged, one: Invocation, cluster: str, entry: dict[str, Any]
) -> Iterator[Broken]:
    furnished = judged.furnished[cluster]
    changed = judged.changed(cluster)
    expected = {
        name
        for name, content in furnished.contents.items()
        if (content == "foreign" and furnished.takes and one.may_take(cluster, name))
        or (
            content != "foreign"
            and (
                (one.action == "remove" and content != "nothing")
                or (one.action == "push" and one.may_write(cluster, name))
                or (
                    one.action == "sweep"
                    and one.may_write(cluster, name)
                    and content in ("nothing", "ending")
                )
                or (content != "nothing" and one.may_delete(furnished, name))
            )
        )
    }
    problems = {problem["namespace"]: problem for problem in entry["problems"]}
    late = {name for name, problem in problems.items() if problem["outcome"] in LATE}
    wrong = {
        name for name, problem in problems.items() if problem["outcome"] not in ("conflict", "left")
    }
    in_time = not wrong or wrong > late
    if changed != expected:
        yield Broken(
            f"{cluster}: no fault can reach it, but {one.action} changed {sorted(changed)} instead"
            f" of {sorted(expected)}",
            timed=changed < expected and not in_time,
        )
    if wrong and one.action in WRITES:
        yield Broken(
            f"{cluster}: no fault can reach it, but there are problems in {sorted(wrong)}",
            timed=not in_time,
        )


def _messages_kept(judged: Judged) -> Iterator[str]:
    """Require a batch to keep what failed, and a push to queue what it says."""
    for one in judged.invocations:
        if not one.reported or not one.result.reports:
            continue
        held: set[str] = set()
        if one.messages:
            answer = one.result.answer
            failures = answer.get("batchItemFailures", ()) if isinstance(answer, dict) else ()
            kept = {failure["itemIdentifier"] for failure in failures}
            for message, clusters in one.messages.items():
                undone = {name for name in clusters if not one.done(name)}
                waits = {name for name in undone if _found_by(name, judged.queued)}
                # A dispatched message leaves clusters that failed to messages of their own.
                own = len(clusters) == 1 and not one.dispatched
                if message not in kept and (
                    lost := undone if own else undone - judged.queued - waits
                ):
                    yield f"batch: not done, and its message not kept: {sorted(lost)}"
                elif own and message in kept and not undone:
                    yield f"batch: done, but its message kept: {clusters[0]}"
            held = {name for message in kept for name in one.messages.get(message, ())}
        said = {name for report in one.result.reports for name in report.get("queued", ())}
        if lost := said - judged.queued - held:
            yield f"{one.action}: reported as queued, but is not: {sorted(lost)}"


def _still(judged: Judged) -> Iterator[str]:
    """Require that nothing changes after the end, nor when the sandbox is thawed."""
    for cluster, after in judged.after.items():
        if judged.later[cluster] != after:
            yield f"{cluster}: something was changed after the end"


def _version(state: State, namespace: str) -> tuple[str, str] | None:
    seen = state.ours_in(namespace)
    return seen.version if seen else None


def _found_by(discovery: str, ids: Iterable[str]) -> list[str]:
    """Return those of the ids that are clusters which a discovery found; else nothing."""
    if not discovery.endswith("/*"):
        return []
    return [one for one in ids if one.startswith(discovery.removesuffix("*")) and one != discovery]


def bodies_of(texts: Sequence[str]) -> frozenset[str]:
    """Return the clusters that messages on the queue ask for."""
    return frozenset(cluster for text in texts for cluster in json.loads(text).get("clusters", ()))
