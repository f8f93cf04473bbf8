"""The decision table: what a push and a sweep do about each state of a Secret."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Repository
from ecr_public_pusher.configuration.namespace_selector import EVERYTHING, Scope, Selection
from ecr_public_pusher.jobs.decision import TABLE, Decision, Intent, Judge, State, Step
from ecr_public_pusher.jobs.observation import Observation
from ecr_public_pusher.jobs.seen_account import SeenAccount
from ecr_public_pusher.jobs.seen_secret import SeenSecret
from ecr_public_pusher.jobs.targets import PlannedCluster
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.results import Namespace, Outcome

STACK = Stack("111122223333", "us-east-1", "stack")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
READ_AT = NOW - timedelta(seconds=5)
OURS = frozenset({(STACK.field_manager, "Apply")})

FRESH = SeenSecret(
    "a",
    "uid",
    "1",
    owner=STACK.owner("prod"),
    pushed_at=NOW - timedelta(hours=4),
    expires_at=NOW + timedelta(hours=8),
    managers=OURS,
)
ENDING = replace(FRESH, pushed_at=NOW - timedelta(hours=9), expires_at=NOW + timedelta(hours=3))
OTHERS = replace(FRESH, owner=STACK.owner("other"))
THERE = {
    State.ABSENT: None,
    State.FRESH: FRESH,
    State.ENDING: ENDING,
    State.NEWER: replace(FRESH, pushed_at=NOW),
    State.KEPT: replace(FRESH, owner=STACK.owner("broken")),
    State.RELEASED: OTHERS,
    State.RESTORED: replace(FRESH, managers=frozenset()),
    State.FOREIGN: replace(FRESH, owner=None),
    State.DELETING: replace(FRESH, finalizers=("example.com/held",)),
}


def config(document: str = "prod", *namespaces: str, **fields: Any) -> ClusterConfig:
    return ClusterConfig(document, "main", "us-east-1", Selection(namespaces or ("a",)), **fields)


def judge(kind: Any = "push", *, planned: PlannedCluster | None = None, **fields: Any) -> Judge:
    own = planned or PlannedCluster(config(), invalid=frozenset({"broken"}))
    plain: dict[str, Any] = {
        "scope": EVERYTHING,
        "new_since": None,
        "dry_run": False,
        "prune_all": False,
        "own_role": "arn:aws:iam::111122223333:role/ecr-public-pusher",
    }
    return Judge(own, Intent(kind, STACK, READ_AT, **(plain | fields)), NOW)


def seen(*secrets: SeenSecret | None, **fields: Any) -> Observation:
    return Observation(secrets={one.namespace: one for one in secrets if one}, **fields)


def only(decisions: list[Decision]) -> Decision:
    (decision,) = decisions
    return decision


def test_the_table_is_complete() -> None:
    assert TABLE.keys() == set(State)
    assert THERE.keys() == set(State) - {State.UNKNOWN, State.HIDDEN}


@pytest.mark.parametrize("kind", ["push", "sweep"])
@pytest.mark.parametrize("state", THERE)
def test_what_is_there_is_known_for_what_it_is_and_treated_as_the_table_says(
    kind: str, state: State
) -> None:
    decision = only(judge(kind).decide(seen(THERE[state])))
    assert (decision.state, decision.step) == (state, TABLE[state][kind == "sweep"])


@pytest.mark.parametrize(
    ("state", "push", "sweep"),
    [
        (State.ABSENT, Outcome.CREATED, Outcome.CREATED),
        (State.FRESH, Outcome.UPDATED, Outcome.CURRENT),
        (State.ENDING, Outcome.UPDATED, Outcome.UPDATED),
        (State.NEWER, Outcome.CURRENT, Outcome.CURRENT),
        (State.KEPT, Outcome.CONFLICT, None),
        (State.RELEASED, Outcome.ADOPTED, Outcome.ADOPTED),
        (State.RESTORED, Outcome.ADOPTED, Outcome.ADOPTED),
        (State.FOREIGN, None, None),  # the API server is asked who holds it
        (State.DELETING, Outcome.FAILED, None),
    ],
)
def test_each_state_has_its_outcome(
    state: State, push: Outcome | None, sweep: Outcome | None
) -> None:
    for kind, outcome in (("push", push), ("sweep", sweep)):
        decision = only(judge(kind).decide(seen(THERE[state])))
        assert (decision.outcome.outcome if decision.outcome else None) == outcome, kind


REPOSITORY = config(repository=Repository("a", "charts", "public.ecr.aws/charts"))


@pytest.mark.parametrize(
    ("planned", "secret", "state"),
    [
        (REPOSITORY, FRESH, State.HIDDEN),
        (REPOSITORY, replace(FRESH, labelled=True), State.FRESH),
        (REPOSITORY, replace(ENDING, labelled=True), State.ENDING),
        (REPOSITORY, THERE[State.NEWER], State.NEWER),
        (REPOSITORY, OTHERS, State.RELEASED),
        (REPOSITORY, THERE[State.FOREIGN], State.FOREIGN),
        (config(), FRESH, State.FRESH),
    ],
)
def test_only_a_repositorys_secret_of_ours_needs_the_label(
    planned: ClusterConfig, secret: SeenSecret, state: State
) -> None:
    own = judge("sweep", planned=PlannedCluster(planned))
    assert own.state(secret) is state


@pytest.mark.parametrize("kind", ["push", "sweep"])
def test_a_repositorys_secret_without_the_label_is_renewed(kind: str) -> None:
    decision = only(judge(kind, planned=PlannedCluster(REPOSITORY)).decide(seen(FRESH)))
    assert (decision.state, decision.step) == (State.HIDDEN, Step.APPLY)
    assert decision.outcome is not None
    assert decision.outcome.outcome is Outcome.UPDATED


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (timedelta(hours=3, minutes=36), State.FRESH),
        (timedelta(hours=3, minutes=35), State.ENDING),
        (timedelta(0), State.ENDING),
    ],
)
def test_less_than_thirty_percent_of_its_life_is_about_to_end(
    left: timedelta, state: State
) -> None:
    secret = replace(FRESH, pushed_at=NOW + left - timedelta(hours=12), expires_at=NOW + left)
    assert judge("sweep").state(secret) is state


@pytest.mark.parametrize("field", ["pushed_at", "expires_at"])
def test_a_life_that_is_not_known_is_about_to_end(field: str) -> None:
    unknown: dict[str, Any] = {field: None}
    assert judge("sweep").state(replace(FRESH, **unknown)) is State.ENDING


@pytest.mark.parametrize(("after", "state"), [(0, State.FRESH), (1, State.NEWER)])
def test_only_what_was_written_after_the_configuration_was_read_is_newer(
    after: int, state: State
) -> None:
    assert judge().state(replace(FRESH, pushed_at=READ_AT + timedelta(seconds=after))) is state


@pytest.mark.parametrize(
    ("managers", "restored", "state"),
    [
        (frozenset(), False, State.RESTORED),
        ({("velero-server", "Update")}, True, State.RESTORED),
        ({("velero-server", "Update")}, False, State.FOREIGN),
        ({("kubectl-edit", "Update")}, True, State.FOREIGN),
        ({("velero-server", "Update"), ("kubectl-edit", "Update")}, True, State.FOREIGN),
        ({(STACK.field_manager, "Update")}, False, State.FOREIGN),
        ({(STACK.field_manager, "Apply"), ("kubectl", "Apply")}, False, State.FRESH),
    ],
)
def test_what_has_our_mark_is_ours_as_long_as_our_apply_or_nobody_holds_its_data(
    managers: set[tuple[str, str]], restored: bool, state: State
) -> None:
    assert judge().state(replace(FRESH, managers=frozenset(managers), restored=restored)) is state


@pytest.mark.parametrize(
    "owner",
    [
        "111122223333/us-east-1/other-stack/prod",
        "111122223333/eu-west-1/stack/prod",
        "prod",
        STACK.owner(""),
    ],
)
def test_another_stacks_is_somebody_elses(owner: str) -> None:
    assert judge().state(replace(FRESH, owner=owner)) is State.FOREIGN


def test_somebody_elses_is_taken_by_force_where_the_document_allows_it_and_never_by_a_sweep() -> (
    None
):
    planned = PlannedCluster(config(take_ownership=True))
    foreign = replace(FRESH, owner=None, managers=frozenset({("helm", "Update")}))
    decision = only(judge(planned=planned).decide(seen(foreign)))
    assert decision.step is Step.TAKE
    assert decision.outcome is not None
    assert decision.outcome.taken_from == ("helm",)
    assert only(judge("sweep", planned=planned).decide(seen(foreign))).step is Step.LEAVE


@pytest.mark.parametrize("secret", [None, FRESH, OTHERS])
def test_a_document_ahead_keeps_what_it_selects_whatever_is_there(
    secret: SeenSecret | None,
) -> None:
    planned = PlannedCluster(config(), ahead=(config("other"),))
    decision = only(judge(planned=planned).decide(seen(secret)))
    assert decision.step is Step.CONFLICT
    assert decision.outcome is not None
    assert "the document other also selects this namespace" in decision.outcome.message
    assert only(judge("sweep", planned=planned).decide(seen(secret))).outcome is None


def test_what_a_discovery_that_is_invalid_has_written_stays_its_own() -> None:
    planned = PlannedCluster(config(), invalid=frozenset({"fleet/*"}))
    secret = replace(FRESH, owner=STACK.owner("fleet/us-east-1/main"))
    assert only(judge(planned=planned).decide(seen(secret))).state is State.KEPT


def test_missing_first_then_the_least_life_left() -> None:
    names = ("a", "b", "c", "d")
    planned = PlannedCluster(config("prod", *names))
    secrets = [
        replace(FRESH, namespace="a"),
        replace(ENDING, namespace="b"),
        replace(FRESH, namespace="d", expires_at=NOW + timedelta(hours=1)),
    ]
    assert [one.name for one in judge(planned=planned).decide(seen(*secrets))] == [
        "c",
        "d",
        "b",
        "a",
    ]


# Without the right to list.


def test_a_push_applies_where_it_may_not_look() -> None:
    decision = only(judge().decide(Observation()))
    assert (decision.state, decision.step, decision.seen) == (State.UNKNOWN, Step.APPLY, None)


@pytest.mark.parametrize(("age", "step"), [(19, Step.APPLY), (21, Step.LEAVE), (None, Step.LEAVE)])
def test_a_sweep_that_may_not_look_applies_where_the_namespace_is_new(
    age: int | None, step: Step
) -> None:
    namespace = Namespace("a", created_at=NOW - timedelta(minutes=age) if age else None)
    observation = Observation(namespaces=(namespace,))
    assert (
        only(judge("sweep", new_since=NOW - timedelta(minutes=20)).decide(observation)).step is step
    )


# Namespaces that are not selected.

OUT = replace(FRESH, namespace="out")


def left(
    planned: PlannedCluster, *secrets: SeenSecret, scope: Scope = EVERYTHING
) -> list[Decision]:
    decisions = judge(planned=planned, scope=scope).decide(
        seen(FRESH, *secrets, namespaces=(Namespace("a"), Namespace("out")))
    )
    return [one for one in decisions if one.name != "a"]


def test_ours_where_nothing_selects_it_is_left_with_its_hours() -> None:
    decision = only(left(PlannedCluster(config()), OUT))
    assert decision.outcome is not None
    assert decision.outcome.outcome is Outcome.LEFT
    assert "expires in 8.0 hours" in decision.outcome.message
    assert "prune: true" in decision.outcome.remedy


def test_prune_deletes_a_secret_that_is_left() -> None:
    assert only(left(PlannedCluster(config(prune=True)), OUT)).step is Step.DELETE


@pytest.mark.parametrize(
    "secret",
    [
        replace(OUT, owner=None),
        replace(OUT, owner="111122223333/us-east-1/other-stack/prod"),
        replace(OUT, owner=STACK.owner("broken")),
        replace(OUT, owner=STACK.owner("second")),
        replace(OUT, finalizers=("example.com/held",)),
        replace(OUT, pushed_at=NOW),
    ],
)
@pytest.mark.parametrize("prune", [False, True])
def test_what_is_anothers_or_being_deleted_or_newer_is_not_reported(
    secret: SeenSecret, prune: bool
) -> None:
    planned = PlannedCluster(
        config(prune=prune), behind=(config("second", "elsewhere"),), invalid=frozenset({"broken"})
    )
    assert left(planned, secret) == []


def test_what_somebody_else_wrote_since_is_not_said_to_be_left_and_not_pruned() -> None:
    rewritten = replace(OUT, managers=frozenset({("helm", "Update")}))
    assert left(PlannedCluster(config()), rewritten) == []
    decision = only(left(PlannedCluster(config(prune=True)), rewritten))
    assert decision.outcome is not None
    assert (decision.step, decision.outcome.outcome) == (Step.LEAVE, Outcome.SKIPPED)
    assert "but helm has written its data since our last push" in decision.outcome.message


@pytest.mark.parametrize("prune", [False, True])
def test_what_another_enabled_document_selects_is_left_to_it(prune: bool) -> None:
    assert left(PlannedCluster(config(prune=prune), behind=(config("second", "out"),)), OUT) == []
    by_label = replace(config("second"), selection=Selection(selector="team=web"))
    decisions = judge(planned=PlannedCluster(config(prune=prune), behind=(by_label,))).decide(
        seen(FRESH, OUT)
    )
    assert [one.name for one in decisions] == ["a"]  # its labels are not known


@pytest.mark.parametrize("prune", [False, True])
def test_what_a_document_that_is_gone_has_left_is_reported_by_the_first_and_pruned_by_none(
    prune: bool,
) -> None:
    orphan = replace(OUT, owner=STACK.owner("gone"))
    decision = only(left(PlannedCluster(config(prune=prune)), orphan))
    assert decision.outcome is not None
    assert decision.outcome.outcome is Outcome.LEFT
    assert "written by gone, which is disabled or deleted" in decision.outcome.message
    assert (
        left(PlannedCluster(config(prune=prune), ahead=(config("first", "elsewhere"),)), orphan)
        == []
    )


def test_each_document_reports_what_it_has_left_itself_also_after_the_first() -> None:
    second = PlannedCluster(config(), ahead=(config("first", "elsewhere"),))
    decision = only(left(second, OUT))
    assert decision.outcome is not None
    assert decision.outcome.outcome is Outcome.LEFT


def test_a_narrowed_push_reports_only_what_it_was_narrowed_to() -> None:
    assert left(PlannedCluster(config(prune=True)), OUT, scope=Scope(("a",))) == []


# ServiceAccounts.


def account(name: str, *entries: str, opted_out: bool = False) -> SeenAccount:
    marked = frozenset(entries) if opted_out else frozenset()
    return SeenAccount("a", name, "7", entries, marked, annotated=False, opted_out=opted_out)


@pytest.mark.parametrize("kind", ["push", "sweep"])
@pytest.mark.parametrize("secret", [None, FRESH, ENDING])
def test_an_account_that_lacks_our_entry_gets_it_whatever_the_secret_needs(
    kind: str, secret: SeenSecret | None
) -> None:
    planned = PlannedCluster(config(service_accounts=AccountSelection(("default", "b*"))))
    there = {
        one.name: one
        for one in (
            account("default"),
            account("builder", "ecr-public-token"),
            account("bot"),
            account("b-out", opted_out=True),
        )
    }
    decision = only(judge(kind, planned=planned).decide(seen(secret, accounts={"a": there})))
    assert decision.accounts is not None
    assert [one.name for one in decision.accounts] == ["bot", "default"]
    assert not decision.idle


@pytest.mark.parametrize("kind", ["push", "sweep"])
def test_an_account_that_opted_out_is_changed_while_it_has_our_entry(kind: str) -> None:
    planned = PlannedCluster(config(service_accounts=AccountSelection(("*",))))
    there = {"old": account("old", "ecr-public-token", opted_out=True)}
    decision = only(judge(kind, planned=planned).decide(seen(FRESH, accounts={"a": there})))
    assert decision.accounts == (there["old"],)


def test_an_account_that_is_not_there_is_missing_to_a_push_and_a_sweep_looks_where_it_writes() -> (
    None
):
    planned = PlannedCluster(config(service_accounts=AccountSelection(("default",))))
    assert only(
        judge("push", planned=planned).decide(seen(FRESH, accounts={}))
    ).missing_accounts == ("default",)
    assert only(judge("sweep", planned=planned).decide(seen(FRESH, accounts={}))).idle
    assert only(
        judge("sweep", planned=planned).decide(seen(None, accounts={}))
    ).missing_accounts == ("default",)


def test_accounts_that_may_not_be_listed_are_looked_for_in_each_namespace_by_a_push() -> None:
    planned = PlannedCluster(config(service_accounts=AccountSelection(("default",))))
    assert only(judge("push", planned=planned).decide(seen(FRESH))).accounts is None
    assert only(judge("sweep", planned=planned).decide(seen(FRESH))).idle


# Removals.


@pytest.mark.parametrize(
    ("secret", "step", "outcome"),
    [
        (FRESH, Step.DELETE, Outcome.REMOVED),
        (replace(FRESH, pushed_at=NOW), Step.DELETE, Outcome.REMOVED),
        (replace(FRESH, managers=frozenset()), Step.DELETE, Outcome.REMOVED),
        (
            replace(FRESH, managers=frozenset({("a-webhook", "Update")})),
            Step.LEAVE,
            Outcome.CONFLICT,
        ),
        (replace(FRESH, finalizers=("example.com/held",)), Step.WAIT, Outcome.FAILED),
    ],
)
def test_a_removal_deletes_what_is_ours_and_reports_what_only_has_our_mark(
    secret: SeenSecret, step: Step, outcome: Outcome
) -> None:
    decision = only(judge("remove").decide(seen(secret)))
    assert decision.step is step
    assert decision.outcome is not None
    assert decision.outcome.outcome is outcome


@pytest.mark.parametrize(
    "secret", [OTHERS, replace(FRESH, owner=None), replace(FRESH, owner=STACK.owner("broken"))]
)
def test_a_removal_takes_nothing_else(secret: SeenSecret) -> None:
    assert judge("remove").decide(seen(secret)) == []


def test_a_deletion_that_met_another_version_is_decided_again() -> None:
    deletion = only(judge("remove").decide(seen(FRESH)))
    assert judge("remove").again(deletion, replace(FRESH, version="2")).step is Step.DELETE
    assert judge("remove").again(deletion, OTHERS).step is Step.LEAVE
    assert judge("remove").again(deletion, None).outcome is None


@pytest.mark.parametrize(
    ("managers", "take", "step"),
    [
        (("velero-server",), False, Step.TAKE),
        (("before-first-apply", "velero-server"), False, Step.TAKE),
        (("kubectl-annotate",), False, Step.LEAVE),
        (("kubectl-annotate", "velero-server"), False, Step.LEAVE),
        ((), False, Step.LEAVE),
        (("kubectl-annotate",), True, Step.TAKE),
    ],
)
def test_other_fields_of_ours_that_somebody_holds(
    managers: tuple[str, ...], take: bool, step: Step
) -> None:
    """Leftovers of a restore are taken over; a writer's fields only where the document says so."""
    own = judge(planned=PlannedCluster(config(take_ownership=take)))
    assert own.contested(only(own.decide(seen(FRESH))), managers).step is step


def test_very_many_that_are_left_are_named_in_several_commands_that_are_not_too_long() -> None:
    names = [f"team-{number:03}" for number in range(45)]
    left = judge().decide(seen(*(replace(FRESH, namespace=name) for name in names)))[1:]
    assert [one.name for one in left] == names
    commands: dict[str, list[str]] = {}
    for one in left:
        assert one.outcome is not None
        commands.setdefault(one.outcome.remedy, []).append(one.name)
    assert [len(those) for those in commands.values()] == [20, 20, 5]
    assert all(
        f"for namespace in {' '.join(those)}; do" in said for said, those in commands.items()
    )


@pytest.mark.parametrize(
    ("selection", "known"),
    [(Selection(selector="team=web"), True), (Selection(("elsewhere",)), False)],
)
def test_what_another_document_does_not_select_is_reported_as_left(
    selection: Selection, known: bool
) -> None:
    """Its labels are known, or do not matter to the other."""
    other = replace(config("second"), selection=selection)
    namespaces = (Namespace("a"), Namespace("out")) if known else None
    decisions = judge(planned=PlannedCluster(config(), behind=(other,))).decide(
        seen(FRESH, OUT, namespaces=namespaces)
    )
    assert [one.name for one in decisions] == ["a", "out"]


def test_of_very_many_holders_as_many_are_named_as_fit() -> None:
    managers = frozenset({(f"a-webhook-{number:03}", "Update") for number in range(40)})
    decision = only(judge("remove").decide(seen(replace(FRESH, managers=managers))))
    assert decision.outcome is not None
    named = ", ".join(sorted(name for name, _ in managers))[:200]
    assert f"but {named} has written its data" in decision.outcome.message
