"""The push after `apply`, `clusters edit` and `clusters enable`: its outcome is shown there."""

import pytest

from infra.local.aws import Answer
from tests.support.operator import Administrator
from tests.support.world import World

PROD = "namespaces: [a]\n"


@pytest.fixture
def prod(world: World) -> None:
    """Make a cluster, and a document of it that is disabled."""
    world.add_cluster("prod", namespaces=("a", "b"), embedded=True)
    world.document("prod", f"{PROD}enabled: false\n")


@pytest.mark.usefixtures("prod")
def test_apply_shows_the_push_and_its_exit_code(person: Administrator, world: World) -> None:
    ran = person.run("apply", str(person.folder(prod=PROD)), "--yes", "-o", "json")
    assert (ran.exit_code, ran.json["push"]["ok"]) == (0, True)
    assert ran.json["push"]["narrowedTo"] == {"clusters": ["prod"]}
    assert world.secret("prod", "a") is not None
    folder = person.folder(prod="namespaces: [a, missing]\n")
    ran = person.run("apply", str(folder), "--yes")
    assert ran.exit_code == 1
    assert "\npush: not ok" in ran.stdout
    assert "missing" in ran.stdout


@pytest.mark.usefixtures("prod")
def test_a_change_of_the_defaults_is_pushed_to_all(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    ran = person.run("apply", str(person.folder(defaults="prune: false\n")), "--yes", "-o", "json")
    assert (ran.exit_code, "narrowedTo" in ran.json["push"]) == (0, False)
    assert [one["id"] for one in ran.json["push"]["clusters"]] == ["prod"]


@pytest.mark.usefixtures("prod")
def test_edit_shows_the_push_and_its_exit_code(person: Administrator, world: World) -> None:
    person.editor("echo 'namespaces: [a]' > \"$1\"")
    ran = person.run("clusters", "edit", "prod", "-o", "json")
    assert (ran.exit_code, ran.json["outcome"], ran.json["push"]["ok"]) == (0, "changed", True)
    person.editor("echo 'namespaces: [missing]' > \"$1\"")
    assert person.run("clusters", "edit", "prod").exit_code == 1


@pytest.mark.usefixtures("prod")
@pytest.mark.parametrize(("namespace", "ok"), [("a", True), ("missing", False)])
def test_the_data_of_apply_is_as_ok_as_its_exit_code(
    person: Administrator, namespace: str, ok: bool
) -> None:
    folder = person.folder(prod=f"namespaces: [{namespace}]\n")
    ran = person.run("apply", str(folder), "--yes", "-o", "json")
    assert (ran.exit_code, ran.json["ok"]) == (int(not ok), ok)


def test_a_document_that_is_kept_is_not_ok(person: Administrator, world: World) -> None:
    world.add_cluster("old", namespaces=("a",), embedded=True)
    for name in ("old", "prod"):
        world.document(name, PROD)
    world.invoke()
    ran = person.run("apply", str(person.folder(prod=PROD)), "--prune", "--yes", "-o", "json")
    assert (ran.exit_code, ran.json["ok"], ran.json["kept"]) == (1, False, ["clusters/old"])


@pytest.mark.usefixtures("prod")
def test_enable_shows_the_push_of_what_it_has_enabled(person: Administrator, world: World) -> None:
    world.document("other", "cluster: prod\nnamespaces: [b]\n")
    ran = person.run("clusters", "enable", "prod", "other", "-o", "json")
    assert ran.json["documents"] == [
        {"document": "clusters/prod", "outcome": "enabled"},
        {"document": "clusters/other", "outcome": "unchanged"},
    ]
    assert ran.json["push"]["narrowedTo"] == {"clusters": ["prod"]}
    assert ran.exit_code == 0
    again = person.run("clusters", "enable", "prod", "-o", "json")
    assert again.json == {"documents": [{"document": "clusters/prod", "outcome": "unchanged"}]}


def test_disable_prints_one_json_document(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    ran = person.run("clusters", "disable", "prod", "-o", "json")
    assert ran.json == {"documents": [{"document": "clusters/prod", "outcome": "disabled"}]}
    assert ran.exit_code == 0


@pytest.mark.usefixtures("prod")
@pytest.mark.parametrize(
    "command", [("clusters", "enable", "prod"), ("apply", "config", "--yes")], ids=str
)
def test_without_waiting_nothing_is_invoked_and_the_check_is_named(
    person: Administrator, world: World, command: tuple[str, ...]
) -> None:
    folder = str(person.folder(prod=PROD))
    ran = person.run(*(folder if word == "config" else word for word in command), "--no-wait")
    assert ran.exit_code == 0
    assert "ecr-public-pusher check prod" in ran.stderr
    assert not world.aws.called("lambda", "Invoke")


@pytest.mark.usefixtures("prod")
def test_what_is_written_is_shown_where_the_push_cannot_be_invoked(
    person: Administrator, world: World
) -> None:
    world.aws.script(
        "lambda",
        "Invoke",
        lambda request: Answer.refusal(request, "AccessDeniedException", "not you", status=403),
    )
    ran = person.run("apply", str(person.folder(prod=PROD)), "--yes", "-o", "json")
    assert (ran.exit_code, ran.json["written"]) == (3, ["clusters/prod"])
    assert (ran.json["ok"], "push" in ran.json) == (False, False)
    assert "not you" in ran.stderr or "AccessDenied" in ran.stderr
    assert person.stored("clusters/prod") == PROD


def test_a_deletion_is_followed_by_no_push(person: Administrator, world: World) -> None:
    for name in ("old", "prod"):
        world.document(name, PROD)
    folder = person.folder(prod=PROD)
    ran = person.run("apply", str(folder), "--prune", "--keep-secrets", "--yes", "-o", "json")
    assert (ran.exit_code, "push" in ran.json) == (0, False)
    assert not world.aws.called("lambda", "Invoke")
