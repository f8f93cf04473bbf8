"""Printed commands, run in a shell as the administrator of a cluster would, with kubectl itself."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.local.kube import Cluster
from tests.support.world import RBAC


def paste(commands: str, cluster: Cluster, context: str, folder: Path) -> str:
    """Run commands that name the cluster's `context`, and return what they print.

    Raise CalledProcessError when they fail. The shell stands in the project's folder. Without
    kubectl, the test is skipped.
    """
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl on this machine")
    config = folder / "kubeconfig"
    merged = cluster.kubeconfig()
    merged["contexts"] = [{**merged["contexts"][0], "name": context}]
    config.write_text(json.dumps(merged | {"current-context": ""}))
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "KUBECONFIG": str(config),
    }
    return subprocess.run(
        ["sh", "-ec", commands],
        cwd=RBAC.parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
