"""The template's alarms, replayed over the function's metrics.

In a healthy month, with a failing cluster, when it stops, and on its first day.

The metric streams are the function's own (report.metrics of runs as they would be), and the token's
twelve hours are the judge. Every promise is held against each way in which AWS's documentation of
alarms can be read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from ecr_public_pusher.errors import EksError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.reporting.metrics import metrics
from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.results import ClusterResult, IssuedToken, NamespaceOutcome, Outcome
from tests.stack.alarms import alarms
from tests.stack.template import STACK
from tests.support.cloudwatch import (
    DAY,
    HOUR,
    MINUTE,
    Alarm,
    Metrics,
    Readings,
    State,
    every_reading,
    simulate,
)
from tests.support.cloudwatch.readings import WarmUpAfterUpdate

TOKEN_LIFE = 12 * HOUR
MONTH = 31 * DAY
RETRY_DELAY = 15 * MINUTE
RETRY_EVERY = 30 * MINUTE
RETRIES = 16  # RetryQueue with the default timeout
FULL = Request()


def reading_id(readings: Readings) -> str:
    return f"{readings.alignment}-fill-{'zeros' if readings.fill_of_nothing else 'nothing'}"


every_way = pytest.mark.parametrize("readings", every_reading(), ids=reading_id)


@dataclass
class Story:
    """The data that CloudWatch was sent, and the end of each cluster's token."""

    metrics: Metrics = field(default_factory=Metrics)
    expires: dict[str, float] = field(default_factory=dict)

    def run(
        self,
        at: float,
        *results: ClusterResult,
        request: Request = FULL,
        life: float = TOKEN_LIFE,
        private: float = TOKEN_LIFE,
        **more: Any,
    ) -> None:
        """Add one run of the function.

        `life`: of ECR Public's token; `private`: of a private registry's.
        """
        lives = (
            ("public.ecr.aws", life, False),
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", private, True),
        )
        tokens = (
            tuple(
                IssuedToken(name, datetime.fromtimestamp(at + its, UTC), own)
                for name, its, own in lives
            )
            if results
            else ()
        )
        run = RunResult(request, "id", 2.0, results, tokens, **{"unconfigured": False, **more})
        for metric in metrics(run, now=datetime.fromtimestamp(at + 2, UTC)):
            dimensions = {"service": STACK} | (
                {"cluster": metric.cluster} if metric.cluster else {}
            )
            dimensions |= {"registry": metric.registry} if metric.registry else {}
            self.metrics.put("EcrPublicPusher", metric.name, dimensions, at, metric.value)
        for result in results:
            if result.ok:
                self.expires[result.id] = at + life

    def crash(self, at: float) -> None:
        """Add a crash: Lambda counts an error, and retries after one and two more minutes."""
        for later in (0, MINUTE, 3 * MINUTE):
            self.metrics.put(
                "AWS/Lambda", "Errors", {"FunctionName": "PusherFunction"}, at + later, 1
            )


def good(identity: str) -> ClusterResult:
    return ClusterResult(identity, (NamespaceOutcome("a", Outcome.UPDATED),))


def left(identity: str, hours: float, *, ok: bool = True) -> ClusterResult:
    """Return the result of a cluster whose first Secret expires in this many hours."""
    outcome = NamespaceOutcome("a", Outcome.CURRENT if ok else Outcome.FAILED)
    return ClusterResult(identity, (outcome,), seconds_left=hours * HOUR)


def bad(identity: str) -> ClusterResult:
    return ClusterResult(identity, error=EksError("gone", remedy="look"))


FLEET = (good("one"), good("two"), good("three"))


@cache
def _alarms(parameters: tuple[tuple[str, Any], ...]) -> dict[str, Alarm]:
    return {
        name: Alarm.from_properties(properties)
        for name, properties in alarms(**dict(parameters)).items()
    }


def calls(
    name: str,
    story: Story,
    start: float,
    end: float,
    readings: Readings,
    *,
    updated: float | None = None,
    **parameters: Any,
) -> list[float]:
    """Return when an alarm of a stack created at `start`, and updated once, goes off."""
    alarm = _alarms(tuple(sorted(parameters.items())))[name]
    transitions = simulate(alarm, story.metrics, start, end, readings, updated=updated)
    return [
        one.time
        for one in transitions
        if one.state is State.ALARM and one.previous is not State.ALARM
    ]


def all_calls(
    story: Story, start: float, end: float, readings: Readings, **parameters: Any
) -> dict[str, list[float]]:
    """Return the same for every alarm of the stack, without those that stay silent."""
    names = _alarms(tuple(sorted(parameters.items())))
    return {
        name: found
        for name in names
        if (found := calls(name, story, start, end, readings, **parameters))
    }


def pushes(
    story: Story,
    start: float,
    end: float,
    every: float = 8 * HOUR,
    results: Iterable[ClusterResult] = FLEET,
) -> float:
    """Add a schedule's pushes; return the time of the last one."""
    at = start
    while at + every <= end:
        story.run(at, *results)
        at += every
    story.run(at, *results)
    return at


@every_way
def test_a_healthy_month_is_silent(readings: Readings) -> None:
    story = Story()
    pushes(story, 37 * MINUTE, MONTH)
    assert all_calls(story, 0, MONTH, readings) == {}


@every_way
@pytest.mark.parametrize(("hours", "after"), [(1, 2), (4, 5), (8, 9), (9, 10)])
def test_no_allowed_pair_of_schedule_and_alarm_cries_for_nothing(
    readings: Readings, hours: int, after: int
) -> None:
    story = Story()
    pushes(story, 59 * MINUTE, 10 * DAY, hours * HOUR)
    assert (
        calls(
            "NoFullPushAlarm",
            story,
            0,
            10 * DAY,
            readings,
            Schedule=f"rate({hours} hours)",
            AlarmAfterHours=after,
        )
        == []
    )


@every_way
def test_a_push_that_comes_some_minutes_late_each_time_is_no_alarm(readings: Readings) -> None:
    story = Story()
    for number in range(30):
        story.run(number * (8 * HOUR + 7 * MINUTE), *FLEET)
    assert calls("NoFullPushAlarm", story, 0, 10 * DAY, readings) == []


@every_way
def test_with_fan_out_a_healthy_month_is_silent_too(readings: Readings) -> None:
    story = Story()
    for number in range(int(MONTH / (8 * HOUR))):
        at = number * 8 * HOUR
        story.run(at, dispatched=3)
        for later, result in enumerate(FLEET):
            story.run(
                at + 20 + later,
                result,
                request=Request(clusters=(result.id,), of_full_push=True, ignore_missing=True),
            )
    assert all_calls(story, 0, MONTH - 8 * HOUR, readings) == {}


@every_way
@pytest.mark.parametrize("minute", [0, 1, 29, 59])
@pytest.mark.parametrize("after", [9, 10])
def test_a_function_that_stopped_is_known_within_an_hour_of_the_limit_and_before_the_tokens_end(
    readings: Readings, minute: int, after: int
) -> None:
    story = Story()
    last = pushes(story, minute * MINUTE, 5 * DAY)
    (call,) = calls("NoFullPushAlarm", story, 0, last + 2 * DAY, readings, AlarmAfterHours=after)
    assert last + (after - 1) * HOUR < call <= last + (after + 1) * HOUR + 5 * MINUTE
    assert call < min(story.expires.values())


@every_way
def test_neither_sweeps_nor_narrowed_pushes_nor_retries_keep_it_quiet(readings: Readings) -> None:
    story = Story()
    last = pushes(story, 0, 2 * DAY)
    for number in range(1, 80):
        at = last + number * 15 * MINUTE
        story.run(at, good("one"), request=Request("sweep"))
        story.run(at + 60, good("one"), request=Request(clusters=("one",)))
        story.run(at + 120, bad("two"), request=Request(clusters=("two",), ignore_missing=True))
    (call,) = calls("NoFullPushAlarm", story, 0, last + 15 * HOUR, readings)
    assert call <= last + 10 * HOUR + 5 * MINUTE


@every_way
def test_one_bad_cluster_never_sets_off_the_dead_mans_switch(readings: Readings) -> None:
    story = Story()
    pushes(story, 0, 10 * DAY, results=(good("one"), bad("two")))
    assert calls("NoFullPushAlarm", story, 0, 10 * DAY, readings) == []


@every_way
def test_pushes_that_fail_as_a_whole_are_known_at_once_and_again_when_tokens_are_near_their_end(
    readings: Readings,
) -> None:
    story = Story()
    last = pushes(story, 0, 3 * DAY)
    for number in range(1, 4):
        story.run(last + number * 8 * HOUR, error=EksError("no token", remedy="look"))
        story.crash(last + number * 8 * HOUR)
    first = calls("FunctionErrorsAlarm", story, 0, last + DAY, readings)[0]
    assert first <= last + 8 * HOUR + 10 * MINUTE
    assert calls("NoFullPushAlarm", story, 0, last + DAY, readings)[0] < min(story.expires.values())


def failing_cluster(*, heals: float) -> tuple[Story, float]:
    """Add a cluster that fails from the third day on, until it recovers.

    The queue retries it after each push. Return the time of its first failure.
    """
    story = Story()
    fails = 3 * DAY
    at = 0.0
    while at < 6 * DAY:
        broken = fails <= at < heals
        story.run(at, good("one"), bad("two") if broken else good("two"))
        for number in range(RETRIES if broken else 0):
            again = at + RETRY_DELAY + number * RETRY_EVERY
            result = bad("two") if again < heals else good("two")
            story.run(again, result, request=Request(clusters=("two",), ignore_missing=True))
            if result.ok:
                break
        at += 8 * HOUR
    return story, fails


@every_way
def test_a_cluster_that_fails_is_known_hours_before_its_token_ends_and_only_once(
    readings: Readings,
) -> None:
    story, fails = failing_cluster(heals=4 * DAY)
    (call,) = calls("ClusterFailedAlarm", story, 0, 6 * DAY, readings)
    token_ends = fails - 8 * HOUR + TOKEN_LIFE
    assert call <= fails + HOUR + 5 * MINUTE < token_ends


@every_way
def test_the_alarm_of_a_cluster_that_healed_ends(readings: Readings) -> None:
    story, _ = failing_cluster(heals=3 * DAY + 40 * MINUTE)
    alarm = _alarms(())["ClusterFailedAlarm"]
    transitions = [
        one
        for one in simulate(alarm, story.metrics, 0, 6 * DAY, readings)
        if one.state is not one.previous
    ]
    ended = [one.time for one in transitions if one.previous is State.ALARM]
    assert len(ended) == 1
    assert ended[0] <= 3 * DAY + 5 * HOUR


@every_way
def test_without_metrics_of_clusters_the_alarm_comes_and_ends_as_well(
    readings: Readings,
) -> None:
    story, fails = failing_cluster(heals=3 * DAY + 40 * MINUTE)
    alarm = _alarms((("ClusterMetrics", "false"),))["ClusterFailedAlarm"]
    transitions = [
        one
        for one in simulate(alarm, story.metrics, 0, 6 * DAY, readings)
        if one.state is not one.previous and State.ALARM in (one.state, one.previous)
    ]
    came, ended = transitions
    assert came.time <= fails + HOUR + 5 * MINUTE
    assert ended.time <= 3 * DAY + 5 * HOUR


@every_way
def test_a_cluster_is_named_by_the_alarm_and_a_new_one_is_covered_without_a_change(
    readings: Readings,
) -> None:
    story, _ = failing_cluster(heals=4 * DAY)
    story.run(5 * DAY + HOUR, bad("brand-new"), request=Request(clusters=("brand-new",)))
    transitions = simulate(_alarms(())["ClusterFailedAlarm"], story.metrics, 0, 6 * DAY, readings)
    named = {label for one in transitions if one.state is State.ALARM for label in one.contributors}
    assert named == {"two", "brand-new"}


@every_way
def test_another_stacks_failing_cluster_is_not_ours(readings: Readings) -> None:
    story = Story()
    pushes(story, 0, DAY)
    story.metrics.put(
        "EcrPublicPusher", "ClusterFailed", {"service": "another", "cluster": "two"}, 9 * HOUR, 1
    )
    assert calls("ClusterFailedAlarm", story, 0, DAY, readings) == []


def unconfigured(story: Story, start: float, end: float) -> None:
    at = start
    while at < end:
        story.run(at, unconfigured=True)
        at += 8 * HOUR


@every_way
def test_a_deployment_without_configuration_is_silent_for_a_day_and_then_reports_it_once(
    readings: Readings,
) -> None:
    story = Story()
    unconfigured(story, MINUTE, 4 * DAY)
    found = all_calls(story, 0, 4 * DAY, readings)
    assert list(found) == ["UnconfiguredAlarm"]
    (call,) = found["UnconfiguredAlarm"]
    assert 23 * HOUR < call <= 25 * HOUR + 10 * MINUTE


@every_way
@pytest.mark.parametrize("hours", [1, 5, 7.5, 20])
def test_the_first_parameter_sets_nothing_off(readings: Readings, hours: float) -> None:
    story = Story()
    unconfigured(story, MINUTE, hours * HOUR)
    story.run(hours * HOUR, good("one"), request=Request(clusters=("one",)))
    at = MINUTE
    while at < 3 * DAY:
        if at > hours * HOUR:
            story.run(at, good("one"))
        at += 8 * HOUR
    assert all_calls(story, 0, 3 * DAY, readings) == {}


@every_way
def test_a_cron_schedule_whose_first_run_is_hours_away_is_silent_until_then(
    readings: Readings,
) -> None:
    story = Story()
    pushes(story, 7.9 * HOUR, 3 * DAY)
    assert all_calls(story, 0, 3 * DAY, readings, Schedule="cron(0 0/8 * * ? *)") == {}


@every_way
def test_a_function_that_dies_on_its_first_day_is_known_before_the_first_token_ends(
    readings: Readings,
) -> None:
    story = Story()
    story.run(MINUTE, unconfigured=True)
    story.run(HOUR, good("one"), request=Request(clusters=("one",)))
    transitions = simulate(_alarms(())["NoFullPushAlarm"], story.metrics, 0, 2 * DAY, readings)
    assert next(one.time for one in transitions if one.state is State.ALARM) < story.expires["one"]
    assert transitions[-1].state is State.ALARM


@every_way
def test_a_function_that_never_ran_is_known_too(readings: Readings) -> None:
    assert len(calls("NoFullPushAlarm", Story(), 0, 2 * DAY, readings)) == 1


# An update of the alarm: another RunbookUrl, topic or number of hours.


@every_way
@pytest.mark.parametrize("restart", ["never", "again", "anew"])
@pytest.mark.parametrize("hours", [0.2, 4, 7.9])
def test_an_update_of_a_healthy_stack_is_silent(
    readings: Readings,
    restart: WarmUpAfterUpdate,
    hours: float,
) -> None:
    story = Story()
    pushes(story, 37 * MINUTE, 6 * DAY)
    updated = 2 * DAY + 37 * MINUTE + hours * HOUR
    read = replace(readings, warm_up_after_update=restart)
    assert calls("NoFullPushAlarm", story, 0, 6 * DAY, read, updated=updated) == []


@every_way
@pytest.mark.parametrize("restart", ["never", "again"])
@pytest.mark.parametrize("hours", [0.2, 4, 7.9])
def test_a_function_that_an_update_stops_is_known_before_the_tokens_end(
    readings: Readings,
    restart: WarmUpAfterUpdate,
    hours: float,
) -> None:
    story = Story()
    last = pushes(story, 37 * MINUTE, 3 * DAY)
    read = replace(readings, warm_up_after_update=restart)
    updated = last + hours * HOUR
    (call,) = calls("NoFullPushAlarm", story, 0, last + 2 * DAY, read, updated=updated)
    assert call < min(story.expires.values())


@every_way
@pytest.mark.parametrize("hours", [0.2, 4, 7.9])
def test_a_push_right_after_the_update_makes_it_so_however_the_warm_up_is_read(
    readings: Readings,
    hours: float,
) -> None:
    story = Story()
    updated = pushes(story, 37 * MINUTE, 3 * DAY) + hours * HOUR
    story.run(updated + 5 * MINUTE, *FLEET)
    read = replace(readings, warm_up_after_update="anew")
    (call,) = calls("NoFullPushAlarm", story, 0, updated + 2 * DAY, read, updated=updated)
    assert call < min(story.expires.values())


@every_way
def test_documents_deleted_to_the_last_are_no_dead_man(readings: Readings) -> None:
    story = Story()
    last = pushes(story, 0, 2 * DAY)
    unconfigured(story, last + 8 * HOUR, last + 3 * DAY)
    found = all_calls(story, 0, last + 3 * DAY, readings)
    assert set(found) == {"UnconfiguredAlarm", "DocumentsDeletedAlarm"}
    # Its tokens live 12 hours: it is known with the first push that finds nothing.
    assert all(call <= last + 9 * HOUR + 10 * MINUTE for call in found["DocumentsDeletedAlarm"])


@every_way
def test_a_deleted_document_is_known_and_a_first_one_is_no_alarm(readings: Readings) -> None:
    story = Story()
    unconfigured(story, 0, DAY)
    pushes(story, DAY, 2 * DAY)
    assert not calls("DocumentsDeletedAlarm", story, 0, 2 * DAY, readings)
    story.run(
        2 * DAY + HOUR, request=Request(clusters=("prod",), deleted="prod"), unconfigured=False
    )
    (call,) = calls("DocumentsDeletedAlarm", story, 0, 2 * DAY + 6 * HOUR, readings)
    assert call <= 2 * DAY + 2 * HOUR + 10 * MINUTE


@every_way
@pytest.mark.parametrize(("hours", "alarmed"), [(12, False), (10, True), (1, True)])
def test_a_token_with_too_little_life_is_known(
    readings: Readings, hours: float, alarmed: bool
) -> None:
    story = Story()
    pushes(story, 0, DAY)
    story.run(DAY + 8 * HOUR, *FLEET, life=hours * HOUR)
    found = calls("TokenLifeAlarm", story, 0, 2 * DAY, readings)
    assert bool(found) is alarmed
    assert all(call <= DAY + 8 * HOUR + 10 * MINUTE for call in found)


@every_way
@pytest.mark.parametrize(("hours", "alarmed"), [(12, False), (10, True), (1, True)])
def test_a_private_token_with_too_little_life_is_known_as_such(
    readings: Readings, hours: float, alarmed: bool
) -> None:
    story = Story()
    pushes(story, 0, DAY)
    story.run(DAY + 8 * HOUR, *FLEET, private=hours * HOUR)
    found = calls("PrivateTokenLifeAlarm", story, 0, 2 * DAY, readings)
    assert bool(found) is alarmed
    assert all(call <= DAY + 9 * HOUR + 10 * MINUTE for call in found)
    assert calls("TokenLifeAlarm", story, 0, 2 * DAY, readings) == []


@every_way
def test_a_discovery_that_fails_is_known_and_recovers_once_it_finds_its_clusters(
    readings: Readings,
) -> None:
    story = Story()
    found = good("fleet/us-east-1/one"), good("fleet/eu-west-1/two")
    pushes(story, 0, DAY, results=found)
    story.run(DAY + 8 * HOUR, found[0], bad("fleet/eu-west-1/*"))
    story.run(
        DAY + 8 * HOUR + 15 * MINUTE, found[1], request=Request(clusters=("fleet/eu-west-1/*",))
    )
    pushes(story, DAY + 16 * HOUR, 3 * DAY, results=found)
    transitions = simulate(_alarms(())["ClusterFailedAlarm"], story.metrics, 0, 3 * DAY, readings)
    states = [one.state for one in transitions if State.ALARM in (one.state, one.previous)]
    assert states == [State.ALARM, State.OK]


SWEEP = Request("sweep")


def sweeps(story: Story, start: float, end: float, life: float, *, ok: bool = True) -> None:
    """Add sweeps of two clusters, of which `two` had this many hours left at `start`."""
    at = start
    while at < end:
        hours = max(0.0, life - (at - start) / HOUR)
        story.run(at, left("one", 11), left("two", hours, ok=ok or hours > 3.6), request=SWEEP)
        at += 5 * MINUTE


@every_way
def test_lives_that_end_and_are_renewed_in_time_are_silent(readings: Readings) -> None:
    story = Story()
    at = 0.0
    while at < 3 * DAY:
        story.run(at, left("one", 12), left("two", 12))
        sweeps(story, at + 5 * MINUTE, at + 8 * HOUR, 12 - 5 / 60)
        at += 8 * HOUR
    assert all_calls(story, 0, 3 * DAY, readings) == {}


@every_way
def test_one_secret_that_nothing_renews_is_known_hours_before_it_ends(readings: Readings) -> None:
    story = Story()
    pushes(story, 0, DAY, results=(left("one", 12), left("two", 12)))
    sweeps(story, DAY + 5 * MINUTE, DAY + 12 * HOUR, 12 - 5 / 60, ok=False)
    (call,) = calls("TokenEndingAlarm", story, 0, DAY + 12 * HOUR, readings)
    assert DAY + 9 * HOUR < call <= DAY + 9 * HOUR + 20 * MINUTE


@every_way
def test_it_is_known_once_and_recovers_where_only_retries_measure(readings: Readings) -> None:
    story = Story()
    pushes(story, 0, DAY, results=(left("one", 12),))
    failed = DAY + 8 * HOUR
    story.run(failed, left("one", 2, ok=False))
    for number in range(5):
        again = failed + RETRY_DELAY + number * 90 * MINUTE
        story.run(again, left("one", 12 if number == 4 else 0), request=Request(clusters=("one",)))
    pushes(story, DAY + 16 * HOUR, 3 * DAY, results=(left("one", 12),))
    alarm = _alarms(())["TokenEndingAlarm"]
    transitions = simulate(alarm, story.metrics, 0, 3 * DAY, readings)
    changes = [one for one in transitions if State.ALARM in (one.state, one.previous)]
    assert [one.state for one in changes] == [State.ALARM, State.OK]
    assert changes[0].time <= failed + 10 * MINUTE
    last_bad = failed + RETRY_DELAY + 3 * 90 * MINUTE
    assert last_bad + 90 * MINUTE < changes[1].time <= last_bad + 2 * HOUR + 30 * MINUTE


@every_way
def test_a_namespace_that_lacks_its_secret_is_known_within_minutes(readings: Readings) -> None:
    story = Story()
    pushes(story, 0, DAY)
    story.run(DAY + HOUR, left("two", 0, ok=False), request=SWEEP)
    (call,) = calls("TokenEndingAlarm", story, 0, 2 * DAY, readings)
    assert call <= DAY + HOUR + 10 * MINUTE


def stored(identity: str, ends: float, at: float) -> ClusterResult:
    """Return the result of a cluster whose stored credential ends then, as a push finds it."""
    return replace(
        good(identity) if at < ends else bad(identity),
        credential_expires_at=datetime.fromtimestamp(ends, UTC),
    )


def stored_story(end: float, ends: float, *, renewed: float | None = None) -> Story:
    """Return pushes of two clusters with stored credentials.

    That of `two` ends at `ends`; at `renewed` it is replaced by one that ends a year later.
    """
    story = Story()
    at = 37 * MINUTE
    while at < end:
        its = ends + 365 * DAY if renewed is not None and at >= renewed else ends
        story.run(at, good("eks"), stored("one", 400 * DAY, at), stored("two", its, at))
        at += 8 * HOUR
    return story


@every_way
def test_a_stored_credential_is_known_once_two_weeks_before_its_end(readings: Readings) -> None:
    story = stored_story(20 * DAY, 17 * DAY)
    (call,) = calls("CredentialEndingAlarm", story, 0, 20 * DAY, readings)
    assert 3 * DAY < call <= 3 * DAY + 8 * HOUR + 10 * MINUTE


@every_way
def test_it_recovers_within_a_pushs_time_of_the_renewal(readings: Readings) -> None:
    renewed = 5 * DAY
    story = stored_story(10 * DAY, 17 * DAY, renewed=renewed)
    alarm = _alarms(())["CredentialEndingAlarm"]
    transitions = simulate(alarm, story.metrics, 0, 10 * DAY, readings)
    changes = [one for one in transitions if State.ALARM in (one.state, one.previous)]
    assert [one.state for one in changes] == [State.ALARM, State.OK]
    assert renewed < changes[1].time <= renewed + 11 * HOUR


@every_way
def test_a_stored_credential_with_more_than_two_weeks_left_is_silent(readings: Readings) -> None:
    story = stored_story(3 * DAY, 18 * DAY)
    assert all_calls(story, 0, 3 * DAY, readings) == {}


@every_way
def test_a_retry_of_another_cluster_does_not_hide_it(readings: Readings) -> None:
    story = stored_story(6 * DAY, 17 * DAY)
    for number in range(12):
        at = 4 * DAY + number * 2 * HOUR
        story.run(at, stored("one", 400 * DAY, at), request=Request(clusters=("one",)))
    alarm = _alarms(())["CredentialEndingAlarm"]
    transitions = simulate(alarm, story.metrics, 0, 6 * DAY, readings)
    assert [one.state for one in transitions if State.ALARM in (one.state, one.previous)] == [
        State.ALARM
    ]


@every_way
def test_a_parameter_that_is_no_document_is_known(readings: Readings) -> None:
    story = Story()
    pushes(story, 0, DAY)
    story.run(
        DAY + HOUR,
        request=Request(unknown_parameter="/ecr-public-pusher/clutsers/prod"),
        unconfigured=None,
        unknown=("/ecr-public-pusher/clutsers/prod",),
    )
    assert calls("UnknownParametersAlarm", story, 0, DAY + 6 * HOUR, readings)


@every_way
@pytest.mark.parametrize(
    ("alarm", "namespace", "metric", "dimensions", "value"),
    [
        (
            "DeadLetterAlarm",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": "DeadLetterQueue.QueueName"},
            1,
        ),
        ("ThrottlesAlarm", "AWS/Lambda", "Throttles", {"FunctionName": "PusherFunction"}, 1),
        ("DurationAlarm", "AWS/Lambda", "Duration", {"FunctionName": "PusherFunction"}, 241_000),
    ],
)
def test_what_aws_counts_is_known_within_minutes(
    readings: Readings,
    alarm: str,
    namespace: str,
    metric: str,
    dimensions: dict[str, str],
    value: float,
) -> None:
    story = Story()
    pushes(story, 0, DAY)
    story.metrics.put(namespace, metric, dimensions, 9 * HOUR, value)
    (call,) = calls(alarm, story, 0, DAY, readings)
    assert call <= 9 * HOUR + 10 * MINUTE
