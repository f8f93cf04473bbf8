"""Refusals that no right would change: a quota's, an admission policy's, a webhook's."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.kube import EmbeddedCluster, Response
from tests.support.world import World


def problem_of(report: dict[str, Any]) -> dict[str, Any]:
    (problem,) = report["clusters"][0]["problems"]
    return dict(problem)


WORDS = {
    case["name"]: case
    for case in json.loads((Path(__file__).parents[2] / "contract" / "kube-api-ownership.json").read_text())["words"]
    if case["status"] >= 400
}


@pytest.mark.parametrize(
    ("recorded", "said"), [("apply-over-quota", "ResourceQuota leaves no room"), ("apply-against-policy", "an admission policy or webhook")]
)
def test_a_refusal_that_is_no_missing_right_does_not_advise_on_rights(world: World, recorded: str, said: str) -> None:
    """As kube-apiserver 1.36.2 worded it; what the policy itself says is not repeated."""
    refusal = WORDS[recorded]
    cluster = world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]", embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: Response(refusal["status"], json.dumps(refusal["answer"]).encode()) if request.method == "PATCH" else None
    problem = problem_of(world.invoke())
    assert (problem["outcome"], said in problem["message"]) == ("failed", True)
    assert "infra/rbac" not in problem["remedy"]
    assert "platform team" not in json.dumps(problem)


def test_a_webhooks_refusal_is_known_too(world: World) -> None:
    answer = {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "details": {}}
    answer["message"] = 'admission webhook "secrets.example.com" denied the request: not today'
    cluster = world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]", embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: Response(403, json.dumps(answer).encode()) if request.method == "PATCH" else None
    problem = problem_of(world.invoke())
    assert "an admission policy or webhook" in problem["message"]
