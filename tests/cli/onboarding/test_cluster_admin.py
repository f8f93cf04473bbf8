"""Server-side apply of RBAC: the official client, real TLS and kubeconfigs, an embedded cluster."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cli.errors import CliError
from infra.cli.onboarding.cluster_admin import Applied, ClusterAdmin
from infra.cli.onboarding.side_by_side import SIDE_BY_SIDE, side_by_side
from infra.cli.onboarding.step import StepOutcome
from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from infra.local.kube.certificates import Style

ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "r"},
    "rules": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}],
}


@pytest.fixture
def cluster() -> Iterator[EmbeddedCluster]:
    with EmbeddedCluster("prod", credentials=lambda _: None) as started:
        yield started


def admin(cluster: EmbeddedCluster, folder: Path, **user: Any) -> ClusterAdmin:
    """Return an administrator by the cluster's kubeconfig, with another user if given."""
    config = cluster.kubeconfig()
    if user:
        config["users"][0]["user"] = user
    (folder / "config").write_text(json.dumps(config))
    return ClusterAdmin(str(folder / "config"), cluster.name, field_manager="of-a-test")


def test_what_is_new_is_created_then_unchanged_then_updated(
    cluster: EmbeddedCluster, tmp_path: Path
) -> None:
    ours = admin(cluster, tmp_path)
    assert ours.apply(ROLE, dry_run=False, force=False) == Applied(
        "ClusterRole r", StepOutcome.CREATED
    )
    assert ours.apply(ROLE, dry_run=False, force=False).outcome is StepOutcome.UNCHANGED
    assert (
        ours.apply({**ROLE, "rules": []}, dry_run=False, force=False).outcome is StepOutcome.UPDATED
    )


def test_a_dry_run_says_the_same_and_writes_nothing(
    cluster: EmbeddedCluster, tmp_path: Path
) -> None:
    ours = admin(cluster, tmp_path)
    assert ours.apply(ROLE, dry_run=True, force=False).outcome is StepOutcome.CREATED
    assert cluster.admin("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/r")[0] == 404


@pytest.fixture
def threads_that_change_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("threads_that_change_often")
def test_contexts_with_the_same_certificates_are_loaded_side_by_side(
    cluster: EmbeddedCluster, tmp_path: Path
) -> None:
    """The official client gives a second thread the name of a file that is empty still."""
    config = cluster.kubeconfig()
    entry = config["clusters"][0]["cluster"]
    authority = base64.b64decode(entry["certificate-authority-data"])
    for number in range(30):
        another = authority + b"\n" * number
        entry["certificate-authority-data"] = base64.b64encode(another).decode()
        (tmp_path / "config").write_text(json.dumps(config))
        side_by_side(
            lambda _: ClusterAdmin(
                str(tmp_path / "config"), cluster.name, field_manager="of-a-test"
            ),
            range(SIDE_BY_SIDE),
        )


@pytest.mark.parametrize("ca", ["modern", "legacy"])
def test_an_authority_without_key_identifiers_is_trusted_too(ca: Style, tmp_path: Path) -> None:
    with EmbeddedCluster("prod", credentials=lambda _: None, ca=ca) as cluster:
        assert (
            admin(cluster, tmp_path).apply(ROLE, dry_run=False, force=False).outcome
            is StepOutcome.CREATED
        )


def test_a_server_of_another_authority_is_not_trusted(
    cluster: EmbeddedCluster, tmp_path: Path
) -> None:
    with EmbeddedCluster("other", credentials=lambda _: None) as other:
        cluster.ca_pem = other.ca_pem
        with pytest.raises(CliError, match="does not respond"):
            admin(cluster, tmp_path).apply(ROLE, dry_run=False, force=False)


def test_a_token_by_a_credential_plugin(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": cluster.kubeconfig()["users"][0]["user"],
    }
    (tmp_path / "credential").write_text(json.dumps(credential))
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "cat",
        "args": [str(tmp_path / "credential")],
        "interactiveMode": "Never",
    }
    assert (
        admin(cluster, tmp_path, exec=plugin).apply(ROLE, dry_run=False, force=False).outcome
        is StepOutcome.CREATED
    )


def test_a_token_that_is_refused_is_reported_and_not_shown(
    cluster: EmbeddedCluster, tmp_path: Path
) -> None:
    said = admin(cluster, tmp_path, token="a-wrong-token").apply(ROLE, dry_run=False, force=False)
    assert said.outcome is StepOutcome.FAILED
    assert said.said.startswith("401")
    assert "a-wrong-token" not in said.said


@pytest.mark.parametrize("status", [301, 307])
def test_no_redirect_is_followed(cluster: EmbeddedCluster, tmp_path: Path, status: int) -> None:
    with EmbeddedCluster("elsewhere", credentials=lambda _: None) as elsewhere:

        def redirect(request: SeenRequest) -> Response:
            return Response(status, headers={"Location": f"{elsewhere.endpoint}{request.path}"})

        cluster.intercept = redirect
        said = admin(cluster, tmp_path).apply(ROLE, dry_run=False, force=False)
        assert (said.outcome, said.said[:3]) == (StepOutcome.FAILED, str(status))
        assert not elsewhere.requests


def test_a_server_that_is_not_there_is_reported(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    ours = admin(cluster, tmp_path)
    cluster.close()
    with pytest.raises(CliError, match="does not respond") as raised:
        ours.apply(ROLE, dry_run=False, force=False)
    assert "kubectl" in raised.value.remedy
