"""Reports of random runs: JSON within AWS's limits, with every failed cluster in them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ecr_public_pusher.errors import ApiError, EksError, PusherError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.reporting.metrics import metrics
from ecr_public_pusher.reporting.report import report, summary
from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.results import Check, ClusterResult, Finding, NamespaceOutcome, Outcome
from tests.support.estates import NOW, examples

# A record of an asynchronous destination, and a line of the log (256 KB).
MOST_BYTES = 256 * 1000
# Long, and three times as long in JSON.
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(("x" * 900, "\u00fc" * 900, "\U0001f600" * 500, "\ud800", "\n\0")),
)


def errors() -> st.SearchStrategy[PusherError]:
    return st.builds(
        lambda kind, message, remedy: kind(message, remedy=remedy),
        st.sampled_from((ApiError, EksError)),
        TEXTS,
        TEXTS,
    )


OUTCOMES = st.builds(
    NamespaceOutcome,
    st.from_regex(r"[a-z]{1,63}", fullmatch=True),
    st.sampled_from(Outcome),
    TEXTS,
    TEXTS,
    st.lists(TEXTS, max_size=2).map(tuple),
)
RESULTS = st.builds(
    ClusterResult,
    st.from_regex(r"[a-z]{1,80}", fullmatch=True),
    # Few are drawn, and many reported: a whole cluster's namespaces often fail alike.
    st.builds(
        lambda some, times: tuple(some) * times,
        st.lists(OUTCOMES, max_size=3),
        st.sampled_from((1, 1, 40)),
    ),
    st.one_of(st.none(), errors()),
    st.one_of(st.none(), st.just("disabled")),
    findings=st.lists(
        st.builds(Finding, st.sampled_from(Check), st.booleans(), TEXTS, TEXTS), max_size=2
    ).map(tuple),
    empty_globs=st.lists(TEXTS, max_size=2).map(tuple),
    seconds_left=st.one_of(st.none(), st.floats(0, 1e6)),
)
RUNS = st.builds(
    RunResult,
    st.sampled_from((Request(), Request("plan"), Request("sweep"), Request("check"))),
    st.just("request"),
    st.floats(0, 900),
    st.lists(RESULTS, max_size=4, unique_by=lambda one: one.id),
    error=st.one_of(st.none(), errors()),
    queue_error=st.one_of(st.none(), errors()),
    unknown=st.lists(TEXTS, max_size=2).map(tuple),
)


@given(RUNS)
@examples(25)
def test_a_report_is_json_within_the_limits_with_every_failed_cluster(run: RunResult) -> None:
    text = json.dumps(report(run))
    assert len(text) < MOST_BYTES
    reported = json.loads(text)
    shown = {one["id"]: one for one in reported["clusters"]}
    for failed in run.failed:
        assert not shown[failed.id]["ok"]
    assert reported["totals"]["clusters"] == len(run.results)
    assert reported["totals"]["clustersFailed"] == len(run.failed)
    assert len(shown) + reported.get("clustersLeft", 0) == len(run.results)


@given(RUNS)
@examples(25)
def test_every_problem_is_shown_or_counted(run: RunResult) -> None:
    for result, shown in zip(run.results, report(run)["clusters"], strict=True):
        bad = sum(one.outcome.bad for one in result.outcomes)
        assert len(shown["problems"]) + shown.get("problemsLeft", 0) == bad
        assert sum(shown["counts"].values()) == (1 if result.skipped else len(result.outcomes))


@given(RUNS)
@examples(20)
def test_metrics_and_a_summary_of_one_line_are_made_of_any_run(run: RunResult) -> None:
    list(metrics(run, now=NOW))
    said = summary(run)
    assert said.isprintable()
    assert len(said) <= 4000
