"""infra/examples/operator-policy.json, held to the calls that the commands make."""

import json
from pathlib import Path

import pytest

from tests.support.operator import Operator

POLICY = json.loads(
    (Path(__file__).parents[2] / "infra" / "examples" / "operator-policy.json").read_text()
)
# Calls whose permission has another name (Service Authorization Reference).
PERMISSIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
# What the service itself does on the caller's behalf: for StartMessageMoveTask (SQS developer
# guide, "dead-letter queue redrive permissions").
BY_SQS = {"sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"}


def allowed() -> set[str]:
    actions = [statement["Action"] for statement in POLICY["Statement"]]
    return {action for some in actions for action in (some if isinstance(some, list) else [some])}


@pytest.fixture
def asked(operator: Operator) -> set[str]:
    """Return the permissions that all calls of the commands need."""
    for number in range(2):
        operator.stack.dead_letters.put({"action": "push", "number": number})
    commands = (
        "push",
        "status",
        "logs",
        "queue list",
        "queue redrive",
        "queue purge retry --yes",
        "queue purge dead-letters --yes",
    )
    for command in commands:
        assert operator.run(*command.split()).exit_code in (0, 1), command
    calls = [call for call in operator.world.aws.calls if " cli" in call.user_agent]
    return {
        PERMISSIONS.get(
            name
            := f"{'cloudwatch' if call.service == 'monitoring' else call.service}:{call.action}",
            name,
        )
        for call in calls
    }


def test_every_call_is_allowed_and_nothing_else(asked: set[str]) -> None:
    assert asked | BY_SQS == allowed()
