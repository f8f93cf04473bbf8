"""The runs: the event, how often it is sent, the output, and the exit code."""

import json

import pytest

from tests.support.operator import Operator


@pytest.fixture
def prod(operator: Operator) -> Operator:
    """Make a cluster with two namespaces, one of which holds somebody else's Secret."""
    operator.world.add_cluster(
        "prod", namespaces=("team-a", "team-b"), document="namespaces: [team-a, team-b]"
    )
    operator.world.apply("prod", "prune.yaml")
    operator.world.foreign_secret("prod", "team-b")
    return operator


def test_a_push_that_is_fine_exits_0_and_was_sent_once(operator: Operator) -> None:
    operator.world.add_cluster("prod", namespaces=("team-a",), document="namespaces: [team-a]")
    result = operator.run("push")
    assert (result.exit_code, operator.invocations()) == (0, 1)
    assert operator.world.secret("prod", "team-a")


def test_a_push_that_is_not_exits_1_and_shows_problem_and_remedy(prod: Operator) -> None:
    result = prod.run("push")
    assert result.exit_code == 1
    assert "team-b  conflict" in result.stdout
    assert "is managed by kubectl-create" in result.stdout
    assert "set takeOwnership: true" in result.stdout


def test_clusters_and_namespaces_narrow_it(prod: Operator) -> None:
    report = prod.json("push", "pro*", "-n", "team-a", "--namespace", "x-*", "-n", "team-*")
    assert report["narrowedTo"] == {"clusters": ["pro*"], "namespaces": ["team-a", "x-*", "team-*"]}


def test_json_is_the_functions_report(prod: Operator) -> None:
    result = prod.run("push", "-o", "json")
    assert json.loads(result.stdout)["clusters"][0]["problems"][0]["namespace"] == "team-b"


def test_yaml_says_the_same(prod: Operator) -> None:
    assert "outcome: conflict" in prod.run("plan", "--output", "yaml").stdout


def test_progress_is_printed_to_stderr(prod: Operator) -> None:
    result = prod.run("push", "-o", "json")
    assert "waiting for" in result.stderr
    assert "waiting for" not in result.stdout


def test_a_plan_names_what_would_be_created(prod: Operator) -> None:
    result = prod.run("plan")
    assert any(line.split() == ["team-a", "create"] for line in result.stdout.splitlines())
    assert prod.world.secret("prod", "team-a") is None


def test_a_check_shows_findings_with_remedies(operator: Operator) -> None:
    operator.world.add_cluster(
        "prod", namespaces=("team-a",), document="namespaces: [team-a]", rbac=None
    )
    result = operator.run("check")
    assert result.exit_code == 1
    assert "failed  permission" in result.stdout
    assert "kubectl" in result.stdout


def test_a_check_of_several_clusters_counts_what_is_fine_unless_asked(operator: Operator) -> None:
    for name in ("prod", "edge"):
        operator.world.add_cluster(name, namespaces=("team-a",), document="namespaces: [team-a]")
    assert "may list namespaces" not in operator.run("check").stdout
    assert "checks ok" in operator.run("check").stdout
    assert "TLSv1.3" in operator.run("check", "--verbose").stdout


def test_a_check_names_what_a_disabled_document_has_left(prod: Operator) -> None:
    prod.run("push", "prod", "-n", "team-a")
    prod.world.document("prod", "{namespaces: [team-a, team-b], enabled: false}")
    result = prod.run("check")
    assert result.exit_code == 1
    assert "failed  left" in result.stdout
    assert "1 of its Secrets are still there" in result.stdout
    assert '{"action": "remove", "clusters": ["prod"]}' in result.stdout


def test_a_sweep_puts_back_what_was_deleted_and_says_what_is_current(prod: Operator) -> None:
    prod.run("push")
    path = "/api/v1/namespaces/team-a/secrets/ecr-public-token"
    assert prod.world.clusters["prod"].admin("DELETE", path)[0] == 200
    result = prod.run("sweep")
    assert "1 created" in result.stdout
    assert prod.world.secret("prod", "team-a")
    assert "1 current" in prod.run("sweep").stdout


def test_a_sweep_sends_its_window(prod: Operator) -> None:
    assert prod.json("sweep", "--window", "60")["action"] == "sweep"


def test_a_removal_without_a_terminal_is_refused_after_its_plan(prod: Operator) -> None:
    prod.run("push")
    before = prod.invocations()
    result = prod.run("remove", "prod")
    assert (result.exit_code, prod.invocations()) == (2, before + 1)
    assert "1 removed" in result.stderr
    assert "--yes" in result.stderr
    assert prod.world.secret("prod", "team-a") is not None


def test_a_prune_of_any_number_without_a_terminal_is_refused_after_its_plan(
    prod: Operator,
) -> None:
    prod.run("push")
    prod.world.document("prod", "{namespaces: [team-b], prune: true}")
    result = prod.run("push", "prod", "--prune-all")
    assert (result.exit_code, "1 pruned" in result.stderr) == (2, True)
    assert prod.world.secret("prod", "team-a") is not None


def test_a_removal_with_yes_is_done(prod: Operator) -> None:
    prod.run("push")
    result = prod.run("remove", "prod", "--yes")
    assert result.exit_code == 0
    assert "1 removed" in result.stdout
    assert prod.world.secret("prod", "team-a") is None
    assert prod.world.secret("prod", "team-b") is not None


def test_a_removal_without_the_rights_names_the_command_that_gives_them(operator: Operator) -> None:
    operator.world.add_cluster("prod", namespaces=("team-a",), document="namespaces: [team-a]")
    operator.run("push")
    result = operator.run("remove", "prod", "--yes")
    assert result.exit_code == 1
    assert "ecr-public-pusher clusters add prod --allow-removal --no-push" in result.stderr


@pytest.mark.parametrize(
    "removal", [("remove", "platform/*"), ("clusters", "delete", "discover/platform")]
)
def test_where_a_discovered_cluster_lacks_the_rights_the_command_is_for_that_cluster(
    operator: Operator, removal: tuple[str, ...]
) -> None:
    operator.world.add_cluster("one", namespaces=("a",), tags={"team": "a"})
    operator.world.discovery("platform", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]")
    operator.run("push")
    result = operator.run(*removal, "--yes")
    assert result.exit_code == 1
    assert "clusters add" not in result.stderr
    said = "as in platform/us-east-1/one: kubectl --context CONTEXT apply -f infra/rbac/prune.yaml"
    assert said in result.stderr
    operator.world.apply("one", "prune.yaml")
    assert operator.run(*removal, "--yes").exit_code == 0


def test_a_removal_that_fails_for_another_reason_names_no_rights(operator: Operator) -> None:
    operator.world.document("edge", "region: eu-west-1\nnamespaces: [a]")
    result = operator.run("remove", "edge", "--yes")
    assert result.exit_code == 1
    assert "rights" not in result.stderr


def test_a_plan_of_a_removal_names_what_would_be_removed(prod: Operator) -> None:
    prod.run("push")
    assert any(
        line.split() == ["team-a", "remove"]
        for line in prod.run("plan", "--remove", "prod").stdout.splitlines()
    )


def test_prune_all_needs_yes_without_a_terminal(prod: Operator) -> None:
    assert prod.run("push", "prod", "--prune-all").exit_code == 2
    assert prod.run("push", "prod", "--prune-all", "--yes").exit_code == 1


def test_what_the_function_refuses_is_shown_with_its_remedy(operator: Operator) -> None:
    operator.world.add_cluster("prod", namespaces=("team-a",), document="namespaces: [team-a]")
    result = operator.run("push", "staging")
    assert result.exit_code == 1
    assert "RequestError" in result.stdout
    assert "staging" in result.stdout


def test_a_missing_configuration_is_reported(operator: Operator) -> None:
    assert "ecr-public-pusher clusters add" in operator.run("push").stdout
