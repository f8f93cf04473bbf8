"""Whole runs of the handler, with AWS and clusters on real sockets.

Writes, requests and reports.
"""

import json
from typing import Any

import pytest

from ecr_public_pusher.errors import PushFailed
from infra.local.aws import Answer
from tests.support.reports import entry
from tests.support.world import ACCOUNT, GROUP, SECRET, SPOKE_ACCOUNT, SPOKE_ROLE, STACK, World

MANY = tuple(f"team-{number:02}" for number in range(30))


def outcome(report: dict[str, Any], cluster: str, namespace: str) -> dict[str, Any]:
    """Return the problem reported for a namespace."""
    found = next(entry for entry in report["clusters"] if entry["id"] == cluster)
    return dict(next(problem for problem in found["problems"] if problem["namespace"] == namespace))


def test_every_selected_namespace_gets_the_token_in_one_request(world: World) -> None:
    world.add_cluster("prod", namespaces=MANY, document="namespaces: ['team-*']")
    report = world.invoke()
    assert report["ok"]
    assert report["totals"] == {"clusters": 1, "clustersFailed": 0, "created": 30}
    issued = world.aws.ecr_public.issued
    assert len(issued) == 1
    assert {world.token("prod", name) for name in MANY} == set(issued)
    asked = world.asked("prod")
    assert [line.split("?")[0] for line in sorted(asked)[:2]] == [
        "GET /api/v1/namespaces",
        "GET /api/v1/secrets",
    ]
    assert len(asked) == len(MANY) + 2
    assert len(world.aws.called("eks", "DescribeCluster")) == 1


def test_names_without_globs_need_no_list_of_namespaces(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: a b")
    assert world.invoke()["totals"]["created"] == 2
    assert [line.split("?")[0] for line in sorted(world.asked("prod"))] == [
        "GET /api/v1/secrets",
        f"PATCH /api/v1/namespaces/a/secrets/{SECRET}",
        f"PATCH /api/v1/namespaces/b/secrets/{SECRET}",
    ]


def test_a_second_run_rotates_the_token_and_keeps_the_secret(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.invoke()
    before = world.secret("prod", "a")
    token = world.token("prod", "a")
    assert world.invoke()["totals"]["updated"] == 1
    after = world.secret("prod", "a")
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert world.token("prod", "a") == world.aws.ecr_public.issued[-1] != token


def test_the_secret_is_as_designed(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a",),
        document="{namespaces: [a], labels: {team: web}, annotations: {example.com/x: y}}",
    )
    world.invoke()
    secret = world.secret("prod", "a")
    assert secret is not None
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    assert secret["metadata"]["labels"] == {
        "team": "web",
        "app.kubernetes.io/managed-by": "ecr-public-pusher",
    }
    annotations = secret["metadata"]["annotations"]
    assert annotations["ecr-public-pusher/owner"] == STACK.owner("prod")
    assert annotations["ecr-public-pusher/expires-at"] > annotations["ecr-public-pusher/pushed-at"]
    assert [field["manager"] for field in secret["metadata"]["managedFields"]] == [
        "ecr-public-pusher/111122223333/us-east-1/stack-of-a-test"
    ]


def test_selection_by_label_glob_and_exclusion(world: World) -> None:
    labels = {
        "web-a": {"pull": "yes"},
        "web-b": {},
        "db": {"pull": "yes"},
        "web-off": {"pull": "yes"},
    }
    world.add_cluster(
        "prod",
        namespaces=labels,
        document="namespaces: {include: ['web-*', db], selector: pull=yes, exclude: [web-off]}",
    )
    assert world.invoke()["totals"]["created"] == 2
    assert [name for name in labels if world.secret("prod", name)] == ["web-a", "db"]


def test_clusters_in_two_regions_and_accounts_in_one_run(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.add_cluster(
        "edge",
        namespaces=("b",),
        region="eu-central-1",
        account=SPOKE_ACCOUNT,
        principal=SPOKE_ROLE,
        document=(
            f"{{namespaces: [b], region: eu-central-1, roleArn: '{SPOKE_ROLE}', externalId:"
            " an-external-id}"
        ),
    )
    report = world.invoke()
    assert report["ok"], report
    assert world.token("prod", "a") == world.token("edge", "b") == world.aws.ecr_public.issued[0]
    described = {(call.region, call.account) for call in world.aws.called("eks")}
    assert described == {("us-east-1", ACCOUNT), ("eu-central-1", SPOKE_ACCOUNT)}


@pytest.mark.parametrize(("external_id", "ok"), [("an-external-id", True), ("a-wrong-id", False)])
def test_a_role_that_several_documents_name_is_assumed_once(
    world: World, external_id: str, ok: bool
) -> None:
    for name in ("one", "two", "three"):
        document = f"{{namespaces: [a], roleArn: {SPOKE_ROLE}, externalId: {external_id}}}"
        world.add_cluster(
            name,
            account=SPOKE_ACCOUNT,
            principal=SPOKE_ROLE,
            namespaces=("a",),
            document=document,
            embedded=True,
        )
    report = world.invoke()
    assert [entry["ok"] for entry in report["clusters"]] == [ok] * 3
    assert len(world.aws.called("sts", "AssumeRole")) == 1


@pytest.mark.parametrize("external_id", ["externalId: wrong-id", ""])
def test_a_role_that_may_not_be_assumed(world: World, external_id: str) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("edge", f"namespaces: [b]\nroleArn: {SPOKE_ROLE}\n{external_id}\n")
    report = world.invoke()
    assert entry(report, "edge")["error"]["type"] == "RoleError"
    assert SPOKE_ROLE in entry(report, "edge")["error"]["message"]
    assert entry(report, "edge")["counts"] == {"failed": 1}
    assert entry(report, "prod")["ok"]


def test_a_cluster_that_eks_does_not_know(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("gone", "namespaces: [a]")
    report = world.invoke()
    error = entry(report, "gone")["error"]
    assert error["type"] == "EksError"
    assert "gone in us-east-1: ResourceNotFoundException" in error["message"]
    assert "list-clusters" in error["remedy"]
    assert entry(report, "prod")["ok"]


def test_a_region_that_does_not_exist(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("far", "{namespaces: [a], region: mars-north-1}")
    report = world.invoke()
    error = entry(report, "far")["error"]
    assert error["type"] == "EksError"
    assert "mars-north-1" in error["message"]
    assert entry(report, "prod")["ok"]


def test_a_cluster_without_an_access_entry(world: World) -> None:
    world.add_cluster(
        "prod", namespaces=("a",), principal=SPOKE_ROLE, document="namespaces: [a, b]"
    )
    report = world.invoke()
    assert entry(report, "prod")["error"]["type"] == "SignInError"
    assert "create-access-entry" in entry(report, "prod")["error"]["remedy"]
    assert entry(report, "prod")["counts"] == {"failed": 2}
    assert len(world.asked("prod")) <= 4


def test_a_session_token_too_long_for_eks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t" * 2900)
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    report = world.invoke()
    error = entry(report, "prod")["error"]
    assert error["type"] == "SignInError"
    assert "4096" in error["message"]
    assert world.asked("prod") == []


def test_somebody_elses_secret_is_not_touched_and_is_named(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: [a, b]")
    world.foreign_secret("prod", "a", manager="kubectl-client-side-apply")
    before = world.secret("prod", "a")
    report = world.invoke()
    assert outcome(report, "prod", "a")["outcome"] == "conflict"
    assert "kubectl-client-side-apply" in outcome(report, "prod", "a")["message"]
    assert "takeOwnership" in outcome(report, "prod", "a")["remedy"]
    assert world.secret("prod", "a") == before
    assert entry(report, "prod")["counts"] == {"created": 1, "conflict": 1}


def test_take_ownership_names_whom_it_took_from(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="{namespaces: [a], takeOwnership: true}")
    world.foreign_secret("prod", "a", manager="kubectl-create")
    report = world.invoke()
    assert report["ok"]
    assert entry(report, "prod")["adopted"] == [{"namespace": "a", "from": ["kubectl-create"]}]
    assert world.token("prod", "a") == world.aws.ecr_public.issued[0]
    assert world.invoke()["totals"]["updated"] == 1


@pytest.mark.parametrize("take", ["true", "false"])
def test_a_secret_of_another_type(world: World, take: str) -> None:
    world.add_cluster(
        "prod", namespaces=("a",), document=f"{{namespaces: [a], takeOwnership: {take}}}"
    )
    world.foreign_secret("prod", "a", kind="Opaque")
    report = world.invoke()
    assert outcome(report, "prod", "a")["outcome"] == "wrong-type"
    assert len(world.applies("prod")) == 1


def test_a_missing_and_a_terminating_namespace(world: World) -> None:
    world.add_cluster("prod", namespaces=("going", "a"), document="namespaces: [going, nope, a]")
    world.clusters["prod"].admin("DELETE", "/api/v1/namespaces/going")
    report = world.invoke()
    assert entry(report, "prod")["counts"] == {"created": 1, "skipped": 1, "missing": 1}
    assert outcome(report, "prod", "nope")["outcome"] == "missing"
    assert (
        f"`kubectl --context arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod create namespace nope`"
        in outcome(report, "prod", "nope")["remedy"]
    )


def test_a_listed_terminating_namespace_is_not_even_tried(world: World) -> None:
    world.add_cluster("prod", namespaces=("going", "gone-not"), document="namespaces: ['go*']")
    world.clusters["prod"].admin("DELETE", "/api/v1/namespaces/going")
    assert entry(world.invoke(), "prod")["counts"] == {"created": 1, "skipped": 1}
    assert not any("/going/" in path for path in world.applies("prod"))


def test_rbac_namespace_by_namespace(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a", "b"),
        rbac="namespaced.yaml",
        document="namespaces: [default, a, nope]",
    )
    report = world.invoke()
    assert entry(report, "prod")["counts"] == {"created": 1, "forbidden": 2}
    problem = outcome(report, "prod", "a")
    assert "resourceNames: [ecr-public-token]" in problem["remedy"]
    assert "the namespace does not exist" in problem["message"]


def test_a_glob_without_permission_to_list(world: World) -> None:
    world.add_cluster(
        "prod", namespaces=("a",), rbac="namespaced.yaml", document="namespaces: ['*']"
    )
    error = entry(world.invoke(), "prod")["error"]
    assert "not allowed to list namespaces" in error["message"]
    assert "infra/rbac/cluster.yaml" in error["remedy"]


def test_another_secret_name_needs_its_own_rule(world: World) -> None:
    world.add_cluster(
        "prod", namespaces=("a",), document="{namespaces: [a], secretName: pull-secret}"
    )
    assert "resourceNames: [pull-secret]" in outcome(world.invoke(), "prod", "a")["remedy"]


def test_two_documents_that_select_the_same_namespace(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-a", "team-b"), document="namespaces: ['team-*']")
    world.document("web", "{cluster: prod, namespaces: [team-a, default]}")
    report = world.invoke()
    assert entry(report, "prod")["counts"] == {"created": 2}
    assert entry(report, "web")["counts"] == {"created": 1, "conflict": 1}
    assert "the document prod also selects" in outcome(report, "web", "team-a")["message"]
    secret = world.secret("prod", "team-a")
    assert secret is not None
    assert secret["metadata"]["annotations"]["ecr-public-pusher/owner"] == STACK.owner("prod")


def test_a_narrowed_push_does_not_take_what_another_document_holds(world: World) -> None:
    world.add_cluster("prod", namespaces=("team-a",), document="namespaces: ['team-*']")
    world.document("web", "{cluster: prod, namespaces: [team-a]}")
    assert entry(world.invoke({"clusters": ["web"]}), "web")["counts"] == {"conflict": 1}


def test_broken_defaults_write_nothing(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.defaults("namespaces: [")
    report = world.invoke()
    assert report["error"]["type"] == "ConfigurationError"
    assert "/ecr-public-pusher/defaults" in report["error"]["message"]
    assert world.asked("prod") == []
    assert world.aws.ecr_public.issued == []


@pytest.mark.parametrize(
    "text",
    [
        "]not yaml[",
        "- a list",
        "{namespaces: [a], unknownField: x}",
        "namespaces: ['Bad*']",
        "namespaces: {selector: '='}",
    ],
)
def test_a_bad_document_fails_only_itself(world: World, text: str) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("bad", text)
    report = world.invoke()
    assert entry(report, "bad")["error"]["type"] == "InvalidDocument"
    assert entry(report, "bad")["error"]["message"].startswith("/ecr-public-pusher/clusters/bad: ")
    assert entry(report, "prod")["ok"]
    assert report["totals"]["clustersFailed"] == 1


def test_a_secure_document_is_decrypted(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",))
    world.document("prod", "namespaces: [a]", secure=True)
    assert world.invoke()["totals"]["created"] == 1


def test_no_documents_is_reported_plainly_and_is_no_error(world: World) -> None:
    report = world.invoke()
    assert (report["ok"], report["unconfigured"]) == (True, True)
    assert world.aws.ecr_public.issued == []


def test_a_disabled_cluster_is_skipped_and_not_asked(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="{namespaces: [a], enabled: false}")
    report = world.invoke()
    assert (report["ok"], report["totals"]["skipped"]) == (True, 1)
    assert world.asked("prod") == []


def test_more_documents_than_a_page(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",))
    for number in range(23):
        world.document(
            f"c{number:02}", f"{{cluster: prod, namespaces: [n{number:02}], enabled: false}}"
        )
    world.document("prod", "namespaces: [a]")
    report = world.invoke()
    assert report["totals"] == {"clusters": 24, "clustersFailed": 0, "created": 1, "skipped": 23}


def test_narrowed_by_cluster_and_namespace(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: [a, b]")
    world.add_cluster("test", namespaces=("a",), document="namespaces: [a]")
    report = world.invoke({"clusters": ["pr*"], "namespaces": ["b"]})
    assert [cluster["id"] for cluster in report["clusters"]] == ["prod"]
    assert report["totals"]["created"] == 1
    assert world.asked("test") == []


def test_a_namespace_that_nobody_selects_is_an_error_after_the_others_were_pushed(
    world: World,
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    report = world.invoke({"namespaces": ["a", "typo"]})
    assert report["error"]["type"] == "RequestError"
    assert "typo" in report["error"]["message"]
    assert report["totals"]["created"] == 1


def test_a_cluster_that_nobody_configured_is_an_error(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    report = world.invoke({"clusters": ["staging"]})
    assert "staging" in report["error"]["message"]
    assert "Known ids: prod" in report["error"]["remedy"]


def test_a_parameter_change_pushes_that_cluster(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.add_cluster("test", namespaces=("a",), document="namespaces: [a]")
    detail = {
        "operation": "Create",
        "name": "/ecr-public-pusher/clusters/test",
        "type": "String",
        "description": "",
    }
    report = world.call(
        {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
    )
    assert [cluster["id"] for cluster in report["clusters"]] == ["test"]
    assert world.secret("test", "a")
    assert world.secret("prod", "a") is None


def test_a_deleted_document_is_reported_with_what_to_do(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    detail = {
        "operation": "Delete",
        "name": "/ecr-public-pusher/clusters/gone",
        "type": "String",
        "description": "",
    }
    report = world.call(
        {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
    )
    assert report["deleted"]["id"] == "gone"
    assert "`kubectl --context CONTEXT delete secret -A" in report["deleted"]["remedy"]
    assert report["clusters"] == []


def test_a_plan_writes_nothing_and_says_what_would_happen(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: [a, b, nope]")
    world.foreign_secret("prod", "b")
    report = world.invoke({"action": "plan"})
    assert report["dryRun"]
    assert entry(report, "prod")["counts"] == {"created": 1, "conflict": 1, "missing": 1}
    assert world.secret("prod", "a") is None
    assert ["dryRun=All" in path for path in world.applies("prod")] == [True] * 3
    (token,) = world.aws.ecr_public.issued
    assert all(token.encode() not in seen.body for seen in world.clusters["prod"].requests)


def test_a_plan_continues_without_a_token_and_reports_that(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.ecr_public.deny()
    report = world.invoke({"action": "plan"})
    assert report["error"]["type"] == "TokenError"
    assert entry(report, "prod")["counts"] == {"created": 1}


@pytest.mark.parametrize("fault", ["deny", "empty", "nonsense", "expired"])
def test_no_token_no_write(world: World, fault: str) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.invoke()
    before = world.secret("prod", "a")
    asked = len(world.asked("prod"))
    getattr(world.aws.ecr_public, fault)()
    report = world.invoke()
    assert report["error"]["type"] == "TokenError"
    assert report["error"]["remedy"]
    assert world.secret("prod", "a") == before
    assert len(world.asked("prod")) == asked


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"AWS"',
        b'{"authorizationData": []}',
        b'{"authorizationData": {"authorizationToken": 7}}',
    ],
)
def test_a_token_call_that_answers_nonsense(world: World, body: bytes) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.ecr_public.answer(body)
    assert world.invoke()["error"]["type"] == "TokenError"
    assert world.asked("prod") == []


def test_a_failed_push_raises_after_log_and_metrics_are_out(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a, nope]")
    with pytest.raises(PushFailed, match="1 of 1 clusters failed: prod") as caught:
        world.call({})
    assert caught.value.__suppress_context__
    assert [record.report["ok"] for record in caplog.records if hasattr(record, "report")] == [
        False
    ]
    assert "FullPushCompleted" in capsys.readouterr().out


def test_an_event_of_an_unknown_shape_raises_and_shows_the_shapes(world: World) -> None:
    with pytest.raises(PushFailed, match='"action": "plan"'):
        world.call({"Records": 1})


def test_without_metrics_of_clusters_the_log_has_one_line_of_metrics(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTER_METRICS", "false")
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.invoke({})
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    (line,) = (line for line in lines if "_aws" in line)
    assert (line["ClustersFailed"], "cluster" in line) == ([0.0], False)


def test_metrics_as_emitted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.invoke()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    emf = {line.get("cluster"): line for line in lines if "_aws" in line}
    assert {
        name: emf[None][name] for name in ("FullPushCompleted", "ClustersFailed", "Unconfigured")
    } == {
        "FullPushCompleted": [1.0],
        "ClustersFailed": [0.0],
        "Unconfigured": [0.0],
    }
    assert 43000 < emf[None]["TokenSecondsAtIssue"][0] <= 43200
    assert {
        name: emf["prod"][name]
        for name in ("ClusterFailed", "SecretsApplied", "SecretsFailed", "SecretsAdopted")
    } == {
        "ClusterFailed": [0.0],
        "SecretsApplied": [1.0],
        "SecretsFailed": [0.0],
        "SecretsAdopted": [0.0],
    }
    for line in emf.values():
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "EcrPublicPusher"
        assert line["service"] == "stack-of-a-test"
    assert {
        tuple(sorted(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]))
        for line in emf.values()
    } == {("service",), ("cluster", "service")}


def test_nothing_secret_is_printed_or_returned(
    world: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: [a, b, nope]")
    world.foreign_secret("prod", "b")
    report = world.invoke()
    out = (
        "".join(capfd.readouterr())
        + json.dumps(report)
        + "".join(str(vars(record)) for record in caplog.records)
    )
    assert "report" in out
    (token,) = world.aws.ecr_public.issued
    assert token[:60] not in out
    assert "k8s-aws-v1" not in out
    assert world.environ["AWS_SESSION_TOKEN"] not in out
    assert world.environ["AWS_SECRET_ACCESS_KEY"] not in out
    assert "X-Amz-Signature" not in out


def test_the_groups_of_the_rbac_files_are_the_designs(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.invoke()
    status, review = world.clusters["prod"].admin(
        "GET", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher"
    )
    assert status == 200
    assert [subject["name"] for subject in review["subjects"]] == [GROUP]


def test_a_secure_document_that_may_not_be_decrypted_fails_only_itself(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("locked", "namespaces: [a]", secure=True)
    world.aws.script(
        "ssm",
        "GetParameters",
        lambda request: Answer.refusal(request, "AccessDeniedException", "kms:Decrypt"),
    )
    report = world.invoke()
    assert "AccessDeniedException" in entry(report, "locked")["error"]["message"]
    assert "kms:Decrypt" in entry(report, "locked")["error"]["remedy"]
    assert entry(report, "prod")["ok"]


def test_defaults_that_may_not_be_decrypted_write_nothing(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.put_parameter("/ecr-public-pusher/defaults", "takeOwnership: true", secure=True)
    world.aws.script(
        "ssm",
        "GetParameters",
        lambda request: Answer.refusal(request, "AccessDeniedException", "kms:Decrypt"),
    )
    assert world.invoke()["error"]["type"] == "ConfigurationError"
    assert world.asked("prod") == []


def test_parameters_that_may_not_be_listed_fail_the_run_with_the_permission(world: World) -> None:
    world.aws.script(
        "ssm",
        "GetParametersByPath",
        lambda request: Answer.refusal(request, "AccessDeniedException", "no"),
    )
    report = world.invoke()
    assert report["error"]["type"] == "ConfigurationError"
    assert "ssm:GetParametersByPath" in report["error"]["remedy"]


def test_an_unknown_parameter_is_reported_and_not_ok(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.put_parameter("/ecr-public-pusher/cluster/typo", "namespaces: [a]")
    report = world.invoke()
    assert not report["ok"]
    assert report["unknownParameters"] == ["/ecr-public-pusher/cluster/typo"]
    assert report["totals"]["created"] == 1


def test_ecr_public_is_asked_in_its_second_region_when_the_first_is_down(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    down = Answer(503, b"{}")
    world.aws.script(
        "ecr-public",
        "GetAuthorizationToken",
        lambda request: down if request.region == "us-east-1" else None,
    )
    report = world.invoke()
    assert report["ok"], report
    assert {call.region for call in world.aws.called("ecr-public")} == {"us-east-1", "us-west-2"}


def test_a_region_that_refuses_has_the_other_asked(world: World) -> None:
    """A service control policy may deny one of them."""
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.script(
        "ecr-public",
        "GetAuthorizationToken",
        lambda request: Answer.refusal(request, "AccessDeniedException", "no"),
        times=1,
    )
    assert world.invoke()["ok"]
    assert [call.region for call in world.aws.called("ecr-public")] == ["us-east-1", "us-west-2"]


def test_a_refusal_of_both_advises_on_permissions_and_an_outage_does_not(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.ecr_public.deny()
    error = world.invoke()["error"]
    assert (
        error["type"],
        "in us-east-1 gave no token: AccessDeniedException" in error["message"],
    ) == ("TokenError", True)
    assert "sts:GetServiceBearerToken" in error["remedy"]
    world.aws.script(
        "ecr-public",
        "GetAuthorizationToken",
        lambda request: Answer.refusal(request, "ServerException", "no", status=500),
    )
    error = world.invoke()["error"]
    assert "GetServiceBearerToken" not in error["remedy"]
    assert "retried automatically" in error["remedy"]


def test_a_network_without_a_way_out_is_not_a_matter_of_permissions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR_PUBLIC", "http://127.0.0.1:9")
    error = world.invoke()["error"]
    assert "gave no token: EndpointConnectionError" in error["message"]
    assert "api.ecr-public.us-east-1.amazonaws.com" in error["remedy"]


def test_namespaces_are_listed_page_by_page(world: World) -> None:
    names = tuple(f"n{number:03}" for number in range(510))
    world.add_cluster("prod", namespaces=names, document="namespaces: ['n5*']", embedded=True)
    assert world.invoke()["totals"]["created"] == 10
    assert (
        len([line for line in world.asked("prod") if line.startswith("GET /api/v1/namespaces?")])
        == 2
    )


GARBAGE = [
    b"",
    b"<html>",
    b"[]",
    b"null",
    b'{"cluster": 7}',
    b'{"cluster": {"endpoint": "http://plain.example", "status": "ACTIVE"}}',
    b"\xff\x00",
]


@pytest.mark.parametrize("body", GARBAGE)
def test_garbage_in_place_of_eks_fails_only_that_cluster(world: World, body: bytes) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("odd", "{namespaces: [a], region: eu-west-1}")
    world.aws.script(
        "eks",
        "DescribeCluster",
        lambda request: Answer(200, body) if request.region == "eu-west-1" else None,
    )
    report = world.invoke()
    assert entry(report, "odd")["error"]["type"] == "EksError"
    assert entry(report, "prod")["ok"]


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"Parameters": 7}', b'{"Parameters": [{"Name": 7}]}']
)
def test_garbage_in_place_of_parameter_store_fails_the_run(world: World, body: bytes) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.script("ssm", "GetParametersByPath", Answer(200, body))
    assert world.invoke()["error"]["type"] == "ConfigurationError"
    assert world.asked("prod") == []
