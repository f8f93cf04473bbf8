"""The function's settings in template.yaml, as the local stack reads them."""

from pathlib import Path
from typing import Any

import pytest

from infra.local.aws.template import FunctionSpec, read_function

ROOT = Path(__file__).resolve().parents[2]
QUEUE = "http://127.0.0.1:9/111122223333/retry"


def spec(**more: Any) -> FunctionSpec:
    return read_function(
        ROOT / "template.yaml",
        stack_name="mine",
        region="us-east-1",
        account_id="111122223333",
        **more,
    )


def test_a_reference_to_a_resource_gives_the_callers_value() -> None:
    assert spec(resources={"RetryQueue": QUEUE}).environment["RETRY_QUEUE_URL"] == QUEUE


def test_a_variable_of_an_unknown_resource_is_left_out() -> None:
    assert spec(resources={"RetryQueue": QUEUE}).environment.keys() - spec().environment.keys() == {
        "RETRY_QUEUE_URL"
    }


@pytest.mark.parametrize("fan_out", ["false", "true"])
def test_parameters_replace_defaults(fan_out: str) -> None:
    assert spec(parameters={"FanOut": fan_out}).environment["FAN_OUT"] == fan_out


def test_the_scheduled_event_is_the_pushs_in_any_order_of_the_schedules(tmp_path: Path) -> None:
    text = (ROOT / "template.yaml").read_text()
    head, push, rest = text.partition("  PushSchedule:\n")
    push_schedule, sweep, tail = rest.partition("  NamespaceSweepSchedule:\n")
    sweep_schedule, role, end = tail.partition("  SchedulerRole:\n")
    turned = tmp_path / "template.yaml"
    turned.write_text(head + sweep + sweep_schedule + push + push_schedule + role + end)
    found = read_function(turned, stack_name="mine", region="us-east-1", account_id="111122223333")
    assert found.scheduled_event == spec().scheduled_event == {"action": "push"}


def test_the_functions_settings_come_from_the_template() -> None:
    found = read_function(
        ROOT / "template.yaml",
        stack_name="mine",
        region="us-east-1",
        account_id="111122223333",
        parameters={"Timeout": "60"},
    )
    assert found.handler == "ecr_public_pusher.handler.handler"
    assert found.folder == ROOT / "lambda_src"
    assert found.environment["STACK_NAME"] == "mine"
    assert found.environment["CONFIG_PATH"] == "/ecr-public-pusher"
    assert found.timeout == 60
    assert found.scheduled_event in ({}, {"action": "push"})
