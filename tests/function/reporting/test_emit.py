"""The log's level is the template's LogLevel, beside Lambda's own, which must stay INFO."""

import json
from typing import Any

import pytest

from ecr_public_pusher.reporting.emit import Emitter
from ecr_public_pusher.reporting.metrics import Metric
from ecr_public_pusher.version import VERSION


def logged(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


@pytest.mark.parametrize(
    ("level", "reports"),
    [("INFO", [True, False]), ("WARN", [False]), ("ERROR", [False]), ("CRITICAL", [])],
)
def test_the_level_says_which_reports_are_logged_and_never_which_metrics(
    level: str,
    reports: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", level)
    emitter = Emitter(f"stack-{level}", level=level)
    emitter.report({"ok": True})
    emitter.report({"ok": False})
    emitter.metrics([Metric("ClustersFailed", 0)])
    lines = logged(capsys.readouterr().out)
    assert [line["report"]["ok"] for line in lines if "report" in line] == reports
    assert sum("_aws" in line for line in lines) == 1


def test_every_line_of_the_log_says_which_release_wrote_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emitter = Emitter("stack-version")
    emitter.report({"ok": True})
    emitter.loop_error(ValueError())
    assert [line["version"] for line in logged(capsys.readouterr().out)] == [VERSION, VERSION]
