"""A report is shown in full, and whatever does not fit is counted."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from ecr_public_pusher.results import Outcome
from infra.cli.follow_up import NOTHING_GIVEN
from infra.cli.rendering.report import render_report
from infra.cli.rendering.text import Whole, indented, remedy, span, state

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BASE: dict[str, Any] = {
    "action": "push",
    "ok": True,
    "dryRun": False,
    "seconds": 1.23,
    "totals": {"clusters": 1, "clustersFailed": 0},
    "clusters": [],
}
CLUSTER: dict[str, Any] = {
    "id": "prod",
    "ok": True,
    "error": None,
    "counts": {"updated": 2},
    "seconds": 0.4,
    "problems": [],
}
CONFLICT = {"namespace": "a", "outcome": "conflict", "message": "held", "remedy": "let go"}


def printed(report: dict[str, Any], *, verbose: bool = False, columns: int = 200) -> str:
    console = Console(file=io.StringIO(), width=columns, highlight=False, markup=False)
    for part in render_report(report, now=NOW, follow_up=NOTHING_GIVEN, verbose=verbose):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def of(**cluster: Any) -> str:
    return printed({**BASE, "clusters": [{**CLUSTER, **cluster}]})


def test_the_first_line_says_action_verdict_and_numbers() -> None:
    totals = {"clusters": 3, "clustersFailed": 1, "updated": 4, "conflict": 1}
    text = printed({**BASE, "ok": False, "totals": totals})
    assert (
        text.splitlines()[0]
        == "push: not ok · 3 clusters, 1 failed · namespaces: 4 updated, 1 conflict · 1.2 s"
    )


def test_namespaces_with_the_same_problem_share_it() -> None:
    text = of(
        ok=False,
        problems=[
            CONFLICT,
            {**CONFLICT, "namespace": "b"},
            {**CONFLICT, "namespace": "c", "message": "other"},
        ],
    )
    assert "a, b  conflict\n  held\n    let go\nc  conflict\n  other" in text


def test_a_plans_selection_is_shown_by_reason_and_cut_where_there_are_several_clusters() -> None:
    chosen = [
        {"namespace": f"team-{number}", "selected": True, "reason": "glob team-*"}
        for number in range(12)
    ]
    old = {"namespace": "old", "selected": False, "reason": "excluded by old"}
    lines = of(selection=[*chosen, old]).splitlines()
    by = next(line for line in lines if line.startswith("glob team-*"))
    assert by.split(maxsplit=3)[2:] == ["12", ", ".join(str(one["namespace"]) for one in chosen)]
    start = lines.index("NOT SELECTED ANY MORE     NAMESPACES")
    assert lines[start + 1].split() == ["excluded", "by", "old", "1", "old"]
    several = printed({**BASE, "clusters": [{**CLUSTER, "selection": chosen}, CLUSTER]})
    assert several.endswith("team-8, team-9 and 2 more")


def test_what_failed_with_its_cluster_is_named_once() -> None:
    failed = [
        {
            "namespace": name,
            "outcome": "failed",
            "message": "with the cluster",
            "remedy": "see there",
        }
        for name in ("a", "b")
    ]
    text = of(ok=False, error={"type": "EksError", "message": "m", "remedy": "r"}, problems=failed)
    assert "Failed with it: a, b" in text
    assert "see there" not in text


def test_a_takeover_says_that_what_was_there_is_replaced() -> None:
    lost = "2 Secrets of others: everything in them, credentials of other registries included,"
    assert f"{lost} was replaced" in of(replaced=2)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ({"problemsLeft": 3}, "... and 3 more problems"),
        ({"changesLeft": 1}, "... and 1 more change"),
        ({"findingsLeft": 2}, "... and 2 more findings"),
        ({"adoptedLeft": 2}, "... and 2 more adoptions"),
    ],
)
def test_what_the_report_had_no_room_for_is_counted(left: dict[str, int], said: str) -> None:
    assert said in of(**left)


def test_clusters_that_it_had_no_room_for_are_counted() -> None:
    assert "The report is full: 7 clusters more" in printed(
        {**BASE, "clusters": [CLUSTER], "clustersLeft": 7}
    )


def test_adopted_secrets_are_named_with_whom_they_were_taken_from() -> None:
    assert "a        kubectl, helm" in of(adopted=[{"namespace": "a", "from": ["kubectl", "helm"]}])


def test_changed_service_accounts_are_counted() -> None:
    assert "2 ServiceAccounts changed" in of(serviceAccountsChanged=2)


def test_globs_that_match_nothing_are_reported_though_it_is_ok() -> None:
    text = of(emptyGlobs=["teem-*", "wob-?"])
    assert "prod     ok" in text
    assert "no namespace matches teem-*, wob-?" in text


def test_the_least_life_that_is_left_has_a_column_where_a_run_measured_it() -> None:
    measured = {**CLUSTER, "secondsLeft": 4 * 3600 + 60}
    none = {**CLUSTER, "id": "lack", "secondsLeft": 0}
    text = printed({**BASE, "clusters": [measured, none, {**CLUSTER, "id": "edge"}]})
    assert "prod     ok     2 updated   4h01m       0.4" in text
    assert "lack     ok     2 updated   none        0.4" in text
    assert "edge     ok     2 updated   -           0.4" in text
    assert "TOKEN LEFT" not in of()


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        ("2026-01-15T11:59:59Z", "stored credential expires in 13d: store a new kubeconfig"),
        ("2026-01-15T12:00:00Z", ""),
        ("2026-01-01T12:00:01Z", "stored credential expires in 1s: store a new kubeconfig"),
        ("2026-01-01T12:00:00Z", "stored credential expired: store a new kubeconfig"),
        ("soon", ""),
    ],
)
def test_a_stored_credential_that_expires_within_two_weeks_is_reported(
    end: str, shown: str
) -> None:
    lines = of(credentialExpiresAt=end).splitlines()
    assert [one for one in lines if "stored credential" in one] == [shown][: bool(shown)]


def test_a_check_says_so_once() -> None:
    finding = {"check": "credential", "ok": False, "message": "it expires", "remedy": "renew"}
    text = of(credentialExpiresAt="2026-01-05T00:00:00Z", findings=[finding])
    assert "stored credential" not in text


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_has_the_colour_of_what_it_means(outcome: Outcome) -> None:
    neutral = {Outcome.SKIPPED: "yellow"}
    assert state(outcome.value).style == neutral.get(outcome, "red" if outcome.bad else "green")


def test_what_is_left_is_a_problem_with_the_command_that_deletes_it() -> None:
    message = "the Secret ecr-public-token is left behind: its token expires in 2.0 hours"
    remedy_of_it = "delete it: `kubectl -n team-a delete secret ecr-public-token`."
    problem = {"namespace": "team-a", "outcome": "left", "message": message, "remedy": remedy_of_it}
    text = of(ok=False, counts={"updated": 1, "left": 1}, problems=[problem])
    assert "1 updated, 1 left" in text
    assert f"team-a  left\n  {message}\n    {remedy_of_it}" in text


def test_the_secrets_of_argo_cds_repositories_are_told_apart() -> None:
    changes = [
        {"namespace": "argocd", "outcome": "created"},
        {"namespace": "argocd", "secret": "charts", "outcome": "created"},
    ]
    problem = {"outcome": "conflict", "message": "managed by x", "remedy": "stop it"}
    problems = [{"namespace": "argocd", "secret": name, **problem} for name in ("apps", "other")]
    adopted = [{"namespace": "argocd", "secret": "theirs", "from": ["kubectl"]}]
    cluster = {**CLUSTER, "changes": changes, "problems": problems, "adopted": adopted}
    text = printed({**BASE, "action": "plan", "dryRun": True, "clusters": [cluster]})
    assert "argocd         create\nargocd/charts  create" in text
    assert "argocd/apps, argocd/other  conflict" in text
    assert "argocd/theirs  kubectl" in text


def test_a_plan_says_what_it_would_do() -> None:
    changes = [{"namespace": "a", "outcome": "created"}, {"namespace": "b", "outcome": "pruned"}]
    text = printed(
        {**BASE, "action": "plan", "dryRun": True, "clusters": [{**CLUSTER, "changes": changes}]}
    )
    assert "nothing was changed" in text
    assert "NAMESPACE  WOULD\na          create\nb          prune" in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"unconfigured": True}, "There is no configuration yet"),
        ({"dispatched": 3}, "split into 3 messages"),
        ({"unknownParameters": ["/x/cluster/a"], "unknownParametersLeft": 4}, "... and 4 more"),
        ({"queued": ["prod", "edge"]}, "to be tried again: prod, edge"),
        (
            {"leftToDocuments": ["fleet/us-east-1/one"], "leftToDocumentsLeft": 2},
            "left to documents of their own: fleet/us-east-1/one, and 2 more",
        ),
        (
            {"deleted": {"id": "edge", "message": "gone", "remedy": "put it back"}},
            "edge: document deleted",
        ),
        (
            {"error": {"type": "TokenError", "message": "none", "remedy": "ask"}},
            "TokenError\n  none\n    ask",
        ),
        (
            {"tokens": [{"registry": "public.ecr.aws", "expiresAt": "2026-01-01T23:30:00Z"}]},
            "public.ecr.aws  2026-01-01T23:30:00Z  11h30m",
        ),
    ],
)
def test_whatever_else_a_report_says_is_shown(more: dict[str, Any], said: str) -> None:
    assert said in printed({**BASE, **more})


def test_a_skipped_cluster_says_why() -> None:
    assert "prod     skipped  disabled" in of(skipped="disabled", counts={"skipped": 1})


def test_findings_that_are_fine_are_counted_among_several_clusters_and_listed_when_asked() -> None:
    found = {**CLUSTER, "findings": [{"check": "tls", "ok": True, "message": "TLSv1.3"}]}
    report = {**BASE, "action": "check", "clusters": [found, {**found, "id": "edge"}]}
    assert "1 check ok" in printed(report)
    assert "TLSv1.3" in printed(report, verbose=True)


@pytest.mark.parametrize(
    "text",
    ["Run kubectl apply -f x", 'send {"action": "push"}', "(aws eks list-clusters) shows them"],
)
def test_a_line_with_a_command_stays_whole(text: str) -> None:
    assert isinstance(remedy(text)[0], Whole)


def test_prose_wraps_and_a_file_below_it_stays_whole() -> None:
    first, *rest = remedy("Write this file:\napiVersion: v1\nkind: Config")
    assert type(first) is type(indented("x"))
    assert all(isinstance(line, Whole) for line in rest)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3600, "1h"),
        (3660, "1h01m"),
        (86400, "24h"),
        (200000, "2d"),
        (-5, "0s"),
    ],
)
def test_time_spans_are_written_short(seconds: float, text: str) -> None:
    assert span(seconds) == text
