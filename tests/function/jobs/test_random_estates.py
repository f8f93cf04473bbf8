"""Decisions on random estates: the same in any order, one for each namespace, within the rules."""

import json
from copy import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ecr_public_pusher.configuration.loader import Parameter, load
from ecr_public_pusher.errors import InternalError, PusherError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.jobs.decision import Decision, Intent, Judge, State, Step
from ecr_public_pusher.jobs.observation import Observation
from ecr_public_pusher.jobs.prune_brake import PRUNED_WITHOUT_ASKING, held_back
from ecr_public_pusher.jobs.seen_secret import SeenSecret
from ecr_public_pusher.jobs.targets import Plan, PlannedCluster, make_plan
from ecr_public_pusher.results import Namespace, Outcome
from tests.support.estates import (
    ACCOUNT,
    DOCUMENTS,
    FLAGS,
    NAMES,
    NOW,
    READ_AT,
    REGION,
    ROOT,
    STACK,
    examples,
    intents,
    observations,
    secrets,
)

REQUESTS = {"push": Request(), "sweep": Request("sweep"), "remove": Request("remove", removes=True)}
EVERYWHERE = [name for name in NAMES if not name.startswith("kube-")]
WRITES = (Step.APPLY, Step.TAKE, Step.DELETE)
GOOD = (Outcome.CREATED, Outcome.UPDATED, Outcome.ADOPTED)

# The table of the design ("Look first, then act"): what a push does, and what a sweep does.
STEPS = {
    "nothing": "create create",
    "ours, fresh": "renew leave",
    "ours, about to end": "renew renew",
    "ours, newer": "leave leave",
    "another document's": "conflict -",
    "a document's that is gone or does not select it": "adopt adopt",
    "ours, managers cleared or restored": "force force",
    "somebody else's": "ask -",
    "somebody else's, takeOwnership": "force -",
    "being deleted": "wait -",
}
WORDS = {
    Step.APPLY: ("create", "renew", "adopt"),
    Step.TAKE: ("force",),
    Step.ASK: ("ask",),
    Step.CURRENT: ("leave",),
    Step.LEAVE: ("-",),
    Step.CONFLICT: ("conflict",),
    Step.WAIT: ("wait",),
}


def row(secret: SeenSecret | None, cluster: PlannedCluster, namespace: Namespace) -> str:
    """Return the table's row for what is in a namespace, judged by metadata alone."""
    if any(one.selection.selects(namespace) for one in cluster.ahead):
        return "another document's"
    if secret is None:
        return "nothing"
    if secret.finalizers is not None:
        return "being deleted"
    document = STACK.document_of(secret.owner)
    theirs = "somebody else's"
    if cluster.config.take_ownership:
        theirs += ", takeOwnership"
    if document is None:
        return theirs
    if document in cluster.invalid:
        return "another document's"
    our = (STACK.field_manager, "Apply")
    if our not in secret.managers or (secret.writers and our not in secret.writers):
        others = {manager for manager, _ in secret.managers | secret.writers}
        by_velero = secret.restored and others == {"velero-server"}
        return "ours, managers cleared or restored" if by_velero or not others else theirs
    if document != cluster.config.id:
        return "a document's that is gone or does not select it"
    if secret.pushed_at is not None and secret.pushed_at > READ_AT:
        return "ours, newer"
    if secret.pushed_at is None or secret.expires_at is None:
        return "ours, about to end"
    life, left = secret.expires_at - secret.pushed_at, secret.expires_at - NOW
    return "ours, about to end" if left < 0.3 * life else "ours, fresh"


estates = given(DOCUMENTS, intents(), observations())
pushes = given(DOCUMENTS, intents("push"), observations())


def planned(parameters: list[Parameter], intent: Intent) -> Plan:
    loaded = load(parameters, root=ROOT, region=REGION, account=ACCOUNT)
    assert not [one for one in loaded.invalid.values() if isinstance(one, InternalError)]
    assert len(loaded.clusters) + len(loaded.invalid) == len(parameters)
    return make_plan(REQUESTS[intent.kind], loaded)


def decided(
    parameters: list[Parameter], intent: Intent, seen: Observation
) -> list[tuple[PlannedCluster, list[Decision]]]:
    return [
        (one, Judge(one, intent, NOW).decide(seen)) for one in planned(parameters, intent).clusters
    ]


@given(DOCUMENTS, intents(), observations(), st.randoms(use_true_random=False))
@examples()
def test_the_order_of_documents_and_of_what_is_listed_decides_nothing(
    parameters: list[Parameter], intent: Intent, seen: Observation, random: Any
) -> None:
    def shuffled(items: Any) -> list[Any]:
        mixed = list(items)
        random.shuffle(mixed)
        return mixed

    other = replace(
        seen,
        namespaces=None if seen.namespaces is None else tuple(shuffled(seen.namespaces)),
        secrets=None if seen.secrets is None else dict(shuffled(seen.secrets.items())),
    )
    assert decided(parameters, intent, seen) == decided(shuffled(parameters), intent, other)


def each_selected_namespace_has_one_decision_and_no_other_two(
    cluster: PlannedCluster, decisions: list[Decision], intent: Intent, seen: Observation
) -> None:
    found = [one.name for one in decisions]
    assert len(found) == len(set(found))
    if intent.kind != "remove":
        selected = Judge(cluster, intent, NOW).selected(seen, intent.scope)
        assert {one.name for one in selected} <= set(found)
    for one in decisions:
        assert one.outcome is None or one.outcome.namespace == one.name
        # Only a push reports each: what a sweep leaves alone is not reported.
        assert one.outcome or intent.kind != "push" or one.step is Step.ASK


def the_step_is_the_tables(
    cluster: PlannedCluster, decisions: list[Decision], intent: Intent, seen: Observation
) -> None:
    if intent.kind == "remove" or seen.secrets is None or seen.namespaces is None:
        return
    selected = {one.name for one in Judge(cluster, intent, NOW).selected(seen, intent.scope)}
    there = {one.name for one in seen.namespaces if not one.terminating} - seen.unseen
    for one in decisions:
        if one.name in selected & there:
            found = row(seen.secrets.get(one.name), cluster, one.namespace)
            assert STEPS[found].split()[intent.kind == "sweep"] in WORDS[one.step], found


def somebody_elses_secret_is_written_only_by_a_push_with_take_ownership(
    cluster: PlannedCluster, decisions: list[Decision], intent: Intent, seen: Observation
) -> None:
    for one in decisions:
        if one.seen is None or one.step not in WRITES:
            continue
        secret = one.seen
        ours = STACK.document_of(secret.owner) is not None
        held = secret.held_by(STACK.field_manager) or not (secret.managers | secret.writers)
        if (ours and held) or (ours and secret.restored):
            continue
        assert one.step is Step.TAKE
        assert intent.kind == "push"
        assert cluster.config.take_ownership


def only_a_removal_and_a_whole_push_that_prunes_delete_and_only_their_own(
    cluster: PlannedCluster, decisions: list[Decision], intent: Intent, seen: Observation
) -> None:
    for one in decisions:
        if one.step is not Step.DELETE:
            continue
        assert intent.kind == "remove" or (intent.cleans_up and cluster.config.prune)
        assert one.seen is not None
        assert STACK.document_of(one.seen.owner) == cluster.config.id
        assert not one.seen.deleting
        assert intent.kind == "remove" or not cluster.config.selection.selects(one.namespace)


def what_is_newer_than_the_run_is_not_written_again(
    cluster: PlannedCluster, decisions: list[Decision], intent: Intent, seen: Observation
) -> None:
    for one in decisions:
        if one.seen is None or not one.seen.pushed_at or one.seen.pushed_at <= READ_AT:
            continue
        own = STACK.document_of(one.seen.owner) == cluster.config.id
        held = one.seen.held_by(STACK.field_manager)
        if own and held and intent.kind != "remove":
            assert one.step not in WRITES


RULES = (
    each_selected_namespace_has_one_decision_and_no_other_two,
    the_step_is_the_tables,
    somebody_elses_secret_is_written_only_by_a_push_with_take_ownership,
    only_a_removal_and_a_whole_push_that_prunes_delete_and_only_their_own,
    what_is_newer_than_the_run_is_not_written_again,
)


@estates
@examples(100)
def test_each_decision_is_within_the_rules(
    parameters: list[Parameter], intent: Intent, seen: Observation
) -> None:
    for cluster, decisions in decided(parameters, intent, seen):
        for rule in RULES:
            rule(cluster, decisions, intent, seen)


@given(
    st.fixed_dictionaries(
        {name: st.one_of(*[secrets(name)] * 5, st.none()) for name in EVERYWHERE}
    ),
    FLAGS,
    st.tuples(intents("push"), intents("sweep")),
)
@examples(200)
def test_the_steps_are_the_tables_for_secrets_of_every_state(
    there: dict[str, SeenSecret | None], take_ownership: bool, runs: tuple[Intent, Intent]
) -> None:
    """One document selects all namespaces, another is invalid, and a third is gone."""
    text = json.dumps({"namespaces": ["*"], "takeOwnership": take_ownership})
    parameters = [
        Parameter(f"{ROOT}/clusters/first", text),
        Parameter(f"{ROOT}/clusters/second", "namespaces: ["),
    ]
    found = {name: secret for name, secret in there.items() if secret is not None}
    seen = Observation(tuple(map(Namespace, EVERYWHERE)), found, {})
    for intent in runs:
        ((cluster, decisions),) = decided(parameters, intent, seen)
        the_step_is_the_tables(cluster, decisions, intent, seen)


@pushes
@examples(40)
def test_two_documents_never_write_to_the_same_secret(
    parameters: list[Parameter], intent: Intent, seen: Observation
) -> None:
    if seen.namespaces is None:  # a selector of a document ahead needs their labels
        return
    written: set[tuple[Any, str]] = set()
    for cluster, decisions in decided(parameters, intent, seen):
        for one in decisions:
            if one.step in WRITES:
                key = (cluster.config.secrets, one.name)
                assert key not in written
                written.add(key)


@pushes
@examples(40)
def test_what_an_invalid_document_wrote_stays_as_it_is(
    parameters: list[Parameter], intent: Intent, seen: Observation
) -> None:
    invalid = planned(parameters, intent).invalid
    assert all(isinstance(error, PusherError) for error in invalid.values())
    for _, decisions in decided(parameters, intent, seen):
        for one in decisions:
            if one.seen is not None and STACK.document_of(one.seen.owner) in invalid:
                assert one.step not in WRITES


@pushes
@examples()
def test_a_push_after_a_push_only_renews(
    parameters: list[Parameter], intent: Intent, seen: Observation
) -> None:
    """A model of the API server: what is applied is ours from then on."""
    for cluster, decisions in decided(parameters, intent, seen):
        if seen.secrets is None or seen.namespaces is None:
            continue
        there = dict(seen.secrets)
        for one in decisions:
            if one.step is Step.DELETE:
                del there[one.name]
            elif one.step in WRITES and one.state is not State.UNKNOWN:
                there[one.name] = _applied(one, cluster)
        after = replace(seen, secrets=there)
        later = replace(intent, read_at=NOW)
        applied = {one.name for one in decisions if one.outcome and one.outcome.outcome in GOOD}
        for one in Judge(cluster, later, NOW).decide(after):
            assert one.step is not Step.DELETE
            if one.name in applied and one.state is not State.UNKNOWN:
                assert (one.state, one.step) == (State.FRESH, Step.APPLY)


def _applied(decision: Decision, cluster: PlannedCluster) -> SeenSecret:
    return SeenSecret(
        decision.name,
        "uid",
        "9",
        owner=STACK.owner(cluster.config.id),
        pushed_at=NOW,
        expires_at=NOW + timedelta(hours=12),
        managers=frozenset({(STACK.field_manager, "Apply")}),
    )


@given(st.lists(st.text("ab", max_size=3), max_size=40), st.integers(0, 40))
@examples()
def test_the_brake_lets_through_a_few_or_no_more_than_stay(
    leaving: list[str], applied: int
) -> None:
    held = held_back("prod", leaving, applied=applied)
    few = len(leaving) <= max(PRUNED_WITHOUT_ASKING, applied) and applied > 0
    assert (held is None) is (few or not leaving)
