"""`clusters add` on an embedded cluster: to its first Secret, again, and stopped half-way."""

import json
import re
import socket
import sys
from datetime import timedelta

import pytest
import yaml

from infra.local.aws import Answer
from infra.local.aws.wire import AwsRequest
from infra.local.identity import AccessEntry
from infra.local.kube import Cluster, Response, SeenRequest
from infra.local.kube.auth.jwts import TrustedIssuer
from infra.local.stack import ask, trusted_issuer
from tests.support.operator import Administrator, Ran
from tests.support.path_proxy import proxied
from tests.support.recorded_answers import recorded
from tests.support.resolver import Resolver
from tests.support.terminal import Terminal
from tests.support.world import EXECUTION_ROLE, GROUP, ROOT, SPOKE_ACCOUNT, SPOKE_ROLE, World

ADD = ("clusters", "add", "prod", "-n", "a")


@pytest.fixture
def cluster(world: World, person: Administrator) -> Cluster:
    """Make a cluster without access for the function; the person is its administrator."""
    made = world.add_cluster("prod", namespaces=("a", "b"), rbac=None, embedded=True)
    made.access_entries.remove(EXECUTION_ROLE)
    person.kubeconfig("prod")
    return made


def outcomes(ran: Ran) -> dict[str, str]:
    return {step["step"]: step["outcome"] for step in ran.json["steps"]}


def remedies(ran: Ran) -> dict[str, str]:
    return {step["step"]: step["remedy"] for step in ran.json["steps"]}


def test_one_command_from_nothing_to_the_secret_and_a_second_finds_all_unchanged(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    ran = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr
    assert outcomes(ran) == {
        "access-entry": "created",
        "rbac": "created",
        "document": "created",
        "check": "done",
        "push": "done",
    }
    assert world.secret("prod", "a") is not None
    assert person.stored("clusters/prod") == "namespaces:\n  - a\n"
    assert [(entry.principal_arn, entry.groups) for entry in cluster.access_entries] == [
        (EXECUTION_ROLE, (GROUP,))
    ]
    again = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert again.exit_code == 0
    assert outcomes(again) == {
        "access-entry": "unchanged",
        "rbac": "unchanged",
        "document": "unchanged",
        "check": "done",
        "push": "done",
    }


def test_a_dry_run_shows_all_of_it_and_changes_nothing(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    ran = person.run(*ADD, "--admit", "--dry-run")
    assert ran.exit_code == 0, ran.stderr
    assert [line.split()[:2] for line in ran.stdout.splitlines()[1:6]] == [
        ["access-entry", "create"],
        ["rbac", "create"],
        ["document", "create"],
        ["check", "do"],
        ["push", "do"],
    ]
    assert "ClusterRole ecr-public-pusher: created" in ran.stdout
    planned = outcomes(person.run(*ADD, "--admit", "--dry-run", "-o", "json"))
    assert (planned["check"], planned["push"]) == ("planned", "planned")
    assert not list(cluster.access_entries)
    assert person.stored("clusters/prod") is None
    assert (
        cluster.admin("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/ecr-public-pusher")[0]
        == 404
    )
    assert not world.aws.called("lambda", "Invoke")


def test_off_a_terminal_it_wants_yes(person: Administrator, cluster: Cluster) -> None:
    ran = person.run(*ADD, "--admit")
    assert ran.exit_code == 2
    assert "--yes" in ran.stderr
    assert not list(cluster.access_entries)


def test_an_entry_that_is_there_keeps_its_groups(person: Administrator, cluster: Cluster) -> None:
    cluster.access_entries.put(AccessEntry(EXECUTION_ROLE, ("viewers",)))
    ran = person.run(*ADD, "--admit", "--dry-run", "-o", "json")
    assert outcomes(ran)["access-entry"] == "updated"
    assert person.run(*ADD, "--admit", "--yes").exit_code == 0
    assert [entry.groups for entry in cluster.access_entries] == [("viewers", GROUP)]


def test_who_may_not_make_the_entry_gets_the_owners_command_and_no_document_is_written(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.aws.script(
        "eks",
        "CreateAccessEntry",
        lambda request: Answer.refusal(request, "AccessDeniedException", "not you", status=403),
    )
    ran = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 1
    assert outcomes(ran) == {
        "access-entry": "failed",
        "rbac": "created",
        "document": "not-attempted",
        "check": "not-attempted",
        "push": "not-attempted",
    }
    entry = f"--region us-east-1 --cluster-name prod --principal-arn {EXECUTION_ROLE}"
    assert (
        f"aws eks create-access-entry {entry} --type STANDARD --kubernetes-groups {GROUP}"
        in remedies(ran)["access-entry"]
    )
    assert person.stored("clusters/prod") is None


def test_a_cluster_of_the_config_map_gets_the_command_that_changes_the_mode(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.aws.put_cluster("111122223333", "us-east-1", cluster, authentication_mode="CONFIG_MAP")
    ran = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert outcomes(ran)["access-entry"] == "failed"
    assert (
        "authenticationMode=API_AND_CONFIG_MAP && aws eks wait cluster-active"
        in remedies(ran)["access-entry"]
    )


def test_a_local_cluster_is_offered_no_access_entry_and_added_once_its_aws_auth_maps_the_role(
    person: Administrator, world: World
) -> None:
    local_id = "11111111-2222-3333-4444-555555555555"
    cluster = world.add_cluster(
        "prod", namespaces=("a",), rbac=None, embedded=True, local_id=local_id
    )
    cluster.access_entries.remove(EXECUTION_ROLE)
    person.kubeconfig("prod")
    ran = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert outcomes(ran)["access-entry"] == "failed"
    remedy = remedies(ran)["access-entry"]
    assert "aws eks" not in remedy
    arn = "arn:aws:eks:us-east-1:111122223333:cluster/prod"
    assert f"\nkubectl --context {arn} edit configmap aws-auth -n kube-system\n" in remedy
    mapping = f"- rolearn: {EXECUTION_ROLE}\n  username: ecr-public-pusher\n  groups:\n  - {GROUP}"
    assert remedy.endswith(f"\n{mapping}")
    cluster.access_entries.put(AccessEntry(EXECUTION_ROLE, (GROUP,)))
    assert person.run(*ADD, "--yes").exit_code == 0
    assert world.secret("prod", "a") is not None


def test_without_admit_nothing_is_written_for_a_cluster_that_does_not_admit_the_role(
    person: Administrator, cluster: Cluster
) -> None:
    cluster.access_entries.put(AccessEntry(EXECUTION_ROLE, ("viewers",)))
    ran = person.run(*ADD, "--yes", "-o", "json")
    assert ran.exit_code == 1
    assert outcomes(ran) == {
        "access-entry": "failed",
        "rbac": "created",
        "document": "not-attempted",
        "check": "not-attempted",
        "push": "not-attempted",
    }
    assert person.stored("clusters/prod") is None
    assert "--admit" in remedies(ran)["access-entry"]
    assert f"--kubernetes-groups viewers {GROUP}" in remedies(ran)["access-entry"]
    cluster.access_entries.remove(EXECUTION_ROLE)
    assert (
        "aws eks create-access-entry"
        in remedies(person.run(*ADD, "--yes", "-o", "json"))["access-entry"]
    )


def test_without_admit_an_entry_that_is_there_is_enough(
    person: Administrator, cluster: Cluster
) -> None:
    cluster.access_entries.put(AccessEntry(EXECUTION_ROLE, (GROUP,)))
    ran = person.run(*ADD, "--yes", "-o", "json")
    assert ran.exit_code == 0
    assert outcomes(ran)["access-entry"] == "unchanged"


def test_where_aws_auth_may_admit_the_role_or_entries_may_not_be_seen_the_check_decides(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    failed = {
        "access-entry": "skipped",
        "rbac": "created",
        "document": "created",
        "check": "failed",
        "push": "not-attempted",
    }
    world.aws.script(
        "eks",
        "DescribeAccessEntry",
        lambda request: Answer.refusal(request, "AccessDeniedException", "not you", status=403),
    )
    ran = person.run(*ADD, "--yes", "-o", "json")
    assert (ran.exit_code, outcomes(ran)) == (1, failed)
    assert "create-access-entry" in json.dumps(ran.json["check"])
    world.aws.script("eks", "DescribeAccessEntry", lambda _: None)
    world.aws.put_cluster(
        "111122223333", "us-east-1", cluster, authentication_mode="API_AND_CONFIG_MAP"
    )
    assert outcomes(person.run(*ADD, "--yes", "-o", "json"))["access-entry"] == "skipped"


def test_another_accounts_cluster_by_a_profile_of_that_account(
    person: Administrator, world: World
) -> None:
    world.add_cluster(
        "edge",
        namespaces=("a",),
        account=SPOKE_ACCOUNT,
        region="eu-west-1",
        principal=SPOKE_ROLE,
        rbac=None,
        embedded=True,
    )
    person.kubeconfig("edge")
    add = (
        "clusters",
        "add",
        "edge",
        "--cluster-region",
        "eu-west-1",
        "--role-arn",
        SPOKE_ROLE,
        "--external-id",
        "an-external-id",
        "-n",
        "a",
        "--admit",
    )
    ran = person.run(*add, "--yes", "-o", "json")
    assert ran.exit_code == 1
    assert "--cluster-profile" in remedies(ran)["access-entry"]
    ran = person.run(*add, "--cluster-profile", "spoke", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr
    assert world.secret("edge", "a") is not None


def test_a_namesake_in_the_persons_own_account_is_not_the_cluster(
    person: Administrator, cluster: Cluster
) -> None:
    ran = person.run(
        "clusters",
        "add",
        "prod",
        "--role-arn",
        SPOKE_ROLE,
        "-n",
        "a",
        "--admit",
        "--yes",
        "-o",
        "json",
    )
    assert outcomes(ran)["access-entry"] == "failed"
    assert f"the document is for account {SPOKE_ACCOUNT}" in json.dumps(ran.json)
    assert not list(cluster.access_entries)


def test_the_context_that_leads_to_the_cluster_is_found_by_its_server(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.add_cluster("other", rbac=None, embedded=True)
    person.kubeconfig("other", "prod")
    ran = person.run(*ADD, "--admit", "--dry-run", "-o", "json")
    assert "context prod" in next(
        step["message"] for step in ran.json["steps"] if step["step"] == "rbac"
    )


def test_a_context_that_leads_elsewhere_is_refused(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    other = world.add_cluster("other", rbac=None, embedded=True)
    person.kubeconfig("other", "prod")
    ran = person.run(*ADD, "--context", "other", "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 1
    assert outcomes(ran)["rbac"] == "failed"
    assert f"leads to {other.endpoint}, and the cluster is {cluster.endpoint}" in json.dumps(
        ran.json
    )
    assert (
        other.admin("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/ecr-public-pusher")[0]
        == 404
    )


def test_where_eks_cannot_be_asked_a_context_must_be_trusted(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.aws.script("eks", "DescribeCluster", lambda request: _denied(request))
    ran = person.run(*ADD, "--dry-run", "-o", "json")
    assert outcomes(ran)["rbac"] == "failed"
    ran = person.run(*ADD, "--context", "prod", "--trust-context", "--dry-run", "-o", "json")
    assert outcomes(ran)["rbac"] == "created"


def _denied(request: AwsRequest) -> Answer:
    return Answer.refusal(request, "AccessDeniedException", "not you", status=403)


def test_without_a_kubeconfig_the_command_for_an_administrator_is_printed_and_works(
    person: Administrator, cluster: Cluster
) -> None:
    (person.home / "kubeconfig").unlink()
    ran = person.run_apart(*ADD, "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 1
    assert outcomes(ran)["rbac"] == "failed"
    assert (
        "ecr-public-pusher clusters add prod -n a --admit --yes -o json --print-rbac | kubectl"
        " --context CONTEXT apply --server-side --force-conflicts -f -" in remedies(ran)["rbac"]
    )
    printed = person.run(*ADD, "--admit", "--yes", "--print-rbac")
    cluster.apply(*yaml.safe_load_all(printed.stdout))
    assert person.run(*ADD, "--admit", "--rbac", "none", "--yes").exit_code == 0


def failed_pushes(person: Administrator) -> list[str]:
    """Return what the pushes of the function's log failed for."""
    lines = [json.loads(line) for line in person.run("logs", "-o", "json").stdout.splitlines()]
    reports = [line["report"] for line in lines if line["report"]["action"] == "push"]
    return [json.dumps(report) for report in reports if not report["ok"]]


def test_without_a_kubeconfig_a_new_document_waits_and_the_same_command_continues(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    (person.home / "kubeconfig").unlink()
    ran = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 1
    waiting = {
        "access-entry": "created",
        "rbac": "failed",
        "document": "created",
        "check": "failed",
        "push": "not-attempted",
    }
    assert outcomes(ran) == waiting
    text = str(person.stored("clusters/prod"))
    assert "enabled: false" in text
    again = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert outcomes(again) == {**waiting, "access-entry": "unchanged", "document": "unchanged"}
    assert person.stored("clusters/prod") == text
    world.apply("prod", "cluster.yaml")
    ran = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stdout
    assert outcomes(ran) == {
        "access-entry": "unchanged",
        "rbac": "unchanged",
        "document": "updated",
        "check": "done",
        "push": "done",
    }
    assert person.stored("clusters/prod") == "namespaces:\n  - a\n"
    assert world.secret("prod", "a") is not None
    assert failed_pushes(person) == []


def test_a_document_that_waits_is_taken_up_without_fields(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    assert person.run(*ADD, "--admit", "--rbac", "none", "--yes").exit_code == 1
    world.apply("prod", "cluster.yaml")
    ran = person.run("clusters", "add", "prod", "--rbac", "none", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stdout
    assert "enabled: true" in str(person.stored("clusters/prod"))
    assert world.secret("prod", "a") is not None


@pytest.mark.parametrize("admit", [(), ("--admit",)])
def test_nothing_is_written_for_a_cluster_that_eks_does_not_know(
    person: Administrator, world: World, cluster: Cluster, admit: tuple[str, ...]
) -> None:
    typo = ("clusters", "add", "prd-typo", "-n", "a", "--rbac", "none", *admit)
    ran = person.run(*typo, "--yes", "-o", "json")
    assert ran.exit_code == 1
    assert outcomes(ran)["document"] == "not-attempted"
    assert "EKS in us-east-1 has no cluster prd-typo" in json.dumps(ran.json)
    assert not world.aws.called("ssm", "PutParameter")


def test_whose_credentials_are_of_another_account_leaves_it_to_the_check(
    person: Administrator, world: World
) -> None:
    world.add_cluster(
        "edge",
        namespaces=("a",),
        account=SPOKE_ACCOUNT,
        region="us-east-1",
        principal=SPOKE_ROLE,
        embedded=True,
    )
    role = ("--role-arn", SPOKE_ROLE, "--external-id", "an-external-id")
    ran = person.run("clusters", "add", "edge", "-n", "a", *role, "--rbac", "none", "--yes")
    assert ran.exit_code == 0, ran.stdout
    assert world.secret("edge", "a") is not None


def test_who_may_not_see_the_entry_that_is_there_succeeds_with_admit_too(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    cluster.access_entries.put(AccessEntry(EXECUTION_ROLE, (GROUP,)))
    world.aws.script("eks", "DescribeAccessEntry", _denied)
    ran = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stdout
    assert outcomes(ran)["access-entry"] == "unchanged"


def test_a_check_does_not_stand_for_the_rights_of_a_removal(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    (person.home / "kubeconfig").unlink()
    world.apply("prod", "cluster.yaml")
    ran = person.run(*ADD, "--admit", "--allow-removal", "--yes", "-o", "json")
    assert (ran.exit_code, outcomes(ran)["rbac"], outcomes(ran)["push"]) == (1, "failed", "done")


def test_a_document_that_was_there_is_restored_when_the_other_one_has_no_access(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    before = "# ours\nnamespaces: [b]\n"
    world.document("prod", before)
    (person.home / "kubeconfig").unlink()
    ran = person.run(*ADD, "--admit", "--replace", "--yes", "-o", "json")
    assert (ran.exit_code, outcomes(ran)["document"]) == (1, "not-attempted")
    assert person.stored("clusters/prod") == before


def test_a_document_that_was_there_is_restored_when_the_check_cannot_be_made(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    before = "# ours\nnamespaces: [b]\n"
    world.document("prod", before)
    (person.home / "kubeconfig").unlink()
    world.aws.script(
        "lambda",
        "Invoke",
        lambda request: Answer.refusal(request, "AccessDeniedException", "no", status=403),
    )
    ran = person.run(*ADD, "--admit", "--replace", "--yes")
    assert (ran.exit_code, person.stored("clusters/prod")) == (3, before)


def test_a_new_document_whose_check_is_interrupted_waits_and_the_same_command_goes_on(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    ran = person.interrupt_during("check", *ADD, "--admit", "--yes")
    assert ran.exit_code == 130
    assert "clusters/prod is stored, disabled until the function has access." in ran.stderr
    assert world.secret("prod", "a") is None
    assert person.run(*ADD, "--admit", "--yes").exit_code == 0
    assert person.stored("clusters/prod") == "namespaces:\n  - a\n"
    assert world.secret("prod", "a") is not None
    assert failed_pushes(person) == []


@pytest.mark.parametrize("decision", ["enable", "disable"])
def test_a_document_that_a_person_has_enabled_or_disabled_does_not_wait_any_more(
    person: Administrator, cluster: Cluster, decision: str
) -> None:
    (person.home / "kubeconfig").unlink()
    assert person.run(*ADD, "--admit", "--yes").exit_code == 1
    assert person.run("clusters", decision, "prod").exit_code == int(decision == "enable")
    text = str(person.stored("clusters/prod"))
    ran = person.run("clusters", "add", "prod", "-n", "b", "--admit", "--yes")
    assert (ran.exit_code, person.stored("clusters/prod")) == (2, text)
    assert "--replace" in ran.stderr
    assert text == f"namespaces:\n  - a\nenabled: {str(decision == 'enable').lower()}\n"


def test_a_document_that_waited_and_was_enabled_in_an_editor_is_not_overwritten(
    person: Administrator, cluster: Cluster
) -> None:
    (person.home / "kubeconfig").unlink()
    assert person.run(*ADD, "--admit", "--yes").exit_code == 1
    person.editor("sed -i '/^enabled/d' $1")
    person.run("clusters", "edit", "prod", "--no-wait")
    ran = person.run("clusters", "add", "prod", "-n", "b", "--admit", "--yes")
    assert (ran.exit_code, "--replace" in ran.stderr) == (2, True)


@pytest.mark.parametrize(
    "recorded_as",
    [
        "apply-of-a-clusterrole-by-who-may-not",
        "apply-of-a-clusterrole-that-grants-more-than-one-has",
    ],
)
def test_who_may_not_grant_learns_who_can(
    person: Administrator, cluster: Cluster, recorded_as: str
) -> None:
    refusal = recorded(recorded_as)

    def refuse(request: SeenRequest) -> Response | None:
        return refusal.response if request.method == "PATCH" else None

    cluster.intercept = refuse
    ran = person.run(*ADD, "--admit", "--yes", "-o", "json")
    assert outcomes(ran)["rbac"] == "failed"
    (rbac,) = (step for step in ran.json["steps"] if step["step"] == "rbac")
    assert f"403 {refusal.answer['message'].splitlines()[0]}" in "\n".join(rbac["details"])
    assert remedies(ran)["rbac"].startswith(
        "Whose credentials are in that context? kubectl --context "
    )
    assert "--print-rbac" in remedies(ran)["rbac"]


def test_a_field_that_somebody_else_manages_is_a_conflict_until_it_is_forced(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/ecr-public-pusher"
    theirs = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "ecr-public-pusher"},
        "rules": [],
    }
    cluster.admin(
        "PATCH", f"{role}?fieldManager=argocd", theirs, content_type="application/apply-patch+yaml"
    )
    ran = person.run(*ADD, "--admit", "--dry-run", "-o", "json")
    assert outcomes(ran)["rbac"] == "failed"
    assert "held by argocd: --force-conflicts takes it over" in json.dumps(ran.json)
    ran = person.run(*ADD, "--admit", "--dry-run", "--force-conflicts")
    assert ran.exit_code == 0


def test_namespace_by_namespace_grants_only_there(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    ran = person.run(*ADD, "-n", "b", "--rbac", "namespaced", "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr
    assert all(world.secret("prod", name) is not None for name in ("a", "b"))
    assert (
        cluster.admin(
            "GET", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher"
        )[0]
        == 404
    )


def test_the_document_comes_from_a_file_as_it_is(person: Administrator, cluster: Cluster) -> None:
    text = "# ours\nnamespaces: [a] # all\n"
    ran = person.run("clusters", "add", "prod", "-f", "-", "--admit", "--yes", stdin=text)
    assert ran.exit_code == 0, ran.stderr
    assert person.stored("clusters/prod") == text
    ran = person.run(*ADD, "--dry-run", "-o", "json")  # says the same, without the comments
    assert outcomes(ran)["document"] == "unchanged"


def test_a_different_document_is_not_overwritten_unasked(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.document("prod", "namespaces: [b]\n")
    ran = person.run(*ADD, "--admit", "--yes")
    assert ran.exit_code == 2
    assert "-namespaces: [b]" in ran.stderr
    assert not list(cluster.access_entries)
    assert (
        outcomes(person.run(*ADD, "--admit", "--replace", "--dry-run", "-o", "json"))["document"]
        == "updated"
    )


def test_without_fields_the_document_that_is_there_is_taken(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.document("prod", "namespaces: [a, b]\nprune: true\n")
    ran = person.run("clusters", "add", "prod", "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr
    assert outcomes(ran)["document"] == "unchanged"
    assert (
        cluster.admin(
            "GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/ecr-public-pusher-prune"
        )[0]
        == 200
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("p rod", "-n", "a"), "cannot be an id"),
        (("prod", "-n", "Team"), "is not a namespace name"),
        (("prod", "--prune"), "namespaces: required here or in the defaults"),
        (("prod", "-n", "a*", "--rbac", "namespaced"), "must list namespaces"),
        (("prod", "-n", "a", "-f", "-"), "or from a file, not both"),
        (
            (
                "prod",
                "-n",
                "a",
                "--sign-in",
                "webIdentity",
                "--endpoint",
                "https://api.example.com",
            ),
            "AllowedEndpoints does not name api.example.com",
        ),
        (
            ("prod", "-n", "a", "--role-arn", SPOKE_ROLE.replace("4444", "7777")),
            "AllowedAccounts does not name the account 777755556666",
        ),
    ],
)
def test_a_mistake_is_reported_before_anything_is_done(
    person: Administrator, world: World, arguments: tuple[str, ...], said: str
) -> None:
    ran = person.run("clusters", "add", *arguments, "--admit", "--yes", stdin="namespaces: [a]")
    assert ran.exit_code == 2
    assert said in ran.stderr
    assert not world.aws.called("eks")


def test_web_identity_prints_what_the_api_server_must_trust(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.aws.web_identity.enabled = True
    cluster = world.add_elsewhere(
        "lab", document="signIn: {type: webIdentity}\nnamespaces: [a]", audience="another"
    )
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    person.stack.parameters = {"AllowedEndpoints": "127.0.0.1"}
    person.kubeconfig("lab")
    ran = person.run("clusters", "add", "lab", "--yes")
    assert ran.exit_code == 1, ran.stderr
    assert "kind: AuthenticationConfiguration" in ran.stdout
    assert 'audiences: ["ecr-public-pusher:lab"]' in ran.stdout
    assert cluster.endpoint in ran.stdout


def test_aks_from_nothing_to_the_first_secret(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run prints AKS's JWT authenticator; the second finds the group that it binds."""
    host = "lab-a1b2.hcp.westeurope.azmk8s.io"
    monkeypatch.setattr(socket, "getaddrinfo", Resolver({host: ["127.0.0.1"]}))
    world.aws.web_identity.enabled = True
    cluster = world.add_elsewhere(
        "lab", document="signIn: {type: webIdentity}\nnamespaces: [a]", trusts=False
    )
    world.aws.delete_parameter(f"{ROOT}/clusters/lab")
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    for kind in ("clusterroles", "clusterrolebindings"):
        ask(cluster, "DELETE", f"{rbac}/{kind}/ecr-public-pusher")
    monkeypatch.setenv("ALLOWED_ENDPOINTS", host)
    person.stack.parameters = {"AllowedEndpoints": host}
    person.kubeconfig("lab")
    with proxied(host, {"": cluster}) as proxy:
        (person.home / "ca.pem").write_text(proxy.ca_pem)
        add = (
            *("clusters", "add", "lab", "-n", "a", "--sign-in", "webIdentity"),
            *("--endpoint", proxy.url(), "--certificate-authority", str(person.home / "ca.pem")),
            *("--context", "lab", "--trust-context", "--yes"),
        )
        ran = person.run(*add)
        assert ran.exit_code == 1, ran.stderr
        assert "az aks jwtauthenticator add --resource-group RESOURCE_GROUP" in ran.stdout
        assert "AuthenticationConfiguration" not in ran.stdout
        known = trusted_issuer(world.aws, audience="", subject=EXECUTION_ROLE)
        printed = re.findall(r"<<'EOF'\n(.+?)\n *EOF\n", ran.stdout, re.DOTALL)[0]
        cluster.trust(
            TrustedIssuer.read_entry(
                json.loads(printed),
                keys=known.keys,
                discovery_url=known.discovery_url,
                ca_pem=known.ca_pem,
            )
        )
        ran = person.run(*add)
    assert ran.exit_code == 0, ran.stderr + ran.stdout
    assert world.secret("lab", "a") is not None


def test_a_cluster_that_is_not_eks_by_its_endpoint_and_authority(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = world.add_elsewhere(
        "lab", document="signIn: {type: webIdentity}", cluster_id="lab-id", embedded=True
    )
    world.aws.delete_parameter(f"{ROOT}/clusters/lab")
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    person.stack.parameters = {"AllowedEndpoints": "127.0.0.1"}
    person.kubeconfig("lab")
    (person.home / "ca.pem").write_text(cluster.ca_pem)
    sign_in = (
        "--sign-in",
        "iamAuthenticator",
        "--cluster-id",
        "lab-id",
        "--endpoint",
        cluster.endpoint,
    )
    ran = person.run(
        "clusters",
        "add",
        "lab",
        *sign_in,
        "--certificate-authority",
        str(person.home / "ca.pem"),
        "-n",
        "a",
        "--admit",
        "--yes",
        "-o",
        "json",
    )
    assert ran.exit_code == 0, ran.stderr + ran.stdout
    assert outcomes(ran)["access-entry"] == "skipped"
    assert world.secret("lab", "a") is not None
    assert not world.aws.called("eks")


def test_a_stored_credential_that_ends_soon_is_reported_and_no_obstacle(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_stored("edge", by="certificate", life=timedelta(days=10))
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    person.stack.parameters = {"AllowedEndpoints": "127.0.0.1"}
    ran = person.run("clusters", "add", "edge", "--rbac", "none", "--yes", "-o", "json")
    assert (outcomes(ran)["check"], outcomes(ran)["push"]) == ("failed", "done")
    assert world.secret("edge", "a") is not None


def test_a_disabled_document_is_neither_checked_nor_pushed(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.document("prod", "namespaces: [a]\nenabled: false\n")
    ran = person.run("clusters", "add", "prod", "--admit", "--yes", "-o", "json")
    assert ran.exit_code == 0
    assert outcomes(ran) == {
        "access-entry": "created",
        "rbac": "created",
        "document": "unchanged",
        "check": "skipped",
        "push": "skipped",
    }


def test_no_credential_is_printed(person: Administrator, cluster: Cluster) -> None:
    ran = person.run(*ADD, "--admit", "--yes")
    assert ran.exit_code == 0
    token = cluster.kubeconfig()["users"][0]["user"]["token"]
    for secret in (token, "QVdTO", "k8s-aws-v1"):
        assert secret not in ran.stdout + ran.stderr


def screen_of(person: Administrator, *arguments: str) -> Terminal:
    return Terminal(
        [sys.executable, "-m", "infra.cli", *arguments],
        person.process_environ(TERM="xterm"),
        columns=100,
    )


def test_on_a_terminal_it_shows_what_it_will_do_and_does_nothing_without_a_yes(
    person: Administrator, cluster: Cluster
) -> None:
    with screen_of(person, *ADD, "--admit") as screen:
        screen.wait_for("Do that? [y/N] ")
        assert "ClusterRole ecr-public-pusher: created" in screen.text
        screen.enter("n\n")
        assert screen.finish() == 1
    assert not list(cluster.access_entries)
    assert person.stored("clusters/prod") is None


def test_on_a_terminal_a_yes_does_it(person: Administrator, world: World, cluster: Cluster) -> None:
    with screen_of(person, *ADD, "--admit") as screen:
        screen.wait_for("Do that? [y/N] ")
        screen.enter("y\n")
        assert screen.finish() == 0, screen.text
    assert world.secret("prod", "a") is not None
