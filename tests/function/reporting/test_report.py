"""Outcomes -> counts, report, metrics, verdict."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_public_pusher.errors import ApiError, ConfigurationError, EksError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.reporting import report as reporting
from ecr_public_pusher.reporting.metrics import Metric, metrics
from ecr_public_pusher.reporting.run_result import RunResult
from ecr_public_pusher.results import (
    Check,
    ClusterResult,
    Finding,
    IssuedToken,
    NamespaceOutcome,
    Outcome,
)
from ecr_public_pusher.version import VERSION

GOOD = ClusterResult(
    "a",
    (
        NamespaceOutcome("x", Outcome.CREATED),
        NamespaceOutcome("y", Outcome.ADOPTED, taken_from=("kubectl",)),
    ),
    seconds=0.25,
)
MIXED = ClusterResult(
    "b",
    (
        NamespaceOutcome("x", Outcome.UPDATED),
        NamespaceOutcome("y", Outcome.CONFLICT, "held", "let go"),
    ),
)
DOWN = ClusterResult(
    "c",
    (NamespaceOutcome("x", Outcome.FAILED, "the cluster failed"),),
    error=EksError("unknown", remedy="look"),
)
OFF = ClusterResult("d", skipped="disabled")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOKENS = (IssuedToken("public.ecr.aws", NOW + timedelta(hours=12)),)


def run(*results: ClusterResult, request: Request | None = None, **more: object) -> RunResult:
    given: dict[str, Any] = {"tokens": TOKENS, "unconfigured": False, **more}
    return RunResult(request or Request(), "id-1", 1.5, results, **given)


def test_what_a_run_was_narrowed_to_is_in_its_report() -> None:
    asked = Request(clusters=("prod", "edge-*"), namespaces=("team-a",))
    assert reporting.report(run(GOOD, request=asked))["narrowedTo"] == {
        "clusters": ["prod", "edge-*"],
        "namespaces": ["team-a"],
    }


def test_the_whole_report() -> None:
    assert reporting.report(run(GOOD, MIXED, OFF)) == {
        "action": "push",
        "ok": False,
        "dryRun": False,
        "version": VERSION,
        "requestId": "id-1",
        "seconds": 1.5,
        "tokens": [{"registry": "public.ecr.aws", "expiresAt": "2026-01-01T12:00:00Z"}],
        "totals": {
            "clusters": 3,
            "clustersFailed": 1,
            "created": 1,
            "updated": 1,
            "adopted": 1,
            "skipped": 1,
            "conflict": 1,
        },
        "clusters": [
            {
                "id": "a",
                "ok": True,
                "error": None,
                "counts": {"created": 1, "adopted": 1},
                "seconds": 0.25,
                "problems": [],
                "adopted": [{"namespace": "y", "from": ["kubectl"]}],
            },
            {
                "id": "b",
                "ok": False,
                "error": None,
                "counts": {"updated": 1, "conflict": 1},
                "seconds": 0.0,
                "problems": [
                    {"namespace": "y", "outcome": "conflict", "message": "held", "remedy": "let go"}
                ],
            },
            {
                "id": "d",
                "ok": True,
                "error": None,
                "counts": {"skipped": 1},
                "seconds": 0.0,
                "problems": [],
                "skipped": "disabled",
            },
        ],
    }


def test_problems_fit_aws_limits_with_one_at_least_for_each_failed_cluster() -> None:
    big = tuple(
        NamespaceOutcome(f"n{number}", Outcome.FAILED, "m" * 500, "r" * 500)
        for number in range(1000)
    )
    answer = reporting.report(run(ClusterResult("a", big), MIXED))
    assert len(json.dumps(answer)) < 140 * 1024
    first, second = answer["clusters"]
    assert len(first["problems"]) + first["problemsLeft"] == 1000
    assert len(second["problems"]) == 1


def test_metrics_of_a_full_push_have_explicit_zeros() -> None:
    assert metrics(run(GOOD, OFF), now=NOW) == [
        Metric("FullPushCompleted", 1),
        Metric("ClustersFailed", 0),
        Metric("Duration", 1.5, "Seconds"),
        Metric("Unconfigured", 0),
        Metric("UnknownParameters", 0),
        Metric("DocumentsDeleted", 0),
        Metric("TokenSecondsAtIssue", 43200.0, "Seconds"),
        Metric("ClusterFailed", 0, cluster="a"),
        Metric("SecretsApplied", 2, cluster="a"),
        Metric("SecretsFailed", 0, cluster="a"),
        Metric("SecretsAdopted", 1, cluster="a"),
    ]


def test_without_metrics_of_clusters_those_of_the_run_stay() -> None:
    failed = run(GOOD, DOWN)
    kept = metrics(failed, now=NOW, of_clusters=False)
    assert kept == [metric for metric in metrics(failed, now=NOW) if metric.cluster is None]
    assert Metric("ClustersFailed", 1) in kept


def full(checked: RunResult) -> float:
    return next(
        metric.value for metric in metrics(checked, now=NOW) if metric.name == "FullPushCompleted"
    )


def test_full_push_is_not_kept_loud_by_one_bad_cluster() -> None:
    assert full(run(GOOD, DOWN)) == 1


def test_full_push_is_never_claimed_by_less() -> None:
    assert full(run(GOOD, request=Request(clusters=("a",)))) == 0
    assert full(run(GOOD, request=Request(namespaces=("x",)))) == 0
    assert full(run(unconfigured=True)) == 0
    assert (
        full(
            run(
                ClusterResult(
                    "a",
                    (
                        NamespaceOutcome("x", Outcome.CREATED),
                        NamespaceOutcome("y", Outcome.NOT_ATTEMPTED),
                    ),
                )
            )
        )
        == 0
    )
    assert full(run(error=ConfigurationError("x", remedy="y"))) == 0
    assert full(run(GOOD, ClusterResult("z", attempted=False))) == 0


def test_a_part_of_a_full_push_counts_for_it_and_dealing_it_out_does_not() -> None:
    assert full(run(GOOD, request=Request(clusters=("a",), of_full_push=True))) == 1
    assert "FullPushCompleted" not in {
        metric.name for metric in metrics(run(dispatched=3), now=NOW)
    }


@pytest.mark.parametrize(
    "request_", [Request("plan"), Request("check"), Request("remove", ("*",), removes=True)]
)
def test_what_is_no_push_emits_nothing(request_: Request) -> None:
    assert metrics(run(GOOD, MIXED, request=request_), now=NOW) == []


def test_a_sweep_that_did_nothing_emits_nothing() -> None:
    assert metrics(run(ClusterResult("a"), request=Request("sweep"), tokens=()), now=NOW) == []


def test_what_was_not_read_is_not_reported() -> None:
    names = {
        metric.name
        for metric in metrics(
            run(unconfigured=None, tokens=(), error=ConfigurationError("x", remedy="y")), now=NOW
        )
    }
    assert names == {"FullPushCompleted", "ClustersFailed", "Duration"}


@pytest.mark.parametrize(
    ("checked", "raises"),
    [
        (run(GOOD), False),
        (run(GOOD, MIXED), True),
        (run(GOOD, MIXED, queued=("b",)), False),
        (run(MIXED, DOWN, queued=("b",)), True),
        (run(MIXED, request=Request(raises=False)), False),
        (run(error=ConfigurationError("x", remedy="y")), True),
        (run(MIXED, request=Request("plan")), False),
        (run(MIXED, request=Request("check")), False),
        (run(MIXED, request=Request("sweep")), False),
        (run(MIXED, request=Request("remove", ("*",), removes=True)), True),
        (run(error=ConfigurationError("x", remedy="y"), request=Request("check")), True),
        (run(GOOD, unknown=("/x",)), False),
    ],
)
def test_it_is_raised_when_it_is_to_be_tried_again(checked: RunResult, raises: bool) -> None:
    assert checked.raises is raises


def test_findings_are_shown_those_that_are_not_ok_first() -> None:
    findings = (Finding(Check.EKS, True, "there"), Finding(Check.TCP, False, "shut", "open it"))
    (cluster,) = reporting.report(
        run(ClusterResult("a", findings=findings), request=Request("check"))
    )["clusters"]
    assert cluster["ok"] is False
    assert cluster["findings"] == [
        {"check": "tcp", "ok": False, "message": "shut", "remedy": "open it"},
        {"check": "eks", "ok": True, "message": "there"},
    ]


def test_findings_fit_aws_limits_too() -> None:
    findings = tuple(Finding(Check.PERMISSION, False, "m" * 500, "r" * 500) for _ in range(400))
    answer = reporting.report(run(ClusterResult("a", findings=findings), request=Request("check")))
    assert len(json.dumps(answer)) < 140 * 1024
    assert answer["clusters"][0]["findingsLeft"] > 0


def test_a_thousand_failing_clusters_fit_too_and_the_rest_is_counted() -> None:
    down = [
        ClusterResult(f"c{number:04}", error=EksError("m" * 900, remedy="r" * 900))
        for number in range(1000)
    ]
    fine = [ClusterResult(f"a{number:04}") for number in range(1000)]
    answer = reporting.report(run(*fine, *down, queued=tuple(result.id for result in down)))
    assert len(json.dumps(answer)) < 200 * 1024
    assert answer["totals"] == {"clusters": 2000, "clustersFailed": 1000}
    assert len(answer["clusters"]) + answer["clustersLeft"] == 2000
    assert len(answer["clusters"]) > 30
    assert not any(cluster["ok"] for cluster in answer["clusters"])
    assert (len(answer["queued"]), answer["queuedLeft"]) == (100, 900)


def test_what_the_dashboard_reads_comes_before_every_long_list() -> None:
    names = list(
        reporting.report(
            run(GOOD, error=ConfigurationError("x", remedy="y"), queued=("b",), unknown=("/x",))
        )
    )
    assert names[-1] == "clusters"
    assert (
        names.index("error") < names.index("totals") < names.index("tokens") < names.index("queued")
    )


def test_tokens_of_very_many_registries_are_counted() -> None:
    tokens = tuple(
        IssuedToken(f"{number}.dkr.ecr.eu-west-1.amazonaws.com", NOW, private=True)
        for number in range(130)
    )
    answer = reporting.report(run(GOOD, tokens=tokens))
    assert (len(answer["tokens"]), answer["tokensLeft"]) == (100, 30)


def test_a_plan_names_what_it_would_change() -> None:
    outcomes = [
        Outcome.CREATED,
        Outcome.UPDATED,
        Outcome.ADOPTED,
        Outcome.PRUNED,
        Outcome.REMOVED,
        Outcome.SKIPPED,
        Outcome.CONFLICT,
    ]
    result = ClusterResult(
        "a", tuple(NamespaceOutcome(outcome.value, outcome) for outcome in outcomes)
    )
    changes = [
        {"namespace": name, "outcome": name} for name in ("created", "adopted", "pruned", "removed")
    ]
    for request in (Request("plan"), Request("check"), Request("plan", ("a",), removes=True)):
        assert reporting.report(run(result, request=request))["clusters"][0]["changes"] == changes
    assert "changes" not in reporting.report(run(result))["clusters"][0]


def test_changes_fit_aws_limits_too() -> None:
    many = tuple(
        NamespaceOutcome(f"namespace-{number:05}", Outcome.CREATED) for number in range(10_000)
    )
    answer = reporting.report(run(ClusterResult("a", many), request=Request("plan")))
    assert len(json.dumps(answer)) < 140 * 1024
    (cluster,) = answer["clusters"]
    assert len(cluster["changes"]) + cluster["changesLeft"] == 10_000


def test_changed_accounts_are_counted() -> None:
    changed = ClusterResult(
        "a", (NamespaceOutcome("x", Outcome.UPDATED, service_accounts=("default", "build")),)
    )
    assert reporting.report(run(changed))["clusters"][0]["serviceAccountsChanged"] == 2


def test_the_summary_names_the_failed_clusters() -> None:
    assert (
        reporting.summary(run(GOOD, MIXED, DOWN))
        == "2 of 3 clusters failed: b, c; see the report in the log"
    )


def test_the_summary_is_one_line_whatever_the_errors_contain() -> None:
    error = ApiError("a\r\x00b\u2028c", remedy="First:\n  second\x1b[2J.")
    assert (
        reporting.summary(run(error=error)) == r"ApiError: a\r\x00b\u2028c First:   second\x1b[2J."
    )
    assert r"the first /a\x0b b;" in reporting.summary(run(GOOD, unknown=("/a\x0b\nb",)))
    lost = reporting.summary(run(GOOD, queue_error=ApiError("x\ny", remedy="")))
    assert lost.startswith(r"ApiError: x\ny; ")


def test_an_unknown_parameter_is_not_ok() -> None:
    checked = run(GOOD, unknown=("/ecr-public-pusher/cluster/prod",))
    assert not checked.ok
    assert reporting.report(checked)["unknownParameters"] == ["/ecr-public-pusher/cluster/prod"]
    assert "/ecr-public-pusher/cluster/prod" in reporting.summary(checked)


def stored(identity: str, days: float, *, wrote: bool = True) -> ClusterResult:
    """Return the result of a cluster whose stored credential ends in this many days."""
    outcome = NamespaceOutcome("x", Outcome.UPDATED if wrote else Outcome.CURRENT)
    return ClusterResult(identity, (outcome,), credential_expires_at=NOW + timedelta(days=days))


def credential_metrics(run: RunResult) -> list[Metric]:
    return [one for one in metrics(run, now=NOW) if one.name == "CredentialSecondsLeft"]


def credential_metric(days: float, cluster: str | None = None) -> Metric:
    return Metric("CredentialSecondsLeft", days * 86400, "Seconds", cluster=cluster)


def test_the_life_of_stored_credentials_is_a_metric_of_each_cluster_with_one_and_of_all() -> None:
    assert credential_metrics(run(stored("a", 3), GOOD, stored("c", 20, wrote=False))) == [
        credential_metric(3),
        credential_metric(3, "a"),
        credential_metric(20, "c"),
    ]
    assert credential_metrics(run(GOOD, OFF)) == []


def test_a_sweep_emits_it_where_it_wrote() -> None:
    sweep = Request(action="sweep")
    assert credential_metrics(run(stored("a", 3, wrote=False), stored("c", 20), request=sweep)) == [
        credential_metric(20),
        credential_metric(20, "c"),
    ]


def test_the_end_of_a_stored_credential_is_in_its_clusters_entry() -> None:
    first, second = reporting.report(run(stored("a", 3), GOOD))["clusters"]
    assert first["credentialExpiresAt"] == "2026-01-04T00:00:00Z"
    assert "credentialExpiresAt" not in second
