"""`validate`, `diff`, `apply` by boto3 against the local AWS: exit codes, writes, output."""

import json

import pytest

from infra.cli.documents.document import DocumentName
from infra.cli.documents.store import Store
from infra.cli.errors import CliError
from infra.local.aws import Answer, AwsRequest
from tests.support.operator import Administrator
from tests.support.world import ROOT, SPOKE_ACCOUNT, SPOKE_ROLE, World

PROD = "namespaces: [a] # all of it\n"
EDGE = "namespaces: [b]\n"


def kinds(person: Administrator, *arguments: str) -> dict[str, str]:
    """Return each document's change, as `diff -o json` has it."""
    return {
        one["document"]: one["change"]
        for one in person.run("diff", *arguments, "-o", "json").json["changes"]
    }


def test_validate_needs_no_aws(person: Administrator) -> None:
    person.environ["AWS_PROFILE"] = "no-such-profile"
    ran = person.run("validate", str(person.folder(prod=PROD)))
    assert (ran.exit_code, ran.stdout) == (0, "1 document: valid\n")


def test_validate_exits_1_and_says_file_and_line(person: Administrator) -> None:
    folder = person.folder(prod="namespaces: [a]\nprune: maybe\n")
    ran = person.run("validate", str(folder))
    assert ran.exit_code == 1
    assert f"{folder}/clusters/prod.yaml:2: prune: expected true or false" in ran.stdout


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_of_a_folder_of_one_kind_the_folder_above_is_named(
    person: Administrator, command: str
) -> None:
    folder = person.folder(prod=PROD)
    ran = person.run(command, str(folder / "clusters"))
    assert ran.exit_code == 2
    assert f"ecr-public-pusher diff {folder} --profile admin\n" in ran.stderr


def test_off_a_terminal_apply_shows_what_it_would_write_and_wants_yes(
    person: Administrator,
) -> None:
    ran = person.run("apply", str(person.folder(prod=PROD)))
    assert (ran.exit_code, person.stored("clusters/prod")) == (2, None)
    assert "+ clusters/prod  added\n" in ran.stderr
    assert ran.stderr.index("added") < ran.stderr.index("--yes")


def test_a_single_file_is_judged_with_the_defaults_beside_it(person: Administrator) -> None:
    folder = person.folder(defaults=PROD, prod="prune: true\n")
    assert person.run("validate", str(folder / "clusters" / "prod.yaml")).exit_code == 0


def test_only_the_folder_of_clusters_is_validated_with_the_defaults_beside_it(
    person: Administrator,
) -> None:
    folder = person.folder(defaults=PROD, prod="prune: true\n", edge="prune: maybe\n")
    ran = person.run("validate", str(folder / "clusters"), "-o", "json")
    assert ran.json["documents"] == ["defaults", "clusters/edge", "clusters/prod"]
    assert [problem["where"] for problem in ran.json["problems"]] == [
        f"{folder}/clusters/edge.yaml"
    ]


def test_two_links_to_one_file_are_invalid_however_they_are_given(person: Administrator) -> None:
    folder = person.folder(prod=PROD)
    edge = folder / "clusters" / "edge.yaml"
    edge.symlink_to("prod.yaml")
    for given in ([folder], [folder / "clusters"], [edge, folder / "clusters" / "prod.yaml"]):
        ran = person.run("validate", *map(str, given))
        assert (ran.exit_code, "is the same file as" in ran.stdout) == (1, True)


def test_a_file_that_is_given_twice_counts_once(person: Administrator) -> None:
    folder = person.folder(prod=PROD)
    ran = person.run("validate", str(folder), str(folder / "clusters" / "prod.yaml"))
    assert (ran.exit_code, ran.stdout) == (0, "1 document: valid\n")


def test_validate_judges_endpoints_by_the_stack_that_is_named(person: Administrator) -> None:
    folder = str(
        person.folder(
            edge="endpoint: https://api.example.com\nsignIn: {type: webIdentity}\nnamespaces: [a]\n"
        )
    )
    assert person.run("validate", folder).exit_code == 0
    ran = person.run("validate", folder, "--stack", "pusher")
    assert ran.exit_code == 1
    assert "AllowedEndpoints does not name api.example.com" in ran.stdout


AWAY = f"namespaces: [a]\nroleArn: {SPOKE_ROLE}\n"
NOT_NAMED = f"AllowedAccounts does not name the account {SPOKE_ACCOUNT}"


def test_validate_judges_roles_by_the_stack_that_is_named(person: Administrator) -> None:
    folder = str(person.folder(away=AWAY))
    ran = person.run("validate", folder)
    assert ran.exit_code == 0
    assert f"unknown whether AllowedAccounts allows {SPOKE_ACCOUNT}" in ran.stdout
    person.stack.parameters = {}
    ran = person.run("validate", folder, "--stack", "pusher")
    assert (ran.exit_code, NOT_NAMED in ran.stdout) == (1, True)
    person.stack.parameters = {"AllowedAccounts": f"777788889999,{SPOKE_ACCOUNT}"}
    assert person.run("validate", folder, "--stack", "pusher").exit_code == 0
    person.stack.parameters |= {"AssumableRoleName": "reader", "PullRoleName": "puller"}
    ran = person.run("validate", folder, "--stack", "pusher")
    assert (ran.exit_code, "is not reader, the stack's AssumableRoleName" in ran.stdout) == (
        1,
        True,
    )


@pytest.mark.parametrize(
    ("accounts", "code"),
    [("*", 0), (SPOKE_ACCOUNT, 0), (f"777788889999,{SPOKE_ACCOUNT}", 0), ("777788889999", 1)],
)
def test_validate_judges_roles_by_the_accounts_that_are_given(
    person: Administrator,
    accounts: str,
    code: int,
) -> None:
    folder = str(person.folder(away=AWAY))
    assert person.run("validate", folder, "--allowed-accounts", accounts).exit_code == code


def test_apply_writes_no_role_that_the_stack_does_not_allow(
    person: Administrator,
    world: World,
) -> None:
    person.stack.parameters = {}
    ran = person.run("apply", str(person.folder(away=AWAY)), "--yes")
    assert (ran.exit_code, NOT_NAMED in ran.stdout) == (2, True)
    assert not world.aws.called("ssm", "PutParameter")


def test_validate_stays_offline_where_only_the_environment_names_a_stack(
    person: Administrator,
) -> None:
    person.environ |= {"ECR_PUBLIC_PUSHER_STACK": "pusher", "AWS_PROFILE": "no-such-profile"}
    assert person.run("validate", str(person.folder(prod=PROD))).exit_code == 0


def test_diff_exits_1_when_something_differs_and_0_when_nothing_does(
    person: Administrator, world: World
) -> None:
    world.document("prod", PROD)
    world.document("edge", EDGE)
    folder = person.folder(prod=PROD, edge="namespaces: [b, c]\n", new=PROD)
    ran = person.run("diff", str(folder))
    assert ran.exit_code == 1
    assert "-namespaces: [b]\n+namespaces: [b, c]\n" in ran.stdout
    assert "1 added, 1 changed, 1 unchanged" in ran.stdout
    (folder / "clusters" / "new.yaml").unlink()
    (folder / "clusters" / "edge.yaml").write_text(EDGE)
    assert person.run("diff", str(folder)).exit_code == 0


def test_diff_of_invalid_documents_exits_2(person: Administrator) -> None:
    ran = person.run("diff", str(person.folder(prod="a: b\n")))
    assert ran.exit_code == 2
    assert "clusters/prod.yaml:1: a: unknown field" in ran.stdout


def test_a_newline_at_the_end_makes_no_difference(person: Administrator, world: World) -> None:
    world.document("prod", PROD.rstrip("\n"))
    assert kinds(person, str(person.folder(prod=PROD))) == {"clusters/prod": "unchanged"}


def test_what_has_no_file_is_deleted_only_with_prune(person: Administrator, world: World) -> None:
    world.document("prod", PROD)
    world.document("old", EDGE)
    folder = str(person.folder(prod=PROD))
    assert kinds(person, folder) == {"clusters/prod": "unchanged"}
    assert kinds(person, folder, "--prune") == {
        "clusters/old": "deleted",
        "clusters/prod": "unchanged",
    }


def test_apply_writes_what_differs_and_nothing_the_second_time(
    person: Administrator, world: World
) -> None:
    world.document("prod", PROD)
    folder = str(
        person.folder(
            prod=PROD,
            edge=EDGE,
            defaults="prune: true\n",
            discover__all="regions: [eu-west-1]\ntags: {a: b}\nnamespaces: [a]\n",
        )
    )
    ran = person.run("apply", folder, "--yes", "--no-wait")
    assert (ran.exit_code, ran.stdout) == (
        0,
        "+ defaults  added\n+ clusters/edge  added\n+ discover/all  added\n",
    )
    assert [person.stored(name) for name in ("clusters/edge", "defaults")] == [
        EDGE,
        "prune: true\n",
    ]
    before = len(world.aws.called("ssm", "PutParameter"))
    ran = person.run("apply", folder, "--yes", "--no-wait")
    assert (ran.exit_code, ran.stdout) == (0, "4 unchanged\n")
    assert len(world.aws.called("ssm", "PutParameter")) == before


def test_apply_asks_and_off_a_terminal_writes_nothing(person: Administrator) -> None:
    ran = person.run("apply", str(person.folder(prod=PROD)))
    assert ran.exit_code == 2
    assert "--yes" in ran.stderr
    assert person.stored("clusters/prod") is None


def test_an_invalid_document_keeps_all_of_them_from_being_written(person: Administrator) -> None:
    ran = person.run("apply", str(person.folder(prod=PROD, bad="prune: maybe\n")), "--yes")
    assert ran.exit_code == 2
    assert person.stored("clusters/prod") is None


def test_defaults_that_would_break_a_stored_document_are_not_written(
    person: Administrator, world: World
) -> None:
    world.defaults(PROD)
    world.document("edge", "prune: true")
    ran = person.run("apply", str(person.folder(defaults="prune: false\n")), "--yes")
    assert ran.exit_code == 2
    assert "clusters/edge: namespaces: required here or in the defaults" in ran.stdout
    assert person.stored("defaults") == PROD


def test_a_stored_document_that_is_invalid_already_does_not_stop_others(
    person: Administrator, world: World
) -> None:
    world.document("bad", "prune: maybe")
    assert person.run("apply", str(person.folder(prod=PROD)), "--yes", "--no-wait").exit_code == 0


def test_a_secure_string_stays_one_under_its_key_with_its_description_and_tags(
    person: Administrator,
) -> None:
    name = f"{ROOT}/clusters/prod"
    person.ssm.put_parameter(
        Name=name,
        Value=EDGE,
        Type="SecureString",
        KeyId="alias/ours",
        Description="of the team",
        Tags=[{"Key": "team", "Value": "a"}],
    )
    ran = person.run("apply", str(person.folder(prod=PROD)), "--yes", "--no-wait")
    assert ran.exit_code == 0, ran.stderr
    (described,) = person.ssm.describe_parameters()["Parameters"]
    assert (described["Type"], described["KeyId"], described["Description"]) == (
        "SecureString",
        "alias/ours",
        "of the team",
    )
    assert person.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)[
        "TagList"
    ] == [{"Key": "team", "Value": "a"}]
    assert person.stored("clusters/prod") == PROD


def test_a_secure_strings_text_is_shown_only_when_asked_for(
    person: Administrator, world: World
) -> None:
    world.document("prod", "namespaces: [was-secret]\n", secure=True)
    folder = str(person.folder(prod=PROD))
    for arguments in (
        ("diff", folder),
        ("diff", folder, "-o", "json"),
        ("apply", folder, "--yes", "-o", "json"),
    ):
        ran = person.run(*arguments)
        assert "was-secret" not in ran.stdout + ran.stderr
    world.document("prod", "namespaces: [was-secret]\n", secure=True)
    assert "was-secret" in person.run("diff", folder, "--show-secure").stdout


def test_a_write_that_fails_in_the_middle_is_reported_and_a_second_run_continues(
    person: Administrator, world: World
) -> None:
    folder = str(person.folder(a=PROD, b=EDGE, c=EDGE))

    def full(request: AwsRequest) -> Answer | None:
        if len(world.aws.called("ssm", "PutParameter")) <= 1:
            return None
        return Answer.refusal(request, "ParameterLimitExceeded", "full")

    world.aws.script("ssm", "PutParameter", full)
    ran = person.run("apply", folder, "--yes", "--no-wait")
    assert ran.exit_code == 3
    assert "1 of 3 documents are written; not yet: clusters/b, clusters/c" in ran.stderr
    world.aws.script("ssm", "PutParameter", None)
    ran = person.run("apply", folder, "--yes", "--no-wait")
    assert (ran.exit_code, ran.stdout) == (0, "+ clusters/b  added\n+ clusters/c  added\n")


def test_prune_removes_the_secrets_before_it_deletes_the_document(
    person: Administrator, world: World
) -> None:
    world.add_cluster("old", namespaces=("a",), document=PROD, embedded=True)
    world.apply("old", "prune.yaml")
    world.call({"raise": False})
    assert world.secret("old", "a") is not None
    ran = person.run(
        "apply", str(person.folder(prod=PROD)), "--prune", "--yes", "--no-wait", "-o", "json"
    )
    assert ran.exit_code == 0, ran.stderr
    assert ran.json["written"] == ["clusters/old", "clusters/prod"]
    assert world.secret("old", "a") is None
    assert person.stored("clusters/old") is None


def test_prune_keeps_a_document_whose_secrets_cannot_be_removed(
    person: Administrator, world: World
) -> None:
    world.add_cluster(
        "old", namespaces=("a",), document=PROD, embedded=True
    )  # without prune.yaml: it may not delete
    world.call({"raise": False})
    folder = str(person.folder(prod=PROD))
    ran = person.run("apply", folder, "--prune", "--yes")
    assert ran.exit_code == 1
    assert "Not deleted, since the Secrets could not all be removed: clusters/old" in ran.stderr
    assert (person.stored("clusters/old"), person.stored("clusters/prod")) == (PROD, PROD)
    assert person.run("apply", folder, "--prune", "--keep-secrets", "--yes").exit_code == 0
    assert person.stored("clusters/old") is None
    assert world.secret("old", "a") is not None


def test_moving_fields_out_of_the_defaults_writes_the_documents_first(
    person: Administrator, world: World
) -> None:
    world.defaults(PROD)
    world.document("edge", "prune: true")
    ran = person.run(
        "apply", str(person.folder(defaults="prune: false\n", edge=EDGE)), "--yes", "--no-wait"
    )
    assert ran.stdout == "~ clusters/edge  changed\n~ defaults  changed\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("namespaces: [a, b]\nenabled: false\n", "is disabled: the Secrets that were written stay"),
        ("namespaces: [a, b]\ncluster: other\n", "names another cluster than prod, where"),
        (
            "namespaces: [a, b]\nsecretName: x\n",
            "writes x instead of ecr-public-token: the Secrets",
        ),
        ("namespaces: [b]\n", "no longer selects a, where the Secrets"),
    ],
)
def test_a_change_that_leaves_secrets_behind_is_noted(
    person: Administrator, world: World, text: str, said: str
) -> None:
    world.document("prod", "namespaces: [a, b]\n")
    ran = person.run("diff", str(person.folder(prod=text)))
    assert said in ran.stdout
    assert "warning: " in ran.stdout


def test_a_repository_of_argo_cd_that_is_dropped_is_noted(
    person: Administrator, world: World
) -> None:
    argo_cd = "namespaces: [a]\nargocd: {{repositories: [{{name: {}, url: public.ecr.aws/x}}]}}\n"
    world.document("prod", argo_cd.format("charts"))
    ran = person.run("diff", str(person.folder(prod=argo_cd.format("apps"))))
    assert "no longer names the repositories charts, whose Secrets stay" in ran.stdout
    ran = person.run("diff", str(person.folder(prod=argo_cd.format("apps") + "prune: true\n")))
    assert "warning" not in ran.stdout


@pytest.mark.parametrize(
    "text", ["namespaces: [b]\nprune: true\n", "namespaces: ['*']\n", "namespaces: {selector: x}\n"]
)
def test_what_may_be_selected_still_or_is_pruned_is_not_left_behind(
    person: Administrator, world: World, text: str
) -> None:
    world.document("prod", "namespaces: [a, b]\n")
    assert "warning" not in person.run("diff", str(person.folder(prod=text))).stdout


@pytest.mark.parametrize(
    ("theirs", "is_left"),
    [("[a, b, c]", False), ("[a]", True), ("[a, b]\nenabled: false", True)],
)
def test_of_swapped_ids_only_what_the_other_does_not_select_is_left_behind(
    person: Administrator, world: World, theirs: str, is_left: bool
) -> None:
    for name in ("blue", "green"):
        world.document(name, "namespaces: [a, b]\n")
    folder = person.folder(
        blue="cluster: green\nnamespaces: [a, b]\n", green=f"cluster: blue\nnamespaces: {theirs}\n"
    )
    ran = person.run("diff", str(folder))
    assert ("names another cluster than blue, where" in ran.stdout) is is_left
    assert "names another cluster than green, where" not in ran.stdout


def test_after_an_apply_the_check_of_what_was_written_is_named(person: Administrator) -> None:
    folder = str(
        person.folder(
            prod=PROD, discover__all="regions: [eu-west-1]\ntags: {a: b}\nnamespaces: [a]\n"
        )
    )
    assert (
        "ecr-public-pusher check prod 'all/*' --profile admin\n"
        in person.run("apply", folder, "--yes", "--no-wait").stderr
    )


def test_a_document_that_two_make_at_once_is_made_once_or_refused(person: Administrator) -> None:
    store = Store(person.ssm, ROOT)
    name = DocumentName.cluster("prod")
    store.put(name, PROD, before=None)
    store.put(name, PROD, before=None)
    with pytest.raises(CliError, match="created by somebody else at the same moment"):
        store.put(name, EDGE, before=None)
    assert person.stored("clusters/prod") == PROD


def test_a_folder_without_documents_is_a_mistake_and_no_reason_to_delete_all(
    person: Administrator, world: World
) -> None:
    world.document("prod", PROD)
    (person.home / "empty").mkdir()
    ran = person.run("apply", str(person.home / "empty"), "--prune", "--yes")
    assert ran.exit_code == 2
    assert person.stored("clusters/prod") == PROD


@pytest.mark.parametrize("command", ["validate", "diff", "apply"])
def test_a_folder_that_cannot_be_read_as_meant_is_an_error_and_nothing_is_written(
    person: Administrator, world: World, command: str
) -> None:
    world.document("prod", PROD)
    folder = person.folder(defaults="prune: false\n", cluster__prod=PROD)
    options = ["--prune", "--yes"] if command == "apply" else []
    ran = person.run(command, str(folder), *options)
    assert ran.exit_code == (1 if command == "validate" else 2)
    assert f"{folder}/cluster/prod.yaml: is not where a document is read" in ran.stdout
    assert (person.stored("clusters/prod"), person.stored("defaults")) == (PROD, None)


def test_schema_is_json_on_stdout_and_how_to_use_it_on_stderr(person: Administrator) -> None:
    ran = person.run("schema", "discover")
    assert json.loads(ran.stdout)["required"] == ["regions", "tags"]
    assert "yaml-language-server: $schema=" in ran.stderr
