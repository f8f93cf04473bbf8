"""The imports of a cold start: nothing that only some estates, or only people, need."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import certifi
import pytest

_CODE = "import json, sys, ecr_public_pusher.handler; print(json.dumps(sorted(sys.modules)))"


@pytest.fixture(scope="module")
def imported() -> set[str]:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("whose", "modules"),
    [
        (
            "other kinds of sign-in",
            {
                f"ecr_public_pusher.sign_in.{name}"
                for name in (
                    *("iam_authenticator", "web_identity", "kubeconfig", "validity"),
                    *("google", "google_tokens", "google_remedies", "api_server_trust"),
                )
            },
        ),
        (
            "discovery",
            {f"ecr_public_pusher.sources.{name}" for name in ("discovery", "eks_clusters")},
        ),
        (
            "a check",
            {
                f"ecr_public_pusher.{name}"
                for name in ("jobs.check", "kubernetes_api.reachability", "sign_in.eks_remedies")
            },
        ),
        ("Argo CD", {"ecr_public_pusher.jobs.dropped_repositories"}),
        ("the queue", {"ecr_public_pusher.invocation.sqs_batch"}),
        ("another SDK", {"kubernetes"}),
    ],
)
def test_a_cold_start_imports_nothing_of(whose: str, modules: set[str], imported: set[str]) -> None:
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []
    assert imported & modules == set(), whose


_AUTHORITIES = """
import json, os, sys
import ecr_public_pusher.handler
from aiohttp import connector
from ecr_public_pusher.kubernetes_api.tls import verifying_context

contexts = connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED, verifying_context("")
counts = [context.cert_store_stats()["x509"] for context in contexts]
print(json.dumps([*counts, os.environ.get("SSL_CERT_FILE")]))
"""


@pytest.mark.parametrize("file", [certifi.where(), None])
def test_public_authorities_are_read_for_no_context_but_a_clusters(file: str | None) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"}
    environ |= {"SSL_CERT_FILE": file} if file else {}
    command = [sys.executable, "-c", _AUTHORITIES]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    verified, unverified, clusters, variable = json.loads(done.stdout)
    assert (verified, unverified, variable) == (0, 0, file)
    if file:
        assert clusters == Path(file).read_text().count("BEGIN CERTIFICATE")
