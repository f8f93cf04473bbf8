"""A few rounds of `make chaos`, and a proof that its rules notice what they are for."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.kube import Response
from infra.local.kube.http.server import HttpRequest
from tests.chaos.aws_faults import ANSWERS, ENDPOINTS, IN_PART, STAGES
from tests.chaos.cluster_faults import (
    ANSWER_FAULTS,
    CONNECTION_FAULTS,
    ClusterFault,
    Setting,
    stage_of,
)
from tests.chaos.cluster_faults import STAGES as CLUSTER_STAGES
from tests.chaos.coverage import SHORT, coverage
from tests.chaos.estate import (
    CLUSTERS,
    KINDS,
    SELECTED,
    Content,
    Furnished,
    estate,
)
from tests.chaos.invariants import Broken, Invocation, Judged, violations
from tests.chaos.leaks import encodings, leaks, of_bearer, of_registry
from tests.chaos.observed import EXPIRES_AT, MANAGED, OWNER, Seen, State
from tests.chaos.proxy import AnswerFault, Forward
from tests.chaos.rounds import Asked, Plan, Played, Player, once_more
from tests.chaos.sandbox import Result
from tests.support.world import ROOT, SECRET, STACK

# A dispatcher and its worker. No cluster is without a fault, so that a busy machine cannot break a
# rule.
SEED = 23
SHORT_SECONDS = 3.0
OLD = base64.b64encode(b"AWS:an-old-password-of-a-registry-in-a-test").decode()
NEW = base64.b64encode(b"AWS:the-new-password-of-a-registry-in-a-test").decode()


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with estate(CLUSTERS[:2], embedded=True) as made, Player(made) as playing:
        yield playing


@pytest.mark.alone
def test_every_rule_holds_in_a_round(player: Player) -> None:
    played = player.play(SEED, seconds=SHORT_SECONDS)
    assert (played.plan.shape, played.broken) == ("fan out", ()), played.plan
    assert len(played.met) > 1


def test_what_is_planted_in_a_round_is_noticed(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault changes somebody else's Secret, and again after the end; a parameter is a token."""
    estate = player.estate
    path = "/api/v1/namespaces/team-1/secrets/ecr-public-token"

    def touch(note: str) -> None:
        body = {"metadata": {"annotations": {"note": note}}}
        kind = "application/merge-patch+json"
        status, _ = estate.clusters["cluster-0"].admin("PATCH", path, body, content_type=kind)
        assert status == 200

    def late(release: threading.Event) -> None:
        release.wait()
        time.sleep(0.15)
        touch("late")

    def tamper(setting: Setting) -> AnswerFault:
        threading.Thread(target=late, args=(setting.release,), daemon=True).start()

        def respond(request: HttpRequest, forward: Forward) -> Response:
            touch("now")
            return forward()

        return respond

    monkeypatch.setitem(ANSWER_FAULTS, "tamper", tamper)
    contents: dict[str, Content] = {**dict.fromkeys(SELECTED, "fresh"), "team-1": "foreign"}
    event = {"action": "push", "raise": False}
    estate.seeded.append(OLD)
    unknown = f"{ROOT}/{OLD.rstrip('=')}"
    estate.world.aws.put_parameter(unknown, "text")
    plan = replace(
        Plan.draw(0, CLUSTERS[:2]),
        shape="one",
        furnished={name: Furnished(name, False, False, False, contents) for name in CLUSTERS[:2]},
        faults={"cluster-0": ClusterFault("tamper", "writes", "once")},
        aws_faults=(),
        asked=(Asked("push", event, frozenset(CLUSTERS[:2])),),
    )
    played = player.carry_out(plan, seconds=60, recovers=False)
    estate.world.aws.delete_parameter(unknown)
    broken = [str(one) for one in played.broken]
    assert "the answer of run 0 holds a part of a registry's token" in broken
    assert "cluster-0: the Secret team-1/ecr-public-token of somebody else was changed" in broken
    assert "cluster-0: something was changed after the end" in broken


def test_a_seed_decides_everything() -> None:
    assert Plan.draw(7, CLUSTERS) == Plan.draw(7, CLUSTERS)
    assert Plan.draw(7, CLUSTERS) != Plan.draw(8, CLUSTERS)


def test_every_fault_every_shape_and_every_action_is_drawn() -> None:
    plans = [Plan.draw(seed, CLUSTERS) for seed in range(800)]
    assert {fault.name for plan in plans for fault in plan.faults.values()} == {
        *CONNECTION_FAULTS,
        *ANSWER_FAULTS,
    }
    drawn = {(fault.stage, fault.name) for plan in plans for fault in plan.aws_faults}
    assert {stage for stage, _ in drawn} == set(STAGES)
    assert {name for _, name in drawn} == {*ANSWERS, *ENDPOINTS, IN_PART}
    assert len({plan.shape for plan in plans}) == 5
    assert {one.kind for plan in plans for one in plan.furnished.values()} == set(KINDS)
    assert {one.action for plan in plans for one in plan.asked} == {
        *("push", "sweep", "remove", "check", "plan")
    }
    assert any(one.messages for plan in plans for one in plan.asked)


def secret(
    version: str, *, token: str = OLD, hours: float = 4, owner: str = STACK.owner("prod")
) -> Seen:
    config = json.dumps({"auths": {"public.ecr.aws": {"auth": token}}})
    ends = datetime.now(UTC) + timedelta(hours=hours)
    return Seen(
        ("uid", version),
        "kubernetes.io/dockerconfigjson",
        MANAGED,
        {EXPIRES_AT: f"{ends:%Y-%m-%dT%H:%M:%SZ}", OWNER: owner},
        {".dockerconfigjson": base64.b64encode(config.encode()).decode()},
    )


FOREIGN = Seen(("foreign", "1"), "Opaque")
RENEWED = secret("2", token=NEW, hours=12)


def state(**secrets: Seen) -> State:
    """Return a state with the Secret in each namespace (`team_0`), and one of somebody else."""
    named = {(name.replace("_", "-"), SECRET): seen for name, seen in secrets.items()}
    accounts = {("team-0", "builder"): ("others",)}
    return State({**named, ("team-0", "others"): FOREIGN}, accounts)


BEFORE = state(team_0=secret("1"), team_1=FOREIGN)
AFTER = state(team_0=RENEWED, team_1=FOREIGN)


def report(**changes: Any) -> dict[str, Any]:
    problem = {"namespace": "team-1", "outcome": "conflict"}
    entry = {
        "id": "prod",
        "ok": False,
        "error": None,
        "counts": {"updated": 1, "conflict": 1},
        "problems": [problem],
        **changes,
    }
    return {"action": "push", "ok": False, "clusters": [entry]}


def result(said: dict[str, Any] | None = None, *, printed: str = "", **changes: Any) -> Result:
    said = said or report()
    line = json.dumps({"message": "report", "report": said})
    return Result(**{"answer": said, "seconds": 1.0, "output": f"{line}\n{printed}", **changes})


GOOD = Judged(
    (Invocation("push", frozenset({"prod"}), frozenset(SELECTED), 6.0, result()),),
    {"prod": Furnished("prod", False, False, False, {"team-0": "ending", "team-1": "foreign"})},
    {"prod": BEFORE},
    {"prod": AFTER},
    {"prod": AFTER},
    frozenset(),
    frozenset({NEW}),
    frozenset({NEW, OLD}),
    frozenset(),
    {},
    [("a registry's token", value) for token in (OLD, NEW) for value in of_registry(token)],
)


def left(after: State) -> Judged:
    """Return the round with another state at its end."""
    return replace(GOOD, after={"prod": after}, later={"prod": after})


def said(by: Result, **changes: Any) -> Judged:
    """Return the round with another result. `changes`: of the invocation."""
    return replace(GOOD, invocations=(replace(GOOD.invocations[0], result=by, **changes),))


def test_a_good_round_breaks_no_rule() -> None:
    assert violations(GOOD) == []


PLANTED = {
    "a report that lies about a write": (
        said(result(report(counts={"updated": 2, "conflict": 1}))),
        "prod: reported 2 updated, but it is 1",
    ),
    "a write that is not reported": (
        said(result(report(counts={"conflict": 1}))),
        "prod: reported 0 updated, but it is 1",
    ),
    "a changed Secret that is reported as a conflict": (
        said(
            result(
                report(
                    counts={"conflict": 2},
                    problems=[
                        {"namespace": name, "outcome": "conflict"} for name in ("team-0", "team-1")
                    ],
                )
            )
        ),
        "prod: team-0 is reported as conflict, but was changed",
    ),
    "a cluster that the report lacks": (
        said(result({**report(), "clusters": []})),
        "push: the report does not have prod",
    ),
    "an answer that is not the logged report": (
        said(result(answer={**report(), "ok": True})),
        "push: the answer is not the report in the log",
    ),
    "an invented remaining life": (
        said(result(report(secondsLeft=90_000))),
        "prod: reported secondsLeft 90000, but it is",
    ),
    "a foreign Secret changed": (
        left(state(team_0=RENEWED, team_1=replace(FOREIGN, version=("foreign", "2")))),
        "prod: the Secret team-1/ecr-public-token of somebody else was changed",
    ),
    "a foreign Secret deleted": (
        left(state(team_0=RENEWED)),
        "prod: the Secret team-1/ecr-public-token of somebody else was changed",
    ),
    "a new Secret of another name": (
        left(State({**AFTER.secrets, ("team-0", "new"): FOREIGN}, AFTER.accounts)),
        "prod: there is a new Secret team-0/new",
    ),
    "a foreign entry of a ServiceAccount removed": (
        left(State(AFTER.secrets, {("team-0", "builder"): (SECRET,)})),
        f"prod: the ServiceAccount team-0/builder names {SECRET}",
    ),
    "a good Secret deleted": (
        left(state(team_1=FOREIGN)),
        "prod: the Secret in team-0 was deleted, and nobody asked for that",
    ),
    "an older token over a newer": (
        left(state(team_0=secret("2", token=NEW, hours=2), team_1=FOREIGN)),
        "prod: the Secret in team-0 now expires earlier",
    ),
    "a token that no registry gave": (
        left(state(team_0=secret("2", token="QVdTOng=", hours=12), team_1=FOREIGN)),
        "prod: the Secret in team-0 holds a token that no registry gave",
    ),
    "a broken docker config": (
        left(state(team_0=replace(RENEWED, data={".dockerconfigjson": "e30="}), team_1=FOREIGN)),
        "prod: the Secret in team-0 holds no docker config",
    ),
    "another document's mark": (
        left(state(team_0=replace(RENEWED, annotations={OWNER: "x"}), team_1=FOREIGN)),
        "prod: the Secret in team-0 has the owner x",
    ),
    "a write where nothing was selected": (
        said(result(), namespaces=frozenset({"team-1"})),
        "prod: the Secret in team-0 was changed, and nobody asked for that",
    ),
    "a write by a check": (
        said(result(), action="check"),
        "prod: the Secret in team-0 was changed, and nobody asked for that",
    ),
    "a late answer": (
        said(result(seconds=6.01)),
        "push: the answer came after 6.01 s",
    ),
    "no answer": (
        said(Result(hung=True)),
        "push: no answer, long after the deadline",
    ),
    "an answer without a report": (
        said(Result(error="ValueError: x")),
        "push: no report in the log: ValueError: x",
    ),
    "a bug that was caught": (
        said(result(printed="InternalError: KeyError in action.py")),
        "push: an InternalError was reported",
    ),
    "an untouched cluster that failed": (
        said(result(report(error={"type": "UnreachableError"}))),
        "prod: no fault can reach it, but push reports {'type': 'UnreachableError'}",
    ),
    "an untouched cluster that was left out": (
        replace(
            said(
                result(
                    report(
                        counts={"failed": 1, "conflict": 1},
                        problems=[
                            {"namespace": "team-0", "outcome": "failed"},
                            {"namespace": "team-1", "outcome": "conflict"},
                        ],
                    )
                )
            ),
            after={"prod": BEFORE},
            later={"prod": BEFORE},
        ),
        "prod: no fault can reach it, but push changed [] instead of ['team-0']",
    ),
    "a message that is lost": (
        said(result(answer={"batchItemFailures": []}), messages={"id": ("prod",)}),
        "batch: not done, and its message not kept: ['prod']",
    ),
    "a message that is kept in vain": (
        said(
            result(
                report(ok=True),
                answer={"batchItemFailures": [{"itemIdentifier": "id"}]},
            ),
            messages={"id": ("prod",)},
        ),
        "batch: done, but its message kept: prod",
    ),
    "the one cluster of a worker's message that is lost": (
        said(
            result(answer={"batchItemFailures": []}),
            messages={"id": ("prod",)},
            dispatched=True,
        ),
        "batch: not done, and its message not kept: ['prod']",
    ),
    "a cluster of a worker's message that is lost": (
        said(
            result(answer={"batchItemFailures": []}),
            messages={"id": ("prod", "stage")},
        ),
        "batch: not done, and its message not kept: ['prod', 'stage']",
    ),
    "a cluster that a dispatcher forgot": (
        said(result({**report(), "clusters": []}), dispatches=True),
        "dispatched, but not on the queue: prod",
    ),
    "a change in a cluster that the report lacks": (
        said(result({**report(), "clusters": []})),
        "prod: not in the report, but ['team-0'] were changed",
    ),
    "a bad Secret taken over": (
        replace(
            left(state(team_0=RENEWED, team_1=secret("2", token="QVdTOng=", hours=12))),
            furnished={"prod": replace(GOOD.furnished["prod"], takes=True)},
        ),
        "prod: the Secret in team-1 holds a token that no registry gave",
    ),
    "a Secret of others that a sweep takes over": (
        replace(
            said(result(), action="sweep"),
            furnished={"prod": replace(GOOD.furnished["prod"], takes=True)},
            after={"prod": state(team_0=RENEWED, team_1=RENEWED)},
        ),
        "prod: the Secret team-1/ecr-public-token of somebody else was changed",
    ),
    "a newer Secret overwritten": (
        GOOD.meddled_with({("prod", "team-0"): secret("3", hours=12)}),
        "prod: the newer Secret in team-0 was overwritten or removed",
    ),
    "somebody else's new Secret overwritten": (
        GOOD.meddled_with({("prod", "team-0"): FOREIGN}),
        "prod: the Secret team-0/ecr-public-token of somebody else was changed",
    ),
    "a cluster that is not on the queue": (
        said(result({**report(), "queued": ["prod"]})),
        "push: reported as queued, but is not: ['prod']",
    ),
    "a write after the end": (
        replace(GOOD, later={"prod": state(team_0=secret("3", token=NEW), team_1=FOREIGN)}),
        "prod: something was changed after the end",
    ),
    "a token in a log line": (
        replace(GOOD, texts={"the log": f"pushing {NEW} to prod"}),
        "the log holds a part of a registry's token",
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_violation_is_noticed(planted: str) -> None:
    judged, expected = PLANTED[planted]
    found = [str(one) for one in violations(judged)]
    assert [line for line in found if line.startswith(expected)], found


OF_TIME = Broken("the answer came late", timed=True)
OF_OTHERS = Broken("a Secret of somebody else was changed")


def played(*broken: Broken, starved: bool = True) -> Played:
    """Return a round that broke these rules. `starved`: for want of a processor, or not."""
    return Played(Plan.draw(0, CLUSTERS), 1.0, broken, frozenset(), starved=starved)


def replayed(*rounds: Played) -> tuple[Played, list[float]]:
    """Return what comes of a round of six seconds, and the seconds that it was given each time."""
    left = list(rounds)
    given: list[float] = []

    def carry_out(seconds: float) -> Played:
        given.append(seconds)
        return left.pop(0)

    return once_more(carry_out, 6.0), given


def test_a_round_that_only_came_late_is_played_once_more_with_six_times_the_time() -> None:
    result, given = replayed(played(OF_TIME), played())
    assert (result.broken, result.repeated, given) == ((), True, [6.0, 36.0])


@pytest.mark.parametrize(
    "first",
    [
        played(OF_OTHERS),
        played(OF_TIME, OF_OTHERS),
        played(OF_TIME, starved=False),
    ],
)
def test_no_other_broken_rule_is_ever_excused(first: Played) -> None:
    assert replayed(first) == (first, [6.0])


@pytest.mark.parametrize("again", [OF_TIME, OF_OTHERS])
def test_what_is_broken_again_is_reported(again: Broken) -> None:
    assert replayed(played(OF_TIME), played(again))[0].broken == (again,)


# The cluster has no fault, and was not finished: with these errors or outcomes for want of time.
def unfinished(**changes: Any) -> Judged:
    """Return a round without faults in which nothing was written."""
    return replace(
        said(result(report(counts={"conflict": 1}, **changes))),
        after={"prod": BEFORE},
        later={"prod": BEFORE},
    )


@pytest.mark.parametrize(
    ("judged", "timed"),
    [
        (unfinished(error={"type": "DeadlineReached"}), True),
        (unfinished(error={"type": "NoAnswerError"}), True),
        (unfinished(error={"type": "EksError", "message": "EKS did not respond in time"}), True),
        (unfinished(error={"type": "EksError", "message": "EKS refused"}), False),
        (unfinished(error={"type": "SignInRefused"}), False),
        (unfinished(error={"type": "InvalidDocument"}), False),
        (unfinished(problems=[{"namespace": "team-0", "outcome": "not-attempted"}]), True),
        (unfinished(problems=[{"namespace": "team-0", "outcome": "forbidden"}]), False),
        (unfinished(problems=[]), False),
        (replace(GOOD, furnished={"prod": Furnished("prod", False, False, False, {})}), False),
    ],
)
def test_an_untouched_cluster_is_excused_only_what_lacks_time(judged: Judged, timed: bool) -> None:
    of_cluster = [one for one in violations(judged) if "no fault can reach it" in one.text]
    assert of_cluster
    assert all(one.timed for one in of_cluster) == timed


def test_every_rule_but_the_time_of_an_answer_is_no_rule_of_time() -> None:
    of_time = {"a late answer", "no answer", "an answer without a report"}
    for name, (judged, expected) in PLANTED.items():
        found = [one for one in violations(judged) if one.text.startswith(expected)]
        if "no fault can reach it" not in expected:
            assert {one.timed for one in found} == {name in of_time}, name


def test_the_table_shows_what_was_met_and_what_never() -> None:
    lines = list(
        coverage(
            {("list", "500"): 3, ("sqs SendMessageBatch", IN_PART): 2, ("connect", "refused"): 1}
        )
    )
    rows = [(line[:32].strip(), line[32:].split()) for line in lines]
    of_500 = [cells for name, cells in rows if name == "500"]
    assert ["3" in cells for cells in of_500] == [True, False]
    assert (IN_PART, ["2"]) in rows
    idle = next(line for line in lines if line.startswith("never met, clusters:"))
    assert "501" in idle
    assert not {"500;", "refused;"} & set(idle.split())


def test_the_table_has_every_call_of_aws_that_can_fail() -> None:
    assert SHORT.keys() == STAGES.keys()


@pytest.mark.parametrize(
    ("method", "target", "stage"),
    [
        ("GET", "/api/v1/namespaces?limit=500", "list"),
        ("GET", "/api/v1/secrets?limit=500&continue=x", "page 2"),
        ("GET", "/api/v1/namespaces/a/secrets/b", "look"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "review"),
        ("PATCH", "/api/v1/namespaces/a/secrets/b?fieldManager=c", "apply"),
        ("PATCH", "/api/v1/namespaces/a/serviceaccounts/b", "account"),
        ("DELETE", "/api/v1/namespaces/a/secrets/b", "delete"),
    ],
)
def test_a_request_has_a_stage(method: str, target: str, stage: str) -> None:
    assert stage_of(method, target) == stage
    assert stage in CLUSTER_STAGES


@pytest.mark.parametrize("encoded", sorted(encodings("s3cret/of+the_registry=" * 3)))
def test_a_part_of_a_secret_is_found_in_every_encoding(encoded: str) -> None:
    part = encoded[5:30]
    assert leaks({"a log": f'{{"x": "{part}"}}'}, [("it", "s3cret/of+the_registry=" * 3)]) == [
        "a log holds a part of it"
    ]


def test_what_is_found_is_not_repeated() -> None:
    secret_text = "a-secret-that-nobody-may-see-in-a-violation"
    found = leaks({"a log": secret_text}, [("a token", secret_text)])
    assert found
    assert not any("nobody" in line for line in found)


def test_the_signature_in_a_sign_in_token_is_a_secret_and_its_public_beginning_is_none() -> None:
    url = (
        "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
        "&X-Amz-Security-Token=the-session-token-of-a-test&X-Amz-Signature=0123456789abcdef"
    )
    coded = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    found = of_bearer(f"k8s-aws-v1.{coded}")
    assert {"0123456789abcdef", "the-session-token-of-a-test"} <= set(found)
    assert leaks({"a log": url[:80]}, [("it", one) for one in found]) == []
