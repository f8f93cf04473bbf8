"""Time spans: one form to give and to read."""

from datetime import timedelta
from typing import Any

import pytest

from infra.cli.times import Duration
from infra.local.aws import FunctionAnswer
from tests.support.operator import Operator


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("45s", 45, "45s"),
        ("90m", 5400, "90m"),
        ("1h30m", 5400, "90m"),
        ("36h", 129600, "36h"),
        ("1d", 86400, "24h"),
        ("7d", 604800, "7d"),
        ("1w", 604800, "7d"),
        ("1h1s", 3601, "3601s"),
    ],
)
def test_a_span_is_shown_in_a_form_that_can_be_given(text: str, seconds: int, shown: str) -> None:
    span = Duration.parse(text)
    assert (span, str(span)) == (timedelta(seconds=seconds), shown)
    assert Duration.parse(shown) == span


@pytest.mark.parametrize("text", ["", "6", "h", "0s", "-1h", "1.5h", "1 h", "3661d", "1y"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"between 1s and 3660d|give a number and s, m, h, d or w"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("command", "default"), [("status", "24h"), ("logs", "3h"), ("sweep", "20m")]
)
def test_defaults_are_shown_as_they_can_be_given(
    operator: Operator, command: str, default: str
) -> None:
    assert f"[default: {default}]" in operator.run(command, "--help").stdout


@pytest.mark.parametrize(
    ("given", "minutes"), [("60", 60), ("1h", 60), ("90s", 2), ("20m", 20), (None, 20)]
)
def test_a_window_is_given_in_any_unit_and_sent_in_minutes(
    operator: Operator, given: str | None, minutes: int
) -> None:
    events = list[Any]()
    answer = operator.stack.function

    def noted(event: Any) -> FunctionAnswer:
        events.append(event)
        return answer(event)

    operator.stack.function = noted
    assert operator.run("sweep", *(("--window", given) if given else ())).exit_code == 0
    assert [event["windowMinutes"] for event in events] == [minutes]


@pytest.mark.parametrize("option", [("status", "--every"), ("sweep", "--window")])
def test_no_time_at_all_is_refused(operator: Operator, option: tuple[str, str]) -> None:
    assert operator.run(*option, "0").exit_code == 2
