"""What is measured, as plain values that a fresh process can read without importing the function."""

import base64
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from ecr_public_pusher.aws_api.clients import Aws
from ecr_public_pusher.configuration import loader as config
from ecr_public_pusher.jobs import secret_manifest as manifest
from ecr_public_pusher.jobs.cluster_runner import NAMESPACES_AT_ONCE
from ecr_public_pusher.registries import ecr_public as registry
from ecr_public_pusher.sign_in import eks

REGION = "us-east-1"
ROOT = "/ecr-public-pusher"
STACK = "ecr-public-pusher"
CLUSTER = "bench"
# Names alone would not fit a parameter's 4 KB, so a large cluster has a glob; it costs the function a namespace list.
DOCUMENT = "namespaces: [bench-*]\n"
ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7BENCH01", "bench-secret-access-key"
PASSWORD_LENGTH = 2050  # ECR's are of about this length


@dataclass(frozen=True)
class Target:
    """A Kubernetes API server with `count` namespaces, and a kubeconfig for it (JSON)."""

    endpoint: str
    ca_pem: str = field(repr=False)
    count: int
    kubeconfig: str = field(repr=False)


def namespace(number: int) -> str:
    return f"bench-{number:04d}"


def authorization() -> str:
    """An ECR Public token of the usual length."""
    return base64.b64encode(b"AWS:" + b"p" * PASSWORD_LENGTH).decode()


def work(target: Target) -> dict[str, Any]:
    """One push to `target`, whole: the very bytes that it sends, for the floor. Good for 15 minutes, as the sign-in token is."""
    expires = datetime.now(UTC) + timedelta(hours=12)
    (cluster,) = config.load([config.Parameter(f"{ROOT}/clusters/{CLUSTER}", DOCUMENT)], root=ROOT, region=REGION).clusters
    docker_config = registry.docker_config(authorization())
    secret = manifest.secret(cluster, docker_config, stack=STACK, expires_at=expires, pushed_at=datetime.now(UTC))
    aws = Aws(REGION, session_factory=_session)
    signing = aws.signing_client(region=REGION, account=aws.account(None, None))
    return {
        "endpoint": target.endpoint,
        "ca_pem": target.ca_pem,
        "kubeconfig": target.kubeconfig,
        "count": target.count,
        "names": [namespace(number) for number in range(target.count)],
        "width": NAMESPACES_AT_ONCE,
        "sign_in": eks.presign(signing, CLUSTER),
        "body": json.dumps(secret, separators=(",", ":")),
        "authorization": authorization(),
        "password_length": PASSWORD_LENGTH,
        "expires_at": expires.isoformat(),
        "secret_name": cluster.secret_name,
        "root": ROOT,
        "stack": STACK,
        "cluster": CLUSTER,
        "document": DOCUMENT,
        "region": REGION,
    }


def environment(aws_url: str, home: Path) -> dict[str, str]:
    """A measured process's environment: this AWS and no other, and of the caller's only where programs are."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH"}}
    here = Path(__file__).resolve().parents[2]
    return kept | {
        "PYTHONPATH": f"{here}{os.pathsep}{here / 'lambda_src'}",
        "HOME": str(home),
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": aws_url,
        "CONFIG_PATH": ROOT,
        "STACK_NAME": STACK,
        "POWERTOOLS_SERVICE_NAME": STACK,
    }


def _session(**named: Any) -> boto3.Session:
    return boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, **named)
