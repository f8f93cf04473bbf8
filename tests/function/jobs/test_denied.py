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
    for case in json.loads(
        (Path(__file__).parents[2] / "contract" / "kube-api-ownership.json").read_text()
    )["words"]
    if case["status"] >= 400
}


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ("apply-over-quota", "ResourceQuota leaves no room"),
        ("apply-against-policy", "an admission policy or webhook"),
    ],
)
def test_a_refusal_that_is_no_missing_right_does_not_advise_on_rights(
    world: World, recorded: str, said: str
) -> None:
    """As kube-apiserver 1.36.2 worded it; what the policy itself says is not repeated."""
    refusal = WORDS[recorded]
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: (
        Response(refusal["status"], json.dumps(refusal["answer"]).encode())
        if request.method == "PATCH"
        else None
    )
    problem = problem_of(world.invoke())
    assert (problem["outcome"], said in problem["message"]) == ("failed", True)
    assert "infra/rbac" not in problem["remedy"]
    assert "platform team" not in json.dumps(problem)


@pytest.mark.parametrize("code", [400, 401, 403, 409, 422])
def test_a_webhooks_denial_is_known_whatever_its_code_and_names_it(world: World, code: int) -> None:
    """As apiserver's plugin/webhook/errors words it: without details, with the code that the
    webhook gave (400 if none).
    """
    answer = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "code": code,
    }
    answer["message"] = 'admission webhook "secrets.example.com" denied the request: not today'
    cluster = world.add_cluster(
        "prod", namespaces=("a", "b"), document="namespaces: [a, b]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: (
        Response(code, json.dumps(answer).encode()) if "/namespaces/a/" in request.path else None
    )
    report = world.invoke()
    problem = problem_of(report)
    assert (problem["namespace"], problem["outcome"]) == ("a", "failed")
    assert (
        problem["message"]
        == "the admission webhook secrets.example.com denies the Secret ecr-public-token"
    )
    assert "infra/rbac" not in problem["remedy"]
    assert "not today" not in json.dumps(report)
    assert report["clusters"][0]["counts"] == {"created": 1, "failed": 1}


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_webhooks_denial_with_a_code_that_asks_for_another_try_is_no_overload(
    world: World, code: int
) -> None:
    message = 'admission webhook "secrets.example.com" denied the request: not today'
    answer = {"kind": "Status", "metadata": {}, "code": code, "message": message}
    cluster = world.add_cluster(
        "prod", namespaces=("a", "b"), document="namespaces: [a, b]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: (
        Response(code, json.dumps(answer).encode())
        if request.method == "PATCH" and "/namespaces/a/" in request.path
        else None
    )
    report = world.run()
    problem = problem_of(report)
    assert problem["outcome"] == "failed"
    assert "the admission webhook secrets.example.com denies" in problem["message"]
    assert "overloaded" not in problem["remedy"]
    assert report["clusters"][0]["counts"] == {"created": 1, "failed": 1}


def test_a_403_that_is_no_status_advises_on_no_right(world: World) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: (
        Response(403, b"<html>blocked</html>") if request.method == "PATCH" else None
    )  # a firewall's
    problem = problem_of(world.invoke())
    assert (problem["outcome"], "infra/rbac" in problem["remedy"]) == ("failed", False)


def test_a_webhooks_denial_by_401_is_no_reason_to_sign_in_again(world: World) -> None:
    message = 'admission webhook "secrets.example.com" denied the request: not today'
    answer = {"kind": "Status", "metadata": {}, "code": 401, "message": message}
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: (
        Response(401, json.dumps(answer).encode()) if request.method == "PATCH" else None
    )
    assert problem_of(world.invoke())["outcome"] == "failed"
    assert len(world.applies("prod")) == 1
