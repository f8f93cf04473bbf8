"""Documents validated as the function validates them, with the file and the line to blame."""

from collections.abc import Mapping

import pytest

from ecr_public_pusher.configuration.allowed_roles import AllowedRoles
from infra.cli.documents.document import DocumentName
from infra.cli.documents.validation import Document, TargetStack, Validation, validate_documents

ENDPOINT = (
    "endpoint: https://api.edge.example.com\nsignIn: {type: webIdentity}\nnamespaces: [default]\n"
)


def validated(documents: Mapping[str, str], given: TargetStack | None = None) -> Validation:
    """Validate documents by name: `defaults`, `discover/<id>`, or a cluster's id."""
    named = {name_of(name): Document(text, f"{name}.yaml") for name, text in documents.items()}
    return validate_documents(named, given or TargetStack())


def name_of(called: str) -> DocumentName:
    if called == "defaults":
        return DocumentName.defaults()
    return (
        DocumentName("discover", called.removeprefix("discover/"))
        if called.startswith("discover/")
        else DocumentName.cluster(called)
    )


def said(validation: Validation) -> list[str]:
    return [str(problem) for problem in validation.problems]


def test_valid_documents_have_no_problem() -> None:
    found = validated(
        {
            "defaults": "namespaces: [default]",
            "prod": "prune: true",
            "discover/all": "regions: [eu-west-1]\ntags: {team: a}",
        }
    )
    assert not said(found)
    assert [config.id for config in found.configuration.clusters] == ["prod"]


def test_a_problem_names_file_line_field_and_what_is_expected() -> None:
    found = validated({"prod": "# a comment\nnamespaces: [default]\n\nprune: maybe\n"})
    assert said(found) == [
        "prod.yaml:4: prune: expected true or false (or yes, no, on, off), found 'maybe'"
    ]
    assert found.problems[0].field == "prune"


def test_a_nested_field_has_its_own_line() -> None:
    text = (
        "registries:\n  - public\n  - account: 111122223333\n    region: nowhere\n    roleArn:"
        " arn:aws:iam::111122223333:role/pull\nnamespaces: [a]\n"
    )
    assert said(validated({"prod": text}))[0].startswith(
        "prod.yaml:4: registries.1.region: expected an AWS region"
    )


def test_a_field_that_the_defaults_would_have_to_give_is_missed() -> None:
    assert said(validated({"prod": "prune: true"})) == [
        "prod.yaml: namespaces: required here or in the defaults: names, globs, or {include,"
        " exclude, selector}"
    ]


def test_invalid_defaults_do_not_hide_what_is_wrong_with_others() -> None:
    assert [
        line.split(": ")[0]
        for line in said(
            validated({"defaults": "prune: maybe", "prod": "a: b", "ok": "enabled: false"})
        )
    ] == [
        "defaults.yaml:1",
        "prod.yaml:1",
    ]


def test_an_endpoint_that_the_stack_does_not_allow_is_a_problem_of_its_line() -> None:
    assert said(
        validated({"edge": ENDPOINT}, TargetStack(allowed_endpoints=["*.shops.example.com"]))
    ) == ["edge.yaml:1: endpoint: the stack's AllowedEndpoints does not name api.edge.example.com"]
    assert not said(
        validated({"edge": ENDPOINT}, TargetStack(allowed_endpoints=["*.edge.example.com"]))
    )


def test_without_a_stack_endpoints_pass_and_that_is_noted() -> None:
    found = validated({"edge": ENDPOINT})
    assert not said(found)
    assert [str(note) for note in found.notes] == [
        "edge.yaml: unknown whether AllowedEndpoints names api.edge.example.com"
    ]


@pytest.mark.parametrize(
    ("endpoint", "entry"),
    [
        (
            "https://Rancher.example.com:443/k8s/clusters/c-1/",
            "rancher.example.com/k8s/clusters/c-1",
        ),
        ("https://[2001:DB8::1]:6443", "[2001:db8::1]"),
        ("https://10.0.0.1/", "10.0.0.1"),
    ],
)
def test_what_would_have_to_be_named_is_reported_as_an_entry(endpoint: str, entry: str) -> None:
    document = ENDPOINT.replace("https://api.edge.example.com", f"'{endpoint}'")
    found = validated({"edge": document})
    assert not said(found)
    assert [note.message for note in found.notes] == [
        f"unknown whether AllowedEndpoints names {entry}"
    ]
    refused = validated({"edge": document}, TargetStack(allowed_endpoints=["other.example.com"]))
    assert (entry in said(refused)[0], entry in refused.problems[0].remedy) == (True, True)
    assert not said(validated({"edge": document}, TargetStack(allowed_endpoints=[entry])))


def test_what_nobody_could_see_is_written_out_on_its_line() -> None:
    assert said(validated({"prod": "prune: true\nnamespaces: ['team\u200b']\n"}))[0].startswith(
        r"prod.yaml:2: namespaces.include: 'team\u200b' is not"
    )


SPOKE = "arn:aws:iam::444455556666:role/ecr-public-pusher-spoke"
AWAY = f"namespaces: [a]\nroleArn: {SPOKE}\n"


@pytest.mark.parametrize("accounts", [(), ("777788889999",)])
def test_a_role_of_an_account_that_the_stack_does_not_allow_is_a_problem_of_its_line(
    accounts: tuple[str, ...],
) -> None:
    roles = AllowedRoles("111122223333", accounts)
    found = validated({"away": AWAY}, TargetStack(allowed_roles=roles))
    assert said(found) == [
        "away.yaml:2: roleArn: the stack's AllowedAccounts does not name the account 444455556666"
        f" of {SPOKE}"
    ]
    assert "AllowedAccounts" in found.problems[0].remedy
    assert "444455556666" in found.problems[0].remedy


@pytest.mark.parametrize("accounts", [("*",), ("444455556666",)])
def test_a_role_of_an_allowed_account_is_no_problem(accounts: tuple[str, ...]) -> None:
    roles = AllowedRoles("111122223333", accounts, sign_in="ecr-public-pusher-spoke")
    assert not said(validated({"away": AWAY}, TargetStack(allowed_roles=roles)))


def test_a_discovery_with_a_registrys_role_is_a_problem_too() -> None:
    roles = AllowedRoles("111122223333", ("*",), sign_in="spoke", pull="ecr-public-pusher-spoke")
    text = f"{AWAY}regions: [us-east-1]\ntags: {{team: a}}\n"
    (line,) = said(validated({"discover/fleet": text}, TargetStack(allowed_roles=roles)))
    assert line.startswith("discover/fleet.yaml:2: roleArn: the role ecr-public-pusher-spoke")
    assert "is for registries (PullRoleName)" in line


def test_without_a_stack_roles_pass_and_that_is_noted() -> None:
    registry = "{account: 777788889999, region: eu-west-1, roleArn: ROLE}"
    pulls = f"registries: [{registry.replace('ROLE', SPOKE.replace('4444', '7777'))}]\n"
    fleet = f"{AWAY}regions: [us-east-1]\ntags: {{team: a}}\n"
    found = validated({"away": AWAY + pulls, "discover/away": fleet, "home": "namespaces: [a]"})
    assert not said(found)
    assert [str(note) for note in found.notes] == [
        "away.yaml: unknown whether AllowedAccounts allows 444455556666, 777755556666",
        "discover/away.yaml: unknown whether AllowedAccounts allows 444455556666",
    ]


def test_a_namespace_that_two_documents_name_for_one_cluster_is_noted() -> None:
    found = validated(
        {
            "a": "cluster: prod\nnamespaces: ['team-*']",
            "b": "cluster: prod\nnamespaces: [team-x, other]",
        }
    )
    assert [str(note) for note in found.notes] == [
        "b.yaml: team-x of prod: the document a selects that too, and keeps it"
    ]


def test_a_repository_that_two_documents_name_for_one_cluster_is_noted() -> None:
    charts = "argocd: {repositories: [{name: charts, url: public.ecr.aws/x}]}"
    found = validated(
        {
            "a": f"cluster: prod\nnamespaces: [x]\n{charts}",
            "b": f"cluster: prod\nnamespaces: [y]\n{charts}",
        }
    )
    (note,) = found.notes
    assert str(note) == (
        "b.yaml: charts in argocd of prod: the document a selects that too, and keeps it"
    )
    assert note.remedy.startswith("Remove the repository charts from one of the two")


@pytest.mark.parametrize(
    "second",
    [
        "cluster: prod\nregion: eu-west-1\nnamespaces: [a]",
        "cluster: prod\nsecretName: other\nnamespaces: [a]",
    ],
)
def test_another_cluster_or_secret_is_no_overlap(second: str) -> None:
    assert not validated({"a": "cluster: prod\nnamespaces: [a]", "b": second}).notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"namespaces: [a]\n#{'x' * 4096}",
            "prod.yaml: 4113 bytes, and Parameter Store takes at most 4096",
        ),
        (
            "namespaces: [a]\n# {{ssm:x}}",
            "prod.yaml:2: Parameter Store refuses {{ }}, which marks a reference",
        ),
        ("\n \n", "prod.yaml: is empty"),
    ],
)
def test_what_parameter_store_refuses_is_reported_before_it_is_asked(
    text: str, message: str
) -> None:
    assert said(validated({"prod": text})) == [message]


def test_json_with_two_closing_braces_is_no_reference() -> None:
    assert not said(validated({"prod": '{"namespaces": {"include": ["a"]}}'}))


DISCOVERY = "regions: [eu-central-1, REGION]\ntags: {team: a}\nnamespaces: [default]\n"


@pytest.mark.parametrize("region", ["us-east-99", "cn-north-1"])
def test_a_discovery_of_a_region_that_the_stacks_partition_has_not_is_a_problem(
    region: str,
) -> None:
    found = validated(
        {"discover/all": DISCOVERY.replace("REGION", region)}, TargetStack(region="us-east-1")
    )
    assert [line.split(" (")[0] for line in said(found)] == [
        f"discover/all.yaml:1: regions: the function's partition has no region {region}"
    ]


def test_offline_a_discovery_may_be_of_any_partition_but_not_of_an_unknown_region() -> None:
    assert not said(
        validated(
            {
                "discover/all": (
                    DISCOVERY.replace("eu-central-1", "cn-northwest-1").replace(
                        "REGION", "cn-north-1"
                    )
                )
            }
        )
    )
    assert (
        "has no region us-east-99"
        in said(validated({"discover/all": DISCOVERY.replace("REGION", "us-east-99")}))[0]
    )


def test_a_region_that_cannot_be_is_a_problem_of_its_line() -> None:
    assert said(validated({"prod": "namespaces: [a]\nregion: eu-centrall-1"})) == [
        "prod.yaml:2: AWS has no region eu-centrall-1 (did you mean eu-central-1?)"
    ]
    pull = (
        "{account: '111122223333', region: us-easst-1, roleArn: arn:aws:iam::111122223333:role/p}"
    )
    assert said(validated({"prod": f"namespaces: [a]\nregistries: [{pull}]"})) == [
        "prod.yaml: AWS has no region us-easst-1 (did you mean us-east-1?)"
    ]


def test_a_region_that_may_be_new_is_a_note() -> None:
    validation = validated({"prod": "namespaces: [a]\nregion: eu-central-99"})
    assert said(validation) == []
    (note,) = validation.notes
    assert (note.line, note.field) == (2, "region")
    assert note.message.startswith("AWS has no region eu-central-99")


@pytest.mark.parametrize(
    "region", ["us-gov-east-1", "cn-north-1", "eusc-de-east-1", "mx-central-1"]
)
def test_every_region_that_is_known_is_fine(region: str) -> None:
    validation = validated({"prod": f"namespaces: [a]\nregion: {region}"})
    assert (said(validation), validation.notes) == ([], ())


@pytest.mark.parametrize("name", ["a" * 65, "a/", "a//b", "/a", "path/" + "a" * 65])
def test_a_roles_name_that_iam_does_not_have_is_a_problem(name: str) -> None:
    text = f"namespaces: [a]\nroleArn: arn:aws:iam::111122223333:role/{name}"
    (problem,) = said(validated({"prod": text}))
    assert problem.startswith("prod.yaml:2: roleArn: expected a role's ARN")


@pytest.mark.parametrize("name", ["a" * 64, "path/to/" + "a" * 64, "a=b,c.d@e_f-g+h"])
def test_a_roles_name_with_a_path_is_fine(name: str) -> None:
    text = f"namespaces: [a]\nroleArn: arn:aws:iam::111122223333:role/{name}"
    assert said(validated({"prod": text})) == []
