"""Status and causes of a refusal -> outcome."""

import pytest

from ecr_public_pusher.errors import ApiStatusError
from ecr_public_pusher.jobs.outcomes import explain
from ecr_public_pusher.results import Outcome
from tests.support.recorded_answers import refused

KUBECTL = "kubectl --context prod"
OUTCOMES = {
    "apply-missing-namespace": Outcome.MISSING,
    "delete-secret-again": Outcome.FAILED,
    "pusher-may-not-write-another-secret": Outcome.FORBIDDEN,
    "apply-in-terminating-namespace": Outcome.SKIPPED,
    "apply-conflicts-with-foreign": Outcome.CONFLICT,
    "apply-type-conflict": Outcome.WRONG_TYPE,
    "apply-type-immutable": Outcome.WRONG_TYPE,
    "apply-with-a-stale-version": Outcome.FAILED,
    "apply-on-immutable": Outcome.FAILED,
    "apply-name-mismatch": Outcome.FAILED,
    "apply-without-etcd": Outcome.FAILED,
    "apply-over-quota": Outcome.FAILED,
    "apply-against-policy": Outcome.FAILED,
}


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        *(pytest.param(refused(name), outcome, id=name) for name, outcome in OUTCOMES.items()),
        pytest.param(ApiStatusError(403, "Forbidden"), Outcome.FAILED, id="a proxy's 403"),
        pytest.param(ApiStatusError(404, "Not Found"), Outcome.FAILED, id="a proxy's 404"),
        pytest.param(ApiStatusError(409, "Conflict"), Outcome.FAILED, id="a proxy's 409"),
        pytest.param(ApiStatusError(503, ""), Outcome.FAILED, id="a load balancer's 503"),
    ],
)
def test_each_refusal_has_its_outcome_and_each_bad_one_a_remedy(
    refusal: ApiStatusError, outcome: Outcome
) -> None:
    explanation = explain(refusal, "team-a", "ecr-public-token", kubectl=KUBECTL)
    assert explanation.outcome is outcome
    assert explanation.message
    assert bool(explanation.remedy) is outcome.bad


def test_a_listed_namespace_that_is_gone_is_skipped() -> None:
    assert (
        explain(
            refused("apply-missing-namespace"),
            "team-a",
            "x",
            kubectl=KUBECTL,
            listed=True,
        ).outcome
        is Outcome.SKIPPED
    )


def test_a_conflict_names_the_manager_and_the_way_out() -> None:
    explanation = explain(
        refused("apply-conflicts-with-foreign"),
        "team-a",
        "ecr-public-token",
        kubectl=KUBECTL,
    )
    assert "kubectl-create" in explanation.message
    assert "takeOwnership" in explanation.remedy


def test_a_webhook_is_named_and_on_the_platforms_own_namespaces_excluded() -> None:
    refusal = refused("webhook-denies-400")
    explanation = explain(refusal, "team-a", "x", kubectl=KUBECTL)
    denier = "the admission webhook denies-400.policy.example.com"
    assert explanation.message == f"{denier} denies the Secret x"
    assert "infra/rbac" not in explanation.remedy
    for namespace in ("kube-system", "openshift-monitoring", "gke-managed-system"):
        assert f"exclude: [{namespace}]" in explain(refusal, namespace, "x", kubectl=KUBECTL).remedy
