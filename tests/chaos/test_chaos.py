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
from tests.chaos.aws_faults import ANSWERS, ENDPOINTS, STAGES
from tests.chaos.cluster_faults import (
    ANSWER_FAULTS,
    CONNECTION_FAULTS,
    ClusterFault,
    Setting,
)
from tests.chaos.estate import KINDS, SELECTED, Content, Furnished, estate
from tests.chaos.invariants import Invocation, Judged, violations
from tests.chaos.leaks import encodings, leaks, of_bearer, of_registry
from tests.chaos.observed import EXPIRES_AT, MANAGED, OWNER, Seen, State
from tests.chaos.proxy import AnswerFault, Forward
from tests.chaos.rounds import Asked, Plan, Player
from tests.chaos.sandbox import Result
from tests.support.world import SECRET, STACK

# Two at once, in clusters of which one hangs; and one that is killed while STS refuses it. No
# cluster is without a fault, so that a busy machine cannot break a rule.
SEEDS = (6, 24)
SHORT_SECONDS = 3.0
OLD = base64.b64encode(b"AWS:an-old-password-of-a-registry-in-a-test").decode()
NEW = base64.b64encode(b"AWS:the-new-password-of-a-registry-in-a-test").decode()


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with estate(KINDS[:2], embedded=True) as made, Player(made) as playing:
        yield playing


@pytest.mark.alone
@pytest.mark.parametrize("seed", SEEDS)
def test_every_rule_holds_in_a_round(player: Player, seed: int) -> None:
    played = player.play(seed, seconds=SHORT_SECONDS)
    assert played.broken == (), played.plan


def test_what_is_planted_in_a_round_is_noticed(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault changes somebody else's Secret, and again after the end; the event has a token."""
    estate = player.estate
    path = "/api/v1/namespaces/team-1/secrets/ecr-public-token"

    def touch(note: str) -> None:
        body = {"metadata": {"annotations": {"note": note}}}
        kind = "application/merge-patch+json"
        status, _ = estate.clusters["plain-0"].admin("PATCH", path, body, content_type=kind)
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
    event = {"action": "push", "clusters": ["plain-0", OLD], "raise": False}
    estate.seeded.append(OLD)
    plan = replace(
        Plan.draw(0, KINDS[:2]),
        shape="one",
        furnished={name: Furnished(name, False, False, False, contents) for name in KINDS[:2]},
        faults={"plain-0": ClusterFault("tamper", "writes", "once")},
        aws_fault=None,
        asked=(Asked("push", event, frozenset({"plain-0"})),),
    )
    broken = [str(one) for one in player.carry_out(plan, seconds=60).broken]
    assert "the answer of run 0 holds a part of a registry's token" in broken
    event["clusters"] = ["plain-0"]
    broken = [str(one) for one in player.carry_out(plan, seconds=60).broken]
    assert "plain-0: the Secret team-1/ecr-public-token of somebody else was changed" in broken
    assert "plain-0: something was changed after the end" in broken


def test_a_seed_decides_everything() -> None:
    assert Plan.draw(7, KINDS) == Plan.draw(7, KINDS)
    assert Plan.draw(7, KINDS) != Plan.draw(8, KINDS)


def test_every_fault_every_shape_and_every_action_is_drawn() -> None:
    plans = [Plan.draw(seed, KINDS) for seed in range(2000)]
    assert {fault.name for plan in plans for fault in plan.faults.values()} == {
        *CONNECTION_FAULTS,
        *ANSWER_FAULTS,
    }
    drawn = {(fault.stage, fault.name) for plan in plans if (fault := plan.aws_fault)}
    assert {stage for stage, _ in drawn} == set(STAGES)
    assert {name for _, name in drawn} == {*ANSWERS, *ENDPOINTS}
    assert len({plan.shape for plan in plans}) == 4
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
        said(result(answer={"batchItemFailures": []}), messages={"id": "prod"}),
        "batch: prod done: False, its message kept: False",
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
