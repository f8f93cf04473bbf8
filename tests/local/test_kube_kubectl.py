"""The real kubectl against the embedded cluster, with the commands that a person types."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.kube import EmbeddedCluster

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="there is no kubectl on this machine")
type Kubectl = Callable[..., str]
MANIFEST = """\
apiVersion: v1
kind: Secret
metadata: {name: theirs, namespace: team-a, labels: {team: a}}
stringData: {k: v}
"""


@pytest.fixture
def kubectl(tmp_path: Path) -> Iterator[Kubectl]:
    with EmbeddedCluster("prod", credentials=lambda _: None) as cluster:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
        config = tmp_path / "kubeconfig"
        config.write_text(json.dumps(cluster.kubeconfig()))

        def run(*arguments: str, stdin: str = "") -> str:
            command = [str(KUBECTL), f"--kubeconfig={config}", *arguments]
            environment = {**os.environ, "HOME": str(tmp_path)}
            return subprocess.run(
                command,
                input=stdin,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=30,
            ).stdout

        yield run


def test_get_lists_every_kind_in_every_namespace(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "robot", "-n", "team-a")
    shown = kubectl("get", "ns,secrets,sa", "-A")
    assert "namespace/team-a" in shown
    assert "serviceaccount/robot" in shown


def test_the_original_way_delete_and_create(kubectl: Kubectl) -> None:
    create = (
        "create",
        "secret",
        "docker-registry",
        "ecr-public-token",
        "-n",
        "team-a",
        "--docker-server=public.ecr.aws",
    )
    kubectl("delete", "secret", "ecr-public-token", "-n", "team-a", "--ignore-not-found")
    kubectl(*create, "--docker-username=AWS", "--docker-password=made-up")
    assert "kubernetes.io/dockerconfigjson   1" in kubectl("get", "secrets", "-n", "team-a")
    assert "deleted" in kubectl("delete", "secret", "ecr-public-token", "-n", "team-a")


def test_apply_by_client_and_by_server(kubectl: Kubectl) -> None:
    assert "created" in kubectl("apply", "-f", "-", stdin=MANIFEST)
    assert "serverside-applied" in kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=MANIFEST
    )
    assert "k: dg==" in kubectl("get", "secret", "-l", "team=a", "-A", "-o", "yaml")


def test_the_rbac_files_can_be_applied_and_asked_about(kubectl: Kubectl) -> None:
    kubectl(
        "create", "clusterrole", "reader", "--verb=get", "--resource=secrets", "--resource-name=one"
    )
    kubectl("create", "clusterrolebinding", "reader", "--clusterrole=reader", "--group=readers")
    assert "readers" in kubectl("get", "clusterrolebindings", "-o", "wide")
    assert kubectl("auth", "can-i", "get", "secrets").strip() == "yes"
    assert "local-admin" in kubectl("auth", "whoami")
