"""`clusters offboard` on an embedded cluster: all that `clusters add` made, and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from infra.local.aws import Answer, FunctionAnswer
from infra.local.aws.wire import AwsRequest
from infra.local.identity import AccessEntry
from infra.local.kube import Cluster
from tests.support.operator import Administrator, Ran
from tests.support.world import EXECUTION_ROLE, GROUP, ROOT, World

ADD = ("clusters", "add", "prod", "-n", "a", "--admit", "--yes")
OFFBOARD = ("clusters", "offboard", "prod", "--yes", "-o", "json")
RBAC = "/apis/rbac.authorization.k8s.io/v1"
LABEL = "?labelSelector=app.kubernetes.io/name%3Decr-public-pusher"
ALL_DONE = {
    "removal-rights": "created",
    "secrets": "deleted",
    "document": "deleted",
    "rbac": "deleted",
    "access-entry": "deleted",
}


@pytest.fixture
def cluster(world: World, person: Administrator) -> Cluster:
    """Onboard a cluster by `clusters add`; the person is its administrator."""
    made = world.add_cluster("prod", namespaces=("a", "b"), rbac=None, embedded=True)
    made.access_entries.remove(EXECUTION_ROLE)
    person.kubeconfig("prod")
    assert person.run(*ADD).exit_code == 0
    return made


def outcomes(ran: Ran) -> dict[str, str]:
    return {step["step"]: step["outcome"] for step in ran.json["steps"]}


def remedy(ran: Ran, name: str) -> str:
    return next(str(step["remedy"]) for step in ran.json["steps"] if step["step"] == name)


def rbac_left(cluster: Cluster) -> list[str]:
    """Return the names of the RBAC objects with our label."""
    kinds = ("clusterroles", "clusterrolebindings", "rolebindings", "roles")
    answers = [cluster.admin("GET", f"{RBAC}/{kind}{LABEL}")[1] for kind in kinds]
    return [one["metadata"]["name"] for answer in answers for one in answer["items"]]


def denied(request: AwsRequest) -> Answer:
    return Answer.refusal(request, "AccessDeniedException", "not you", status=403)


def test_it_undoes_what_add_did_and_a_second_run_finds_nothing(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    ran = person.run(*OFFBOARD)
    assert ran.exit_code == 0, ran.stderr
    assert outcomes(ran) == ALL_DONE
    assert world.secret("prod", "a") is None
    assert person.stored("clusters/prod") is None
    assert list(cluster.access_entries) == []
    assert rbac_left(cluster) == []
    assert "To restore it:" in ran.stderr
    again = person.run(*OFFBOARD)
    assert again.exit_code == 0, again.stderr
    assert outcomes(again) == {
        "secrets": "unchanged",
        "document": "unchanged",
        "rbac": "unchanged",
        "access-entry": "unchanged",
    }


def test_argo_cds_repositories_are_onboarded_and_offboarded_with_the_rest(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.add_namespace("prod", "argocd")
    file = person.home / "prod.yaml"
    file.write_text(
        "namespaces: [a]\nargocd:\n  repositories:\n  - {name: charts, url: public.ecr.aws/x}\n"
    )
    ran = person.run("clusters", "add", "prod", "-f", str(file), "--replace", "--yes")
    assert ran.exit_code == 0, ran.stdout
    assert world.secret("prod", "argocd", "charts") is not None
    role = f"{RBAC}/namespaces/argocd/roles/ecr-public-pusher-argocd"
    verbs = [rule["verbs"] for rule in cluster.admin("GET", role)[1]["rules"]]
    assert verbs == [["create", "patch"], ["list"], ["get"]]
    planned = person.run("clusters", "offboard", "prod", "--dry-run", "-o", "json")
    (secrets,) = (step for step in planned.json["steps"] if step["step"] == "secrets")
    assert secrets["details"] == ["a", "argocd/charts"]
    ran = person.run(*OFFBOARD)
    assert ran.exit_code == 0, ran.stdout
    assert outcomes(ran) == {**ALL_DONE, "removal-rights": "updated"}
    assert world.secret("prod", "argocd", "charts") is None
    assert rbac_left(cluster) == []


CHARTS = "{name: charts, url: public.ecr.aws/x}"
KARPENTER = "{name: karpenter, url: public.ecr.aws/karpenter}"
ROLE = f"{RBAC}/namespaces/argocd/roles/ecr-public-pusher-argocd"


def names_by_verb(rules: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the Secrets' names by the first verb of their rule."""
    return {one["verbs"][0]: one["resourceNames"] for one in rules if "secrets" in one["resources"]}


@pytest.fixture
def two_repositories(person: Administrator, world: World, cluster: Cluster) -> Callable[..., Ran]:
    """Onboard two repositories; return the way to write another document by `clusters add`."""
    world.add_namespace("prod", "argocd")

    def write(*repositories: str, more: tuple[str, ...] = (), fields: str = "") -> Ran:
        file = person.home / "prod.yaml"
        file.write_text(
            f"{{namespaces: [a], {fields} argocd: {{repositories: [{', '.join(repositories)}]}}}}"
        )
        return person.run("clusters", "add", "prod", "-f", str(file), "--replace", "--yes", *more)

    assert write(CHARTS, KARPENTER).exit_code == 0
    assert world.secret("prod", "argocd", "karpenter") is not None
    return write


def test_a_dropped_repository_keeps_its_rights_until_its_secret_is_gone(
    person: Administrator, world: World, cluster: Cluster, two_repositories: Callable[..., Ran]
) -> None:
    ran = two_repositories(CHARTS, fields="prune: true,", more=("--no-push", "-o", "json"))
    assert ran.exit_code == 0, ran.stdout
    assert "keeps karpenter, which the documents no longer name: still there" in ran.stdout
    granted = names_by_verb(cluster.admin("GET", ROLE)[1]["rules"])
    both = ["charts", "karpenter"]
    assert granted == {"create": ["charts"], "list": both, "delete": both}
    assert person.run("push", "prod").exit_code == 0
    assert world.secret("prod", "argocd", "karpenter") is None
    assert person.run("clusters", "add", "prod", "--yes").exit_code == 0
    granted = names_by_verb(cluster.admin("GET", ROLE)[1]["rules"])
    assert granted == {"create": ["charts"], "list": ["charts"], "delete": ["charts"]}


def test_somebody_elses_secret_of_a_dropped_name_keeps_no_rights(
    cluster: Cluster, two_repositories: Callable[..., Ran]
) -> None:
    path = "/api/v1/namespaces/argocd/secrets"
    cluster.admin("DELETE", f"{path}/karpenter")
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "karpenter"}}
    assert cluster.admin("POST", path, body)[0] == 201
    assert two_repositories(CHARTS).exit_code == 0
    assert names_by_verb(cluster.admin("GET", ROLE)[1]["rules"])["list"] == ["charts"]


def test_the_rbac_that_is_printed_keeps_the_names_of_the_stored_document(
    two_repositories: Callable[..., Ran],
) -> None:
    ran = two_repositories(CHARTS, more=("--print-rbac",))
    (role,) = [one for one in yaml.safe_load_all(ran.stdout) if one["kind"] == "Role"]
    assert names_by_verb(role["rules"]) == {"create": ["charts"], "list": ["charts", "karpenter"]}


def test_a_dropped_repositorys_secret_is_removed_with_the_rest(
    person: Administrator, world: World, two_repositories: Callable[..., Ran]
) -> None:
    two_repositories(CHARTS)
    assert person.run(*OFFBOARD).exit_code == 0
    assert world.secret("prod", "argocd", "karpenter") is None


def test_rights_namespace_by_namespace_are_deleted_too(
    person: Administrator, cluster: Cluster
) -> None:
    assert person.run(*ADD, "--rbac", "namespaced").exit_code == 0
    assert "ecr-public-pusher-namespaced" in rbac_left(cluster)
    assert person.run(*OFFBOARD).exit_code == 0
    assert rbac_left(cluster) == []


def test_bindings_of_infra_rbacs_roles_without_its_label_are_deleted_too(
    person: Administrator, cluster: Cluster
) -> None:
    """Those that `check` printed for users, and those by commands of the docs and of infra/rbac."""
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "aws:arn:..."}

    def bind(name: str, role: str, namespace: str | None = None) -> None:
        cluster.apply(
            {
                "apiVersion": f"{subject['apiGroup']}/v1",
                "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
                "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
                "roleRef": {"apiGroup": subject["apiGroup"], "kind": "ClusterRole", "name": role},
                "subjects": [subject],
            }
        )

    unlabelled = ("ecr-public-pusher-web-identity", "pasted", "in-one", "in-another")
    bind(unlabelled[0], "ecr-public-pusher")
    bind(unlabelled[1], "ecr-public-pusher-prune")
    bind(unlabelled[2], "ecr-public-pusher-service-accounts", "a")
    bind(unlabelled[3], "ecr-public-pusher-namespaced", "b")
    bind("theirs", "view")
    bind("theirs", "ecr-public-pusher-of-theirs", "a")
    ran = person.run(*OFFBOARD)
    assert ran.exit_code == 0, ran.stdout
    for kind in ("clusterrolebindings", "rolebindings"):
        _, listed = cluster.admin("GET", f"{RBAC}/{kind}")
        names = [one["metadata"]["name"] for one in listed["items"]]
        assert [one for one in names if one in ("theirs", *unlabelled)] == ["theirs"], kind


def test_a_dry_run_shows_all_of_it_and_changes_nothing(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    before = rbac_left(cluster)
    ran = person.run("clusters", "offboard", "prod", "--dry-run")
    assert ran.exit_code == 0, ran.stderr
    assert [line.split()[:2] for line in ran.stdout.splitlines()[1:6]] == [
        ["removal-rights", "create"],
        ["secrets", "delete"],
        ["document", "delete"],
        ["rbac", "delete"],
        ["access-entry", "delete"],
    ]
    assert "\nsecrets\n  a\n" in ran.stdout
    assert rbac_left(cluster) == before
    assert world.secret("prod", "a") is not None
    assert [entry.groups for entry in cluster.access_entries] == [(GROUP,)]
    assert person.stored("clusters/prod") is not None


def test_off_a_terminal_it_shows_the_plan_and_wants_yes(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    ran = person.run("clusters", "offboard", "prod")
    assert ran.exit_code == 2
    assert "access-entry" in ran.stderr
    assert "--yes" in ran.stderr
    assert world.secret("prod", "a") is not None


def test_an_entry_with_other_groups_keeps_them(person: Administrator, cluster: Cluster) -> None:
    cluster.access_entries.put(AccessEntry(EXECUTION_ROLE, ("viewers", GROUP)))
    assert outcomes(person.run(*OFFBOARD))["access-entry"] == "updated"
    assert [entry.groups for entry in cluster.access_entries] == [("viewers",)]


def test_what_another_document_of_the_cluster_needs_stays(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    before = rbac_left(cluster)
    world.document("other", "cluster: prod\nnamespaces: [b]\n")
    world.call({"raise": False})
    ran = person.run(*OFFBOARD)
    assert ran.exit_code == 0, ran.stderr
    assert outcomes(ran) == {**ALL_DONE, "rbac": "skipped", "access-entry": "skipped"}
    assert "other" in json.dumps(ran.json)
    assert rbac_left(cluster) == before  # without the rights of the removal
    assert [entry.groups for entry in cluster.access_entries] == [(GROUP,)]
    assert world.secret("prod", "b") is not None


def test_the_entry_goes_where_the_other_document_signs_in_with_another_role(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    role = EXECUTION_ROLE.replace("ecr-public-pusher", "another")
    text = f"cluster: prod\nroleArn: {role}\nexternalId: an-id\nnamespaces: [b]\n"
    world.document("other", text)
    ran = person.run(*OFFBOARD)
    assert (outcomes(ran)["rbac"], outcomes(ran)["access-entry"]) == ("skipped", "deleted")
    assert list(cluster.access_entries) == []


def test_what_a_discovery_needs_stays(person: Administrator, world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("a",), embedded=True, tags={"team": "a"})
    person.kubeconfig("prod")
    world.document("prod", "namespaces: [a]")
    world.discovery("all", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]")
    ran = person.run(*OFFBOARD)
    assert ran.exit_code == 0, ran.stderr
    assert (outcomes(ran)["rbac"], outcomes(ran)["access-entry"]) == ("skipped", "skipped")
    assert "all/us-east-1/prod" in json.dumps(ran.json)
    assert "ecr-public-pusher" in rbac_left(cluster)


def test_rbac_that_another_stacks_role_needs_stays(person: Administrator, cluster: Cluster) -> None:
    other = EXECUTION_ROLE.replace("ecr-public-pusher", "of-another-stack")
    cluster.access_entries.put(AccessEntry(other, (GROUP,)))
    ran = person.run(*OFFBOARD)
    assert (outcomes(ran)["rbac"], outcomes(ran)["access-entry"]) == ("skipped", "deleted")
    assert other in json.dumps(ran.json)
    assert "ecr-public-pusher" in rbac_left(cluster)


def test_rbac_of_a_tool_that_would_restore_it_is_left_to_that_tool(
    person: Administrator, cluster: Cluster
) -> None:
    theirs = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {
            "name": "ecr-public-pusher-theirs",
            "labels": {"app.kubernetes.io/name": "ecr-public-pusher"},
        },
        "rules": [],
    }
    path = f"{RBAC}/clusterroles/ecr-public-pusher-theirs?fieldManager=argocd-controller"
    cluster.admin("PATCH", path, theirs, content_type="application/apply-patch+yaml")
    ran = person.run(*OFFBOARD)
    assert (ran.exit_code, outcomes(ran)["rbac"]) == (1, "failed")
    assert "managed by argocd-controller" in json.dumps(ran.json)
    assert rbac_left(cluster) == ["ecr-public-pusher-theirs"]


def test_without_a_kubeconfig_nothing_is_removed_until_the_function_may_remove_the_secrets(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    (person.home / "kubeconfig").unlink()
    ran = person.run(*OFFBOARD)
    assert ran.exit_code == 1
    assert outcomes(ran) == {
        "removal-rights": "skipped",
        "secrets": "failed",
        "document": "not-attempted",
        "rbac": "not-attempted",
        "access-entry": "not-attempted",
    }
    assert "--keep-secrets" in remedy(ran, "secrets")
    assert person.stored("clusters/prod") == "namespaces:\n  - a\n"
    world.apply("prod", "prune.yaml")
    ran = person.run(*OFFBOARD)
    assert outcomes(ran) == {**ALL_DONE, "removal-rights": "skipped", "rbac": "failed"}
    assert world.secret("prod", "a") is None
    assert (
        "kubectl --context CONTEXT delete clusterrolebindings,rolebindings,clusterroles,roles -A"
        " -l app.kubernetes.io/name=ecr-public-pusher" in remedy(ran, "rbac")
    )


def test_who_may_not_touch_access_entries_gets_the_owners_command(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.aws.script("eks", "DeleteAccessEntry", denied)
    ran = person.run(*OFFBOARD)
    assert (ran.exit_code, outcomes(ran)["access-entry"]) == (1, "failed")
    entry = f"--region us-east-1 --cluster-name prod --principal-arn {EXECUTION_ROLE}"
    assert f"aws eks delete-access-entry {entry}" in remedy(ran, "access-entry")
    world.aws.script("eks", "DescribeCluster", denied)
    ran = person.run(*OFFBOARD)
    assert f"aws eks delete-access-entry {entry}" in remedy(ran, "access-entry")


def test_an_entry_of_a_cloudformation_stack_is_left_to_the_stack(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    entry = {
        "principalArn": EXECUTION_ROLE,
        "kubernetesGroups": [GROUP],
        "type": "STANDARD",
        "tags": {"aws:cloudformation:stack-name": "pusher-access-prod"},
    }
    body = json.dumps({"accessEntry": entry}).encode()
    as_json = {"Content-Type": "application/json"}
    world.aws.script("eks", "DescribeAccessEntry", lambda _: Answer(200, body, as_json))
    ran = person.run(*OFFBOARD)
    assert (ran.exit_code, outcomes(ran)["access-entry"]) == (1, "failed")
    assert "delete-stack --stack-name pusher-access-prod" in remedy(ran, "access-entry")
    assert not world.aws.called("eks", "DeleteAccessEntry")


def test_where_other_entries_cannot_be_seen_rbac_is_left_to_who_knows(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.aws.script("eks", "ListAccessEntries", denied)
    ran = person.run(*OFFBOARD)
    assert (outcomes(ran)["rbac"], outcomes(ran)["access-entry"]) == ("failed", "deleted")
    assert "kubectl --context CONTEXT delete" in remedy(ran, "rbac")
    assert "ecr-public-pusher" in rbac_left(cluster)


def test_of_a_cluster_that_is_gone_the_document_is_deleted(
    person: Administrator, world: World
) -> None:
    world.document("gone", "namespaces: [a]\n")
    asked = []
    answer = person.stack.function

    def noting(event: Any) -> FunctionAnswer:
        asked.append(event)
        return answer(event)

    person.stack.deliver = lambda invoke: None  # only what the command itself asks for
    person.stack.function = noting
    ran = person.run("clusters", "offboard", "gone", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr
    assert outcomes(ran) == {
        "secrets": "unchanged",
        "document": "deleted",
        "rbac": "unchanged",
        "access-entry": "unchanged",
    }
    assert person.stored("clusters/gone") is None
    assert asked == [{"action": "forget", "clusters": ["gone"], "raise": False}]


def test_status_does_not_count_a_cluster_that_was_offboarded_as_gone(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    del cluster
    world.document("stays", "cluster: prod\nnamespaces: [b]\n")
    assert person.run("push", "stays").exit_code == 0
    assert person.run("clusters", "offboard", "prod", "--cluster-gone", "--yes").exit_code == 0
    found = person.run("status", "-o", "json")
    assert (found.exit_code, found.json["deletedDocuments"]) == (0, []), found.stdout


@pytest.mark.parametrize(
    "failure",
    [
        denied,
        lambda request: Answer.refusal(request, "ServiceException", "later", status=500),
    ],
)
def test_the_command_that_acknowledges_it_is_printed_where_the_function_cannot_be_asked(
    person: Administrator, world: World, failure: Callable[[AwsRequest], Answer]
) -> None:
    world.document("gone", "namespaces: [a]\n")
    world.aws.script("lambda", "Invoke", failure)
    ran = person.run("clusters", "offboard", "gone", "--yes")
    assert (ran.exit_code, person.stored("clusters/gone")) == (0, None)
    assert "ecr-public-pusher clusters forget gone" in ran.stderr


def test_secrets_that_are_left_are_said_to_count_in_status(
    person: Administrator, cluster: Cluster
) -> None:
    ran = person.run("clusters", "offboard", "prod", "--keep-secrets", "--yes")
    assert ran.exit_code == 0
    assert "ecr-public-pusher clusters forget prod" in ran.stderr


def test_a_cluster_that_is_gone_and_cannot_be_asked_about_needs_to_be_said(
    person: Administrator, world: World
) -> None:
    world.document("gone", "namespaces: [a]\n")
    world.aws.script("eks", "DescribeCluster", denied)
    command = ("clusters", "offboard", "gone", "--yes", "-o", "json")
    ran = person.run(*command)
    assert (ran.exit_code, outcomes(ran)["secrets"]) == (1, "failed")
    assert person.stored("clusters/gone") is not None
    ran = person.run(*command, "--cluster-gone")
    assert (ran.exit_code, outcomes(ran)["document"]) == (0, "deleted")


def test_what_is_left_is_done_by_the_command_that_is_printed(
    person: Administrator, world: World
) -> None:
    made = world.add_cluster("prod", namespaces=("a",), region="eu-west-1", embedded=True)
    world.document("eu", "{cluster: prod, region: eu-west-1, namespaces: [a]}")
    world.apply("prod", "prune.yaml")
    ran = person.run("clusters", "offboard", "eu", "--yes")
    assert ran.exit_code == 1
    command = (
        "ecr-public-pusher clusters offboard eu --cluster prod --cluster-region eu-west-1"
        " --profile admin\n"
    )
    assert f"Then run this; finished steps are kept.\n    {command}" in ran.stdout
    person.kubeconfig("prod")
    _, *words = command.split()
    ran = person.run(*words[: words.index("--profile")], "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr
    assert outcomes(ran)["rbac"] == "deleted"
    assert rbac_left(made) == []


def test_options_that_name_another_cluster_than_the_document_are_refused(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    ran = person.run(*OFFBOARD, "--cluster", "other")
    assert (ran.exit_code, "names another cluster: prod in us-east-1" in ran.stderr) == (2, True)
    assert person.run(*OFFBOARD, "--cluster", "prod").exit_code == 0


def test_a_discovered_cluster_is_offboarded_by_its_own_name_once_it_is_not_found_any_more(
    person: Administrator, world: World
) -> None:
    made = world.add_cluster("found", namespaces=("a",), embedded=True, tags={"team": "a"})
    world.apply("found", "prune.yaml")
    world.discovery("fleet", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]\n")
    person.kubeconfig("found")
    assert person.run("push").exit_code == 0
    ran = person.run("clusters", "offboard", "fleet/us-east-1/found", "--yes")
    assert ran.exit_code == 2
    assert "fleet/us-east-1/found is what a discovery found" in ran.stderr
    assert person.run("remove", "fleet/us-east-1/found", "--yes").exit_code == 0
    world.discovery("fleet", "regions: [us-east-1]\ntags: {team: b}\nnamespaces: [a]\n")
    ran = person.run("clusters", "offboard", "found", "--cluster-region", "us-east-1", "--yes")
    assert ran.exit_code == 0, ran.stderr
    assert (list(made.access_entries), rbac_left(made)) == ([], [])


def test_what_has_neither_a_document_nor_a_cluster_is_a_mistake(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    ran = person.run("clusters", "offboard", "prd", "--yes")
    assert ran.exit_code == 2
    assert "There are: prod." in ran.stderr


def test_without_a_document_the_cluster_is_named_by_options(
    person: Administrator, world: World, cluster: Cluster
) -> None:
    world.aws.delete_parameter(f"{ROOT}/clusters/prod")
    command = ("clusters", "offboard", "was-prod", "--cluster", "prod", "--yes", "-o", "json")
    ran = person.run(*command)
    assert ran.exit_code == 0, ran.stderr
    assert (outcomes(ran)["rbac"], outcomes(ran)["access-entry"]) == ("deleted", "deleted")
    assert rbac_left(cluster) == []
