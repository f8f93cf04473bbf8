"""Refusals recorded from kube-apiserver, each replayed in a whole run, decide the outcome."""

import json
from typing import Any

import pytest

from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.recorded_answers import RecordedAnswer, recorded, refusals_recorded
from tests.support.world import World

# By the recorded request's name: outcome, and what the message has.
OF_SECRETS = {
    "apply-over-quota": ("failed", "the namespace's ResourceQuota leaves no room"),
    "apply-against-policy": ("failed", "an admission policy or webhook of the cluster denies"),
    "apply-against-a-policy-with-the-reason-forbidden": (
        "failed",
        "an admission policy or webhook of the cluster denies",
    ),
    "a-quota-that-others-race-for": ("failed", "409"),
    "webhook-denies-403-with-what-was-seen-of-what-is-gone": ("failed", "keeps changing"),
    "webhook-asked-after-a-stale-version": ("failed", "keeps changing"),
    "webhook-hangs": ("failed", "500"),
    "webhook-http-500": ("failed", "500"),
    "webhook-nonsense": ("failed", "500"),
    "webhook-unreachable": ("failed", "500"),
    "an-update-that-changes-nothing-is-asked-too": (
        "failed",
        "the admission webhook denies-403.policy.example.com denies",
    ),
    "webhook-denies-403-dry-run": (
        "failed",
        "the admission webhook denies-403.policy.example.com denies",
    ),
    "webhook-denies-403-of-an-update": (
        "failed",
        "the admission webhook denies-403.policy.example.com denies",
    ),
    "apply-without-a-seat": ("failed", "429"),
    "apply-while-etcd-hangs": ("failed", "504"),
    "apply-without-etcd": ("failed", "504"),
} | {
    f"webhook-{name}": ("failed", f"the admission webhook {name}.policy.example.com denies")
    for name in (
        *(f"denies-{code}" for code in (200, 400, 401, 403, 404, 409, 422, 429, 500, 503)),
        "denies-without-a-code",
        "denies-without-a-status",
        "denies-with-an-empty-status",
        "denies-with-a-reason",
        "denies-with-a-reason-alone",
        "denies-with-details",
        "denies-with-a-warning",
        "denies-as-kyverno-does",
        "denies-as-gatekeeper-does",
    )
}
OF_ACCOUNTS = {
    "account-patch-against-a-policy": "an admission policy or webhook of the cluster",
    "webhook-denies-403-of-an-account": "the admission webhook denies-403.policy.example.com",
    "webhook-denies-409-of-an-account": "the admission webhook denies-409.policy.example.com",
    "webhook-denies-422-of-an-account": "the admission webhook denies-422.policy.example.com",
}
OF_DELETES = {
    "delete-against-a-policy": "422",
    "webhook-denies-403-of-a-delete": "403",
    "delete-while-etcd-hangs": "504",
}
# Replayed in the tests of `clusters add`, of the web identity, and of a check.
ELSEWHERE = (
    "apply-of-a-clusterrole-that-grants-more-than-one-has",
    "version-of-who-is-not-signed-in",
    "list-without-a-seat",
    "namespaces-while-etcd-hangs",
)
SAID_BY_OTHERS = ("platform team", "says the webhook", "you must not", "blocked due to")


def problem_of(report: dict[str, Any]) -> dict[str, Any]:
    (problem,) = report["clusters"][0]["problems"]
    return dict(problem)


def refusing(world: World, answer: RecordedAnswer, what: str, document: str) -> World:
    """Add a cluster that answers so each request of that method whose path has `what`."""
    cluster = world.add_cluster("prod", namespaces=("a", "b"), document=document, embedded=True)
    assert isinstance(cluster, EmbeddedCluster)

    def refuse(request: SeenRequest) -> Response | None:
        asked = request.method == answer.method and what in request.path
        return answer.response if asked else None

    cluster.intercept = refuse
    return world


def test_every_refusal_that_was_recorded_beside_the_cases_decides_an_outcome() -> None:
    replayed = [*OF_SECRETS, *OF_ACCOUNTS, *OF_DELETES, *ELSEWHERE]
    assert sorted(replayed) == sorted(one.name for one in refusals_recorded())


@pytest.mark.parametrize("name", OF_SECRETS)
def test_a_refusal_of_the_secret_decides_its_namespaces_outcome_and_no_others(
    world: World, name: str
) -> None:
    """It advises on no right, since none is missing; what others wrote into it is not repeated."""
    outcome, said = OF_SECRETS[name]
    refusing(world, recorded(name), "/namespaces/a/secrets/", "namespaces: [a, b]")
    report = world.run()
    problem = problem_of(report)
    assert (problem["namespace"], problem["outcome"]) == ("a", outcome)
    assert said in problem["message"]
    assert "infra/rbac" not in problem["remedy"]
    assert not [text for text in SAID_BY_OTHERS if text in json.dumps(report)]
    assert report["clusters"][0]["counts"] == {"created": 1, "failed": 1}


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_webhooks_denial_with_a_code_that_asks_for_another_try_is_no_overload(
    world: World, code: int
) -> None:
    denial = recorded(f"webhook-denies-{code}")
    refusing(world, denial, "/namespaces/a/secrets/", "namespaces: [a, b]")
    assert "overloaded" not in problem_of(world.run())["remedy"]
    assert sum("/namespaces/a/" in path for path in world.applies("prod")) == 1


@pytest.mark.parametrize("name", OF_ACCOUNTS)
def test_a_denial_of_an_accounts_change_says_that_the_secret_is_there(
    world: World, name: str
) -> None:
    document = "{namespaces: [a], serviceAccounts: [default]}"
    refusing(world, recorded(name), "/serviceaccounts/", document)
    world.apply("prod", "service-accounts.yaml")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    world.clusters["prod"].admin("POST", "/api/v1/namespaces/a/serviceaccounts", account)
    problem = problem_of(world.run())
    said = f"the Secret is there, but {OF_ACCOUNTS[name]} denies the change of its ServiceAccounts"
    assert (problem["outcome"], problem["message"]) == ("failed", said)
    assert "infra/rbac" not in problem["remedy"]


@pytest.mark.parametrize("name", OF_DELETES)
def test_a_denied_delete_leaves_the_secret_and_is_reported(world: World, name: str) -> None:
    refusing(world, recorded(name), "/namespaces/b/secrets/", "{namespaces: [a, b], prune: true}")
    world.apply("prod", "prune.yaml")
    assert world.run()["ok"]
    world.document("prod", "{namespaces: [a], prune: true}")
    problem = problem_of(world.run())
    assert (problem["namespace"], problem["outcome"]) == ("b", "failed")
    assert OF_DELETES[name] in problem["message"]
    assert "infra/rbac" not in problem["remedy"]
    assert world.secret("prod", "b") is not None


def test_a_proxys_403_that_is_no_status_advises_on_no_right(world: World) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: (
        Response(403, b"<html>blocked</html>") if request.method == "PATCH" else None
    )
    problem = problem_of(world.invoke())
    assert (problem["outcome"], "infra/rbac" in problem["remedy"]) == ("failed", False)


def test_a_webhooks_denial_by_401_is_no_reason_to_sign_in_again(world: World) -> None:
    refusing(world, recorded("webhook-denies-401"), "/namespaces/a/secrets/", "namespaces: [a]")
    assert problem_of(world.run())["outcome"] == "failed"
    assert len(world.applies("prod")) == 1
