"""The retry queue and the dead-letter queue.

How long each holds messages, who sends, and that all of them are encrypted.
"""

from typing import Any

import pytest

from tests.stack.template import (
    ACCOUNT,
    REGION,
    STACK,
    allow,
    deployed,
    properties,
    source,
    statements,
)

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
QUEUES = ["RetryQueue", "DeadLetterQueue"]
TIMEOUTS = source()["Parameters"]["Timeout"]["AllowedValues"]
HOUR = 3600
DAY = 86400


# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: at least six times the
# function's timeout.
@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_message_being_tried_is_hidden_for_six_times_the_time_out(timeout: int) -> None:
    assert properties("RetryQueue", Timeout=timeout)["VisibilityTimeout"] >= max(6 * timeout, 900)


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_message_is_tried_for_about_eight_hours(timeout: int) -> None:
    queue = properties("RetryQueue", Timeout=timeout)
    assert (
        7.5 * HOUR
        <= queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]
        <= 8.5 * HOUR
    )


def test_a_message_is_kept_longer_than_it_is_tried() -> None:
    assert properties("RetryQueue")["MessageRetentionPeriod"] == DAY


def test_the_first_try_again_comes_after_a_quarter_of_an_hour() -> None:
    assert properties("RetryQueue")["DelaySeconds"] == 900


def test_what_was_tried_in_vain_becomes_a_dead_letter() -> None:
    assert properties("RetryQueue")["RedrivePolicy"]["deadLetterTargetArn"] == "DeadLetterQueue.Arn"


def test_dead_letters_are_kept_for_as_long_as_sqs_keeps_anything() -> None:
    assert properties("DeadLetterQueue")["MessageRetentionPeriod"] == 14 * DAY


def test_only_the_retry_queue_gives_its_failures_to_the_dead_letter_queue() -> None:
    name = properties("RetryQueue")["QueueName"]
    assert name == f"{STACK}-retry"
    assert properties("DeadLetterQueue")["RedriveAllowPolicy"] == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"],
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_messages_are_encrypted_with_sqss_own_key_or_the_stacks(queue: str) -> None:
    assert encryption(properties(queue)) == {"SqsManagedSseEnabled": True}
    assert encryption(properties(queue, KmsKeyArn=KEY)) == {"KmsMasterKeyId": KEY}


@pytest.mark.parametrize("queue", QUEUES)
def test_nobody_reaches_a_queue_without_tls(queue: str) -> None:
    assert properties(f"{queue}Policy")["Queues"] == [queue]
    assert statements(deployed()[f"{queue}Policy"])["DenyWithoutTls"] == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": f"{queue}.Arn",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_the_rule_and_no_other_may_leave_what_it_could_not_deliver() -> None:
    policy = statements(deployed()["DeadLetterQueuePolicy"])
    assert policy.keys() == {"DenyWithoutTls", "TakeUndeliveredChanges"}
    assert policy["TakeUndeliveredChanges"] == allow(
        "sqs:SendMessage",
        on="DeadLetterQueue.Arn",
        ArnEquals={"aws:SourceArn": "ParameterChangeRule.Arn"},
    ) | {"Principal": {"Service": "events.amazonaws.com"}}


def test_no_policy_lets_others_into_the_retry_queue() -> None:
    assert statements(deployed()["RetryQueuePolicy"]).keys() == {"DenyWithoutTls"}


def test_messages_are_handed_to_the_function_which_answers_for_each() -> None:
    assert properties("PusherFunctionRetry", MaximumConcurrency=7) == {
        "EventSourceArn": "RetryQueue.Arn",
        "FunctionName": "PusherFunction",
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 7},
    }


def test_a_batch_of_more_than_ten_messages_is_waited_for() -> None:
    found = properties("PusherFunctionRetry", BatchSize=100)
    assert (found["BatchSize"], found["MaximumBatchingWindowInSeconds"]) == (100, 20)


def test_an_invocation_that_failed_three_times_waits_on_the_retry_queue() -> None:
    assert properties("PusherFunctionEventInvokeConfig") == {
        "FunctionName": "PusherFunction",
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 3600,
        "DestinationConfig": {"OnFailure": {"Destination": "RetryQueue.Arn"}},
    }


def encryption(queue: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in queue.items()
        if name in ("KmsMasterKeyId", "SqsManagedSseEnabled")
    }
