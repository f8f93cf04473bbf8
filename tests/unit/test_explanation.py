"""Status and causes of a refusal -> outcome."""

import pytest

from ecr_public_pusher.answers import Conflict, Refused
from ecr_public_pusher.explanation import explained
from ecr_public_pusher.model import Outcome

HELD = Conflict(("kubectl",), (".data..dockerconfigjson",))
TYPED = Conflict(("kubectl",), (".type",))


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (Refused(404, "Not Found", kind="namespaces"), Outcome.MISSING),
        (Refused(404, "Not Found"), Outcome.FAILED),
        (Refused(403, "Forbidden"), Outcome.FORBIDDEN),
        (Refused(403, "Forbidden", causes=("NamespaceTerminating",)), Outcome.SKIPPED),
        (Refused(409, "Conflict", conflict=HELD), Outcome.CONFLICT),
        (Refused(409, "Conflict", conflict=TYPED), Outcome.WRONG_TYPE),
        (Refused(409, "Conflict"), Outcome.FAILED),
        (Refused(422, "Unprocessable Entity", causes=("FieldValueInvalid",)), Outcome.WRONG_TYPE),
        (Refused(422, "Unprocessable Entity", causes=("FieldValueForbidden",)), Outcome.FAILED),
        (Refused(400, "Bad Request"), Outcome.FAILED),
        (Refused(503, "Service Unavailable"), Outcome.FAILED),
    ],
)
def test_each_refusal_has_its_outcome_and_each_bad_one_a_remedy(refusal: Refused, outcome: Outcome) -> None:
    explanation = explained(refusal, "team-a", "ecr-public-token")
    assert explanation.outcome is outcome
    assert explanation.message
    assert bool(explanation.remedy) is outcome.bad


def test_a_listed_namespace_that_is_gone_is_skipped() -> None:
    assert explained(Refused(404, "Not Found", kind="namespaces"), "team-a", "x", listed=True).outcome is Outcome.SKIPPED


def test_a_conflict_names_the_manager_and_the_way_out() -> None:
    explanation = explained(Refused(409, "Conflict", conflict=HELD), "team-a", "ecr-public-token")
    assert "kubectl" in explanation.message
    assert "takeOwnership" in explanation.remedy
