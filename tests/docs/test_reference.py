"""Everything that is public by name is documented.

The report's fields, outcomes, checks, metrics, actions, labels.
"""

import ast
import re
from pathlib import Path

import pytest

from ecr_public_pusher import ownership
from ecr_public_pusher.events.parser import ACCEPTED_SHAPES
from ecr_public_pusher.reporting import report
from ecr_public_pusher.results import Check, Outcome
from infra.cli.health import State
from tests.docs.documents import ROOT
from tests.stack.alarms import METRICS, REGISTRY_METRICS

REPORT, EVENTS, CLUSTERS = (ROOT / f"docs/{name}.md" for name in ("report", "events", "clusters"))


def fields() -> set[str]:
    """Return every name that the report's module puts into a mapping."""
    tree = ast.parse(Path(report.__file__).read_text())
    keys = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    set_later = [
        node.slice
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    ]
    return {
        node.value
        for node in [*keys, *set_later]
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("field", sorted(fields()))
def test_each_field_of_the_report_is_documented(field: str) -> None:
    assert f"`{field}`" in REPORT.read_text() or f'"{field}"' in REPORT.read_text()


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_is_documented(outcome: Outcome) -> None:
    assert f"`{outcome.value}`" in REPORT.read_text()


@pytest.mark.parametrize("check", Check)
def test_each_check_is_documented(check: Check) -> None:
    assert f"`{check.value}`" in CLUSTERS.read_text()


@pytest.mark.parametrize("state", State)
def test_each_state_of_a_cluster_is_documented(state: State) -> None:
    assert f"`{state.value}`" in (ROOT / "docs/command-line.md").read_text()


@pytest.mark.parametrize("metric", sorted({*METRICS, *REGISTRY_METRICS}))
def test_each_metric_is_documented(metric: str) -> None:
    assert f"`{metric}`" in REPORT.read_text()


@pytest.mark.parametrize("action", sorted(set(re.findall(r'"action": "(\w+)"', ACCEPTED_SHAPES))))
def test_each_event_is_documented(action: str) -> None:
    assert f'"action": "{action}"' in EVENTS.read_text()


@pytest.mark.parametrize(
    "name", [ownership.MANAGED_BY_LABEL, f"{ownership.ANNOTATION_PREFIX}expires-at"]
)
def test_what_is_written_on_a_secret_is_documented(name: str) -> None:
    assert name in (ROOT / "docs/how-it-works.md").read_text()
