"""`apply --prune`, `clusters delete` and `rename` while each write sends its change event.

Events arrive at once, before the write returns, or late, when the command has ended.
"""

from collections.abc import Callable

import pytest

from infra.local.aws import Answer, AwsRequest
from tests.support.operator import COMMAND, Administrator
from tests.support.terminal import Terminal
from tests.support.world import ROOT, World

ONE = "namespaces: [a]\n"
HERE = "cluster: here\nnamespaces: [a]\n"
BOTH = "cluster: here\nnamespaces: [a, b]\n"


def pushed(person: Administrator, **documents: str) -> None:
    """Make a cluster for each document, and push: the Secrets are there, and may be removed."""
    world = person.world
    for name, text in documents.items():
        world.add_cluster(name, namespaces=("a", "b"), document=text, embedded=True)
        world.apply(name, "prune.yaml")
    person.run("push")
    world.aws.calls.clear()


def owner(world: World, cluster: str, namespace: str = "a") -> str | None:
    """Return the document that the Secret's mark names; None where there is no Secret."""
    found = world.secret(cluster, namespace)
    return (
        found["metadata"]["annotations"]["ecr-public-pusher/owner"].rpartition("/")[2]
        if found
        else None
    )


def deleted(world: World, cluster: str) -> list[str]:
    """Return the requests by which the function has deleted something in a cluster."""
    return [line for line in world.asked(cluster) if line.startswith("DELETE")]


def writes(world: World) -> list[str]:
    """Return the writes of documents, and the invocations, in order."""
    return [
        f"{call.action} {call.parameters.get('Name', '').removeprefix(f'{ROOT}/')}".strip()
        for call in world.aws.calls
        if call.action in ("PutParameter", "DeleteParameter", "Invoke")
    ]


@pytest.fixture(params=["at once", "late"])
def events(request: pytest.FixtureRequest, person: Administrator) -> Callable[[], None]:
    """Return a function that delivers the events that have not arrived yet."""
    held: list[Callable[[], object]] = []
    if request.param == "late":
        person.stack.deliver = held.append

    def arrive() -> None:
        while held:
            held.pop(0)()

    return arrive


def test_a_removed_secret_is_not_written_back_by_the_events_of_the_other_writes(
    person: Administrator, world: World, events: Callable[[], None]
) -> None:
    pushed(person, old=ONE, prod=ONE)
    folder = person.folder(defaults="labels: {of: us}\n", prod=f"{ONE}prune: true\n")
    ran = person.run("apply", str(folder), "--prune", "--yes")
    assert ran.exit_code == 0, ran.stderr
    events()
    assert (owner(world, "old"), owner(world, "prod")) == (None, "prod")
    person.run("push")
    assert person.run("status", "-o", "json").json["deletedDocuments"] == []


def test_what_is_deleted_is_disabled_removed_and_deleted_before_anything_else_is_written(
    person: Administrator, world: World
) -> None:
    pushed(person, old=ONE, prod=ONE)
    folder = person.folder(defaults="labels: {of: us}\n", prod=f"{ONE}prune: true\n")
    assert person.run("apply", str(folder), "--prune", "--yes", "--no-wait").exit_code == 0
    assert writes(world) == [
        "PutParameter clusters/old",
        "Invoke",
        "DeleteParameter clusters/old",
        "PutParameter defaults",
        "PutParameter clusters/prod",
    ]


@pytest.mark.parametrize("new", ["aaa", "zone"])  # the first id of two is ahead of the other
def test_a_rename_keeps_the_secrets_and_makes_no_conflict(
    person: Administrator, world: World, new: str, events: Callable[[], None]
) -> None:
    pushed(person, here=HERE)
    before = world.secret("here", "a")
    ran = person.run("apply", str(person.folder(**{new: HERE})), "--prune", "--yes", "--no-wait")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout == f"~ clusters/{new}  renamed from clusters/here\n"
    events()
    after = world.secret("here", "a")
    assert before is not None
    assert after is not None
    assert (owner(world, "here"), after["metadata"]["uid"]) == (new, before["metadata"]["uid"])
    assert deleted(world, "here") == []
    assert not world.queue.waiting
    assert (person.stored("clusters/here"), person.stored(f"clusters/{new}")) == (None, HERE)


def test_a_rename_is_shown_as_one(person: Administrator, world: World) -> None:
    world.document("here", HERE)
    folder = str(person.folder(zone=f"{HERE}prune: true\n"))
    ran = person.run("diff", folder, "--prune")
    assert (ran.exit_code, ran.stdout.splitlines()[:3]) == (
        1,
        [
            "~ clusters/zone  renamed from clusters/here",
            "--- clusters/here",
            f"+++ {folder}/clusters/zone.yaml",
        ],
    )
    assert ran.stdout.endswith("1 renamed\n")
    (change,) = person.run("diff", folder, "--prune", "-o", "json").json["changes"]
    assert (change["document"], change["change"], change["from"]) == (
        "clusters/zone",
        "renamed",
        "clusters/here",
    )


def test_without_prune_a_rename_is_reported_to_need_it(person: Administrator, world: World) -> None:
    world.document("here", HERE)
    ran = person.run("diff", str(person.folder(zone=HERE)))
    assert "means the cluster of clusters/here, which has no file" in ran.stdout
    assert "--prune renames it, and removes nothing." in ran.stdout


@pytest.mark.parametrize(
    "text",
    [
        "namespaces: [a]\n",  # names the cluster zone
        f"{HERE}region: eu-west-1\n",
        f"{HERE}secretName: other\n",
        f"{HERE}enabled: false\n",
    ],
)
def test_another_cluster_or_secret_is_no_rename_and_what_was_written_is_removed(
    person: Administrator, world: World, text: str
) -> None:
    pushed(person, here=HERE)
    ran = person.run("apply", str(person.folder(zone=text)), "--prune", "--yes", "-o", "json")
    assert {one["document"]: one["change"] for one in ran.json["changes"]} == {
        "clusters/here": "deleted",
        "clusters/zone": "added",
    }
    assert world.secret("here", "a") is None


def test_a_rename_that_forgets_the_clusters_name_is_warned_about(
    person: Administrator, world: World
) -> None:
    world.document("prod", ONE)
    ran = person.run("diff", str(person.folder(live=ONE)), "--prune")
    assert "names the cluster live, which clusters/prod of the same text" in ran.stdout
    assert "write `cluster: prod` into it" in ran.stdout


def test_a_rename_of_a_cluster_elsewhere_is_known_by_its_endpoint(
    person: Administrator, world: World
) -> None:
    person.stack.parameters = {**person.stack.parameters, "AllowedEndpoints": "api.example.com"}
    text = "endpoint: https://api.example.com\nsignIn: {type: webIdentity}\nnamespaces: [a]\n"
    world.document("here", text)
    ran = person.run("diff", str(person.folder(zone=text)), "--prune")
    assert "~ clusters/zone  renamed from clusters/here" in ran.stdout
    assert "have the audience ecr-public-pusher:zone once it is renamed" in ran.stdout


def test_a_renamed_discovery_keeps_the_secrets(
    person: Administrator, world: World, events: Callable[[], None]
) -> None:
    text = "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]\n"
    world.add_cluster("found", namespaces=("a",), embedded=True, tags={"team": "a"})
    world.discovery("all", text)
    world.invoke()
    ran = person.run(
        "apply", str(person.folder(discover__every=text)), "--prune", "--yes", "--no-wait"
    )
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout == "~ discover/every  renamed from discover/all\n"
    events()
    assert owner(world, "found") == "found"
    annotations = world.secret("found", "a")["metadata"]["annotations"]  # type: ignore[index]
    assert "/every/us-east-1/found" in annotations["ecr-public-pusher/owner"]
    assert deleted(world, "found") == []


def test_what_a_renamed_document_selects_no_more_is_removed(
    person: Administrator, world: World, events: Callable[[], None]
) -> None:
    pushed(person, here=BOTH)
    ran = person.run("apply", str(person.folder(zone=HERE)), "--prune", "--yes")
    assert ran.exit_code == 0, ran.stderr
    events()
    assert (owner(world, "here"), owner(world, "here", "b")) == ("zone", None)
    assert len(deleted(world, "here")) == 1


@pytest.mark.parametrize(
    ("old", "new", "removes"),
    [
        (HERE, HERE, False),
        (HERE, BOTH, False),
        (BOTH, HERE, True),
        ("cluster: here\nnamespaces: ['*']\n", "cluster: here\nnamespaces: ['*']\n", False),
        ("cluster: here\nnamespaces: ['*']\n", HERE, True),
        (HERE, "cluster: here\nnamespaces: {include: [a], selector: 'x!=y'}\n", True),
    ],
)
def test_a_rename_asks_for_a_removal_only_where_something_may_be_left(
    person: Administrator, world: World, old: str, new: str, removes: bool
) -> None:
    world.document("here", old)
    person.run("apply", str(person.folder(zone=new)), "--prune", "--yes", "--no-wait")
    assert ("Invoke" in writes(world)) is removes


def test_of_several_documents_of_a_cluster_each_gets_the_one_with_its_namespaces(
    person: Administrator, world: World
) -> None:
    other = "cluster: here\nnamespaces: [b]\n"
    world.document("first", other)
    world.document("here", HERE)
    ran = person.run("diff", str(person.folder(one=HERE, two=other)), "--prune", "-o", "json")
    assert {one["document"]: one["from"] for one in ran.json["changes"]} == {
        "clusters/one": "clusters/here",
        "clusters/two": "clusters/first",
    }


def test_of_two_documents_that_become_one_the_secrets_stay(
    person: Administrator, world: World, events: Callable[[], None]
) -> None:
    pushed(person, here=HERE)
    world.document("more", "cluster: here\nnamespaces: [b]\n")
    world.invoke()
    assert owner(world, "here", "b") == "more"
    ran = person.run("apply", str(person.folder(zone=BOTH)), "--prune=all", "--yes")
    assert ran.exit_code == 0, ran.stderr
    events()
    assert [owner(world, "here", name) for name in ("a", "b")] == ["zone", "zone"]
    assert deleted(world, "here") == []
    assert not world.queue.waiting


def test_what_a_document_beside_a_written_one_leaves_is_removed_and_nothing_else(
    person: Administrator, world: World, events: Callable[[], None]
) -> None:
    pushed(person, here=HERE)
    world.document("more", "cluster: here\nnamespaces: [b]\n")
    person.run("push")
    more = "cluster: here\nnamespaces: [b]\nprune: true\n"
    ran = person.run("apply", str(person.folder(more=more)), "--prune", "--yes", "--no-wait")
    assert (ran.exit_code, ran.stdout) == (
        0,
        "~ clusters/more  changed\n- clusters/here  deleted\n",
    )
    events()
    assert [owner(world, "here", name) for name in ("a", "b")] == [None, "more"]
    assert len(deleted(world, "here")) == 1


def test_a_renamed_secure_string_stays_one_with_its_key_and_tags(person: Administrator) -> None:
    name = f"{ROOT}/clusters/here"
    person.ssm.put_parameter(
        Name=name,
        Value=HERE,
        Type="SecureString",
        KeyId="alias/ours",
        Description="of the team",
        Tags=[{"Key": "team", "Value": "a"}],
    )
    ran = person.run("apply", str(person.folder(zone=HERE)), "--prune", "--yes", "--no-wait")
    assert ran.exit_code == 0, ran.stderr
    (described,) = person.ssm.describe_parameters()["Parameters"]
    assert (described["Name"], described["Type"], described["KeyId"], described["Description"]) == (
        f"{ROOT}/clusters/zone",
        "SecureString",
        "alias/ours",
        "of the team",
    )
    tags = person.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=described["Name"])
    assert tags["TagList"] == [{"Key": "team", "Value": "a"}]


def test_a_rename_whose_new_document_is_refused_leaves_the_old_one_as_it_was(
    person: Administrator, world: World
) -> None:
    pushed(person, here=HERE)

    def full(request: AwsRequest) -> Answer | None:
        if request.parameters["Name"].endswith("/zone"):
            return Answer.refusal(request, "ParameterLimitExceeded", "full")
        return None

    world.aws.script("ssm", "PutParameter", full)
    ran = person.run("apply", str(person.folder(zone=HERE)), "--prune", "--yes")
    assert ran.exit_code == 3
    assert (person.stored("clusters/here"), owner(world, "here")) == (HERE, "here")
    world.aws.script("ssm", "PutParameter", None)
    ran = person.run("apply", str(person.folder(zone=HERE)), "--prune", "--yes")
    assert (ran.exit_code, owner(world, "here")) == (0, "zone")


def test_a_renamed_discovery_that_is_refused_is_as_it_was(
    person: Administrator, world: World
) -> None:
    text = "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]\n"
    name = f"{ROOT}/discover/all"
    person.ssm.put_parameter(Name=name, Value=text, Type="SecureString", KeyId="alias/ours")

    def full(request: AwsRequest) -> Answer | None:
        if request.parameters["Name"].endswith("/every"):
            return Answer.refusal(request, "ParameterLimitExceeded", "full")
        return None

    world.aws.script("ssm", "PutParameter", full)
    ran = person.run("apply", str(person.folder(discover__every=text)), "--prune", "--yes")
    assert (ran.exit_code, person.stored("discover/all")) == (3, text)
    (described,) = person.ssm.describe_parameters()["Parameters"]
    assert (described["Name"], described["Type"], described["KeyId"]) == (
        name,
        "SecureString",
        "alias/ours",
    )


def test_tags_that_cannot_be_read_are_said_to_be_missing(
    person: Administrator, world: World
) -> None:
    world.document("here", HERE)
    world.aws.script(
        "ssm",
        "ListTagsForResource",
        lambda request: Answer.refusal(request, "AccessDeniedException", "no"),
    )
    ran = person.run("apply", str(person.folder(zone=HERE)), "--prune", "--yes", "--no-wait")
    assert (ran.exit_code, person.stored("clusters/zone")) == (0, HERE)
    assert "The tags of clusters/here cannot be read (ssm:ListTagsForResource)" in ran.stderr


def test_a_document_is_enabled_again_when_the_function_cannot_be_asked(
    person: Administrator, world: World
) -> None:
    pushed(person, old=ONE)
    world.aws.script(
        "lambda",
        "Invoke",
        lambda request: Answer.refusal(request, "AccessDeniedException", "no", status=403),
    )
    ran = person.run("clusters", "delete", "old", "--yes")
    assert (ran.exit_code, person.stored("clusters/old")) == (3, ONE)


def test_a_document_stays_disabled_while_an_interrupted_removal_continues(
    person: Administrator, world: World
) -> None:
    pushed(person, old=ONE)
    ran = person.interrupt_during("remove", "clusters", "delete", "old", "--yes")
    assert (ran.exit_code, person.stored("clusters/old")) == (130, f"{ONE}enabled: false\n")
    assert "Disabled, and not deleted yet: clusters/old" in ran.stderr


def test_deletion_leaves_what_another_document_of_the_cluster_selects(
    person: Administrator, world: World
) -> None:
    """A deleted document that another id replaced may have been restored."""
    pushed(person, here=HERE)
    world.document("zone", HERE)
    ran = person.run("clusters", "delete", "here", "--yes")
    assert ran.exit_code == 0, ran.stderr
    assert person.stored("clusters/here") is None
    world.invoke({"action": "sweep"})
    assert owner(world, "here") == "zone"
    assert deleted(world, "here") == []


COUNTS = "--prune would delete 2 of 3 stored documents, which have no file:"


def fleet(world: World) -> None:
    world.defaults("prune: false\n")
    world.document("edge", ONE)
    world.document("prod", ONE)


@pytest.mark.parametrize("options", [(), ("-o", "json")])
def test_a_prune_of_most_documents_needs_more_than_yes(
    person: Administrator, world: World, options: tuple[str, ...]
) -> None:
    fleet(world)
    folder = str(person.folder(defaults="prune: false\n"))
    ran = person.run("apply", folder, "--prune", "--yes", "--no-wait", *options)
    assert ran.exit_code == 2
    assert f"{COUNTS} clusters/edge, clusters/prod. Nothing was written." in ran.stderr
    assert "--prune=all" in ran.stderr
    assert writes(world) == []
    ran = person.run("apply", folder, "--prune=all", "--keep-secrets", "--yes", *options)
    assert (ran.exit_code, person.stored("clusters/prod")) == (0, None)


def test_diff_says_what_a_prune_of_most_documents_will_need(
    person: Administrator, world: World
) -> None:
    fleet(world)
    folder = str(person.folder(defaults="prune: false\n"))
    assert COUNTS in person.run("diff", folder, "--prune").stderr
    assert COUNTS not in person.run("diff", folder, "--prune=all").stderr


@pytest.mark.parametrize(
    ("stored", "left", "code"),
    [("abcd", "abc", 0), ("abcd", "ab", 0), ("abcd", "a", 2), ("abc", "a", 2), ("a", "b", 0)],
)
def test_one_document_or_half_of_them_may_be_pruned_by_yes(
    person: Administrator, world: World, stored: str, left: str, code: int
) -> None:
    for name in stored:
        world.document(name, ONE)
    folder = str(person.folder(**dict.fromkeys(left, ONE)))
    ran = person.run("apply", folder, "--prune", "--keep-secrets", "--yes", "--no-wait")
    assert ran.exit_code == code


def test_a_persons_yes_at_the_terminal_prunes_most_documents(
    person: Administrator, world: World
) -> None:
    fleet(world)
    folder = str(person.folder(defaults="prune: false\n"))
    command = [*COMMAND, "apply", folder, "--prune", "--keep-secrets"]
    with Terminal(command, person.process_environ(TERM="xterm"), columns=200) as screen:
        screen.wait_for("Write that? [y/N] ")
        assert any(COUNTS in line for line in screen.lines)
        screen.enter("y\n")
        assert screen.finish() == 0
    assert person.stored("clusters/prod") is None


def test_another_value_of_prune_is_refused(person: Administrator) -> None:
    ran = person.run("apply", str(person.folder(prod=ONE)), "--prune=some", "--yes")
    assert ran.exit_code == 2
    assert "--prune=all" in ran.stderr


@pytest.mark.parametrize("options", [(), ("-o", "json")])
def test_yes_hides_no_warning(
    person: Administrator, world: World, options: tuple[str, ...]
) -> None:
    world.document("prod", "namespaces: [a, b]\n")
    folder = str(person.folder(prod=ONE))
    ran = person.run("apply", folder, "--yes", "--no-wait", *options)
    assert (ran.exit_code, ran.stderr.count("warning: ")) == (0, 1)
    assert "no longer selects b" in ran.stderr


@pytest.mark.parametrize("command", ["validate", "diff"])
def test_warnings_are_beside_data_and_among_lines_for_people(
    person: Administrator, command: str
) -> None:
    folder = person.folder(prod=ONE)
    (folder / "README.md").write_text("of ours\n")
    ran = person.run(command, str(folder))
    assert (ran.stdout.count("warning: "), ran.stderr.count("warning: ")) == (1, 0)
    ran = person.run(command, str(folder), "-o", "json")
    assert (len(ran.json["notes"]), ran.stderr.count("warning: ")) == (1, 1)
