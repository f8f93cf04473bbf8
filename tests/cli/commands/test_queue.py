"""The command `queue`: messages that are shown stay; only requested ones are moved or deleted."""

import json
import time

import boto3
import pytest

from tests.support.operator import Operator


@pytest.fixture
def dead(operator: Operator) -> Operator:
    """Put twelve dead letters, more than one batch."""
    for number in range(12):
        operator.stack.dead_letters.put({"action": "push", "clusters": [f"c{number}"]})
    return operator


def test_empty_queues_are_fine(operator: Operator) -> None:
    result = operator.run("queue", "list")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()][1:] == [
        ["retry", "0", "0", "0", "-"],
        ["dead-letters", "0", "0", "0", "-"],
    ]


def test_every_dead_letter_is_shown_and_stays_visible(dead: Operator) -> None:
    for _ in range(2):
        result = dead.run("queue", "list")
        assert result.exit_code == 1
        assert sum('{"action": "push"' in line for line in result.stdout.splitlines()) == 12


def test_json_has_bodies_and_times(dead: Operator) -> None:
    (first, *_) = dead.json("queue", "list")["deadLetters"]["messages"]
    assert first["body"] == {"action": "push", "clusters": ["c0"]}
    assert first["sentAt"].endswith("+00:00")


def test_a_body_that_is_no_json_is_shown_as_it_is(operator: Operator) -> None:
    operator.stack.dead_letters.put("not json")
    assert "not json" in operator.run("queue", "list").stdout


@pytest.mark.parametrize("depth", [400, 5_000, 100_000])
@pytest.mark.parametrize("form", ["table", "json", "yaml"])
def test_a_body_too_deep_is_shown_as_it_is(operator: Operator, depth: int, form: str) -> None:
    operator.stack.dead_letters.put("[" * depth + "]" * depth)
    result = operator.run("-o", form, "queue", "list")  # raises for an error of ours
    assert result.exit_code == 1
    assert "[" * 40 in result.stdout


def test_what_a_terminal_would_obey_is_not_printed(operator: Operator) -> None:
    operator.stack.dead_letters.put("\x1b]0;title\x07 \x1b[2J \x9b2J text")
    output = operator.run("queue", "list").stdout
    assert "text" in output
    assert not {"\x1b", "\x07", "\x9b"} & set(output)


def test_the_retry_queue_is_never_received_from(operator: Operator) -> None:
    operator.world.queue.put({"action": "push", "clusters": ["prod"]})
    assert operator.json("queue", "list")["retry"]["delayed"] == 1
    assert operator.world.aws.called("sqs", "ReceiveMessage") == []


def test_the_age_of_the_oldest_is_cloudwatchs(operator: Operator) -> None:
    operator.world.queue.put({"action": "push"})
    name = "ApproximateAgeOfOldestMessage"
    age = 3720.0
    metric = {
        "MetricName": name,
        "Dimensions": [{"Name": "QueueName", "Value": "retries"}],
        "Value": age,
        "Timestamp": time.time() - 90,
    }
    boto3.client("cloudwatch", region_name="us-east-1").put_metric_data(
        Namespace="AWS/SQS", MetricData=[metric]
    )
    assert "1h02m" in operator.run("queue", "list").stdout


def test_redrive_moves_dead_letters_to_the_retry_queue(dead: Operator) -> None:
    assert dead.json("queue", "redrive") == {"moved": 12, "status": "COMPLETED"}
    assert (
        len(dead.world.queue.waiting),
        dead.json("queue", "list")["deadLetters"]["waiting"],
    ) == (12, 0)


def test_redrive_of_nothing_asks_for_nothing(operator: Operator) -> None:
    assert operator.json("queue", "redrive") == {"moved": 0, "status": "EMPTY"}
    assert operator.world.aws.called("sqs", "StartMessageMoveTask") == []


def test_purge_without_a_terminal_is_refused(dead: Operator) -> None:
    assert dead.run("queue", "purge", "dead-letters").exit_code == 2
    assert dead.world.aws.called("sqs", "PurgeQueue") == []


def test_purge_deletes_the_queue_that_is_named_and_no_other(dead: Operator) -> None:
    dead.world.queue.put({"action": "push"})
    assert json.loads(dead.run("queue", "purge", "dead-letters", "--yes", "-o", "json").stdout) == {
        "queue": "dead-letters",
        "deleted": 12,
    }
    assert (len(dead.stack.dead_letters.waiting), len(dead.world.queue.waiting)) == (0, 1)


def test_shared_options_may_stand_between_group_and_command(operator: Operator) -> None:
    assert operator.run("queue", "--stack", operator.stack.name, "list").exit_code == 0
    assert operator.run("queue", "--stack", "nowhere", "list").exit_code == 2
