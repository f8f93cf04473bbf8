"""`discover add`, `edit`, `delete`: many clusters by one document, with their access."""

import json

import pytest

from infra.local.aws import Answer
from infra.local.aws.wire import AwsRequest
from infra.local.identity import AccessEntry
from tests.support.operator import Administrator
from tests.support.world import EXECUTION_ROLE, GROUP, World

ADD = (
    *("discover", "add", "platform", "--in-region", "us-east-1", "--tag", "team=a"),
    *("-n", "a", "--admit", "--yes"),
)
TEXT = "regions:\n  - us-east-1\ntags:\n  team: a\nnamespaces:\n  - a\n"


@pytest.fixture
def fleet(world: World, person: Administrator) -> None:
    """Make two clusters with the tag, one without it, and one with a document of its own."""
    for name, team in (("one", "a"), ("two", "a"), ("other", "b"), ("own", "a")):
        made = world.add_cluster(
            name, namespaces=("a",), rbac=None, embedded=True, tags={"team": team}
        )
        made.access_entries.remove(EXECUTION_ROLE)
    world.document("own", "namespaces: [a]\n")
    person.kubeconfig("one", "two", "other", "own")


def admitted(world: World) -> dict[str, int]:
    """Return the number of access entries of each cluster."""
    return {name: len(list(made.access_entries)) for name, made in world.clusters.items()}


@pytest.mark.usefixtures("fleet")
def test_each_cluster_found_gets_its_access_and_all_one_document(
    person: Administrator, world: World
) -> None:
    ran = person.run(*ADD, "-o", "json")
    assert ran.exit_code == 0, ran.stderr
    assert {
        one["id"]: [step["outcome"] for step in one["steps"]] for one in ran.json["clusters"]
    } == {
        "platform/us-east-1/one": ["created", "created"],
        "platform/us-east-1/two": ["created", "created"],
    }
    assert ran.json["steps"][0]["outcome"] == "created"
    assert (ran.json["push"]["ok"], ran.json["push"]["totals"]["clusters"]) == (True, 2)
    assert person.stored("discover/platform") == TEXT
    assert all(world.secret(name, "a") is not None for name in ("one", "two"))
    assert admitted(world) == {"one": 1, "two": 1, "other": 0, "own": 0}
    again = person.run("discover", "add", "platform", "--admit", "--yes", "-o", "json")
    assert again.exit_code == 0, again.stderr
    assert again.json["steps"][0]["outcome"] == "unchanged"
    assert '"created"' not in json.dumps(again.json["clusters"])


@pytest.mark.usefixtures("fleet")
def test_a_dry_run_shows_all_of_it_and_changes_nothing(person: Administrator, world: World) -> None:
    ran = person.run(*ADD, "--dry-run")
    assert ran.exit_code == 0, ran.stderr
    assert [line.split() for line in ran.stdout.splitlines()[1:3]] == [
        [f"platform/us-east-1/{name}", "create", "create"] for name in ("one", "two")
    ]
    assert "regions:" in ran.stdout
    assert set(admitted(world).values()) == {0}
    assert person.stored("discover/platform") is None


@pytest.mark.usefixtures("fleet")
def test_while_one_is_not_ready_the_document_is_not_written_unless_that_is_meant(
    person: Administrator, world: World
) -> None:
    for name in ("one", "two"):
        world.clusters[name].access_entries.put(AccessEntry(EXECUTION_ROLE, (GROUP,)))
    person.kubeconfig("one")
    ran = person.run(*ADD)
    assert ran.exit_code == 1
    assert "1 of 2 clusters ready" in ran.stdout
    assert "\nplatform/us-east-1/two\n" in ran.stdout
    assert "--print-rbac" in ran.stdout
    assert person.stored("discover/platform") is None
    ran = person.run(*ADD, "--incomplete", "-o", "json")
    assert ran.exit_code == 1
    assert person.stored("discover/platform") == TEXT
    assert world.secret("one", "a") is not None


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tag", "team=none"), "no cluster with these tags in us-east-1"),
        (("--tag", "team"), "expected KEY=VALUE"),
        (("--tag", "team=a", "-n", "Team"), "is not a namespace name"),
        (("--tag", "team=a", "-n", "a*", "--rbac", "namespaced"), "must list namespaces"),
    ],
)
def test_a_mistake_is_reported_before_anything_is_done(
    person: Administrator, world: World, arguments: tuple[str, ...], said: str
) -> None:
    start = ("discover", "add", "platform", "--in-region", "us-east-1", "-n", "a")
    ran = person.run(*start, *arguments, "--admit", "--yes")
    assert ran.exit_code in (1, 2)
    assert said in ran.stderr
    assert set(admitted(world).values()) == {0}
    assert not world.aws.called("ssm", "PutParameter")


def test_without_fields_and_without_a_document_there_is_nothing_to_add(
    person: Administrator,
) -> None:
    ran = person.run("discover", "add", "platform", "--yes")
    assert (ran.exit_code, "--in-region" in ran.stderr) == (2, True)


def test_who_may_not_list_clusters_is_told_so(person: Administrator, world: World) -> None:
    def denied(request: AwsRequest) -> Answer:
        return Answer.refusal(request, "AccessDeniedException", "not you", status=403)

    world.aws.script("eks", "ListClusters", denied)
    ran = person.run(*ADD)
    assert (ran.exit_code, "eks:ListClusters" in ran.stderr) == (3, True)


def test_edit_and_delete_mean_the_discovery(person: Administrator, world: World) -> None:
    world.discovery("platform", TEXT)
    world.document("platform", "namespaces: [a]\n")
    person.editor("echo 'prune: true' >> \"$1\"")
    assert person.run("discover", "edit", "platform", "--no-wait").exit_code == 0
    assert person.stored("discover/platform") == f"{TEXT}prune: true\n"
    ran = person.run("discover", "delete", "platform", "--keep-secrets", "--yes")
    assert ran.stdout == "discover/platform deleted\n"
    assert person.stored("clusters/platform") == "namespaces: [a]\n"
