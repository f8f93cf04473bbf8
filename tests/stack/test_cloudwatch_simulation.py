"""The simulated CloudWatch behaves as AWS documents the real one.

The tables and examples of AWS's pages are the expectations here.
"""

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.cloudwatch import (
    DAY,
    HOUR,
    MINUTE,
    Alarm,
    AlarmError,
    ExpressionError,
    Metrics,
    QueryError,
    Readings,
    State,
    Transition,
    every_reading,
    simulate,
)
from tests.support.cloudwatch.expressions import Expression, Scope
from tests.support.cloudwatch.readings import WarmUpAfterUpdate
from tests.support.cloudwatch.series import Points, Window

OK = State.OK
ALARM = State.ALARM
INSUFFICIENT = State.INSUFFICIENT_DATA
RETAIN = None
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
PROMPT = Readings(delay_seconds=0)


def properties(**changed: Any) -> dict[str, Any]:
    """Return the properties of an alarm: sum of Failures over 5 minutes, above 0, 1 out of 1.

    A change to None leaves the property out.
    """
    plain = {
        "Namespace": "app",
        "MetricName": "Failures",
        "Statistic": "Sum",
        "Period": "300",
        "EvaluationPeriods": "1",
        "Threshold": "0",
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return {name: value for name, value in (plain | changed).items() if value is not None}


def on_metrics(*queries: dict[str, Any], **changed: Any) -> Alarm:
    """Return an alarm on a list of Metrics, of which the last returns data."""
    no_single = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    returning = [
        query | {"ReturnData": number == len(queries)}
        for number, query in enumerate(queries, start=1)
    ]
    return Alarm.from_properties(properties(**no_single, Metrics=returning, **changed))


def stat(name: str, metric: str = "Failures", period: int = 300) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": "app", "MetricName": metric},
            "Stat": "Sum",
            "Period": period,
        },
    }


def math_on_failures(expression: str, period: int = 300, **changed: Any) -> Alarm:
    return on_metrics(stat("m1", period=period), {"Id": "e1", "Expression": expression}, **changed)


def query(text: str, period: int = 300, **changed: Any) -> Alarm:
    return on_metrics({"Id": "q1", "Expression": text, "Period": period}, **changed)


def samples(
    *values: tuple[float, float],
    name: str = "Failures",
    into: Metrics | None = None,
    **dimensions: str,
) -> Metrics:
    """Return Metrics with samples of (time, value)."""
    metrics = into or Metrics()
    for time, value in values:
        metrics.put("app", name, dimensions, time, value)
    return metrics


def states(transitions: Iterable[Transition]) -> list[tuple[int, State]]:
    return [(transition.time, transition.state) for transition in transitions]


def state_at(alarm: Alarm, metrics: Metrics, end: float, readings: Readings = PROMPT) -> State:
    """Return the state at the end of a day-long life."""
    transitions = simulate(alarm, metrics, end - DAY, end, readings)
    return transitions[-1].state if transitions else INSUFFICIENT


# The two tables under "How alarm state is evaluated when data is missing", row by row, and what the
# text below them says:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html Two
# rows marked "2018" stood in the first edition of that page and are contradicted by no later one:
# https://github.com/awsdocs/amazon-cloudwatch-user-guide/blob/05fd32f63861ca6646c8aa5c94334fd6e0dfdbf5/doc_source/AlarmThatSendsEmail.md
THREE_OUT_OF_THREE = {
    "0 - X - X": (OK, OK, OK, OK),
    "0 - - - -": (OK, OK, OK, OK),
    "- - - - -": (INSUFFICIENT, RETAIN, ALARM, OK),
    "0 X X - X": (ALARM, ALARM, ALARM, ALARM),
    "- - X - -": (ALARM, RETAIN, ALARM, OK),
    "- - - - X": (
        INSUFFICIENT,
        RETAIN,
        ALARM,
        OK,
    ),  # 2018; since then only "does not go immediately into ALARM"
    "X - - - -": (ALARM, RETAIN, ALARM, OK),  # 2018
}
TWO_OUT_OF_THREE = {
    "0 - X - X": (ALARM, ALARM, ALARM, ALARM),
    "0 0 X 0 X": (ALARM, ALARM, ALARM, ALARM),
    "0 - X - -": (OK, OK, ALARM, OK),
    "- - - - 0": (OK, OK, ALARM, OK),
    "- - - X -": (ALARM, RETAIN, ALARM, OK),
    "- - - - X": (INSUFFICIENT, RETAIN, ALARM, OK),  # 2018
}
ROWS = [
    pytest.param(datapoints, row, treatment, expected, id=f"{datapoints} of 3: {row} {treatment}")
    for datapoints, table in ((3, THREE_OUT_OF_THREE), (2, TWO_OUT_OF_THREE))
    for row, columns in table.items()
    for treatment, expected in zip(TREATMENTS, columns, strict=True)
]


@pytest.mark.parametrize(("datapoints", "row", "treatment", "expected"), ROWS)
@pytest.mark.parametrize("current", list(State))
def test_the_published_tables(
    current: State, datapoints: int, row: str, treatment: str, expected: State | None
) -> None:
    alarm = Alarm.from_properties(
        properties(EvaluationPeriods=3, DatapointsToAlarm=datapoints, TreatMissingData=treatment)
    )
    points: Points = [{"0": 0.0, "X": 1.0, "-": None}[mark] for mark in row.split()]
    assert alarm.rule.state(points, current) == (current if expected is RETAIN else expected)


@pytest.mark.parametrize("row", [row for row in THREE_OUT_OF_THREE if "X" in row])
@pytest.mark.parametrize("alignment", ["sliding", "clock"])
def test_the_table_holds_for_metrics_in_time_too(row: str, alignment: Any) -> None:
    marks = row.split()
    metrics = samples(
        *(
            (DAY + number * 300, float(mark == "X"))
            for number, mark in enumerate(marks)
            if mark != "-"
        )
    )
    alarm = Alarm.from_properties(properties(EvaluationPeriods=3, TreatMissingData="breaching"))
    end = DAY + len(marks) * 300
    assert (
        state_at(alarm, metrics, end, Readings(alignment, delay_seconds=0))
        == THREE_OUT_OF_THREE[row][2]
    )


@pytest.mark.parametrize("row", ["- - - - X", "- - - X -", "- - - X 0", "- - X - 0"])
def test_a_breach_among_gaps_is_no_alarm_yet(row: str) -> None:
    """The same page calls it "avoiding premature transitions to alarm state"."""
    alarm = Alarm.from_properties(properties(EvaluationPeriods=3))
    assert (
        alarm.rule.state([{"0": 0.0, "X": 1.0, "-": None}[mark] for mark in row.split()], OK)
        != ALARM
    )


@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize(
    ("row", "expected"), [("X X X 0 0", OK), ("X X - 0 0", OK), ("- X - X -", ALARM)]
)
def test_points_further_back_count_only_as_far_as_they_are_needed(
    row: str, expected: State, treatment: str
) -> None:
    """The example is 2 out of 3.

    "The extra data points from farther back ... are ignored", and "missing data points only as few
    times as possible".
    """
    alarm = Alarm.from_properties(
        properties(EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData=treatment)
    )
    other = OK if expected == ALARM else ALARM
    assert (
        alarm.rule.state([{"0": 0.0, "X": 1.0, "-": None}[mark] for mark in row.split()], other)
        == expected
    )


def test_missing_is_the_default_treatment() -> None:
    transitions = simulate(Alarm.from_properties(properties()), samples((0, 0)), 0, HOUR, PROMPT)
    assert transitions[-1].state == INSUFFICIENT


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", {6}),
        ("GreaterThanOrEqualToThreshold", {5, 6}),
        ("LessThanThreshold", {4}),
        ("LessThanOrEqualToThreshold", {4, 5}),
    ],
)
def test_comparison_operators(comparison: str, breaching: set[int]) -> None:
    alarm = Alarm.from_properties(properties(ComparisonOperator=comparison, Threshold="5"))
    assert {
        value for value in (4, 5, 6) if alarm.rule.state([float(value)], OK) == ALARM
    } == breaching


# Time. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html


def test_an_alarm_starts_without_data_and_leaves_that_state_first() -> None:
    first = simulate(Alarm.from_properties(properties()), samples((0, 0)), 0, HOUR, PROMPT)[0]
    assert first == Transition(60, INSUFFICIENT, OK)


def test_a_sliding_window_is_evaluated_every_minute() -> None:
    """The page's example: "at the end of minute 5 ... data from minutes 1 to 5.

    Then at the end of minute 6 ... minutes 2 to 6".
    """
    alarm = Alarm.from_properties(properties(TreatMissingData="notBreaching"))
    transitions = simulate(
        alarm, samples((60, 1)), 0, HOUR, Readings(delay_seconds=0, extra_periods=0)
    )
    assert states(transitions) == [(0, OK), (120, ALARM), (420, OK)]


def test_a_wall_clock_window_shows_a_value_when_its_period_has_ended() -> None:
    """The page says: "... reflects a data point only after the period that contains it ends"."""
    alarm = Alarm.from_properties(
        properties(
            TreatMissingData="notBreaching",
            EvaluationWindow={"WallClockWindow": {"Timezone": "UTC"}},
        )
    )
    transitions = simulate(
        alarm, samples((60, 1)), 0, HOUR, Readings(delay_seconds=0, extra_periods=0)
    )
    assert states(transitions) == [(0, OK), (300, ALARM), (600, OK)]


def test_windows_slide_unless_the_alarm_or_the_reading_says_otherwise() -> None:
    """The page on evaluation windows says so.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
    """
    plain = Alarm.from_properties(properties())
    assert (
        plain.alignment
        == Alarm.from_properties(properties(EvaluationWindow={"SlidingWindow": {}})).alignment
        == "sliding"
    )
    assert states(
        simulate(plain, samples((60, 1)), 0, 300, Readings("clock", delay_seconds=0))
    ) == [(300, ALARM)]


def test_an_old_good_value_counts_as_long_as_the_evaluation_range_reaches() -> None:
    alarm = Alarm.from_properties(properties(TreatMissingData="breaching"))
    for extra in (0, 2):
        assert states(
            simulate(
                alarm, samples((0, 0)), 60, HOUR, Readings(delay_seconds=0, extra_periods=extra)
            )
        ) == [
            (60, OK),
            (300 * (1 + extra) + 60, ALARM),
        ]


def test_values_are_seen_only_after_their_delay() -> None:
    alarm = Alarm.from_properties(properties(TreatMissingData="notBreaching"))
    times = {
        delay: simulate(alarm, samples((600, 1)), 0, HOUR, Readings(delay_seconds=delay))[1].time
        for delay in (0, 90, 120, 240)
    }
    assert times == {0: 660, 90: 720, 120: 720, 240: 840}


def test_a_zero_that_fill_puts_in_for_a_late_value_breaches_until_the_value_comes() -> None:
    """The page on metric math warns of it.

    FILL "replaces that missing data point with the requested value".
    """
    alarm = math_on_failures(
        "FILL(m1, 0)", period=60, ComparisonOperator="LessThanThreshold", Threshold=1
    )
    each_minute = samples(*((time, 1) for time in range(0, HOUR, MINUTE)))
    assert state_at(alarm, each_minute, HOUR, Readings(delay_seconds=0)) == OK
    assert state_at(alarm, each_minute, HOUR, Readings(delay_seconds=120)) == ALARM


def test_two_minutes_pass_before_a_value_is_seen_unless_the_reading_says_otherwise() -> None:
    assert states(simulate(Alarm.from_properties(properties()), samples((600, 1)), 0, HOUR))[0] == (
        720,
        ALARM,
    )


@pytest.mark.parametrize("grouped", [False, True])
def test_ignored_gaps_leave_the_state_as_it_was_for_good(grouped: bool) -> None:
    plain = Alarm.from_properties(
        properties(EvaluationPeriods=3, DatapointsToAlarm=1, TreatMissingData="ignore")
    )
    metrics = samples(
        (0, 1), (300, 1), (600, 1), into=samples((0, 1), (300, 1), (600, 1), cluster="a")
    )
    alarm = (
        query(GROUPED, EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="ignore")
        if grouped
        else plain
    )
    lasting = simulate(
        alarm, metrics, 0, 1800 if grouped else DAY, PROMPT
    )  # a contributor exists until its last value leaves the range
    assert [state for _, state in states(lasting)] == [ALARM]


def test_values_from_before_the_creation_count() -> None:
    assert states(
        simulate(Alarm.from_properties(properties()), samples((HOUR - 120, 1)), HOUR, HOUR, PROMPT)
    ) == [(HOUR, ALARM)]


def test_a_multi_day_alarm_is_evaluated_once_an_hour_on_whole_hours() -> None:
    """The page's example, moved: what happens at 10:02 is seen at 11:03."""
    alarm = Alarm.from_properties(
        properties(
            Period=DAY, EvaluationPeriods=2, DatapointsToAlarm=1, TreatMissingData="notBreaching"
        )
    )
    transitions = simulate(alarm, samples((DAY + 10 * HOUR + 120, 1)), DAY, 2 * DAY, PROMPT)
    assert states(transitions) == [(DAY + 180, OK), (DAY + 11 * HOUR + 180, ALARM)]
    by_the_minute = Alarm.from_properties(
        properties(Period=DAY, TreatMissingData="notBreaching")
    )  # "exceeds one day"
    assert (
        simulate(by_the_minute, samples((DAY + 10 * HOUR + 120, 1)), DAY, 2 * DAY, PROMPT)[1].time
        == DAY + 10 * HOUR + 180
    )


KINDS = {
    "single": lambda treatment: Alarm.from_properties(
        properties(
            EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData=treatment, Threshold=2
        )
    ),
    "filled": lambda treatment: math_on_failures(
        "FILL(m1, 0)", EvaluationPeriods=2, TreatMissingData=treatment, Threshold=2
    ),
    "hourly": lambda treatment: Alarm.from_properties(
        properties(Period=3600, EvaluationPeriods=2, TreatMissingData=treatment, Threshold=8)
    ),
    "grouped": lambda treatment: query(
        'SELECT SUM(Failures) FROM "app" GROUP BY cluster ORDER BY SUM() DESC',
        period=3600,
        EvaluationPeriods=2,
        DatapointsToAlarm=1,
        TreatMissingData=treatment,
        Threshold=4,
    ),
    "warming up": lambda treatment: Alarm.from_properties(
        properties(
            EvaluationPeriods=2,
            TreatMissingData=treatment,
            WarmUpConfiguration={"WarmUpPeriodDurationInMinutes": 300},
        )
    ),
}


@pytest.mark.parametrize(
    "readings",
    [*every_reading(), Readings(delay_seconds=95), Readings(empty_query="treat_missing")],
)
@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_minutes_passed_over_would_have_changed_nothing(
    kind: str, treatment: str, readings: Readings
) -> None:
    chance = random.Random(f"{kind} {treatment}")
    metrics = Metrics()
    for _ in range(60):
        dimensions = {"cluster": chance.choice("ab")} if kind == "grouped" else {}
        time = chance.choice(
            [
                chance.randrange(DAY),
                chance.randrange(0, DAY, MINUTE),
                5 * HOUR + chance.randrange(HOUR),
            ]
        )
        metrics.put("app", "Failures", dimensions, time, chance.randrange(6))
    alarm = KINDS[kind](treatment)
    passing = simulate(alarm, metrics, 90, 1.5 * DAY, readings)
    assert passing == simulate(alarm, metrics, 90, 1.5 * DAY, readings, every_minute=True)
    assert len(passing) > 2 or treatment == "ignore" or kind == "hourly"


# Warm-up. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html


def warming_up(minutes: int, full: object = None, **changed: Any) -> dict[str, Any]:
    given = {"WarmUpPeriodDurationInMinutes": str(minutes)} | (
        {} if full is None else {"OnlyStartEvaluatingAfterWarmUpPeriodEnds": full}
    )
    return properties(TreatMissingData="breaching", WarmUpConfiguration=given, **changed)


def test_without_warm_up_missing_data_alarm_at_once_and_with_it_when_it_ends() -> None:
    assert states(
        simulate(Alarm.from_properties(properties(TreatMissingData="breaching")), Metrics(), 0, DAY)
    ) == [(0, ALARM)]
    assert states(simulate(Alarm.from_properties(warming_up(60)), Metrics(), 0, DAY)) == [
        (HOUR, ALARM)
    ]


def test_warm_up_ends_early_when_a_whole_window_has_passed_since_the_first_value() -> None:
    """The example is the page's.

    Created at 10:00, 3 periods of 5 minutes, published from 10:04, evaluated from "about 10:19".
    """
    values = samples(*((time, 0) for time in range(4 * MINUTE, HOUR, MINUTE)))
    assert states(
        simulate(Alarm.from_properties(warming_up(30, EvaluationPeriods=3)), values, 0, HOUR)
    ) == [(19 * MINUTE, OK)]


def test_warm_up_does_not_end_early_when_the_newest_period_is_empty() -> None:
    assert states(
        simulate(
            Alarm.from_properties(warming_up(60, EvaluationPeriods=3)),
            samples((0, 0)),
            0,
            HOUR,
            PROMPT,
        )
    ) == [(HOUR, ALARM)]


def test_a_warm_up_that_ended_early_does_not_start_again() -> None:
    values = samples(*((time, 0) for time in range(0, HOUR, MINUTE)))
    assert [
        state
        for _, state in states(
            simulate(Alarm.from_properties(warming_up(300)), values, 0, 2 * HOUR)
        )
    ] == [OK, ALARM]


@pytest.mark.parametrize("full", [True, "true"])
def test_warm_up_takes_its_whole_time_where_it_is_asked_to(full: object) -> None:
    values = samples(*((time, 0) for time in range(4 * MINUTE, HOUR, MINUTE)))
    assert states(
        simulate(Alarm.from_properties(warming_up(30, full, EvaluationPeriods=3)), values, 0, HOUR)
    ) == [(30 * MINUTE, OK)]


@pytest.mark.parametrize(
    ("restart", "full", "alarmed"),
    [
        ("never", False, 8 * HOUR),
        ("never", True, 8 * HOUR),
        ("again", True, 13 * HOUR),
        # Values from before the update fill the window; those after it never do.
        ("again", False, 8 * HOUR),
        ("anew", False, 13 * HOUR),
    ],
)
def test_an_update_may_begin_the_warm_up_again(
    restart: WarmUpAfterUpdate,
    full: bool,
    alarmed: int,
) -> None:
    """Created at 0, good until 6:55, updated at 7:00, with a window of an hour."""
    metrics = samples(*((time, 1) for time in range(0, 7 * HOUR, 300)))
    alarm = math_on_failures(
        "FILL(m1, 0)",
        ComparisonOperator="LessThanThreshold",
        Threshold=1,
        EvaluationPeriods=12,
        WarmUpConfiguration=warming_up(360, full)["WarmUpConfiguration"],
    )
    readings = replace(PROMPT, warm_up_after_update=restart)
    found = simulate(alarm, metrics, 0, 14 * HOUR, readings, updated=7 * HOUR)
    (call,) = (one.time for one in found if one.state is ALARM)
    assert alarmed - 5 * MINUTE <= call <= alarmed + 5 * MINUTE


def test_what_fill_makes_up_does_not_end_the_warm_up() -> None:
    given = {"WarmUpPeriodDurationInMinutes": 60}
    alarm = math_on_failures(
        "FILL(m1, 0)",
        ComparisonOperator="LessThanThreshold",
        Threshold=1,
        WarmUpConfiguration=given,
    )
    assert states(simulate(alarm, Metrics(), 0, DAY)) == [(HOUR, ALARM)]


# Metric math. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html


def evaluated(
    expression: str, fill_of_nothing: bool = True, **series: list[float | None]
) -> Points:
    return Expression(expression).evaluate(
        Scope(series.__getitem__, len(next(iter(series.values()))), fill_of_nothing)
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("FILL(a, 7)", [7, 1, 7, 7, 4, 7]),
        ("FILL(a, REPEAT)", [None, 1, 1, 1, 4, 4]),
        ("DIFF(a)", [None] * 6),
        ("DIFF(FILL(a, REPEAT))", [None, None, 0, 0, 3, 0]),
        ("IF(FILL(a, 0) > 1, 5, 2)", [2, 2, 2, 2, 5, 2]),
        ("IF(a > 0, 1, 0)", [None, 1, None, None, 1, None]),
    ],
)
def test_fill(expression: str, expected: Points) -> None:
    assert evaluated(expression, a=[None, 1, None, None, 4, None]) == expected


@pytest.mark.parametrize(
    ("expression", "filled", "expected"),
    [
        ("FILL(a, 7)", True, [7, 7]),
        ("FILL(a, 7)", False, [None] * 2),
        ("FILL(a, REPEAT)", True, [None] * 2),
    ],
)
def test_fill_of_nothing_is_read_either_way_for_a_number_only(
    expression: str, filled: bool, expected: Points
) -> None:
    assert evaluated(expression, filled, a=[None, None]) == expected


def test_in_a_sum_one_gap_counts_as_nothing_and_two_are_a_gap() -> None:
    assert evaluated("a + b + FILL(b, 0)", a=[1, 1, None, None], b=[2, None, 2, None]) == [
        5,
        1,
        4,
        0,
    ]
    assert evaluated("a + b", a=[1, 1, None, None], b=[2, None, 2, None]) == [3, 1, 2, None]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "m1 +",
        "m1 m1",
        "FILL(m1)",
        "FILL(m1, m1)",
        "m1 - m2",
        "m1 + 1",
        "IF(m1, m1)",
        "MAX([m1])",
        "m1 ? 2",
        "m2",
    ],
)
def test_what_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        simulate(math_on_failures(expression), Metrics(), 0, 0)


def test_an_alarm_watches_math_over_math() -> None:
    total = on_metrics(
        stat("failed"),
        stat("done", "Done"),
        {"Id": "all", "Expression": "failed + done"},
        {"Id": "twice", "Expression": "all + all", "Label": "twice"},
        Threshold="7",
    )
    metrics = samples((0, 1), (600, 1), into=samples((0, 2), (600, 3), name="Done"))
    assert states(simulate(total, metrics, 60, 960, PROMPT)) == [(60, OK), (660, ALARM)]


@pytest.mark.parametrize("readings", every_reading())
def test_a_dead_man_s_switch_fires_whichever_way_the_page_is_read(readings: Readings) -> None:
    """Both readings of FILL over nothing agree when missing data are treated as the filler."""
    alarm = math_on_failures(
        "FILL(m1, 0)",
        3600,
        ComparisonOperator="LessThanThreshold",
        Threshold=1,
        TreatMissingData="breaching",
    )
    hourly = samples(*((time, 1) for time in range(0, DAY, HOUR)))
    fired = [
        transition.time
        for transition in simulate(alarm, hourly, HOUR, 2 * DAY, readings)
        if transition.state == ALARM
    ]
    assert DAY <= fired[-1] <= DAY + HOUR + 5 * MINUTE


# Metrics Insights.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Metrics_Insights_Alarm.html


def found(text: str, metrics: Metrics, at: float = HOUR) -> dict[str, float]:
    """Return the newest value of each series, by its label."""
    alarm = query(text)
    window = window_of(alarm, at)
    return {
        label: series[-1] or 0
        for label, series in alarm.source.series(metrics, window, PROMPT).items()
    }


def window_of(alarm: Alarm, at: float) -> Window:
    return Window(at, alarm.period, 3, at)


def clusters() -> Metrics:
    metrics = Metrics()
    for dimensions, value in (
        ({"service": "s", "cluster": "a"}, 1),
        ({"service": "s", "cluster": "b"}, 3),
        ({"service": "t", "cluster": "b"}, 5),
        ({"service": "s"}, 100),
        ({"service": "s", "cluster": "a", "namespace": "n"}, 1000),
    ):
        metrics.put("app", "Failures", dimensions, HOUR - 1, value)
    metrics.put("app", "Done", {"service": "s", "cluster": "a"}, HOUR - 1, 7)
    metrics.put("other", "Failures", {"service": "s", "cluster": "a"}, HOUR - 1, 7)
    return metrics


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('SELECT SUM(Failures) FROM SCHEMA("app", service, cluster)', {"": 9}),
        (
            (
                'SELECT SUM(Failures) FROM SCHEMA("app", "cluster", service) GROUP BY cluster ORDER'
                " BY SUM() DESC"
            ),
            {"b": 8, "a": 1},
        ),
        (
            (
                "SELECT SUM(Failures) FROM SCHEMA(app, service, cluster) WHERE service = 's' GROUP"
                " BY cluster ORDER BY MAX() ASC"
            ),
            {"a": 1, "b": 3},
        ),
        ("SELECT SUM(Failures) FROM app WHERE service = 's' AND cluster != 'a'", {"": 3}),
        ('SELECT SUM("Failures") FROM "app"', {"": 1109}),
        (
            'SELECT SUM(Failures) FROM "app" GROUP BY service, cluster ORDER BY SUM() DESC',
            {"s a": 1001, "s Other": 100, "t b": 5, "s b": 3},
        ),
        (
            'SELECT SUM(Failures) FROM "app" GROUP BY service, cluster ORDER BY SUM() ASC LIMIT 2',
            {"s b": 3, "t b": 5},
        ),
        ('SELECT MAX(Failures) FROM SCHEMA("app", service, cluster)', {"": 5}),
        ('SELECT MIN(Failures) FROM SCHEMA("app", service, cluster)', {"": 1}),
        ('SELECT AVG(Failures) FROM SCHEMA("app", service, cluster)', {"": 3}),
        ('SELECT COUNT(Failures) FROM SCHEMA("app", service, cluster)', {"": 3}),
    ],
)
def test_queries(text: str, expected: dict[str, float]) -> None:
    assert list(found(text, clusters()).items()) == list(expected.items())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("SELECT Failures FROM app", QueryError),
        ("SELECT SUM(Failures) FROM AWS/Lambda", QueryError),
        ("SELECT SUM(Failures) FROM app WHERE cluster = a", QueryError),
        ("SELECT SUM(Failures) FROM app GROUP BY cluster", AlarmError),
    ],
)
def test_queries_that_are_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        query(text)


GROUPED = 'SELECT SUM(Failures) FROM SCHEMA("app", cluster) GROUP BY cluster ORDER BY SUM() DESC'


def test_a_grouped_alarm_is_in_alarm_while_any_contributor_is() -> None:
    metrics = samples(
        (0, 1), (1200, 0), into=samples((600, 1), (1200, 0), cluster="b"), cluster="a"
    )
    transitions = simulate(
        query(GROUPED), metrics, 0, 1500, Readings(delay_seconds=0, extra_periods=0)
    )
    assert [(t.time, t.state, set(t.contributors)) for t in transitions] == [
        (60, ALARM, {"a"}),
        (360, INSUFFICIENT, set()),
        (660, ALARM, {"b"}),
        (960, INSUFFICIENT, set()),
        (1260, OK, set()),
    ]
    both = simulate(
        query(GROUPED),
        samples((0, 1), into=samples((120, 1), cluster="b"), cluster="a"),
        0,
        500,
        Readings(delay_seconds=0, extra_periods=0),
    )
    assert [(t.time, t.previous, t.state, set(t.contributors)) for t in both][1:] == [
        (180, ALARM, ALARM, {"a", "b"}),
        (360, ALARM, ALARM, {"b"}),
        (480, ALARM, INSUFFICIENT, set()),
    ]


@pytest.mark.parametrize(
    ("reading", "expected"), [("insufficient", INSUFFICIENT), ("treat_missing", ALARM)]
)
def test_a_grouped_query_without_any_series(reading: Any, expected: State) -> None:
    """The page says so under "Missing Data in ... Metrics Insights alarms".

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert (
        state_at(
            query(GROUPED, TreatMissingData="breaching"),
            Metrics(),
            DAY,
            Readings(empty_query=reading),
        )
        == expected
    )


def test_a_contributor_that_is_gone_is_not_breaching_however_missing_data_are_treated() -> None:
    metrics = samples(
        (0, 1), into=samples(*((time, 0) for time in range(0, HOUR, 300)), cluster="b"), cluster="a"
    )
    transitions = simulate(query(GROUPED, TreatMissingData="breaching"), metrics, 0, HOUR, PROMPT)
    assert states(transitions) == [(60, ALARM), (960, OK)]


def test_a_query_without_groups_is_one_series_with_the_usual_treatment_of_gaps() -> None:
    alarm = query('SELECT SUM(Failures) FROM SCHEMA("app", cluster)', TreatMissingData="breaching")
    assert state_at(alarm, Metrics(), DAY) == ALARM


def test_a_query_forgets_after_three_hours() -> None:
    alarm = query(
        'SELECT SUM(Failures) FROM SCHEMA("app", cluster)',
        period=3600,
        EvaluationPeriods=3,
        DatapointsToAlarm=1,
    )
    transitions = simulate(alarm, samples((0, 1), cluster="a"), 0, DAY, PROMPT)
    assert states(transitions) == [(60, ALARM), (3 * HOUR + 60, INSUFFICIENT)]
    a_metric = Alarm.from_properties(
        properties(Period=3600, EvaluationPeriods=3, DatapointsToAlarm=1)
    )
    assert states(simulate(a_metric, samples((0, 1)), 0, DAY, PROMPT))[-1] == (
        5 * HOUR + 60,
        INSUFFICIENT,
    )


def filled_query(period: int, **changed: Any) -> Alarm:
    counted = {
        "Id": "q1",
        "Expression": 'SELECT SUM(Failures) FROM SCHEMA("app", cluster)',
        "Period": period,
    }
    return on_metrics(counted, {"Id": "e1", "Expression": "FILL(q1, 0)"}, **changed)


def test_math_over_a_query_forgets_as_the_query_does() -> None:
    alarm = filled_query(3600, EvaluationPeriods=3, DatapointsToAlarm=1)
    assert states(simulate(alarm, samples((0, 1), cluster="a"), 0, DAY, PROMPT))[1:] == [
        (60, ALARM),
        (3 * HOUR + 60, OK),
    ]


def test_math_over_groups_is_refused() -> None:
    with pytest.raises(ExpressionError):
        on_metrics(
            {"Id": "q1", "Expression": GROUPED, "Period": 300},
            {"Id": "e1", "Expression": "FILL(q1, 0)"},
        )


# Samples put in, and statistics taken out


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("Sum", 6), ("Minimum", 1), ("Maximum", 3), ("Average", 2), ("SampleCount", 3)],
)
def test_statistics(statistic: str, expected: int) -> None:
    values = samples(
        (10, 3), (0, 1), (299, 2), (300, 100)
    )  # in any order; the boundary belongs to the next period
    for threshold, state in ((expected, OK), (expected - 0.5, ALARM)):
        alarm = Alarm.from_properties(properties(Statistic=statistic, Threshold=threshold))
        assert state_at(alarm, values, 300) == state


def test_a_metric_is_its_exact_dimensions_and_where_asked_its_unit() -> None:
    metrics = samples((0, 1), cluster="a")
    metrics.put("app", "Failures", {}, 0, 2, "Count")
    metrics.put("app", "Failures", {}, 0, 4, "Seconds")
    variants: dict[str, dict[str, Any]] = {
        "plain": {},
        "count": {"Unit": "Count"},
        "of a": {"Dimensions": [{"Name": "cluster", "Value": "a"}]},
    }
    counted = {}
    for name, changed in variants.items():
        alarm = Alarm.from_properties(properties(**changed))
        counted[name] = alarm.source.series(metrics, window_of(alarm, 300), PROMPT)[""][-1]
    assert counted == {"plain": 6, "count": 2, "of a": 1}
    listed = stat("m1")
    listed["MetricStat"]["Unit"] = "Seconds"
    alarm = on_metrics(listed)
    assert alarm.source.series(metrics, window_of(alarm, 300), PROMPT)[""][-1] == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"ExtendedStatistic": "p99"},
        {"Statistic": "p99"},
        {"ThresholdMetricId": "ad1"},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"EvaluationPeriods": 2, "DatapointsToAlarm": 3},
        {"Period": 10},
        {"Period": 300, "EvaluationPeriods": 289},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"Metrics": [stat("m1")]},
        {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 2881}},
        {
            "WarmUpConfiguration": {
                "WarmUpPeriodDurationInMinutes": 60,
                "OnlyStartEvaluatingAfterWarmUpPeriodEnds": "yes",
            }
        },
        {"EvaluationWindow": {"WallClockWindow": {"Timezone": "Europe/Berlin"}}},
        {"EvaluationWindow": {"WallClockWindow": {}}, "Period": 600},
        {"TreatMissingData": "sometimes"},
    ],
    ids=str,
)
def test_properties_that_cloudwatch_or_the_simulation_does_not_take(
    changed: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Alarm.from_properties(properties(**changed))


@pytest.mark.parametrize(
    "changed",
    [{"Period": 300, "EvaluationPeriods": 288}, {"Period": 3600, "EvaluationPeriods": 168}],
    ids=str,
)
def test_the_longest_windows_are_taken(changed: dict[str, Any]) -> None:
    assert Alarm.from_properties(properties(**changed)).evaluated_seconds in (DAY, 7 * DAY)


def test_several_metrics_have_one_period_one_result_and_no_circle() -> None:
    for queries in (
        [stat("m1"), stat("m2", period=600), {"Id": "e1", "Expression": "m1 + m2"}],
        [{"Id": "e1", "Expression": "e2 + m1"}, stat("m1"), {"Id": "e2", "Expression": "e1 + m1"}],
    ):
        with pytest.raises(AlarmError):
            on_metrics(*queries)
    with pytest.raises(AlarmError, match="returns data"):
        Alarm.from_properties(
            properties(
                Namespace=None,
                MetricName=None,
                Statistic=None,
                Period=None,
                Metrics=[stat("m1"), {"Id": "e", "Expression": "m1"}],
            )
        )


def test_a_metrics_insights_alarm_spans_at_most_three_hours_less_a_period_by_the_wall_clock() -> (
    None
):
    """The page says so under "Supported periods".

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
    """
    clock: dict[str, Any] = {"EvaluationWindow": {"WallClockWindow": {}}}
    query(GROUPED, 3600, EvaluationPeriods=3)
    query(GROUPED, 3600, EvaluationPeriods=2, **clock)
    with pytest.raises(AlarmError):
        filled_query(3600, EvaluationPeriods=4)
    with pytest.raises(AlarmError):
        query(GROUPED, 3600, EvaluationPeriods=4)
    with pytest.raises(AlarmError):
        query(GROUPED, 3600, EvaluationPeriods=3, **clock)


def test_a_month_of_minutes_is_replayed_in_seconds() -> None:
    """The test counts evaluations instead of seconds: what is not evaluated takes no time.

    A value is looked at when it is seen, as it moves through 7 periods, and as it leaves.
    """
    counted = 0

    class Counting(Metrics):
        def exactly(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal counted
            counted += 1
            return super().exactly(*args, **kwargs)

    metrics = Counting()
    for time in range(0, 31 * DAY, 8 * HOUR):
        metrics.put("app", "Failures", {}, time, 1)
    simulate(math_on_failures("FILL(m1, 0)", 3600, EvaluationPeriods=5), metrics, 0, 31 * DAY)
    assert 93 * 8 < counted <= 93 * 9 + 10
