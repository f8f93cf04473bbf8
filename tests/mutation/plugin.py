"""Pytest plugin of one trial: runs the tests that a file lists, and writes down the first failure.

The file named by the environment variable MUTATION_TRIAL is JSON: `tests`, node ids in order. What
it finds is written into the same file: `failed`, a node id, and `error`, the end of its message.
"""

import json
import os
from pathlib import Path

import pytest

FILE = "MUTATION_TRIAL"
LONGEST_ERROR = 400


def _add(**found: str) -> None:
    path = Path(os.environ[FILE])
    trial = json.loads(path.read_text())
    path.write_text(json.dumps(found | trial))  # the first stays


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the listed tests only, in order of their files in the list."""
    tests = json.loads(Path(os.environ[FILE]).read_text())["tests"]
    files = {test.split("::")[0]: rank for rank, test in reversed(list(enumerate(tests)))}
    wanted = set(tests)
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in wanted])
    items[:] = sorted(
        (item for item in items if item.nodeid in wanted),
        key=lambda item: files[item.nodeid.split("::")[0]],
    )


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _add(failed=report.nodeid, error=report.longreprtext[-LONGEST_ERROR:])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _add(failed=report.nodeid, error=report.longreprtext[-LONGEST_ERROR:])
