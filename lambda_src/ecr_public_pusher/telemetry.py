"""The log and the metrics, through Powertools: the one place that prints."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from ecr_public_pusher.report import Metric

NAMESPACE = "EcrPublicPusher"


class Telemetry:
    """Speaks as `service`, the stack's name, which is also the first dimension of every metric."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._logger = Logger(service=service)

    def report(self, report: dict[str, Any]) -> None:
        """The report, as one JSON line."""
        log = self._logger.info if report["ok"] else self._logger.error
        log("report", report=report)

    def metrics(self, metrics: Iterable[Metric]) -> None:
        """One EMF line for the run and one per cluster."""
        by_cluster: dict[str | None, list[Metric]] = defaultdict(list)
        for metric in metrics:
            by_cluster[metric.cluster].append(metric)
        for cluster, group in by_cluster.items():
            emf = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
            if cluster is not None:
                emf.add_dimension(name="cluster", value=cluster)
            for metric in group:
                emf.add_metric(name=metric.name, unit=MetricUnit(metric.unit), value=metric.value)
            emf.flush_metrics()
