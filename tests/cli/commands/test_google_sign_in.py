"""The command line for a cluster of GKE: to its first Secret, under another id, and out again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.google import ACCOUNT, POOL, PRINCIPAL, PROVIDER, Gke, google_beside
from tests.support.operator import Administrator, Ran
from tests.support.world import ROOT, World


@pytest.fixture
def gke(
    person: Administrator, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Gke]:
    person.stack.parameters = {**person.stack.parameters, "AllowedEndpoints": "127.0.0.1"}
    with google_beside(world, monkeypatch, tmp_path) as made:
        yield made


def add(gke: Gke, person: Administrator, account: str | None) -> tuple[str, ...]:
    """Make a cluster with neither RBAC's binding nor a document; return the options to add it."""
    cluster = gke.add("lab", account=account, user="", embedded=True)
    gke.world.aws.delete_parameter(f"{ROOT}/clusters/lab")
    person.kubeconfig("lab")
    (person.home / "ca.pem").write_text(cluster.ca_pem)
    return (
        *("clusters", "add", "lab", "--sign-in", "google", "--provider", PROVIDER),
        *(("--google-service-account", account) if account else ()),
        *("--endpoint", cluster.endpoint, "--certificate-authority", str(person.home / "ca.pem")),
        *("-n", "a"),
    )


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["federated", "service account"])
def test_one_command_to_the_first_secret(
    person: Administrator, world: World, gke: Gke, account: str | None
) -> None:
    ran = person.run(*add(gke, person, account), "--force-conflicts", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr + ran.stdout
    assert world.secret("lab", "a") is not None
    stored = yaml.safe_load(person.stored("clusters/lab") or "")
    expected = {"type": "google", "provider": PROVIDER}
    assert stored["signIn"] == (expected | {"serviceAccount": account} if account else expected)
    assert not world.aws.called("eks")


def test_the_rbac_that_is_printed_binds_the_identity_beside_the_group(
    person: Administrator, gke: Gke
) -> None:
    ran = person.run(*add(gke, person, None), "--allow-removal", "--print-rbac")
    bindings = [one for one in yaml.safe_load_all(ran.stdout) if "subjects" in one]
    assert len(bindings) == 2
    for one in bindings:
        assert [(its["kind"], its["name"]) for its in one["subjects"]] == [
            ("Group", "ecr-public-pushers"),
            ("User", PRINCIPAL),
        ]


def test_a_provider_without_a_kind_of_sign_in(person: Administrator) -> None:
    ran = person.run("clusters", "add", "lab", "--provider", PROVIDER, "-n", "a")
    assert (ran.exit_code, "belong to a kind of sign-in" in ran.stderr) == (2, True)


def test_what_google_must_trust_is_printed(person: Administrator, gke: Gke) -> None:
    options = add(gke, person, None)
    gke.google.providers.clear()
    ran = person.run(*options, "--force-conflicts", "--yes")
    assert ran.exit_code == 1
    assert "gcloud iam workload-identity-pools providers create-oidc a-provider" in ran.stdout


def test_another_id_is_another_audience_which_the_provider_must_accept(
    person: Administrator, gke: Gke
) -> None:
    gke.add("here", embedded=True)
    ran = person.run("clusters", "rename", "here", "zone")
    assert "have the audience ecr-public-pusher:zone once it is renamed" in ran.stderr
    assert "Let the workload identity provider accept that one too" in ran.stderr


def test_a_cluster_is_offboarded(person: Administrator, world: World, gke: Gke) -> None:
    ran = person.run(*add(gke, person, None), "--force-conflicts", "--yes")
    assert ran.exit_code == 0, ran.stderr + ran.stdout
    ran = person.run("clusters", "offboard", "lab", "--yes")
    assert ran.exit_code == 0, ran.stderr + ran.stdout
    assert world.secret("lab", "a") is None
    assert person.stored("clusters/lab") is None


IMPORT = ("clusters", "import", "-n", "a")


def contexts(gke: Gke, person: Administrator, *names: str, account: str | None = None) -> None:
    """Make clusters as `add` does, and the contexts in which a person is their administrator."""
    for name in names:
        gke.add(name, account=account, user="", embedded=True)
        gke.world.aws.delete_parameter(f"{ROOT}/clusters/{name}")
    person.kubeconfig(*names)


def by_gcloud(person: Administrator, *names: str) -> None:
    """Let gcloud's plugin sign in to these clusters, with the credential that was there."""
    file = person.home / "kubeconfig"
    config = json.loads(file.read_text())
    for user in config["users"]:
        if user["name"] not in names:
            continue
        api = "client.authentication.k8s.io/v1beta1"
        told = {"apiVersion": api, "kind": "ExecCredential", "status": {**user["user"]}}
        plugin = person.home / user["name"] / "gke-gcloud-auth-plugin"
        plugin.parent.mkdir()
        plugin.write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\n")
        plugin.chmod(0o755)
        user["user"] = {"exec": {"apiVersion": api, "command": str(plugin)}}
    file.write_text(json.dumps(config))


def subjects(ran: Ran) -> set[tuple[str, str]]:
    return {
        (subject["kind"], subject["name"])
        for one in yaml.safe_load_all(ran.stdout)
        for subject in one.get("subjects", ())
    }


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["federated", "service account"])
def test_an_import_takes_a_cluster_of_gke_to_its_first_secret(
    person: Administrator, world: World, gke: Gke, account: str | None
) -> None:
    contexts(gke, person, "a-provider", account=account)
    by_gcloud(person, "a-provider")
    named = [
        *("--provider", f"{POOL}/providers/{{id}}"),
        *(("--google-service-account", account) if account else ()),
    ]
    ran = person.run(*IMPORT, *named, "--force-conflicts", "--yes", "-o", "json")
    assert ran.exit_code == 0, ran.stderr + ran.stdout
    assert [one["signIn"] for one in ran.json["clusters"]] == ["google"]
    assert world.secret("a-provider", "a") is not None
    stored = yaml.safe_load(person.stored("clusters/a-provider") or "")
    expected = {"type": "google", "provider": PROVIDER}
    assert stored["signIn"] == (expected | {"serviceAccount": account} if account else expected)
    again = person.run(*IMPORT, *named, "--yes", "-o", "json")
    assert [one["state"] for one in again.json["clusters"]] == ["there"]


def test_an_import_without_a_provider_names_the_option(person: Administrator, gke: Gke) -> None:
    contexts(gke, person, "lab")
    by_gcloud(person, "lab")
    ran = person.run(*IMPORT, "--yes", "-o", "json")
    (one,) = ran.json["clusters"]
    assert (one["state"], "--provider" in one["remedy"]) == ("impossible", True)
    ran = person.run(*IMPORT, "--google-service-account", ACCOUNT)
    assert (ran.exit_code, "Give --provider, too." in ran.stderr) == (2, True)


def test_a_document_of_gke_that_waits_goes_on_without_its_provider(
    person: Administrator, world: World, gke: Gke
) -> None:
    contexts(gke, person, "lab")
    by_gcloud(person, "lab")
    trusted = gke.google.providers.copy()
    gke.google.providers.clear()
    options = ("--force-conflicts", "--yes", "-o", "json")
    ran = person.run(*IMPORT, "--provider", PROVIDER, *options)
    assert (ran.exit_code, "enabled: false" in (person.stored("clusters/lab") or "")) == (1, True)
    gke.google.providers.update(trusted)
    ran = person.run(*IMPORT, *options)
    assert ran.exit_code == 0, ran.stdout
    assert world.secret("lab", "a") is not None


def test_the_rbac_that_an_import_prints_binds_the_subject_of_its_cluster(
    person: Administrator, world: World, gke: Gke
) -> None:
    contexts(gke, person, "gke-1", "lab")
    by_gcloud(person, "gke-1")
    group = ("Group", "ecr-public-pushers")
    named = ("--provider", PROVIDER, "--print-rbac")
    ran = person.run(*IMPORT, *named, "--only", "gke-1")
    assert subjects(ran) == {group, ("User", PRINCIPAL)}
    assert subjects(person.run(*IMPORT, *named, "--skip", "gke-1")) == {group}
    ran = person.run(*IMPORT, *named)
    assert (ran.exit_code, "--only ID" in ran.stderr) == (2, True)
    assert f"the user {PRINCIPAL} in gke-1" in ran.stderr
    assert "the group ecr-public-pushers in lab" in ran.stderr
    ran = person.run(*IMPORT, "--only", "gke-1", "--print-rbac")
    assert (ran.exit_code, "--provider" in ran.stderr) == (2, True)
    gke.add_document("gke-1", world.clusters["gke-1"], "{namespaces: [a]}", account=ACCOUNT)
    ran = person.run(*IMPORT, "--only", "gke-1", "--print-rbac")
    assert subjects(ran) == {group, ("User", ACCOUNT)}
    ran = person.run(*IMPORT, "--only", "gone", "--print-rbac")
    assert (ran.exit_code, "--only gone matches none" in ran.stderr) == (2, True)
    (person.home / "kubeconfig").unlink()
    ran = person.run(*IMPORT, "--only", "gke-1", "--print-rbac")
    assert (ran.exit_code, "does not exist" in ran.stderr) == (2, True)
    assert subjects(person.run(*IMPORT, "--print-rbac")) == {group}


def test_what_an_import_prints_for_an_administrator_is_the_rbac_of_that_cluster(
    person: Administrator, gke: Gke
) -> None:
    contexts(gke, person, "gke-1", "lab")
    by_gcloud(person, "gke-1")
    file = person.home / "kubeconfig"
    config = json.loads(file.read_text())
    for user in config["users"]:
        if user["name"] == "lab":
            user["user"] = {"token": "of-nobody"}
    file.write_text(json.dumps(config))
    ran = person.run_apart(*IMPORT, "--provider", PROVIDER, "--yes")
    assert f"--provider {PROVIDER} --yes --only lab --print-rbac | kubectl --context" in ran.stdout
