"""The log and the metrics, through Powertools: the one place that prints."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from ecr_public_pusher.errors import InternalError
from ecr_public_pusher.reporting.metrics import Metric
from ecr_public_pusher.version import VERSION

NAMESPACE = "EcrPublicPusher"

# The names of asyncio tasks mean nothing to a reader of the log.
logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # typeshed lacks it


class Emitter:
    """The printer for `service`, the stack's name, which is also each metric's first dimension."""

    def __init__(self, service: str, *, level: str = "INFO") -> None:
        self._service = service
        self._logger = Logger(service=service, version=VERSION)
        # Powertools' own setLevel yields to AWS_LAMBDA_LOG_LEVEL, which must stay INFO, or Lambda
        # drops the lines of the metrics.
        logging.getLogger(service).setLevel(level)

    def report(self, report: dict[str, Any]) -> None:
        """Print the report as one JSON line."""
        log = self._logger.info if report["ok"] else self._logger.error
        log("report", report=report)

    def loop_error(self, error: BaseException | None) -> None:
        """Log an error of the event loop that no caller can receive.

        Only its type and place are logged, since its text may carry a credential.
        """
        self._logger.error(
            "error in the event loop",
            error=InternalError.from_exception(error).message if error else "unknown",
        )

    def metrics(self, metrics: Iterable[Metric]) -> None:
        """Print one EMF line for the run, one per cluster, and one per private registry."""
        groups: dict[tuple[str | None, str | None], list[Metric]] = defaultdict(list)
        for metric in metrics:
            groups[metric.cluster, metric.registry].append(metric)
        for (cluster, registry), group in groups.items():
            emf = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
            if cluster is not None:
                emf.add_dimension(name="cluster", value=cluster)
            if registry is not None:
                emf.add_dimension(name="registry", value=registry)
            for metric in group:
                emf.add_metric(name=metric.name, unit=MetricUnit(metric.unit), value=metric.value)
            emf.flush_metrics()
