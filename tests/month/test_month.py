"""The short form of `make month`, and planted faults that its judges must find."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from ecr_public_pusher.invocation.sandbox import Sandbox
from tests.month.alarm_judge import Calls, calls_of, judge_alarms, judge_calls
from tests.month.judge import Violation
from tests.month.settings import HOUR, MINUTE
from tests.month.simulation import Month, simulate
from tests.month.weather import Incident, Kind, Outage, Weather
from tests.stack.alarms import alarms
from tests.support.cloudwatch import every_reading
from tests.support.world import World

HOURS = 52


def outage(start: float, end: float, kind: Kind, target: str = "") -> Outage:
    """Return an outage between two hours."""
    return Outage(start * HOUR, end * HOUR, kind, target)


WEATHER = Weather(
    [
        outage(7, 21, "tokens"),  # two pushes fail, and every Secret ends
        outage(27, 29, "deleted", "beta"),
        outage(31, 34, "down", "alpha"),  # a push fails there, and is retried
        outage(39.9, 40.1, "timeout"),
        outage(47.9, 50, "refused"),  # a push never reaches Lambda
    ]
)
DEEDS = [
    Incident(3 * HOUR, "secret deleted", "alpha"),
    Incident(4 * HOUR, "account created", "alpha"),
    Incident(25 * HOUR, "namespace made anew", "gamma"),
    Incident(26 * HOUR, "namespace created", "beta"),
    Incident(30 * HOUR, "document changed", "gamma"),
    Incident(43 * HOUR, "document changed", "gamma"),
]
RAISED = {
    "NoFullPushAlarm",
    "ClusterFailedAlarm",
    "TokenEndingAlarm",
    "FunctionErrorsAlarm",
    "DocumentsDeletedAlarm",
    "DurationAlarm",
    "DeadLetterAlarm",
}


@pytest.fixture(scope="module")
def month() -> Month:
    """Return two days in which everything fails once."""
    return simulate(HOURS / 24, 1, "rare-sweep", weather=WEATHER, deeds=DEEDS)


@pytest.fixture(scope="module")
def calls(month: Month) -> Mapping[str, Calls]:
    """Return when each of the template's alarms was in ALARM."""
    return calls_of(month, alarms(**month.settings.parameters))


def said(violations: Any) -> str:
    return "\n".join(map(str, violations))


def test_no_secret_is_missing_while_the_world_allowed_better(month: Month) -> None:
    assert said(month.judge.violations) == ""
    assert month.judge.kept < month.judge.hours
    assert {place for _, place in month.judge.ended} >= {("alpha", "team-a"), ("gamma", "team-b")}


@pytest.mark.parametrize("number", range(4))
def test_every_failure_raises_its_alarm_however_aws_is_read(month: Month, number: int) -> None:
    readings = every_reading()[number]
    verdict = judge_alarms(month, alarms(**month.settings.parameters), readings)
    assert said(verdict.violations) == ""
    assert set(verdict.raised) == RAISED


@pytest.mark.parametrize("name", sorted(RAISED))
def test_an_alarm_that_the_template_lacks_is_missed(
    month: Month, calls: Mapping[str, Calls], name: str
) -> None:
    rest = {one: its for one, its in calls.items() if one != name}
    assert f"{name} is silent, though" in said(judge_calls(month, rest).violations)


def test_without_alarms_secrets_end_in_silence(month: Month) -> None:
    assert "ended, and no alarm was active" in said(judge_alarms(month, {}).violations)


@pytest.mark.parametrize("name", ["ClusterFailedAlarm", "TokenEndingAlarm", "DurationAlarm"])
def test_an_alarm_that_goes_off_for_nothing_is_noticed(
    month: Month, calls: Mapping[str, Calls], name: str
) -> None:
    right = alarms(**month.settings.parameters)[name]
    wrong = right | {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 0}
    verdict = judge_calls(month, {**calls, **calls_of(month, {name: wrong})})
    assert re.search(f"{name} (went off|lasted until here) without", said(verdict.violations))


def test_a_dead_mans_switch_that_goes_off_too_early_is_noticed(month: Month) -> None:
    early = alarms(Schedule="rate(2 hours)", AlarmAfterHours=3)["NoFullPushAlarm"]
    verdict = judge_alarms(month, {"NoFullPushAlarm": early})
    assert "NoFullPushAlarm went off 3." in said(verdict.violations)


def planted(invoke: Any, hours: float, profile: str = "no-sweep") -> list[Violation]:
    """Return what the judge finds where this is called instead of the function."""
    month = simulate(hours / 24, 1, profile, weather=Weather(), deeds=[], invoke=invoke)
    return month.judge.violations


def test_a_function_that_writes_nothing_is_caught() -> None:
    def idle(world: World, event: Any, sandbox: Sandbox) -> Any:
        return {"ok": True}

    found = said(planted(idle, 2, "rare-sweep"))
    assert "alpha/team-a has 0.00 h right after its push" in found
    assert "alpha/team-a has 0.00 h right after a sweep" in found
    assert "alpha/team-a has no Secret, though all went well" in found


def test_a_function_that_does_not_renew_is_caught() -> None:
    def lazy(world: World, event: Any, sandbox: Sandbox) -> Any:
        return world.invoke({"action": "sweep"})

    assert "alpha/team-a has 4.00 h right after its push" in said(planted(lazy, 8.1))


BROKEN = Weather([outage(7, 8.5, "down", "alpha")])


@pytest.mark.parametrize("retries", [True, False])
def test_a_retry_queue_that_loses_its_messages_is_caught(retries: bool) -> None:
    month = simulate(10.5 / 24, 1, "no-sweep", weather=BROKEN, deeds=[], retries=retries)
    lost = "alpha was not retried: its push failed" in said(month.judge.violations)
    assert lost is not retries


def test_the_hours_with_a_secret_are_counted() -> None:
    month = simulate(3 / 24, 1, "no-sweep", weather=Weather(), deeds=[])
    lived = month.judge.hours / HOUR
    assert lived == pytest.approx(3 * 9)
    assert month.judge.kept / HOUR == pytest.approx(lived - 9 * MINUTE / HOUR)
