"""Status and causes of a refusal -> outcome."""

import pytest

from ecr_public_pusher.errors import ApiStatusError, DeniedBy, FieldConflict
from ecr_public_pusher.jobs.outcomes import explain
from ecr_public_pusher.results import Outcome

KUBECTL = "kubectl --context prod"
HELD = FieldConflict(("kubectl",), (".data..dockerconfigjson",))
TYPED = FieldConflict(("kubectl",), (".type",))


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (ApiStatusError(404, "Not Found", kind="namespaces"), Outcome.MISSING),
        (ApiStatusError(404, "Not Found"), Outcome.FAILED),
        (ApiStatusError(403, "Forbidden", kind="secrets"), Outcome.FORBIDDEN),
        (
            ApiStatusError(403, "Forbidden"),
            Outcome.FAILED,
        ),  # a proxy's, or a firewall's: no right is missing
        (ApiStatusError(403, "Forbidden", causes=("NamespaceTerminating",)), Outcome.SKIPPED),
        (ApiStatusError(409, "Conflict", conflict=HELD), Outcome.CONFLICT),
        (ApiStatusError(409, "Conflict", conflict=TYPED), Outcome.WRONG_TYPE),
        (ApiStatusError(409, "Conflict"), Outcome.FAILED),
        (
            ApiStatusError(422, "Unprocessable Entity", causes=("FieldValueInvalid",)),
            Outcome.WRONG_TYPE,
        ),
        (
            ApiStatusError(422, "Unprocessable Entity", causes=("FieldValueForbidden",)),
            Outcome.FAILED,
        ),
        (ApiStatusError(400, "Bad Request"), Outcome.FAILED),
        (ApiStatusError(503, "Service Unavailable"), Outcome.FAILED),
        (ApiStatusError(403, "Forbidden", denied_by=DeniedBy.QUOTA), Outcome.FAILED),
        (ApiStatusError(422, "Unprocessable Entity", denied_by=DeniedBy.POLICY), Outcome.FAILED),
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
            ApiStatusError(404, "Not Found", kind="namespaces"),
            "team-a",
            "x",
            kubectl=KUBECTL,
            listed=True,
        ).outcome
        is Outcome.SKIPPED
    )


def test_a_conflict_names_the_manager_and_the_way_out() -> None:
    explanation = explain(
        ApiStatusError(409, "Conflict", conflict=HELD),
        "team-a",
        "ecr-public-token",
        kubectl=KUBECTL,
    )
    assert "kubectl" in explanation.message
    assert "takeOwnership" in explanation.remedy


def test_a_webhook_is_named_and_on_the_platforms_own_namespaces_excluded() -> None:
    refusal = ApiStatusError(
        400, "Bad Request", denied_by=DeniedBy.POLICY, webhook="guard.example.com"
    )
    explanation = explain(refusal, "team-a", "x", kubectl=KUBECTL)
    assert explanation.message == "the admission webhook guard.example.com denies the Secret x"
    assert "infra/rbac" not in explanation.remedy
    for namespace in ("kube-system", "openshift-monitoring", "gke-managed-system"):
        assert f"exclude: [{namespace}]" in explain(refusal, namespace, "x", kubectl=KUBECTL).remedy
