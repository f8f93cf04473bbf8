"""`logs`: a line for each run, of the function's own log lines."""

import json
import signal
import time

import pytest

from tests.support.operator import Operator


@pytest.fixture
def ran(operator: Operator) -> Operator:
    """Run a push of two clusters, of which one does not exist, and a plan of one."""
    operator.world.add_cluster("prod", namespaces=("team-a",), document="namespaces: [team-a]")
    operator.world.document("edge", "region: eu-west-1\nnamespaces: [a]")
    operator.run("push")
    operator.run("plan", "prod")
    return operator


def test_each_run_is_a_line_with_its_problems_below(ran: Operator) -> None:
    lines = ran.run("logs").stdout.splitlines()
    assert "push: not ok · 2 clusters, 1 failed" in lines[0]
    assert lines[1].startswith("  edge: EksError")
    assert "plan: ok" in lines[2]
    assert "only prod" in lines[2]


def test_an_id_shows_the_runs_that_name_it(ran: Operator) -> None:
    output = ran.run("logs", "edge").stdout
    assert "push:" in output
    assert "plan:" not in output


def test_json_is_the_line_as_it_was_logged(ran: Operator) -> None:
    lines = [json.loads(line) for line in ran.run("logs", "-o", "json").stdout.splitlines()]
    assert [line["report"]["action"] for line in lines] == ["push", "plan"]
    assert {line["message"] for line in lines} == {"report"}


def test_a_line_that_is_nested_too_deep_is_left_out(ran: Operator) -> None:
    ran.log_report({"ok": True, "deep": json.loads("[" * 500 + "]" * 500)})
    result = ran.run("logs", "-o", "yaml")
    assert (result.exit_code, result.stdout.count("message: report")) == (0, 2)


def test_globs_that_match_nothing_are_reported(operator: Operator) -> None:
    entry = {
        "id": "prod",
        "ok": True,
        "error": None,
        "counts": {},
        "problems": [],
        "emptyGlobs": ["teem-*"],
    }
    operator.log_report(
        {"action": "push", "ok": True, "clusters": [entry], "totals": {}, "seconds": 1.0}
    )
    assert "prod: no namespace matches teem-*" in operator.run("logs").stdout


def test_older_lines_are_shown_when_asked_for(operator: Operator) -> None:
    operator.log_report(
        {"action": "push", "ok": True, "clusters": [], "totals": {}, "seconds": 1.0}, ago=5 * 3600
    )
    assert "Nothing was logged" in operator.run("logs").stderr
    assert "push: ok" in operator.run("logs", "--since", "6h").stdout


@pytest.mark.parametrize("time", ["6", "h", "-1h", "0h", "1y", "1.5h"])
def test_an_invalid_time_exits_2(operator: Operator, time: str) -> None:
    assert operator.run("logs", f"--since={time}").exit_code == 2


def test_a_run_without_a_report_is_shown(operator: Operator) -> None:
    record = {"requestId": "1", "status": "timeout", "errorType": "Sandbox.Timedout"}
    operator.world.aws.deployments.log(
        operator.stack, json.dumps({"type": "platform.report", "record": record})
    )
    assert "a run without a report: timeout (Sandbox.Timedout)" in operator.run("logs").stdout


def test_follow_shows_what_comes_until_it_is_interrupted(ran: Operator) -> None:
    process = ran.start("logs", "--follow", "--since", "1h")
    assert process.stdout is not None
    assert "push: not ok" in process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in complaint


def test_an_id_of_which_nothing_is_known_exits_2(operator: Operator) -> None:
    operator.world.document("quiet", "namespaces: [a]")
    operator.world.discovery("fleet", "regions: [eu-west-1]\ntags: {a: b}")
    for known in ("quiet", "qui*", "fleet/eu-west-1/one"):
        assert operator.run("logs", known).exit_code == 0
    unknown = operator.run("logs", "queit", "quiet")
    assert unknown.exit_code == 2
    assert "There is no document or run of queit." in unknown.stderr


def test_an_id_whose_document_is_gone_is_known_by_its_runs(ran: Operator) -> None:
    assert ran.run("logs", "prod").exit_code == 0
