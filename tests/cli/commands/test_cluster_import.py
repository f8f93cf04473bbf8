"""`clusters import`: clusters that are there already, made ready by one command."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import yaml
from moto.secretsmanager.models import secretsmanager_backends

from infra.cli.documents.pending import pending
from infra.local.aws import Answer, FunctionAnswer
from infra.local.identity import AccessEntry
from tests.support.operator import COMMAND, Administrator, Ran
from tests.support.terminal import Terminal
from tests.support.world import (
    ACCOUNT,
    EXECUTION_ROLE,
    GROUP,
    ROOT,
    SPOKE_ACCOUNT,
    SPOKE_ROLE,
    World,
    kubeconfig,
)

GOOGLE_PROVIDER = (
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/a-pool"
    "/providers/aws-issuer"
)
IMPORT = ("clusters", "import", "-n", "a", "--admit")
BOTH = ("--from-profile", "admin", "--from-profile", "spoke")
REGIONS = ("--in-region", "us-east-1", "--in-region", "eu-west-1")


@pytest.fixture
def fleet(world: World, person: Administrator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make twelve clusters without documents: seven of EKS, two of them in another account."""
    for name in ("one", "two", "three", "four", "west"):
        region = "eu-west-1" if name == "west" else "us-east-1"
        eks(world, name, region=region)
    for name in ("spoke-1", "spoke-2"):
        eks(world, name, account=SPOKE_ACCOUNT, principal=SPOKE_ROLE)
    for name in ("lab-1", "lab-2", "lab-3"):
        elsewhere(world, name)
    for name in ("edge-1", "edge-2"):
        world.add_stored(name)
        world.aws.delete_parameter(f"{ROOT}/clusters/{name}")
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig(*world.clusters)


def eks(
    world: World,
    name: str,
    *,
    account: str = ACCOUNT,
    region: str = "us-east-1",
    principal: str = EXECUTION_ROLE,
    tags: dict[str, str] | None = None,
) -> None:
    """Make an EKS cluster without access for the function."""
    made = world.add_cluster(
        name,
        namespaces=("a",),
        account=account,
        region=region,
        principal=principal,
        rbac=None,
        embedded=True,
        tags=tags,
    )
    made.access_entries.remove(principal)


def elsewhere(world: World, name: str) -> None:
    """Make a cluster that is not EKS, and trusts AWS's issuer for its own name."""
    world.aws.web_identity.enabled = True
    document = "signIn: {type: webIdentity}\nnamespaces: [a]"
    world.add_elsewhere(name, document=document, embedded=True)
    world.aws.delete_parameter(f"{ROOT}/clusters/{name}")


def allow(person: Administrator, monkeypatch: pytest.MonkeyPatch, endpoints: str) -> None:
    """Let documents name these endpoints, and clusters of the other account."""
    monkeypatch.setenv("ALLOWED_ENDPOINTS", endpoints)
    person.stack.parameters = {
        "AllowedEndpoints": endpoints,
        "AllowedAccounts": f"{ACCOUNT},{SPOKE_ACCOUNT}",
        "AssumableRoleName": "ecr-public-pusher-spoke",
    }


def change(person: Administrator, changed: Callable[[dict[str, Any]], None]) -> None:
    """Change the person's kubeconfig."""
    file = person.home / "kubeconfig"
    config = json.loads(file.read_text())
    changed(config)
    file.write_text(json.dumps(config))


def name_cluster(name: str, config: dict[str, Any]) -> None:
    config["clusters"][0]["name"] = config["contexts"][0]["context"]["cluster"] = name


def by_id(ran: Ran) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in ran.json["clusters"]}


def outcomes(one: dict[str, Any]) -> dict[str, str]:
    return {step["step"]: step["outcome"] for step in one["steps"]}


@pytest.mark.usefixtures("fleet")
def test_twelve_clusters_in_one_command_and_a_second_finds_all_there(
    person: Administrator, world: World
) -> None:
    command = (*IMPORT, "--context", "*", *BOTH, *REGIONS, "--external-id", "an-external-id")
    ran = person.run(*command, "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr + ran.stdout
    assert {one["id"]: one["signIn"] for one in ran.json["clusters"]} == {
        **dict.fromkeys(("one", "two", "three", "four", "west", "spoke-1", "spoke-2"), "eks"),
        **dict.fromkeys(("lab-1", "lab-2", "lab-3"), "webIdentity"),
        **dict.fromkeys(("edge-1", "edge-2"), "kubeconfig"),
    }
    assert all(world.secret(name, "a") is not None for name in world.clusters)
    assert outcomes(by_id(ran)["west"]) == {
        "access-entry": "created",
        "rbac": "created",
        "document": "created",
        "check": "done",
        "push": "done",
    }
    assert person.stored("clusters/one") == "namespaces:\n  - a\n"
    assert yaml.safe_load(person.stored("clusters/west") or "") == {
        "region": "eu-west-1",
        "namespaces": ["a"],
    }
    assert yaml.safe_load(person.stored("clusters/spoke-1") or "") == {
        "roleArn": SPOKE_ROLE,
        "externalId": "an-external-id",
        "namespaces": ["a"],
    }
    lab = yaml.safe_load(person.stored("clusters/lab-1") or "")
    assert (lab["endpoint"], lab["signIn"]) == (
        world.clusters["lab-1"].endpoint,
        {"type": "webIdentity"},
    )
    assert person.invocations() == 2, "one check and one push serve all of them"
    again = person.run(*command, "--yes", "-o", "json")
    assert again.exit_code == 0, again.stderr
    assert {one["state"] for one in again.json["clusters"]} == {"there"}
    assert person.invocations() == 2


def test_without_a_terminal_it_prints_the_plan_and_does_nothing(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    ran = person.run(*IMPORT, "--in-region", "us-east-1")
    assert (ran.exit_code, "--yes" in ran.stderr) == (2, True)
    row = next(line for line in ran.stderr.splitlines() if line.startswith("one "))
    assert row.split()[:5] == ["one", "eks", "one", "us-east-1", ACCOUNT]
    assert "access-entry create, rbac create, document create, check do, push do" in row
    assert not list(world.clusters["one"].access_entries)
    assert person.stored("clusters/one") is None


def test_a_dry_run_changes_nothing_and_shows_the_reason_of_what_is_not_possible(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    eks(world, "one")
    elsewhere(world, "lab")
    allow(person, monkeypatch, "lab.example.com")
    person.kubeconfig("one", "lab")
    ran = person.run(
        *IMPORT, "--in-region", "us-east-1", "--context", "*", "--dry-run", "-o", "json"
    )
    assert ran.exit_code == 1
    found = by_id(ran)
    assert (found["one"]["state"], found["one"]["contexts"]) == ("add", ["one"])
    assert found["lab"]["state"] == "impossible"
    assert "AllowedEndpoints" in found["lab"]["problem"]
    assert "Ask the stack's owner to add 127.0.0.1" in found["lab"]["remedy"]
    assert ran.json["dryRun"] is True
    assert not list(world.clusters["one"].access_entries)
    assert not world.aws.called("lambda", "Invoke")


def test_the_plan_shows_each_document_without_the_text_of_certificates(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, "lab")
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("lab")
    ran = person.run(*IMPORT, "--dry-run")
    shown = ran.stdout.partition("\n/ecr-public-pusher/clusters/lab (create)\n")[2]
    assert [line.strip() for line in shown.splitlines()[:7]] == [
        f"endpoint: {world.clusters['lab'].endpoint}",
        "certificateAuthority: |",
        "(a certificate)",
        "signIn:",
        "type: webIdentity",
        "namespaces:",
        "- a",
    ]
    assert "CERTIFICATE" not in ran.stdout


def test_the_failure_of_one_stops_no_other_and_the_same_command_goes_on(
    person: Administrator, world: World
) -> None:
    for name in ("one", "two", "three"):
        eks(world, name)
    person.kubeconfig("one", "two", "three")
    world.aws.script(
        "eks",
        "CreateAccessEntry",
        lambda request: Answer.refusal(request, "AccessDeniedException", "not you", status=403),
        times=1,
    )
    command = (*IMPORT, "--in-region", "us-east-1", "--yes")
    ran = person.run_apart(*command)
    assert ran.exit_code == 1, ran.stderr
    assert "2 of 3 clusters imported" in ran.stdout
    assert "access-entry: Access denied: not you" in ran.stdout
    assert f"\n    ecr-public-pusher {' '.join(command)}\n" in ran.stdout
    assert sum(person.stored(f"clusters/{name}") is not None for name in world.clusters) == 2
    again = person.run(*command, "-o", "json")
    assert again.exit_code == 0, again.stderr
    assert sorted(one["state"] for one in again.json["clusters"]) == ["add", "there", "there"]
    assert all(world.secret(name, "a") is not None for name in world.clusters)


def test_a_cluster_that_does_not_admit_the_function_yet_waits_and_the_same_command_goes_on(
    person: Administrator, world: World
) -> None:
    for name in ("one", "two"):
        eks(world, name)
    entry = AccessEntry(EXECUTION_ROLE, (GROUP,))
    two = world.clusters["two"]
    world.aws.put_cluster(ACCOUNT, "us-east-1", two, authentication_mode="CONFIG_MAP")
    person.kubeconfig("one", "two")
    command = (*IMPORT, "--in-region", "us-east-1", "--yes", "-o", "json")
    ran = person.run(*command)
    assert ran.exit_code == 1
    found = by_id(ran)
    assert (outcomes(found["one"])["push"], outcomes(found["two"])["push"]) == (
        "done",
        "not-attempted",
    )
    assert "enabled: false" in (person.stored("clusters/two") or "")
    two.access_entries.put(entry)
    again = person.run(*command)
    assert again.exit_code == 0, again.stdout
    assert [one["state"] for one in again.json["clusters"]] == ["there", "add"]
    assert person.stored("clusters/two") == "namespaces:\n  - a\n"
    assert world.secret("two", "a") is not None


def test_a_document_that_waits_with_another_sign_in_goes_on_as_it_is(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, "edge")
    allow(person, monkeypatch, world.clusters["edge"].endpoint)
    person.kubeconfig("edge")
    stored = (
        f"endpoint: {world.clusters['edge'].endpoint}\nnamespaces: [b]\n"
        f"signIn: {{type: google, provider: {GOOGLE_PROVIDER}}}\n"
    )
    waiting = pending(stored, limit=4096)
    assert waiting is not None
    world.document("edge", waiting)
    person.run(*IMPORT, "--yes")
    after = person.stored("clusters/edge") or ""
    assert (GOOGLE_PROVIDER in after, "namespaces: [b]" in after) == (True, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"exec": {"apiVersion": "v1", "command": "gke-gcloud-auth-plugin"}}, "Google"),
        ({"server": "https://rancher.example.com/k8s/clusters/c-m-1"}, "Rancher"),
    ],
)
def test_no_web_identity_is_proposed_where_it_is_certainly_refused(
    person: Administrator, world: World, changed: dict[str, Any], said: str
) -> None:
    elsewhere(world, "edge")
    person.kubeconfig("edge")

    def other(config: dict[str, Any]) -> None:
        if "exec" in changed:
            config["users"][0]["user"] = changed
        else:
            config["clusters"][0]["cluster"].update(changed)

    change(person, other)
    ran = person.run(*IMPORT, "--dry-run", "-o", "json")
    (one,) = ran.json["clusters"]
    assert (one["state"], said in str(one)) == ("impossible", True)


def test_an_interrupted_import_says_which_documents_wait_and_the_same_command_goes_on(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    command = (*IMPORT, "--in-region", "us-east-1", "--yes")
    ran = person.interrupt_during("check", *command)
    assert (ran.exit_code, "until the function has access: one." in ran.stderr) == (130, True)
    assert person.run(*command).exit_code == 0
    assert world.secret("one", "a") is not None


def test_a_failing_function_is_the_outcome_of_each_cluster(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    person.stack.function = lambda event: FunctionAnswer(error={"errorType": "X"})
    ran = person.run(*IMPORT, "--in-region", "us-east-1", "--yes", "-o", "json")
    assert ran.exit_code == 1
    assert outcomes(by_id(ran)["one"]) == {"check": "failed"}


def test_a_context_of_a_cluster_whose_kubeconfig_is_to_be_stored_gets_the_command_for_that(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "a-token-of-this-test"
    edge = world.add_stored("edge", token=token)
    world.aws.delete_parameter(f"{ROOT}/clusters/edge")
    secretsmanager_backends[ACCOUNT]["us-east-1"].secrets.clear()
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("edge")
    command = (*IMPORT, "--stored", "edge", "--yes")
    ran = person.run(*command)
    assert ran.exit_code == 1
    assert "there is no secret /ecr-public-pusher/edge in us-east-1" in ran.stdout
    assert (
        "aws secretsmanager create-secret --name /ecr-public-pusher/edge --region us-east-1"
        in ran.stdout
    )
    assert '"$(kubectl --context edge config view --raw --minify --flatten)"' in ran.stdout
    world.store_kubeconfig("edge", kubeconfig(edge, token=token))
    ran = person.run(*command)
    assert ran.exit_code == 0, ran.stdout
    assert world.secret("edge", "a") is not None
    assert token not in ran.stdout + ran.stderr
    again = person.run(*IMPORT, "--yes", "-o", "json")
    assert [one["state"] for one in again.json["clusters"]] == ["there"]


def test_a_user_that_cannot_be_stored_is_reported(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, "lab")
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("lab")
    plugin = {"exec": {"command": "gke-gcloud-auth-plugin"}}
    change(person, lambda config: config["users"][0].update(user=plugin))
    ran = person.run(*IMPORT, "--stored", "lab", "--dry-run", "-o", "json")
    assert "Its user signs in by exec" in by_id(ran)["lab"]["remedy"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"insecure-skip-tls-verify": True}, "does not verify the server's certificate"),
        ({"proxy-url": "http://user:secret@proxy:3128"}, "goes through a proxy"),
        ({"tls-server-name": "other"}, "of another name than the server's"),
        ({"server": "http://127.0.0.1:8080"}, "does not begin with https://"),
        ({"server": ""}, "has no server"),
        ({"certificate-authority-data": "bm8="}, "certificateAuthority"),
        ({"certificate-authority": "nowhere.pem", "certificate-authority-data": None}, "read"),
    ],
)
def test_a_context_that_the_function_could_not_use_is_refused_with_the_reason(
    person: Administrator,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    said: str,
) -> None:
    elsewhere(world, "lab")
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("lab")
    change(person, lambda config: config["clusters"][0]["cluster"].update(fields))
    ran = person.run(*IMPORT, "--yes", "-o", "json")
    assert (ran.exit_code, by_id(ran)["lab"]["state"]) == (1, "impossible")
    assert said in by_id(ran)["lab"]["problem"]
    assert "secret" not in ran.stdout
    assert person.stored("clusters/lab") is None


def test_the_authority_comes_from_a_file_beside_the_kubeconfig_too(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, "lab")
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("lab")
    (person.home / "ca.pem").write_text(world.clusters["lab"].ca_pem)
    by_file = {"certificate-authority-data": None, "certificate-authority": "ca.pem"}
    change(person, lambda config: config["clusters"][0]["cluster"].update(by_file))
    assert person.run(*IMPORT, "--yes").exit_code == 0
    stored = yaml.safe_load(person.stored("clusters/lab") or "")
    assert stored["certificateAuthority"] == world.clusters["lab"].ca_pem


def test_contexts_of_one_server_are_one_cluster_and_two_profiles_see_one_cluster(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    eks(world, "one")
    elsewhere(world, "lab")
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("lab", "one")
    profiles = person.home / "aws-config"
    same = profiles.read_text().split("[profile spoke]")[0].replace("admin", "same")
    profiles.write_text(profiles.read_text() + same)

    def twice(config: dict[str, Any]) -> None:
        config["contexts"] += [
            {**one, "name": f"{one['name']}-again"} for one in config["contexts"]
        ]

    change(person, twice)
    both = ("--from-profile", "admin", "--from-profile", "same", "--context", "*")
    ran = person.run(*IMPORT, *both, "--dry-run", "-o", "json")
    assert ran.exit_code == 0, ran.stdout
    assert {one["id"]: one["contexts"] for one in ran.json["clusters"]} == {
        "lab": ["lab", "lab-again"],
        "one": ["one", "one-again"],
    }


def test_a_context_named_by_an_arn_is_the_eks_cluster_that_eks_describes(
    person: Administrator, world: World
) -> None:
    eks(world, "west", region="eu-west-1")
    person.kubeconfig("west")
    arn = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/west"

    def renamed(config: dict[str, Any]) -> None:
        config["current-context"] = arn
        for kind in ("clusters", "contexts"):
            config[kind][0]["name"] = arn
        config["contexts"][0]["context"]["cluster"] = arn

    change(person, renamed)
    ran = person.run(*IMPORT, "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stdout
    assert by_id(ran)["west"]["contexts"] == [arn]
    assert yaml.safe_load(person.stored("clusters/west") or "") == {
        "region": "eu-west-1",
        "namespaces": ["a"],
    }


def test_a_credential_plugin_names_the_cluster_and_the_profile_that_sees_it(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    eks(world, "spoke", account=SPOKE_ACCOUNT, region="eu-west-1", principal=SPOKE_ROLE)
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("spoke")
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": world.clusters["spoke"].kubeconfig()["users"][0]["user"]["token"]},
    }
    aws = person.home / "aws"
    aws.write_text(f"#!/bin/sh\necho '{json.dumps(credential)}'\n")
    aws.chmod(0o755)
    words = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "spoke"]
    plugin = {
        "apiVersion": credential["apiVersion"],
        "command": str(aws),
        "args": words,
        "env": [{"name": "AWS_PROFILE", "value": "spoke"}],
    }
    change(person, lambda config: config["users"][0].update(user={"exec": plugin}))
    ran = person.run(*IMPORT, "--external-id", "an-external-id", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stdout
    assert (by_id(ran)["spoke"]["signIn"], by_id(ran)["spoke"]["account"]) == (
        "eks",
        SPOKE_ACCOUNT,
    )
    assert outcomes(by_id(ran)["spoke"])["rbac"] == "created"
    assert world.secret("spoke", "a") is not None


def test_a_context_of_an_older_cluster_is_not_possible(person: Administrator, world: World) -> None:
    eks(world, "one")
    eks(world, "two")
    person.kubeconfig("one")
    arn = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/two"

    change(person, partial(name_cluster, arn))
    ran = person.run(*IMPORT, "--yes", "-o", "json")
    found = by_id(ran)["two"]
    assert (ran.exit_code, found["state"]) == (1, "impossible")
    assert "aws eks update-kubeconfig --name two --region us-east-1" in found["remedy"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-n", "a*", "--rbac", "namespaced"), "must list namespaces"),
        (("-n", "A"), "is not a namespace name"),
        (("-n", "a", "--label", "x"), "expected KEY=VALUE"),
        (("-n", "a", "--stored", "nowhere"), "--stored nowhere matches none"),
    ],
)
def test_a_mistake_is_reported_before_anything_is_done(
    person: Administrator, world: World, arguments: tuple[str, ...], said: str
) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    ran = person.run("clusters", "import", "--in-region", "us-east-1", *arguments, "--yes")
    assert (ran.exit_code, said in ran.stderr) == (2, True)
    assert not list(world.clusters["one"].access_entries)


def test_a_context_of_another_accounts_cluster_is_proposed_as_its_arn_says(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    eks(world, "spoke", account=SPOKE_ACCOUNT, principal=SPOKE_ROLE)
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("spoke")
    arn = f"arn:aws:eks:us-east-1:{SPOKE_ACCOUNT}:cluster/spoke"

    change(person, partial(name_cluster, arn))
    ran = person.run(*IMPORT, "--dry-run", "-o", "json")
    found = by_id(ran)["spoke"]
    assert (ran.exit_code, found["account"]) == (1, SPOKE_ACCOUNT)
    assert outcomes(found)["access-entry"] == "failed"
    assert "aws eks create-access-entry --region us-east-1 --cluster-name spoke" in str(found)
    details = [step.get("details") for step in found["steps"]]
    assert details[1], "the RBAC is planned in the context itself"


def test_without_a_role_for_another_account_that_is_the_reason(
    person: Administrator, world: World
) -> None:
    eks(world, "spoke", account=SPOKE_ACCOUNT, principal=SPOKE_ROLE)
    person.stack.parameters = {"AllowedAccounts": f"{ACCOUNT},{SPOKE_ACCOUNT}"}
    person.kubeconfig("spoke")
    listed = (*IMPORT, "--from-profile", "spoke", "--dry-run", "-o", "json")
    ran = person.run(*listed)
    assert "--role-arn" in by_id(ran)["spoke"]["remedy"]
    ran = person.run(*listed, "--role-arn", SPOKE_ROLE)
    assert (ran.exit_code, by_id(ran)["spoke"]["state"]) == (0, "add")
    person.stack.parameters = {"AssumableRoleName": "ecr-public-pusher-spoke"}
    ran = person.run(*listed)
    assert "AllowedAccounts" in by_id(ran)["spoke"]["problem"]


def test_ids_are_unique_by_region_and_account(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    eks(world, "one")
    eks(world, "two")
    world.document("two", "cluster: other\nnamespaces: [a]\n")
    one = world.clusters["one"]
    world.aws.put_cluster(ACCOUNT, "eu-west-1", one)
    world.aws.put_cluster(SPOKE_ACCOUNT, "eu-west-1", one)
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("one", "two")
    ran = person.run(*IMPORT, *BOTH, *REGIONS, "--dry-run", "-o", "json")
    assert [found["id"] for found in ran.json["clusters"]] == [
        f"one-eu-west-1-{ACCOUNT}",
        f"one-eu-west-1-{SPOKE_ACCOUNT}",
        "one-us-east-1",
        "two-us-east-1",
    ]


def test_what_a_document_or_a_discovery_names_is_there(person: Administrator, world: World) -> None:
    for name, team in (("one", "a"), ("two", "b"), ("three", "c"), ("four", "c")):
        eks(world, name, tags={"team": team})
    world.document("prod", "cluster: one\nnamespaces: [a]\nenabled: false\n")
    world.document("broken", "cluster: three\nnamespace: [a]\n")
    world.discovery("teams", "regions: [us-east-1]\ntags: {team: b}\nnamespaces: [a]\n")
    person.kubeconfig("one", "two", "three", "four")
    ran = person.run(*IMPORT, "--in-region", "us-east-1", "--dry-run", "-o", "json")
    assert ran.exit_code == 0, ran.stdout
    assert {one["cluster"]: one.get("document") for one in ran.json["clusters"]} == {
        "one": "clusters/prod",
        "two": "discover/teams",
        "three": "clusters/broken",
        "four": None,
    }


def test_only_and_skip_choose_by_id_cluster_or_context(person: Administrator, world: World) -> None:
    for name in ("one", "two", "three"):
        eks(world, name)
    person.kubeconfig("one", "two", "three")
    listed = (*IMPORT, "--in-region", "us-east-1", "--dry-run", "-o", "json")
    assert set(by_id(person.run(*listed, "--only", "t*"))) == {"two", "three"}
    assert set(by_id(person.run(*listed, "--only", "t*", "--skip", "two"))) == {"three"}
    ran = person.run(*listed, "--skip", "four")
    assert (ran.exit_code, "--skip four matches none" in ran.stderr) == (2, True)
    ran = person.run(*IMPORT, "--context", "four", "--dry-run")
    assert (ran.exit_code, "--context four matches none" in ran.stderr) == (2, True)


def test_a_profile_that_may_not_list_is_reported_and_stops_no_other(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    ran = person.run(
        *IMPORT, "--from-profile", "nobody", "--from-profile", "admin", "--yes", "-o", "json"
    )
    assert ran.exit_code == 1
    assert [one["what"] for one in ran.json["unseen"]] == ["profile nobody"]
    assert world.secret("one", "a") is not None


def refuse(world: World, service: str, action: str, **more: Any) -> None:
    """Refuse calls to the person, not to the function."""
    world.aws.script(
        service,
        action,
        lambda request: Answer.refusal(request, "AccessDeniedException", "not you", status=403),
        **more,
    )


def test_a_listed_cluster_that_eks_does_not_describe_is_reported(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    refuse(world, "eks", "DescribeCluster")
    ran = person.run(*IMPORT, "--in-region", "us-east-1", "--yes")
    assert ran.exit_code == 1
    assert "\nNot seen: one in us-east-1\n  Access denied: not you\n" in ran.stdout
    assert "0 of 0 clusters imported" in ran.stdout


def test_a_document_that_may_not_be_written_is_the_failure_of_its_cluster(
    person: Administrator, world: World
) -> None:
    for name in ("one", "two"):
        eks(world, name)
    person.kubeconfig("one", "two")
    refuse(world, "ssm", "PutParameter", times=1)
    ran = person.run(*IMPORT, "--in-region", "us-east-1", "--yes")
    assert ran.exit_code == 1
    assert "\n  document: Access denied: not you\n" in ran.stdout
    assert "1 of 2 clusters imported" in ran.stdout


def test_the_reports_of_all_that_fail_are_shown_as_one(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    eks(world, "one")
    world.document("done", "cluster: one\nnamespaces: [a]\n")
    for name in ("lab-1", "lab-2"):
        elsewhere(world, name)
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("one", "lab-1", "lab-2")

    def renamed(config: dict[str, Any]) -> None:
        for context in config["contexts"]:
            context["name"] += "-x"

    change(person, renamed)
    ran = person.run(*IMPORT, "--in-region", "us-east-1", "--context", "*", "--yes")
    assert ran.exit_code == 1
    assert ran.stdout.count("The function's check\n") == 1
    assert "2 clusters, 2 failed" in ran.stdout
    for name in ("lab-1-x", "lab-2-x"):
        assert f'audiences: ["ecr-public-pusher:{name}"]' in ran.stdout
    assert "nothing: clusters/done names it" in ran.stdout
    assert "0 of 2 clusters imported, 1 there already" in ran.stdout
    assert "The remedies name options of `clusters add`" in ran.stdout


def test_a_secret_that_may_not_be_seen_is_missing_only_where_it_was_asked_for(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, "lab")
    allow(person, monkeypatch, "127.0.0.1")
    person.kubeconfig("lab")
    refuse(world, "secretsmanager", "DescribeSecret")
    assert by_id(person.run(*IMPORT, "--dry-run", "-o", "json"))["lab"]["state"] == "add"
    ran = person.run(*IMPORT, "--stored", "lab", "--dry-run", "-o", "json")
    assert "cannot be seen: Access denied" in by_id(ran)["lab"]["problem"]


def test_bad_defaults_are_reported_first(person: Administrator, world: World) -> None:
    world.defaults("[")
    person.kubeconfig(*_one(world))
    ran = person.run(*IMPORT, "--dry-run")
    assert (ran.exit_code, "The function would refuse this document" in ran.stderr) == (2, True)


def _one(world: World) -> tuple[str]:
    eks(world, "one")
    return ("one",)


def test_no_file_is_written_for_a_cluster_that_does_not_admit_the_function(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    folder = person.home / "config"
    command = ("clusters", "import", "-n", "a", "--in-region", "us-east-1", "--yes")
    ran = person.run(*command, "--output-dir", str(folder), "-o", "json")
    assert outcomes(by_id(ran)["one"])["document"] == "not-attempted"
    assert not folder.exists()
    assert "To store the documents" not in ran.stderr


def test_a_folder_that_cannot_be_used_is_reported(person: Administrator, world: World) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    folder = person.home / "config"
    folder.mkdir()
    start = (*IMPORT, "--in-region", "us-east-1", "--yes", "--output-dir")
    command = (*start, str(folder))
    (folder / "clusters").write_text("")
    ran = person.run(*command)
    assert (ran.exit_code, "is a file, not a folder" in ran.stderr) == (2, True)
    (folder / "clusters").unlink()
    ran = person.run(*start, "/dev/null/config")
    assert (ran.exit_code, "/dev/null/config" in ran.stdout) == (1, True)
    (folder / "clusters").mkdir()
    (folder / "clusters" / "one.yaml").write_text("[")
    ran = person.run(*command, "-o", "json")
    assert outcomes(by_id(ran)["one"])["document"] == "failed"


def test_documents_are_written_to_a_folder_for_git_and_applied_from_there(
    person: Administrator, world: World
) -> None:
    for name in ("one", "two"):
        eks(world, name)
    person.kubeconfig("one", "two")
    folder = person.home / "config"
    command = (*IMPORT, "--in-region", "us-east-1", "--output-dir", str(folder), "--yes")
    ran = person.run(*command)
    assert ran.exit_code == 0, ran.stderr
    assert (folder / "clusters" / "one.yaml").read_text() == "namespaces:\n  - a\n"
    assert person.stored("clusters/one") is None
    (folder / "clusters" / "two.yaml").write_text("namespaces: [b]\n")
    again = person.run(*command, "-o", "json")
    assert again.exit_code == 1
    assert [outcomes(one)["document"] for one in again.json["clusters"]] == ["unchanged", "failed"]
    assert person.run(*command, "--overwrite").exit_code == 0
    assert person.run("apply", str(folder), "--yes").exit_code == 0
    assert all(world.secret(name, "a") is not None for name in world.clusters)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read"),
        ("contexts: [{name: a}]\nclusters: []\n", "cannot be read"),
        ("contexts: []\nclusters: []\n", "has no contexts"),
        (None, "does not exist"),
    ],
)
def test_without_a_kubeconfig_that_can_be_read_there_is_nothing_to_import(
    person: Administrator, text: str | None, said: str
) -> None:
    if text is not None:
        (person.home / "kubeconfig").write_text(text)
    ran = person.run(*IMPORT, "--yes")
    assert (ran.exit_code, said in ran.stderr) == (2, True)


def test_fields_that_the_function_would_refuse_are_reported_before_anything_is_done(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    ran = person.run("clusters", "import", "--in-region", "us-east-1", "--admit", "--yes")
    assert (ran.exit_code, "namespaces" in ran.stderr) == (2, True)
    assert not world.aws.called("eks")


def test_a_document_inherits_no_region_and_no_sign_in_of_another_cluster(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    defaults = "region: eu-west-1\nsignIn: {type: webIdentity}\nendpoint: https://lab.example.com\n"
    world.defaults(f"{defaults}namespaces: [a]\n")
    person.kubeconfig("one")
    command = ("clusters", "import", "--in-region", "us-east-1", "--admit", "--yes", "-o", "json")
    ran = person.run(*command)
    assert ran.exit_code == 0, ran.stdout
    assert yaml.safe_load(person.stored("clusters/one") or "") == {
        "region": "us-east-1",
        "signIn": {"type": "eks"},
    }


def test_a_role_of_the_defaults_would_mean_a_cluster_of_another_account(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    eks(world, "one")
    allow(person, monkeypatch, "127.0.0.1")
    world.defaults(f"roleArn: {SPOKE_ROLE}\n")
    person.kubeconfig("one")
    ran = person.run(*IMPORT, "--in-region", "us-east-1", "--yes", "-o", "json")
    assert (ran.exit_code, by_id(ran)["one"]["state"]) == (1, "impossible")
    assert f"in us-east-1 of the account {SPOKE_ACCOUNT}" in by_id(ran)["one"]["problem"]


@pytest.mark.parametrize(
    "user",
    [
        {"exec": ["aws"]},
        {"exec": {"command": "aws", "args": 5, "env": "x"}},
        {"auth-provider": ["gcp"]},
        {"client-certificate-data": 5},
        {"client-key-data": "%%"},
        {"tokenFile": ["x"]},
        "nobody",
        None,
    ],
)
def test_a_malformed_user_is_the_failure_of_its_own_cluster(
    person: Administrator, world: World, user: Any
) -> None:
    for name in ("one", "two"):
        eks(world, name)
    person.kubeconfig("one", "two")
    change(person, lambda config: config["users"][0].update(user=user))
    ran = person.run(*IMPORT, "--in-region", "us-east-1", "--yes", "-o", "json")
    assert ran.exit_code == 1, ran.stdout
    assert outcomes(by_id(ran)["one"])["rbac"] == "failed"
    assert world.secret("two", "a") is not None


def test_without_a_kubeconfig_the_clusters_that_eks_lists_are_imported_without_rbac(
    person: Administrator, world: World
) -> None:
    eks(world, "one")
    (person.home / "kubeconfig").write_text("[")
    command = (*IMPORT, "--in-region", "us-east-1", "--yes", "-o", "json")
    ran = person.run(*command)
    assert (ran.exit_code, outcomes(by_id(ran)["one"])["rbac"]) == (1, "failed")
    world.apply("one", "cluster.yaml")
    assert person.run(*command, "--rbac", "none").exit_code == 0
    assert world.secret("one", "a") is not None


def test_the_rbac_of_all_is_printed_for_others_to_apply(person: Administrator) -> None:
    ran = person.run("clusters", "import", "-n", "a", "--print-rbac")
    assert ran.exit_code == 0, ran.stderr
    kinds = [one["kind"] for one in yaml.safe_load_all(ran.stdout)]
    assert kinds == ["ClusterRole", "ClusterRoleBinding"]


def test_the_rbac_that_is_printed_for_aks_has_its_prefix(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, "lab")
    allow(person, monkeypatch, "*.hcp.westeurope.azmk8s.io")
    person.kubeconfig("lab")
    server = {"server": "https://aks-1.hcp.westeurope.azmk8s.io"}
    change(person, lambda config: config["clusters"][0]["cluster"].update(server))
    ran = person.run("clusters", "import", "-n", "a", "--print-rbac")
    assert ran.exit_code == 0, ran.stderr
    (binding,) = [one for one in yaml.safe_load_all(ran.stdout) if "subjects" in one]
    assert [one["name"] for one in binding["subjects"]] == ["aks:jwt:ecr-public-pushers"]


def test_on_a_terminal_it_asks_and_does_it(person: Administrator, world: World) -> None:
    eks(world, "one")
    person.kubeconfig("one")
    command = [*COMMAND, *IMPORT, "--in-region", "us-east-1"]
    with Terminal(command, person.process_environ(TERM="xterm"), columns=100) as screen:
        screen.wait_for("Do that? [y/N] ")
        assert "one: " not in screen.text
        screen.enter("y\n")
        assert screen.finish() == 0, screen.text
        assert "one: waits for the check" in screen.text
        assert "1 of 1 cluster imported" in screen.text
    assert world.secret("one", "a") is not None
