"""The command line for a cluster of GKE: to its first Secret, under another id, and out again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.google import ACCOUNT, PRINCIPAL, PROVIDER, Gke, google_beside
from tests.support.operator import Administrator
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
