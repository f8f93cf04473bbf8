"""The function's environment, as the template, Terraform or a person sets it."""

import pytest

from ecr_public_pusher.invocation.settings import Settings, Workers
from tests.support.world import Context

FUNCTION = Context().invoked_function_arn


def settings(**environ: str) -> Settings:
    return Settings.from_env({"AWS_REGION": "us-east-1", **environ}, function_arn=FUNCTION)


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ("INFO", "INFO"),
        ("WARN", "WARN"),
        ("warning", "WARNING"),
        ("ERROR", "ERROR"),
        ("CRITICAL", "CRITICAL"),
        ("DEBUG", "INFO"),
        ("", "INFO"),
    ],
)
def test_every_log_level_but_debug_is_taken(given: str, level: str) -> None:
    assert settings(POWERTOOLS_LOG_LEVEL=given).log_level == level


@pytest.mark.parametrize(
    ("environ", "stack"),
    [
        ({"STACK_NAME": "a", "POWERTOOLS_SERVICE_NAME": "b"}, "a"),
        ({"POWERTOOLS_SERVICE_NAME": "b"}, "b"),
        ({}, "ecr-public-pusher"),
    ],
)
def test_whose_secrets_they_are(environ: dict[str, str], stack: str) -> None:
    assert settings(**environ).identity.name == stack


@pytest.mark.parametrize(("given", "emitted"), [("true", True), ("", True), ("false", False)])
def test_metrics_of_clusters_are_emitted_unless_the_template_says_no(
    given: str, emitted: bool
) -> None:
    assert settings(CLUSTER_METRICS=given).cluster_metrics is emitted


@pytest.mark.parametrize(
    ("given", "workers"),
    [
        ("5x10", Workers(5, 10)),
        ("1000x1000", Workers(1_000, 1_000)),
        ("", Workers(5, 10)),
        ("0x10", Workers(5, 10)),
        ("5", Workers(5, 10)),
    ],
)
def test_the_limits_of_the_queues_invocations_are_the_templates(
    given: str, workers: Workers
) -> None:
    assert settings(WORKERS=given).workers == workers
