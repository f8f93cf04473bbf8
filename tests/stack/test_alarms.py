"""The alarms and their topic.

Their metrics, thresholds, notifications, and sections of the runbook.
"""

from typing import Any

import pytest

from ecr_public_pusher.reporting.metrics import LITTLE_LIFE_SECONDS
from ecr_public_pusher.results import CREDENTIAL_ENDING
from tests.stack.alarms import EMITTED, NAMESPACE, RUN, alarm_metrics, alarms, metrics_of
from tests.stack.template import (
    ACCOUNT,
    REGION,
    ROOT,
    STACK,
    allow,
    deployed,
    properties,
    source,
    statements,
)

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:ours"
RUNBOOK = "docs/runbook.md"
# Name and section of each, by logical id.
SECTIONS = {
    "NoFullPushAlarm": "no-full-push",
    "ClusterFailedAlarm": "cluster-failed",
    "FunctionErrorsAlarm": "function-errors",
    "UnconfiguredAlarm": "unconfigured",
    "TokenEndingAlarm": "token-ending",
    "CredentialEndingAlarm": "credential-ending",
    "TokenLifeAlarm": "token-life",
    "PrivateTokenLifeAlarm": "private-token-life",
    "ThrottlesAlarm": "throttles",
    "DurationAlarm": "duration",
    "DeadLetterAlarm": "dead-letters",
    "UnknownParametersAlarm": "unknown-parameters",
    "DocumentsDeletedAlarm": "documents-deleted",
}
WATCHED = {
    "NoFullPushAlarm": {(NAMESPACE, "FullPushCompleted", RUN), (NAMESPACE, "Unconfigured", RUN)},
    "ClusterFailedAlarm": {(NAMESPACE, "ClusterFailed", ("cluster", "service"))},
    "FunctionErrorsAlarm": {("AWS/Lambda", "Errors", ("FunctionName",))},
    "UnconfiguredAlarm": {(NAMESPACE, "Unconfigured", RUN)},
    "TokenEndingAlarm": {(NAMESPACE, "SecondsLeft", RUN)},
    "CredentialEndingAlarm": {(NAMESPACE, "CredentialSecondsLeft", RUN)},
    "TokenLifeAlarm": {(NAMESPACE, "TokenSecondsAtIssue", RUN)},
    "PrivateTokenLifeAlarm": {(NAMESPACE, "TokenSecondsAtIssue", ("registry", "service"))},
    "ThrottlesAlarm": {("AWS/Lambda", "Throttles", ("FunctionName",))},
    "DurationAlarm": {("AWS/Lambda", "Duration", ("FunctionName",))},
    "DeadLetterAlarm": {("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName",))},
    "UnknownParametersAlarm": {(NAMESPACE, "UnknownParameters", RUN)},
    "DocumentsDeletedAlarm": {
        (NAMESPACE, "DocumentsDeleted", RUN),
        (NAMESPACE, "Unconfigured", RUN),
    },
}
OPERATORS = {"GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<"}


def test_these_are_the_alarms() -> None:
    assert {name: body["AlarmName"] for name, body in alarms().items()} == {
        name: f"{STACK}-{section}" for name, section in SECTIONS.items()
    }


@pytest.mark.parametrize(("name", "watched"), WATCHED.items())
def test_each_alarm_watches_this(name: str, watched: set[Any]) -> None:
    assert set(metrics_of(alarms()[name])) == watched


def test_every_metric_that_is_watched_is_one_that_is_emitted() -> None:
    assert alarm_metrics() <= EMITTED


@pytest.mark.parametrize("name", SECTIONS)
def test_each_alarm_watches_this_stacks_own(name: str) -> None:
    own = {
        "service": STACK,
        "FunctionName": "PusherFunction",
        "QueueName": "DeadLetterQueue.QueueName",
    }
    dimensions = [one for metric in plain_metrics(alarms()[name]) for one in metric["Dimensions"]]
    assert [one for one in dimensions if one["Value"] != own[one["Name"]]] == []


@pytest.mark.parametrize(("name", "section"), SECTIONS.items())
def test_each_alarm_says_what_it_means_and_where_to_read_on(name: str, section: str) -> None:
    said = alarms()[name]["AlarmDescription"]
    assert said.endswith(f". Runbook: {RUNBOOK}#alarm-{section}")
    assert 100 < len(said) <= 1024
    assert alarms(RunbookUrl="https://git.example.com/runbook.md")[name][
        "AlarmDescription"
    ].endswith(f" https://git.example.com/runbook.md#alarm-{section}")


@pytest.mark.parametrize("section", [*SECTIONS.values()])
def test_each_alarm_has_its_section_in_the_runbook(section: str) -> None:
    assert f"\n### Alarm: {section.replace('-', ' ')}\n" in (ROOT / "docs/runbook.md").read_text()


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize(
    ("parameters", "topic"), [({}, "AlarmTopic"), ({"AlarmTopicArn": TOPIC}, TOPIC)]
)
def test_each_alarm_notifies_the_topic(name: str, parameters: dict[str, str], topic: str) -> None:
    assert alarms(**parameters)[name]["AlarmActions"] == [topic]


@pytest.mark.parametrize(
    ("parameters", "topic"), [({}, "AlarmTopic"), ({"AlarmTopicArn": TOPIC}, TOPIC)]
)
def test_recovery_is_notified_where_somebody_waits_for_it(
    parameters: dict[str, str], topic: str
) -> None:
    logged = {
        name: body["OKActions"]
        for name, body in alarms(**parameters).items()
        if "OKActions" in body
    }
    assert logged == {"NoFullPushAlarm": [topic], "ClusterFailedAlarm": [topic]}


def test_missing_data_are_bad_only_for_the_dead_mans_switch() -> None:
    treatment = {name: body["TreatMissingData"] for name, body in alarms().items()}
    assert treatment == dict.fromkeys(SECTIONS, "notBreaching") | {"NoFullPushAlarm": "breaching"}


@pytest.mark.parametrize(
    ("name", "statistic", "operator", "threshold", "period"),
    [
        ("FunctionErrorsAlarm", "Sum", ">=", 1, 300),
        # Of a whole day: one push that finds a document is enough.
        ("UnconfiguredAlarm", "Minimum", ">=", 1, 86400),
        ("TokenLifeAlarm", "Minimum", "<", 11 * 3600, 300),
        ("ThrottlesAlarm", "Sum", ">=", 1, 300),
        ("DurationAlarm", "Maximum", ">=", 240_000, 300),
        ("DeadLetterAlarm", "Maximum", ">=", 1, 300),
    ],
)
def test_a_plain_alarm_comes_at_the_first_bad_value(
    name: str, statistic: str, operator: str, threshold: int, period: int
) -> None:
    alarm = alarms()[name]
    assert (alarm["Statistic"], alarm["Period"]) == (statistic, period)
    assert (OPERATORS[alarm["ComparisonOperator"]], alarm["Threshold"]) == (operator, threshold)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (1, 1)


@pytest.mark.parametrize("timeout", source()["Parameters"]["Timeout"]["AllowedValues"])
def test_a_long_run_is_one_of_four_fifths_of_the_time_out(timeout: int) -> None:
    assert alarms(Timeout=timeout)["DurationAlarm"]["Threshold"] == timeout * 1000 * 0.8


def test_the_failed_clusters_are_found_by_one_query() -> None:
    alarm = alarms()["ClusterFailedAlarm"]
    (query,) = alarm["Metrics"]
    assert (
        query["Expression"]
        == 'SELECT MAX(ClusterFailed) FROM SCHEMA("EcrPublicPusher", cluster, service) WHERE'
        f" service = '{STACK}' GROUP BY cluster ORDER BY MAX() DESC"
    )
    assert (query["Id"], query["Period"], query["ReturnData"]) == ("q1", 3600, True)
    assert (OPERATORS[alarm["ComparisonOperator"]], alarm["Threshold"]) == (">=", 1)


def test_without_metrics_of_clusters_the_number_of_failed_ones_is_watched() -> None:
    alarm = alarms(ClusterMetrics="false")["ClusterFailedAlarm"]
    assert set(metrics_of(alarm)) == {(NAMESPACE, "ClustersFailed", RUN)}
    emitted = properties("PusherFunction", ClusterMetrics="false")["Environment"]["Variables"]
    assert emitted["CLUSTER_METRICS"] == "false"


def test_all_private_registries_tokens_are_watched_by_one_query_at_the_public_ones_threshold() -> (
    None
):
    alarm = alarms()["PrivateTokenLifeAlarm"]
    (query,) = alarm["Metrics"]
    assert query["Expression"] == (
        'SELECT MIN(TokenSecondsAtIssue) FROM SCHEMA("EcrPublicPusher", registry, service)'
        f" WHERE service = '{STACK}' GROUP BY registry ORDER BY MIN() ASC"
    )
    threshold = OPERATORS[alarm["ComparisonOperator"]], alarm["Threshold"]
    assert threshold == ("<", alarms()["TokenLifeAlarm"]["Threshold"])


def test_a_failed_cluster_stays_in_alarm_between_its_tries() -> None:
    alarm = alarms(Timeout=900)["ClusterFailedAlarm"]
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3, 1)
    seconds = alarm["EvaluationPeriods"] * alarm["Metrics"][0]["Period"]
    assert seconds >= properties("RetryQueue", Timeout=900)["VisibilityTimeout"] + 3600
    assert seconds <= 3 * 3600  # a Metrics Insights query sees no more


def test_a_secret_with_less_than_three_hours_left_is_an_alarm_at_its_first_measure() -> None:
    alarm = alarms()["TokenEndingAlarm"]
    assert (alarm["Statistic"], alarm["Period"]) == ("Minimum", 300)
    assert (OPERATORS[alarm["ComparisonOperator"]], alarm["Threshold"]) == ("<", 3 * 3600)
    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["Threshold"] == LITTLE_LIFE_SECONDS  # a sweep says of which clusters


@pytest.mark.parametrize("timeout", source()["Parameters"]["Timeout"]["AllowedValues"])
def test_it_stays_in_alarm_between_the_tries_of_a_cluster_that_failed(timeout: int) -> None:
    alarm = alarms(Timeout=timeout)["TokenEndingAlarm"]
    seconds = alarm["EvaluationPeriods"] * alarm["Period"]
    assert seconds >= properties("RetryQueue", Timeout=timeout)["VisibilityTimeout"] + 300


def test_a_stored_credential_is_an_alarm_two_weeks_before_its_end_until_pushes_find_a_new_one() -> (
    None
):
    alarm = alarms(AlarmAfterHours=10)["CredentialEndingAlarm"]
    assert stats(alarm) == {"stored": ("CredentialSecondsLeft", "Minimum", 3600)}
    assert expression(alarm) == f"FILL(stored, {alarm['Threshold']})"
    assert (OPERATORS[alarm["ComparisonOperator"]], alarm["Threshold"]) == ("<", 14 * 24 * 3600)
    assert alarm["Threshold"] == CREDENTIAL_ENDING.total_seconds()
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (10, 1)


@pytest.mark.parametrize("hours", [2, 9, 10])
def test_silence_is_an_alarm_after_the_hours_asked_for(hours: int) -> None:
    alarm = alarms(AlarmAfterHours=hours)["NoFullPushAlarm"]
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (hours, hours)
    assert f"for {hours} hours" in alarm["AlarmDescription"]


def test_silence_is_no_full_push_and_something_to_push() -> None:
    alarm = alarms()["NoFullPushAlarm"]
    assert stats(alarm) == {
        "full": ("FullPushCompleted", "Sum", 3600),
        "unconfigured": ("Unconfigured", "Maximum", 3600),
    }
    assert expression(alarm) == "FILL(full, 0) + FILL(unconfigured, REPEAT)"
    assert (OPERATORS[alarm["ComparisonOperator"]], alarm["Threshold"]) == ("<", 1)


def test_a_new_stack_raises_no_alarm_until_its_first_token_could_expire() -> None:
    warm_up = alarms()["NoFullPushAlarm"]["WarmUpConfiguration"]
    assert warm_up["WarmUpPeriodDurationInMinutes"] == 660


def test_what_the_first_runs_report_ends_the_warm_up_before() -> None:
    warm_up = alarms()["NoFullPushAlarm"]["WarmUpConfiguration"]
    assert warm_up["OnlyStartEvaluatingAfterWarmUpPeriodEnds"] is False


def test_only_what_a_new_stack_cannot_have_yet_warms_up() -> None:
    assert [name for name, body in alarms().items() if "WarmUpConfiguration" in body] == [
        "NoFullPushAlarm",
        "UnconfiguredAlarm",
    ]


def test_a_new_stack_has_a_day_to_be_configured() -> None:
    warm_up = alarms()["UnconfiguredAlarm"]["WarmUpConfiguration"]
    assert warm_up == {
        "WarmUpPeriodDurationInMinutes": 24 * 60,
        "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True,
    }


def test_unknown_parameters_are_an_alarm_until_a_push_finds_none() -> None:
    alarm = alarms(AlarmAfterHours=10)["UnknownParametersAlarm"]
    assert stats(alarm) == {"unknown": ("UnknownParameters", "Maximum", 3600)}
    assert expression(alarm) == "FILL(unknown, 0)"
    assert (OPERATORS[alarm["ComparisonOperator"]], alarm["Threshold"]) == (">=", 1)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (10, 1)


def test_documents_that_went_are_an_alarm_however_it_is_noticed() -> None:
    alarm = alarms(AlarmAfterHours=10)["DocumentsDeletedAlarm"]
    assert stats(alarm) == {
        "deleted": ("DocumentsDeleted", "Maximum", 3600),
        "unconfigured": ("Unconfigured", "Maximum", 3600),
    }
    assert (OPERATORS[alarm["ComparisonOperator"]], alarm["Threshold"]) == (">=", 1)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (10, 1)


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
@pytest.mark.parametrize("name", SECTIONS)
def test_no_alarm_looks_back_further_than_cloudwatch_does(name: str) -> None:
    alarm = alarms(AlarmAfterHours=10)[name]
    period = alarm.get("Period") or max(
        query.get("Period") or query["MetricStat"]["Period"]
        for query in alarm["Metrics"]
        if reads(query)
    )
    assert period * alarm["EvaluationPeriods"] <= (7 * 86400 if period >= 3600 else 86400)


@pytest.mark.parametrize("name", SECTIONS)
def test_an_alarm_of_several_queries_follows_exactly_one(name: str) -> None:
    alarm = alarms()[name]
    assert (
        "Metrics" not in alarm
        or [query["ReturnData"] for query in alarm["Metrics"]].count(True) == 1
    )


# --- the topic


def test_the_topic_is_encrypted_with_the_stacks_key_or_not_at_all() -> None:
    assert "KmsMasterKeyId" not in properties("AlarmTopic")
    assert properties("AlarmTopic", KmsKeyArn=KEY)["KmsMasterKeyId"] == KEY


def test_alarms_of_this_stack_may_be_published() -> None:
    policy = statements(deployed()["AlarmTopicPolicy"])
    assert policy["TakeAlarmsOfThisStack"] == allow(
        "sns:Publish",
        on="AlarmTopic",
        StringEquals={"aws:SourceAccount": ACCOUNT},
        ArnLike={"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{STACK}-*"},
    ) | {"Principal": {"Service": "cloudwatch.amazonaws.com"}}


def test_nothing_is_published_without_tls_or_by_anybody_else() -> None:
    policy = statements(deployed()["AlarmTopicPolicy"])
    assert policy.keys() == {"TakeAlarmsOfThisStack", "DenyWithoutTls"}
    denied = policy["DenyWithoutTls"]
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "sns:Publish")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_address_is_subscribed() -> None:
    assert properties("AlarmSubscription", AlarmEmail="ops@example.com") == {
        "TopicArn": "AlarmTopic",
        "Protocol": "email",
        "Endpoint": "ops@example.com",
    }


def plain_metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return (
        [alarm]
        if "MetricName" in alarm
        else [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]
    )


def reads(query: dict[str, Any]) -> bool:
    """Return whether a query reads metrics itself, rather than being math on others."""
    return "MetricStat" in query or query["Expression"].startswith("SELECT")


def stats(alarm: dict[str, Any]) -> dict[str, tuple[str, str, int]]:
    found = {
        query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query
    }
    return {
        name: (stat["Metric"]["MetricName"], stat["Stat"], stat["Period"])
        for name, stat in found.items()
    }


def expression(alarm: dict[str, Any]) -> str:
    """Return the expression that the alarm follows."""
    (found,) = [query["Expression"] for query in alarm["Metrics"] if query["ReturnData"]]
    return str(found)
