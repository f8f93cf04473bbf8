"""`clusters list`, `show`, `edit`, `enable`, `disable`, `delete` against the local AWS."""

import re
import sys
from typing import Any

import pytest

from infra.local.aws import Answer
from infra.local.aws.deployed_stack import FunctionAnswer
from tests.support.operator import Administrator
from tests.support.terminal import Terminal
from tests.support.world import ACCOUNT, ROOT, SPOKE_ACCOUNT, SPOKE_ROLE, World

PROD = "# of platform\nnamespaces: [a]  # all of it\n"


def test_list_merges_defaults_and_says_what_is_invalid(person: Administrator, world: World) -> None:
    world.defaults("region: eu-west-1")
    world.document("prod", PROD)
    world.document("off", "namespaces: ['team-*']\nenabled: false")
    world.document("bad", "prune: maybe")
    world.discovery("all", "regions: [eu-west-1]\ntags: {a: b}\nnamespaces: [a]")
    ran = person.run("clusters", "list")
    assert ran.exit_code == 1
    assert [line.split()[:2] for line in ran.stdout.splitlines()[:5]] == [
        ["ID", "STATE"],
        ["bad", "invalid"],
        ["off", "disabled"],
        ["prod", "enabled"],
        ["all/*", "enabled"],
    ]
    rows = {row["id"]: row for row in person.run("clusters", "list", "-o", "json").json["clusters"]}
    assert rows["prod"]["region"] == "eu-west-1"
    assert rows["off"]["namespaces"] == {"include": ["team-*"], "exclude": [], "selector": None}
    assert "prune: expected true or false" in rows["bad"]["problem"]


def test_list_without_documents_says_how_to_begin(person: Administrator) -> None:
    ran = person.run("clusters", "list")
    assert ran.exit_code == 0
    assert "ecr-public-pusher clusters add ID" in ran.stdout


def test_list_shows_unknown_parameters(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    world.aws.put_parameter(f"{ROOT}/cluster/typo", PROD)
    assert f"{ROOT}/cluster/typo" in person.run("clusters", "list").stdout


def test_list_asks_the_function_for_what_discoveries_find(
    person: Administrator, world: World
) -> None:
    world.add_cluster("found", namespaces=("a",), embedded=True, tags={"team": "a"})
    world.discovery("all", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]")
    ran = person.run("clusters", "list", "--discovered", "-o", "json")
    assert ran.json["discovered"] == [
        {"id": "all/us-east-1/found", "error": None, "leftToDocument": False}
    ]
    assert ran.exit_code == 0


def test_a_discovery_all_of_whose_clusters_have_documents_is_listed_and_may_be_pushed(
    person: Administrator, world: World
) -> None:
    world.add_cluster("found", namespaces=("a",), embedded=True, tags={"team": "a"}, document=PROD)
    world.discovery("all", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]")
    ran = person.run("clusters", "list", "--discovered")
    assert ran.exit_code == 0
    assert re.search(r"^all/us-east-1/found +left to a document of its own$", ran.stdout, re.M)
    pushed = person.run("push", "all/*")
    assert pushed.exit_code == 0
    assert "left to documents of their own: all/us-east-1/found\n" in pushed.stdout
    assert person.run("remove", "all/*", "--yes").exit_code == 0
    assert person.run("clusters", "delete", "discover/all", "--yes").exit_code == 0


def test_a_document_that_may_not_be_decrypted_is_listed_all_the_same(
    person: Administrator, world: World
) -> None:
    world.document("prod", PROD)
    world.document("sealed", PROD, secure=True)
    world.aws.script(
        "ssm",
        "GetParameters",
        lambda request: Answer.refusal(request, "AccessDeniedException", "kms"),
    )
    ran = person.run("clusters", "list")
    assert ran.exit_code == 1
    assert (
        "sealed: the SecureString cannot be decrypted with your credentials: AccessDeniedException"
        in ran.stdout
    )


def test_too_many_calls_are_no_matter_of_a_key(person: Administrator, world: World) -> None:
    world.document("sealed", PROD, secure=True)
    world.aws.script(
        "ssm",
        "GetParameters",
        lambda request: Answer.refusal(request, "ThrottlingException", "Rate exceeded"),
    )
    ran = person.run("clusters", "list")
    assert "AWS is throttling requests" in ran.stderr
    assert "decrypted" not in ran.stdout + ran.stderr


def test_show_says_where_each_setting_comes_from(person: Administrator, world: World) -> None:
    world.defaults("labels: {owner: platform}")
    world.document("prod", PROD)
    ran = person.run("clusters", "show", "prod", "-o", "json")
    assert ran.json["text"] == PROD
    assert ran.json["settings"]["namespaces"] == {"value": {"include": ["a"]}, "from": "document"}
    assert ran.json["settings"]["labels"]["from"] == "defaults"
    assert ran.json["settings"]["cluster"] == {"value": "prod", "from": "built in"}


def test_show_of_an_invalid_document_shows_it_and_what_is_wrong(
    person: Administrator, world: World
) -> None:
    world.document("bad", "prune: maybe # ?")
    ran = person.run("clusters", "show", "bad")
    assert ran.exit_code == 1
    assert "clusters/bad:1: prune: expected true or false" in ran.stdout
    assert "prune: maybe # ?" in ran.stdout


@pytest.mark.parametrize("called", ["defaults", "discover/all", "all", "clusters/prod"])
def test_show_takes_every_document(person: Administrator, world: World, called: str) -> None:
    world.defaults("prune: false")
    world.document("prod", PROD)
    world.discovery("all", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]")
    assert person.run("clusters", "show", called).exit_code == 0


@pytest.mark.parametrize(
    "arguments", [["show", "nope"], ["edit", "nope"], ["enable", "nope"], ["delete", "nope"]]
)
def test_what_is_not_there_is_reported_with_what_there_is(
    person: Administrator, world: World, arguments: list[str]
) -> None:
    world.document("prod", PROD)
    ran = person.run("clusters", *arguments)
    assert ran.exit_code == 2
    assert "There are: prod." in ran.stderr


def test_edit_writes_what_the_editor_left(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    person.editor("echo 'prune: true' >> \"$1\"")
    ran = person.run("clusters", "edit", "prod", "--no-wait")
    assert (ran.exit_code, person.stored("clusters/prod")) == (0, f"{PROD}prune: true\n")
    assert "+prune: true" in ran.stdout


def test_edit_without_a_change_writes_nothing(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    person.editor("true")
    assert person.run("clusters", "edit", "prod").stdout == "clusters/prod unchanged\n"
    assert not world.aws.called("ssm", "PutParameter")


def test_edit_writes_nothing_that_is_invalid(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    person.editor('grep -q maybe "$1" || echo \'prune: maybe\' >> "$1"')
    ran = person.run("clusters", "edit", "prod")
    assert (ran.exit_code, person.stored("clusters/prod")) == (2, PROD)
    assert "line 3: prune: expected true or false" in ran.stderr


def test_edit_of_the_defaults_is_judged_by_what_it_does_to_documents(
    person: Administrator, world: World
) -> None:
    world.defaults(PROD)
    world.document("prod", "prune: true")
    person.editor("echo 'prune: false' > \"$1\"")
    ran = person.run("clusters", "edit", "defaults")
    assert ran.exit_code == 2
    assert "namespaces: required here or in the defaults" in ran.stderr


def test_edit_does_not_overwrite_what_somebody_else_wrote_meanwhile_and_keeps_the_draft(
    person: Administrator, world: World
) -> None:
    world.document("prod", PROD)

    def meanwhile(request: object) -> None:
        # The first GetParameter is the read before the write.
        world.aws.script("ssm", "GetParameter", None)
        world.document("prod", "namespaces: [theirs]\n")

    person.editor("echo 'prune: true' >> \"$1\"")
    world.aws.script("ssm", "GetParameter", meanwhile)
    ran = person.run("clusters", "edit", "prod")
    assert ran.exit_code == 1
    assert "was changed (version 1 is now 2)" in ran.stderr
    assert person.stored("clusters/prod") == "namespaces: [theirs]\n"
    draft = ran.stderr.split("Your draft is in ")[1].splitlines()[0]
    with open(draft) as file:
        assert file.read() == f"{PROD}prune: true\n"


def test_disable_and_enable_change_only_that_line_and_nothing_the_second_time(
    person: Administrator, world: World
) -> None:
    world.document("prod", f"{PROD}enabled: true  # for now\n")
    assert person.run("clusters", "disable", "prod").stdout == "clusters/prod disabled\n"
    assert person.stored("clusters/prod") == f"{PROD}enabled: false  # for now\n"
    assert person.run("clusters", "disable", "prod").stdout == "clusters/prod unchanged\n"
    assert person.run("clusters", "enable", "prod", "--no-wait").stdout == "clusters/prod enabled\n"
    assert person.stored("clusters/prod") == f"{PROD}enabled: true  # for now\n"
    assert len(world.aws.called("ssm", "PutParameter")) == 2


def test_enable_and_disable_take_globs(person: Administrator, world: World) -> None:
    for name in ("prod", "test-1", "test-2"):
        world.document(name, PROD)
    ran = person.run("clusters", "disable", "test-*", "test-1")
    assert ran.stdout == "clusters/test-1 disabled\nclusters/test-2 disabled\n"
    assert person.stored("clusters/prod") == PROD
    ran = person.run("clusters", "enable", "test-?", "--no-wait")
    assert ran.stdout == "clusters/test-1 enabled\nclusters/test-2 enabled\n"
    assert person.run("clusters", "disable", "x-*").exit_code == 2


def test_a_mistyped_id_is_guessed(person: Administrator, world: World) -> None:
    world.document("production", PROD)
    world.discovery("platform", "regions: [us-east-1]\ntags: {a: b}\nnamespaces: [a]")
    for typed, meant in (("prodution", "production"), ("discover/platfrom", "discover/platform")):
        ran = person.run("clusters", "show", typed)
        assert f"Did you mean {meant}?" in ran.stderr


def test_list_shows_the_account_of_each_cluster(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    world.document("edge", f"{PROD}roleArn: {SPOKE_ROLE}\nexternalId: an-id\n")
    head, *rows = person.run("clusters", "list").stdout.splitlines()
    place = head.index("ACCOUNT")
    assert [row[place : place + 12] for row in rows] == [SPOKE_ACCOUNT, ACCOUNT]


def test_disable_says_what_becomes_of_the_secrets(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    assert "ecr-public-pusher remove prod" in person.run("clusters", "disable", "prod").stderr


def test_a_discovery_cannot_be_disabled(person: Administrator, world: World) -> None:
    world.discovery("all", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]")
    assert person.run("clusters", "disable", "all").exit_code == 2


def pushed(world: World) -> None:
    world.add_cluster("old", namespaces=("a",), document=PROD, embedded=True)
    world.apply("old", "prune.yaml")
    world.call({"raise": False})


def test_delete_removes_the_secrets_then_the_document(person: Administrator, world: World) -> None:
    pushed(world)
    ran = person.run("clusters", "delete", "old", "--yes")
    assert (ran.exit_code, ran.stdout) == (0, "clusters/old deleted\n")
    assert (world.secret("old", "a"), person.stored("clusters/old")) == (None, None)


def test_delete_off_a_terminal_asks_for_yes_and_does_nothing(
    person: Administrator, world: World
) -> None:
    world.document("old", PROD)
    ran = person.run("clusters", "delete", "old")
    assert (ran.exit_code, person.stored("clusters/old")) == (2, PROD)


def test_delete_keeps_the_document_when_secrets_are_left(
    person: Administrator, world: World
) -> None:
    world.add_cluster("old", namespaces=("a",), document=PROD, embedded=True)
    world.invoke()
    ran = person.run("clusters", "delete", "old", "--yes", "-o", "json")
    assert (ran.exit_code, ran.json) == (1, {"deleted": [], "kept": ["clusters/old"]})
    assert "--allow-removal" in ran.stderr
    assert person.stored("clusters/old") == PROD


def test_delete_keeps_documents_of_which_the_report_says_nothing(
    person: Administrator, world: World
) -> None:
    """A report names as many clusters as fit into a log line, and counts the others."""
    pushed(world)
    answered = person.stack.function

    def shortened(event: Any) -> FunctionAnswer:
        report = answered(event).payload
        return FunctionAnswer({**report, "clusters": [], "clustersLeft": len(report["clusters"])})

    person.stack.function = shortened
    ran = person.run("clusters", "delete", "old", "--yes", "-o", "json")
    assert (ran.exit_code, ran.json) == (1, {"deleted": [], "kept": ["clusters/old"]})
    assert person.stored("clusters/old") == PROD


def test_delete_with_keep_secrets_asks_nothing_of_the_function(
    person: Administrator, world: World
) -> None:
    world.document("old", PROD)
    assert person.run("clusters", "delete", "old", "--keep-secrets", "--yes").exit_code == 0
    assert person.stored("clusters/old") is None
    assert not world.aws.called("lambda", "Invoke")


def test_delete_on_a_terminal_shows_the_secrets_that_would_go(
    person: Administrator, world: World
) -> None:
    pushed(world)
    command = [sys.executable, "-m", "infra.cli", "clusters", "delete", "old"]
    with Terminal(command, person.process_environ(TERM="xterm"), columns=100) as screen:
        screen.wait_for("Remove these Secrets, and delete clusters/old? [y/N] ")
        assert re.search(r"^a +remove$", "\n".join(screen.lines), re.MULTILINE)
        screen.enter("\x04")
        assert screen.finish() == 1
    assert world.secret("old", "a") is not None
    assert person.stored("clusters/old") == PROD


@pytest.mark.parametrize("switch", ["enable", "disable"])
def test_only_clusters_are_switched(person: Administrator, world: World, switch: str) -> None:
    world.defaults("prune: false")
    world.document("prod", PROD)
    world.discovery("all", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]")
    ran = person.run("clusters", switch, "defaults")
    assert ran.exit_code == 2
    assert "Only a cluster's document has `enabled`, not defaults." in ran.stderr
    assert "There are: prod." in ran.stderr
    ran = person.run("clusters", switch, "discover/all")
    assert "not discover/all." in ran.stderr
    assert "clusters edit discover/all" in ran.stderr
    assert world.aws.called("ssm", "PutParameter") == []


def test_the_defaults_are_deleted_as_they_are(person: Administrator, world: World) -> None:
    """They have no `enabled`: with it they would be invalid, and no cluster would be pushed."""
    world.defaults("prune: false")
    world.document("prod", PROD)
    assert person.run("clusters", "delete", "defaults", "--yes").exit_code == 0
    assert person.stored("defaults") is None
    assert world.aws.called("ssm", "PutParameter") == []
