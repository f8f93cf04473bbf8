"""`status` from end to end: the function's own log lines, Parameter Store, queues, alarms."""

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.aws import Answer, AwsRequest, FunctionAnswer
from tests.support.operator import Operator, deploy
from tests.support.secrets import aged
from tests.support.world import kubeconfig

HOUR = 3600


@pytest.fixture
def prod(operator: Operator) -> Operator:
    """Make a cluster, and push to it."""
    operator.world.add_cluster(
        "prod", namespaces=("team-a", "team-b"), document="namespaces: [team-a, team-b]"
    )
    operator.run("push")
    return operator


def test_a_cluster_that_was_pushed_is_ok_and_so_is_the_whole(prod: Operator) -> None:
    result = prod.run("status")
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("prod")]
    assert line.split()[1] == "ok"
    assert "11h59m" in line
    assert "Retry queue: empty" in result.stdout
    assert "Alarms: none\n" in result.stdout


def test_json_says_hours_left_and_the_rest_under_stable_names(prod: Operator) -> None:
    found = prod.json("status")
    assert found["clusters"][0]["tokenHoursLeft"] == 12.0
    assert set(found) == {
        *(
            "ok",
            "at",
            "since",
            "stack",
            "unconfigured",
            "clusters",
            "lastPushError",
            "retryQueue",
            "deadLetters",
            "alarms",
        ),
        *("unknownParameters", "deletedDocuments", "lostRuns", "notes"),
    }


def test_a_cluster_that_failed_shows_why_and_what_to_do(prod: Operator) -> None:
    prod.world.document("edge", "region: eu-west-1\nnamespaces: [a]")
    prod.run("push")
    result = prod.run("status")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("edge   ")]
    assert line.split()[1:3] == ["failed", "none"]
    assert "EksError" in line
    assert re.search(r"^edge \(push, \d+s ago\)$", result.stdout, re.MULTILINE)
    assert [alarm["name"] for alarm in prod.json("status")["alarms"]] == [
        "stack-of-a-test-cluster-failed"
    ]


def test_secrets_that_are_left_are_shown_with_what_is_mistyped_and_the_command_that_deletes_them(
    prod: Operator,
) -> None:
    prod.world.document("prod", "namespaces: ['team-[a]', 'teem-*']")
    prod.run("push")
    result = prod.run("status")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("prod   ")]
    assert "1 updated, 1 left; no namespace matches teem-*" in line
    assert re.search(r"^team-b  left$", result.stdout, re.MULTILINE)
    assert "its token expires in 12.0 hours, and then blocks pulls" in result.stdout
    assert "-n team-b delete secret ecr-public-token" in result.stdout
    (found,) = prod.json("status")["clusters"]
    assert ([one["outcome"] for one in found["problems"]], found["emptyGlobs"]) == (
        ["left"],
        ["teem-*"],
    )


def test_secrets_of_a_disabled_document_are_shown_as_the_log_knows_them_then_as_a_check_does(
    prod: Operator,
) -> None:
    prod.world.document("prod", "{namespaces: [team-a, team-b], enabled: false}")
    prod.run("push")
    shown = prod.run("status").stdout
    assert "prod: disabled, and its Secrets are left" in shown
    assert "Enable the document, or: ecr-public-pusher remove prod" in shown
    (found,) = prod.json("status")["clusters"]
    assert (found["state"], "no removal is in the log" in found["left"]["message"]) == (
        "skipped",
        True,
    )
    prod.run("check")
    (found,) = prod.json("status")["clusters"]
    assert "2 of its Secrets are still there" in found["left"]["message"]
    assert "team-a, team-b" in found["left"]["message"]
    prod.world.apply("prod", "prune.yaml")
    assert prod.run("remove", "prod", "--yes").exit_code == 0
    prod.run("push")
    assert prod.json("status")["clusters"][0]["left"] is None
    assert "Secrets are left" not in prod.run("status").stdout


def test_the_token_left_is_what_a_sweep_measured_last(prod: Operator) -> None:
    aged(prod.world, "prod", "team-b", hours_left=5)
    prod.run("sweep")
    assert prod.json("status")["clusters"][0]["tokenHoursLeft"] == 5.0
    assert "4h59m" in prod.run("status").stdout


def test_a_disabled_cluster_whose_tokens_have_ended_is_expired(prod: Operator) -> None:
    prod.world.apply("prod", "prune.yaml")
    aged(prod.world, "prod", "team-b", hours_left=-1)
    prod.run("sweep", "prod")  # may not write: it only measures
    prod.world.document("prod", "{namespaces: [team-a, team-b], enabled: false}")
    prod.run("push")
    assert prod.json("status")["clusters"][0]["state"] == "skipped"
    aged(prod.world, "prod", "team-b", hours_left=-1)
    prod.run("check")
    result = prod.run("status")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("prod   ")]
    assert (line.split()[1], line.split()[-2:]) == ("expired", ["none", "disabled"])
    assert prod.run("remove", "prod", "--yes").exit_code == 0
    prod.run("push")
    (found,) = prod.json("status")["clusters"]
    assert (found["state"], found["tokenExpiresAt"]) == ("skipped", None)


def test_a_stored_credential_that_ends_within_two_weeks_is_in_the_detail_until_it_is_renewed(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    world = operator.world
    cluster = world.add_stored("edge", by="certificate", life=timedelta(days=10, hours=1))
    operator.run("push")
    result = operator.run("status")
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("edge")]
    assert (line.split()[1], "stored credential expires in 10d" in line) == ("ok", True)
    assert result.exit_code == 1
    assert "stack-of-a-test-credential-ending" in result.stdout
    (found,) = operator.json("status")["clusters"]
    assert found["credentialExpiresAt"].startswith(
        f"{datetime.now(UTC) + timedelta(days=10, hours=1):%Y-%m-%dT}"
    )
    world.store_kubeconfig("edge", kubeconfig(cluster, by="certificate", life=timedelta(days=300)))
    operator.run("sweep")
    assert "stored credential" not in operator.run("status").stdout
    operator.run("push")
    assert operator.run("status").exit_code == 0


def test_a_push_that_failed_in_part_shows_what_is_fresh(prod: Operator) -> None:
    prod.world.add_namespace("prod", "legacy")
    prod.world.foreign_secret("prod", "legacy")
    prod.world.document("prod", "namespaces: [team-a, team-b, legacy]")
    prod.run("push")
    result = prod.run("status")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("prod   ")]
    assert "s ago, in part" in line
    assert "11h59m" in line
    assert "2 updated, 1 conflict" in line
    (found,) = prod.json("status")["clusters"]
    assert found["lastPartialPush"] == found["failedAt"]
    assert found["lastGoodPush"]


def test_a_log_that_is_not_filtered_is_read_all_the_same(prod: Operator) -> None:
    logs = prod.world.aws.deployments.logs
    for line in (
        {"type": "platform.report"},
        {"message": "report", "report": {}},
        {"level": "INFO"},
    ):
        prod.world.aws.deployments.log(prod.stack, json.dumps(line))

    def unfiltered(request: AwsRequest) -> Answer:
        asked = {**json.loads(request.body), "filterPattern": ""}
        answer = logs.answer(replace(request, body=json.dumps(asked).encode()))
        assert answer is not None
        return answer

    prod.run("sweep")
    prod.run("plan")
    prod.world.aws.script("logs", "FilterLogEvents", unfiltered, times=100)
    result = prod.run("status")
    assert result.exit_code == 0
    assert "gave no report" not in result.stdout
    assert prod.run("logs").stdout.count("request") == 0


def deletion(operator: Operator, name: str) -> None:
    """Delete a parameter, and have the function work off the event."""
    operator.world.aws.delete_parameter(f"/ecr-public-pusher/{name}")
    assert operator.stack.function is not None
    operator.stack.function(
        {
            "source": "aws.ssm",
            "detail-type": "Parameter Store Change",
            "detail": {"name": f"/ecr-public-pusher/{name}", "operation": "Delete"},
            "raise": False,
        }
    )


def test_a_mistyped_document_that_was_never_pushed_leaves_nothing_behind(prod: Operator) -> None:
    prod.world.document("typo", "namespace: [team-a]")
    prod.run("push", "typo")
    deletion(prod, "clusters/typo")
    prod.run("push")
    found = prod.json("status")
    assert (found["deletedDocuments"], found["ok"]) == ([], True)
    assert "block pulls" not in prod.run("status").stdout


def test_a_document_that_was_pushed_in_part_leaves_secrets_behind(prod: Operator) -> None:
    prod.world.add_cluster("edge", namespaces=("a",), document="namespaces: [a, missing]")
    prod.run("push", "edge")
    deletion(prod, "clusters/edge")
    prod.run("push")
    assert [gone["id"] for gone in prod.json("status")["deletedDocuments"]] == ["edge"]


def test_a_cluster_that_is_gone_for_good_is_acknowledged(prod: Operator) -> None:
    prod.world.add_cluster("edge", namespaces=("a",), document="namespaces: [a]")
    prod.run("push")
    refused = prod.run("clusters", "forget", "edge")
    assert refused.exit_code == 2
    assert "ecr-public-pusher clusters delete edge --keep-secrets" in refused.stderr
    deletion(prod, "clusters/edge")
    shown = prod.run("status")
    assert shown.exit_code == 1
    assert "gone for good: ecr-public-pusher clusters forget edge\n" in shown.stdout
    assert prod.run("clusters", "forget", "edge").exit_code == 0
    after = prod.json("status")
    assert (after["deletedDocuments"], after["ok"]) == ([], True)
    assert [(alarm["name"], alarm["settled"]) for alarm in after["alarms"]] == [
        ("stack-of-a-test-documents-deleted", True)
    ]
    prod.run("push")
    assert prod.run("status").exit_code == 0


@pytest.mark.parametrize(
    ("alarm", "arguments"), [("throttles", ()), ("documents-deleted", ("--since", "1s"))]
)
def test_an_alarm_of_another_kind_or_from_before_the_log_is_not_settled(
    prod: Operator, alarm: str, arguments: tuple[str, ...]
) -> None:
    prod.world.document("typo", "namespace: [team-a]")
    deletion(prod, "clusters/typo")
    prod.world.aws.deployments.set_alarm(prod.stack, "documents-deleted", "OK")
    prod.world.aws.deployments.set_alarm(prod.stack, alarm, "ALARM")
    if arguments:
        time.sleep(1.1)
    (found,) = prod.json("status", *arguments)["alarms"]
    assert found["settled"] is False
    assert prod.run("status", *arguments).exit_code == 1


def test_a_function_without_acknowledgements_is_reported(prod: Operator) -> None:
    error = {"type": "RequestError", "message": "unknown action", "remedy": "Send one of"}
    refusal = {"action": "forget", "ok": False, "error": error, "clusters": []}
    prod.stack.function = lambda event: FunctionAnswer(refusal)
    result = prod.run("clusters", "forget", "edge")
    assert result.exit_code == 1
    assert "unknown action" in result.stdout


def test_what_is_pushed_again_after_that_counts_again(prod: Operator) -> None:
    prod.world.add_cluster("edge", namespaces=("a",), document="namespaces: [a]")
    prod.run("push")
    deletion(prod, "clusters/edge")
    prod.run("clusters", "forget", "edge")
    prod.world.document("edge", "namespaces: [a]")
    prod.run("push")
    deletion(prod, "clusters/edge")
    assert [gone["id"] for gone in prod.json("status")["deletedDocuments"]] == ["edge"]


def test_a_deletion_whose_event_comes_after_the_acknowledgement_is_settled(prod: Operator) -> None:
    prod.world.add_cluster("edge", namespaces=("a",), document="namespaces: [a]")
    prod.run("push")
    assert prod.stack.function is not None
    prod.stack.function({"action": "forget", "clusters": ["edge"]})
    deletion(prod, "clusters/edge")
    assert prod.json("status")["deletedDocuments"] == []


def test_a_deleted_discovery_is_put_back_and_forgotten_under_its_name(prod: Operator) -> None:
    prod.world.add_cluster("one", namespaces=("a",), tags={"team": "a"})
    prod.world.discovery("fleet", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]")
    prod.run("push")
    deletion(prod, "discover/fleet")
    shown = prod.run("status").stdout
    assert "ecr-public-pusher clusters delete discover/fleet\n" in shown
    assert prod.run("clusters", "forget", "fleet/*").exit_code == 0
    assert prod.json("status")["deletedDocuments"] == []


def test_ids_narrow_what_is_shown_and_what_counts(prod: Operator) -> None:
    prod.world.document("edge", "region: eu-west-1\nnamespaces: [a]")
    prod.run("push")
    assert prod.run("status", "prod").exit_code == 0
    assert prod.run("status", "ed*").exit_code == 1
    assert "edge" not in prod.run("status", "prod").stdout


def test_an_id_that_is_nobodys_exits_2_with_those_that_are(prod: Operator) -> None:
    result = prod.run("status", "staging")
    assert result.exit_code == 2
    assert "There are: prod" in result.stderr


def test_an_expired_token_is_not_ok(operator: Operator) -> None:
    operator.world.document("prod", "namespaces: [a]")
    entry = {"id": "prod", "ok": True, "error": None, "counts": {"updated": 1}, "problems": []}
    tokens = [{"registry": "public.ecr.aws", "expiresAt": "2026-01-01T00:00:00Z"}]
    operator.log_report(
        {"action": "push", "ok": True, "clusters": [entry], "tokens": tokens}, ago=13 * HOUR
    )
    result = operator.run("status")
    assert result.exit_code == 1
    assert "expired" in result.stdout


def test_a_push_older_than_the_window_is_not_seen_unless_asked(operator: Operator) -> None:
    operator.world.document("prod", "namespaces: [a]")
    entry = {"id": "prod", "ok": True, "error": None, "counts": {"updated": 1}, "problems": []}
    operator.log_report(
        {"action": "push", "ok": True, "clusters": [entry], "tokens": []}, ago=30 * HOUR
    )
    assert operator.json("status")["clusters"][0]["state"] == "no-push"
    assert operator.json("status", "--since", "2d")["clusters"][0]["lastGoodPush"]


def test_unknown_and_deleted_documents_are_named(prod: Operator) -> None:
    prod.world.aws.put_parameter("/ecr-public-pusher/cluster/typo", "namespaces: [a]")
    prod.world.aws.delete_parameter("/ecr-public-pusher/clusters/prod")
    found = prod.json("status")
    assert found["unknownParameters"] == ["/ecr-public-pusher/cluster/typo"]
    assert [gone["id"] for gone in found["deletedDocuments"]] == ["prod"]
    assert found["ok"] is False


def test_no_document_at_all_says_how_to_begin(operator: Operator) -> None:
    result = operator.run("status")
    assert result.exit_code == 1
    assert "ecr-public-pusher clusters add" in result.stdout


def test_a_dead_letter_is_not_ok(prod: Operator) -> None:
    prod.stack.dead_letters.put({"action": "push"})
    result = prod.run("status")
    assert result.exit_code == 1
    assert "ecr-public-pusher queue list" in result.stdout


def test_what_waits_on_the_retry_queue_is_counted_and_never_received(prod: Operator) -> None:
    prod.world.queue.put({"action": "push", "clusters": ["prod"]})
    assert prod.json("status")["retryQueue"]["delayed"] == 1
    received = [
        call
        for call in prod.world.aws.called("sqs", "ReceiveMessage")
        if "retries" in call.parameters["QueueUrl"]
    ]
    assert received == []


def test_an_alarm_of_a_stack_whose_name_begins_alike_is_not_ours(prod: Operator) -> None:
    other = deploy(prod.world, f"{prod.stack.name}-two")
    prod.world.aws.deployments.set_alarm(other, "throttles", "ALARM")
    assert prod.json("status", "--stack", prod.stack.name)["alarms"] == []
    prod.world.aws.deployments.set_alarm(prod.stack, "throttles", "ALARM")
    assert "stack-of-a-test-throttles" in prod.run("status", "--stack", prod.stack.name).stdout


def test_a_run_that_was_killed_is_counted(prod: Operator) -> None:
    record = {"requestId": "1", "status": "timeout", "metrics": {"durationMs": 300000}}
    prod.world.aws.deployments.log(
        prod.stack, json.dumps({"type": "platform.report", "record": record})
    )
    assert [run["status"] for run in prod.json("status")["lostRuns"]] == ["timeout"]
    assert "1 run gave no report" in prod.run("status").stdout


def test_a_report_that_was_full_is_reported(operator: Operator) -> None:
    for name in ("prod", "edge"):
        operator.world.document(name, "namespaces: [a]")
    entry = {"id": "prod", "ok": True, "error": None, "counts": {"updated": 1}, "problems": []}
    operator.log_report(
        {"action": "push", "ok": True, "clusters": [entry], "clustersLeft": 1, "tokens": []},
        ago=-0.5,
    )
    time.sleep(0.6)
    found = operator.json("status")
    assert [cluster["state"] for cluster in found["clusters"]] == ["ok", "ok"]
    assert "was full" in found["notes"][0]


def test_a_log_level_that_hides_good_runs_is_reported(prod: Operator) -> None:
    prod.stack.parameters = {"LogLevel": "ERROR"}
    assert "LogLevel is ERROR" in prod.run("status").stdout


def test_a_stack_of_another_release_is_reported(prod: Operator) -> None:
    prod.stack.version = "0.9.0"
    assert "The stack is release 0.9.0, this program" in prod.run("status").stdout


def test_a_stack_whose_deployment_failed_is_reported(prod: Operator) -> None:
    prod.stack.status = "UPDATE_ROLLBACK_FAILED"
    assert "UPDATE_ROLLBACK_FAILED" in prod.run("status").stdout


def test_pages_of_the_log_are_all_read(prod: Operator) -> None:
    prod.world.aws.deployments.logs.page = 1
    assert prod.json("status")["clusters"][0]["state"] == "ok"


def test_calls_that_are_throttled_are_made_again(prod: Operator) -> None:
    prod.world.aws.script(
        "logs",
        "FilterLogEvents",
        lambda request: Answer.refusal(request, "ThrottlingException", "Rate exceeded"),
        times=2,
    )
    assert prod.run("status").exit_code == 0


def test_a_missing_permission_is_named(prod: Operator) -> None:
    text = "User: me is not authorized to perform: logs:FilterLogEvents"
    prod.world.aws.script(
        "logs",
        "FilterLogEvents",
        lambda request: Answer.refusal(request, "AccessDeniedException", text),
    )
    result = prod.run("status")
    assert result.exit_code == 3
    assert "logs:FilterLogEvents" in result.stderr


def test_a_log_group_that_is_gone_is_reported(prod: Operator) -> None:
    prod.world.aws.script(
        "logs",
        "FilterLogEvents",
        lambda request: Answer.refusal(request, "ResourceNotFoundException", "no such group"),
    )
    assert "/aws/lambda/stack-of-a-test does not exist" in prod.run("status").stderr


def test_a_push_that_failed_as_a_whole_is_reported_with_its_remedy(prod: Operator) -> None:
    prod.world.aws.ecr_public.deny()
    prod.run("push")
    result = prod.run("status")
    assert result.exit_code == 1
    assert "failed as a whole: TokenError" in result.stdout
    assert prod.json("status")["lastPushError"]["type"] == "TokenError"
