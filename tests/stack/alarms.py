"""The alarms of the template, and the metrics that they and the dashboard may name."""

import re
from collections.abc import Iterator
from typing import Any

from tests.stack.template import deployed

NAMESPACE = "EcrPublicPusher"
RUN = ("service",)
CLUSTER = ("cluster", "service")
# The function's metrics: for the run, and for each cluster. Dimensions in alphabetical order.
METRICS = {
    "FullPushCompleted": RUN,
    "ClustersFailed": RUN,
    "Unconfigured": RUN,
    "UnknownParameters": RUN,
    "DocumentsDeleted": RUN,
    "Duration": RUN,
    "TokenSecondsAtIssue": RUN,
    "SecondsLeft": RUN,
    "ClusterFailed": CLUSTER,
    "SecretsApplied": CLUSTER,
    "SecretsFailed": CLUSTER,
    "SecretsAdopted": CLUSTER,
}
# And for each private registry.
REGISTRY_METRICS = {"TokenSecondsAtIssue": ("registry", "service")}
# Metrics of the run that are emitted for each cluster, too.
MEASURED_METRICS = {"SecondsLeft": CLUSTER}
# Metrics of clusters with a stored credential alone, for the run and for each cluster.
STORED_METRICS = ("CredentialSecondsLeft",)
# Metrics of AWS that are watched.
AWS_METRICS = {
    ("AWS/Lambda", "Errors", ("FunctionName",)),
    ("AWS/Lambda", "Throttles", ("FunctionName",)),
    ("AWS/Lambda", "Duration", ("FunctionName",)),
    ("AWS/Lambda", "Invocations", ("FunctionName",)),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName",)),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", ("QueueName",)),
    ("AWS/SQS", "ApproximateNumberOfMessagesDelayed", ("QueueName",)),
    ("AWS/SQS", "NumberOfMessagesSent", ("QueueName",)),
    ("AWS/SQS", "NumberOfMessagesReceived", ("QueueName",)),
    ("AWS/SQS", "NumberOfMessagesDeleted", ("QueueName",)),
    ("AWS/SQS", "NumberOfEmptyReceives", ("QueueName",)),
}
MetricName = tuple[str, str, tuple[str, ...]]
EMITTED: set[MetricName] = {
    (NAMESPACE, name, dimensions)
    for metrics in (METRICS, REGISTRY_METRICS, MEASURED_METRICS)
    for name, dimensions in metrics.items()
} | AWS_METRICS
EMITTED |= {
    (NAMESPACE, name, dimensions) for name in STORED_METRICS for dimensions in (RUN, CLUSTER)
}

_INSIGHTS = re.compile(r'SELECT \w+\((\w+)\) FROM SCHEMA\("([^"]+)", ([\w, ]+)\)')


def alarms(**parameters: Any) -> dict[str, dict[str, Any]]:
    """Return the properties of each alarm, by logical id."""
    return {
        name: body["Properties"]
        for name, body in deployed(**parameters).items()
        if body["Type"] == "AWS::CloudWatch::Alarm"
    }


def alarm_metrics(**parameters: Any) -> set[MetricName]:
    """Return (namespace, metric, dimension names) of every alarm.

    Those in metric math and in Metrics Insights queries are included.
    """
    return {metric for alarm in alarms(**parameters).values() for metric in metrics_of(alarm)}


def metrics_of(alarm: dict[str, Any]) -> Iterator[MetricName]:
    """Return (namespace, metric, dimension names) of one alarm's properties."""
    if "MetricName" in alarm:
        yield _named(alarm)
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            yield _named(query["MetricStat"]["Metric"])
        elif query["Expression"].startswith("SELECT"):
            found = _INSIGHTS.match(query["Expression"])
            assert found, query["Expression"]
            yield found[2], found[1], tuple(sorted(found[3].split(", ")))


def _named(metric: dict[str, Any]) -> MetricName:
    return (
        metric["Namespace"],
        metric["MetricName"],
        tuple(sorted(dimension["Name"] for dimension in metric["Dimensions"])),
    )
