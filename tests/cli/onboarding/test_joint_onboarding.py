"""Several onboardings that share the function's runs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest

from infra.cli.errors import CliError
from infra.cli.onboarding.joint_onboarding import (
    CLUSTERS_OF_A_RUN,
    Outcome,
    onboard_all,
    report_of,
)
from infra.cli.onboarding.onboarding import Done, Event, Onboarding, Work
from infra.cli.onboarding.step import Step, StepName, StepOutcome

CHECK = {"action": "check"}
PUSH = {"action": "push"}


class Scripted:
    """An onboarding that sends these events, and pauses after each."""

    def __init__(self, *events: Event, pause: float = 0, failure: CliError | None = None) -> None:
        self.events = events
        self.pause = pause
        self.failure = failure
        self.closed = False
        self.reports: list[Any] = []

    def work(self, sleep: Callable[[float], None]) -> Work[Done]:
        try:
            for event in self.events:
                self.reports.append((yield event))
                if self.pause:
                    sleep(self.pause)
            if self.failure:
                raise self.failure
        except GeneratorExit:
            self.closed = True
            raise
        return [Step(StepName.PUSH, StepOutcome.DONE, "")], {}


class Function:
    """The function, which answers that all is well, and notes the events."""

    def __init__(self, answer: BaseException | None = None) -> None:
        self.events: list[Any] = []
        self.answer = answer

    def __call__(self, event: Event) -> dict[str, Any]:
        self.events.append(event)
        if self.answer:
            raise self.answer
        return {"ok": True, "clusters": [{"id": one, "ok": True} for one in event["clusters"]]}


def onboard(
    works: Mapping[str, Scripted], run: Function, slept: list[float] | None = None
) -> dict[str, Outcome]:
    return onboard_all(
        cast(Mapping[str, Onboarding], works),
        run,
        advanced=lambda cluster_id, event: None,
        sleep=(slept if slept is not None else []).append,
    )


def clusters(run: Function) -> list[Sequence[str]]:
    return [event["clusters"] for event in run.events]


def test_what_several_want_at_the_same_time_is_one_run() -> None:
    run = Function()
    works = {"a": Scripted(CHECK, PUSH), "b": Scripted(CHECK, PUSH), "c": Scripted()}
    assert set(onboard(works, run)) == {"a", "b", "c"}
    assert [(one["action"], one["clusters"]) for one in run.events] == [
        ("check", ["a", "b"]),
        ("push", ["a", "b"]),
    ]
    assert [report["clusters"][0]["id"] for report in works["b"].reports] == ["b", "b"]


def test_different_events_are_different_runs() -> None:
    run = Function()
    onboard({"a": Scripted(CHECK), "b": Scripted({**CHECK, "includeDisabled": True})}, run)
    assert clusters(run) == [["a"], ["b"]]


def test_a_run_has_as_many_clusters_as_a_report_shows() -> None:
    run = Function()
    onboard({f"c{number}": Scripted(CHECK) for number in range(CLUSTERS_OF_A_RUN + 1)}, run)
    assert [len(one) for one in clusters(run)] == [CLUSTERS_OF_A_RUN, 1]


def test_all_of_them_wait_at_the_same_time() -> None:
    slept: list[float] = []
    onboard(
        {"a": Scripted(CHECK, CHECK, pause=5), "b": Scripted(CHECK, CHECK, pause=5)},
        Function(),
        slept,
    )
    assert slept == [5]


def test_the_error_of_one_is_its_outcome_and_a_failing_run_everyones() -> None:
    error = CliError("it is broken")
    done = onboard({"a": Scripted(CHECK, failure=error), "b": Scripted(CHECK)}, Function())
    assert (done["a"], isinstance(done["b"], tuple)) == (error, True)
    failing = onboard({"a": Scripted(CHECK), "b": Scripted(CHECK)}, Function(error))
    assert failing == {"a": error, "b": error}


def test_an_interruption_closes_all_of_them() -> None:
    works = {"a": Scripted(CHECK), "b": Scripted(CHECK)}
    with pytest.raises(KeyboardInterrupt):
        onboard(works, Function(KeyboardInterrupt()))
    assert [one.closed for one in works.values()] == [True, True]


def test_the_report_of_one_cluster_is_ok_if_that_cluster_is() -> None:
    entries = [{"id": "a", "ok": True, "counts": {"created": 2}}, {"id": "b", "ok": False}]
    whole = {"action": "push", "ok": False, "totals": {"clusters": 2}, "clusters": entries}
    assert report_of(whole, "a") == {
        "action": "push",
        "ok": True,
        "totals": {"clusters": 1, "clustersFailed": 0, "created": 2},
        "clusters": entries[:1],
    }
    other = report_of(whole, "b")
    assert not isinstance(other, CliError)
    assert (other["ok"], other["totals"]["clustersFailed"]) == (False, 1)


def test_the_error_of_a_run_is_that_of_each_cluster() -> None:
    report = report_of({"ok": False, "error": {"code": "X"}, "clusters": []}, "a")
    assert not isinstance(report, CliError)
    assert (report["ok"], report["error"]) == (False, {"code": "X"})


def test_a_report_without_the_cluster_is_an_error() -> None:
    assert isinstance(report_of({"ok": True, "clusters": []}, "a"), CliError)
