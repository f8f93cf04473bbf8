"""What a cold start imports: nothing that only some estates, or only people, need."""

import json
import subprocess
import sys

import pytest

_CODE = "import json, sys, ecr_public_pusher.handler; print(json.dumps(sorted(sys.modules)))"


@pytest.fixture(scope="module")
def imported() -> set[str]:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("whose", "modules"),
    [
        ("other kinds of sign-in", {f"ecr_public_pusher.sign_in.{name}" for name in ("iam_authenticator", "web_identity", "kubeconfig", "validity")}),
        ("discovery", {"ecr_public_pusher.configuration.eks_discovery"}),
        ("a check", {f"ecr_public_pusher.{name}" for name in ("jobs.check", "kubernetes_api.reachability", "sign_in.eks_remedies")}),
        ("the queue", {"ecr_public_pusher.invocation.sqs_batch"}),
        ("other SDKs", {"boto3", "kubernetes"}),
    ],
)
def test_a_cold_start_imports_nothing_of(whose: str, modules: set[str], imported: set[str]) -> None:
    assert imported & modules == set(), whose
