"""`clusters rename`, and `status` after a rename, however it was made."""

import pytest

from infra.local.aws import Answer
from tests.cli.commands.test_prune_order import HERE, ONE, deleted, owner, pushed
from tests.support.operator import Administrator
from tests.support.world import World


def test_the_cluster_and_its_secrets_stay_and_comments_too(
    person: Administrator, world: World
) -> None:
    pushed(person, prod=f"# of platform\n{ONE}")
    ran = person.run("clusters", "rename", "prod", "zone")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout.startswith("clusters/prod renamed to clusters/zone\npush: ok · 1 cluster ·")
    assert person.stored("clusters/prod") is None
    assert person.stored("clusters/zone") == f'# of platform\n{ONE}cluster: "prod"\n'
    assert (owner(world, "prod"), deleted(world, "prod")) == ("zone", [])
    assert not world.queue.waiting


def test_there_and_back_again(person: Administrator, world: World) -> None:
    pushed(person, here=HERE)
    for names in (("here", "aaa"), ("aaa", "here")):
        ran = person.run("clusters", "rename", *names, "-o", "json")
        assert (ran.exit_code, ran.json["push"]["ok"]) == (0, True)
    assert (owner(world, "here"), person.stored("clusters/here")) == ("here", HERE)


def test_the_push_that_fails_is_shown(person: Administrator, world: World) -> None:
    text = "cluster: here\nnamespaces: [gone]\n"
    pushed(person, here=text)
    ran = person.run("clusters", "rename", "here", "zone")
    assert (ran.exit_code, person.stored("clusters/zone")) == (1, text)
    assert "the namespace does not exist" in ran.stdout


def test_what_is_renamed_is_shown_where_the_push_cannot_be_invoked(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE)
    world.aws.script(
        "lambda",
        "Invoke",
        lambda request: Answer.refusal(request, "AccessDeniedException", "not you", status=403),
    )
    ran = person.run("clusters", "rename", "here", "zone", "-o", "json")
    assert (ran.exit_code, ran.json) == (3, {"from": "clusters/here", "to": "clusters/zone"})
    back = person.run("clusters", "rename", "zone", "here", "--no-wait")
    assert (back.exit_code, person.stored("clusters/here")) == (0, HERE)
    assert "ecr-public-pusher check here" in back.stderr


def test_an_old_document_that_cannot_be_deleted_is_named_with_the_command_that_does(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE)
    world.aws.script(
        "ssm",
        "DeleteParameter",
        lambda request: Answer.refusal(request, "AccessDeniedException", "not you", status=403),
    )
    ran = person.run("clusters", "rename", "here", "zone")
    assert ran.exit_code == 3
    assert "clusters/zone is written. clusters/here is left, disabled." in ran.stderr
    assert "ecr-public-pusher clusters delete here" in ran.stderr
    world.aws.script("ssm", "DeleteParameter", None)
    assert person.run("clusters", "delete", "here", "--yes").exit_code == 0
    assert (owner(world, "here"), person.stored("clusters/here")) == ("zone", None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope", "zone"), "There is no document nope"),
        (("prod", "prod"), "has that id already"),
        (("prod", "edge"), "There is a document clusters/edge already."),
        (("prod", "a/b"), "cannot be the id of a document"),
        (("prod", "a b"), "cannot be the id of a document"),
        (("defaults", "zone"), "The defaults have no other name."),
        (("bad", "zone"), "Not renamed, since it is invalid"),
        (
            ("tabbed", "zone"),
            "clusters/tabbed is written in a way that cannot be edited in place.",
        ),
        (("full", "zone"), "Not renamed: clusters/zone"),
    ],
)
def test_what_cannot_be_renamed_is_reported_and_nothing_is_written(
    person: Administrator, world: World, arguments: tuple[str, str], said: str
) -> None:
    world.defaults("prune: false")
    world.document("prod", ONE)
    world.document("edge", ONE)
    world.document("bad", "prune: maybe")
    world.document("tabbed", '{\t"namespaces": ["a"]\n}')
    world.document("full", f"{ONE}# {'x' * 4070}\n")  # without room for the cluster's name
    ran = person.run("clusters", "rename", *arguments)
    assert (ran.exit_code, said in ran.stderr) == (2, True)
    assert not world.aws.called("ssm", "PutParameter")
    assert not world.aws.called("ssm", "DeleteParameter")


def test_a_web_identity_is_warned_about(person: Administrator, world: World) -> None:
    person.stack.parameters = {**person.stack.parameters, "AllowedEndpoints": "127.0.0.1"}
    world.add_elsewhere(
        "here", document="signIn: {type: webIdentity}\nnamespaces: [a]\n", embedded=True
    )
    ran = person.run("clusters", "rename", "here", "zone")
    assert "have the audience ecr-public-pusher:zone once it is renamed" in ran.stderr
    assert "cluster:" not in (person.stored("clusters/zone") or "")


def test_status_has_nothing_to_say_of_a_discovery_that_was_deleted_with_its_secrets(
    person: Administrator, world: World
) -> None:
    world.add_cluster("found", namespaces=("a",), embedded=True, tags={"team": "a"})
    world.apply("found", "prune.yaml")
    world.discovery("all", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]\n")
    person.run("push")
    assert person.run("clusters", "delete", "discover/all", "--yes").exit_code == 0
    assert world.secret("found", "a") is None
    assert person.run("status", "-o", "json").json["deletedDocuments"] == []


def test_a_discovery_is_renamed_too(person: Administrator, world: World) -> None:
    text = "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]\n"
    world.add_cluster("found", namespaces=("a",), embedded=True, tags={"team": "a"})
    world.discovery("all", text)
    world.invoke()
    ran = person.run("clusters", "rename", "discover/all", "every")
    assert ran.exit_code == 0, ran.stderr
    assert (person.stored("discover/all"), person.stored("discover/every")) == (None, text)
    assert deleted(world, "found") == []
    assert person.run("status", "-o", "json").json["deletedDocuments"] == []


def test_status_has_nothing_to_say_of_a_renamed_document(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE)
    assert person.run("clusters", "rename", "here", "zone").exit_code == 0
    found = person.run("status", "-o", "json").json
    assert (found["deletedDocuments"], [one["id"] for one in found["clusters"]]) == ([], ["zone"])


def test_status_has_nothing_to_say_of_a_renamed_document_whose_secrets_were_removed(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE, stays=f"{HERE}secretName: stays\n")
    world.apply("here", "prune.yaml")
    assert person.run("clusters", "rename", "here", "zone").exit_code == 0
    assert person.run("clusters", "delete", "zone", "--yes").exit_code == 0
    assert world.secret("here", "a") is None
    assert person.run("status", "-o", "json").json["deletedDocuments"] == []


def test_status_counts_a_renamed_document_until_its_heir_is_forgotten(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE, stays=f"{HERE}secretName: stays\n")
    assert person.run("clusters", "rename", "here", "zone").exit_code == 0
    assert person.run("clusters", "delete", "zone", "--keep-secrets", "--yes").exit_code == 0
    left = person.run("status", "-o", "json").json["deletedDocuments"]
    assert [one["id"] for one in left] == ["here", "zone"]
    assert person.run("clusters", "forget", "zone").exit_code == 0
    assert person.run("status", "-o", "json").json["deletedDocuments"] == []


def test_what_was_renamed_and_back_again_counts_when_it_is_deleted_with_its_secrets_left(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE, stays=f"{HERE}secretName: stays\n")
    world.apply("here", "prune.yaml")
    for names in (("here", "zone"), ("zone", "here")):
        assert person.run("clusters", "rename", *names).exit_code == 0
    person.run("remove", "zone", "--yes")
    assert person.run("clusters", "delete", "here", "--keep-secrets", "--yes").exit_code == 0
    left = person.run("status", "-o", "json").json["deletedDocuments"]
    assert "here" in [one["id"] for one in left]


def test_status_after_a_rename_by_hand_has_nothing_to_say_once_the_secrets_are_taken_over(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE)
    for name, text in (("zone", HERE), ("here", None)):
        path = f"/ecr-public-pusher/clusters/{name}"
        if text:
            person.ssm.put_parameter(Name=path, Value=text, Type="String")
        else:
            person.ssm.delete_parameter(Name=path)
    assert [one["id"] for one in person.run("status", "-o", "json").json["deletedDocuments"]] == [
        "here"
    ]
    person.run("sweep")
    assert person.run("status", "-o", "json").json["deletedDocuments"] == []
    assert owner(world, "here") == "zone"


def test_what_status_advises_on_a_deleted_document_takes_nothing_of_the_live_one(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE)
    person.ssm.delete_parameter(Name="/ecr-public-pusher/clusters/here")
    world.document("zone", HERE)
    ran = person.run("status")
    assert (
        "Restore the document with enabled: false, and: ecr-public-pusher clusters delete here"
        in ran.stdout
    )
    for text in (HERE, f"{HERE}enabled: false\n"):
        person.ssm.put_parameter(
            Name="/ecr-public-pusher/clusters/here", Value=text, Type="String", Overwrite=True
        )
        assert person.run("clusters", "delete", "here", "--yes").exit_code == 0
        person.run("sweep")
        assert (owner(world, "here"), deleted(world, "here")) == ("zone", [])


def test_status_names_a_deleted_discovery_as_clusters_delete_takes_it(
    person: Administrator, world: World
) -> None:
    world.discovery("all", "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]\n")
    person.ssm.delete_parameter(Name="/ecr-public-pusher/discover/all")
    assert (
        "Restore the document, and: ecr-public-pusher clusters delete discover/all"
        in person.run("status").stdout
    )
