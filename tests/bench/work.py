"""Scenarios as plain values, which a fresh process can read without importing the function."""

import base64
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from botocore.credentials import Credentials

from ecr_public_pusher.aws_api.assumed_role import Caller
from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.configuration.loader import Parameter, load
from ecr_public_pusher.jobs.secret_manifest import SecretManifest
from ecr_public_pusher.ownership import USER_AGENT, Stack
from ecr_public_pusher.registries.registry import PUBLIC_HOSTS, docker_config
from ecr_public_pusher.sign_in.sts_token import sts_token

REGION = "us-east-1"
ROOT = "/ecr-public-pusher"
STACK = "ecr-public-pusher"
IDENTITY = Stack("111122223333", "us-east-1", STACK)
# Names alone would not fit a parameter's 4 KB, so a large cluster has a glob; it costs the function
# a namespace list.
DOCUMENT = "namespaces: [bench-*]\n"
TAGS = {"ecr-public-pusher": "yes"}
DISCOVERY = json.dumps({"regions": [REGION], "tags": TAGS, "namespaces": ["bench-*"]})
PULL_ROLE = "arn:aws:iam::111122223333:role/ecr-public-pusher-pull"
ACCESS_KEY = "AKIAIOSFODNN7BENCH01"
SECRET_KEY = "bench-secret-access-key"
# Of each existing Secret.
UID = "0b6b1c1e-8d7c-4d3e-9a55-0f8f3a6a2f11"
VERSION = "123456"
PASSWORD_LENGTH = 2050  # ECR's are of about this length
HERE = Path(__file__).resolve().parents[2]


class Feature(StrEnum):
    """Features of a document beyond a push to EKS with ECR Public's token."""

    NONE = "none of them"
    REGISTRIES = "a private registry"
    WEB_IDENTITY = "web identity"
    DISCOVERY = "discovery"


@dataclass(frozen=True, order=True)
class Scenario:
    """The number of clusters, of namespaces in each, and the delay of answers in milliseconds."""

    clusters: int
    namespaces: int
    delay_ms: int = 0

    @property
    def secrets(self) -> int:
        return self.clusters * self.namespaces

    def __str__(self) -> str:
        return f"{self.clusters} x {self.namespaces}" + (
            f", {self.delay_ms} ms" if self.delay_ms else ""
        )


def namespace(number: int) -> str:
    return f"bench-{number:04d}"


def cluster(number: int) -> str:
    return f"cluster-{number:03d}"


def document(feature: Feature, endpoint: str, ca_pem: str) -> str:
    """Return a cluster's document that asks for the feature."""
    if feature is Feature.WEB_IDENTITY:
        return json.dumps(
            {
                "namespaces": ["bench-*"],
                "endpoint": endpoint,
                "certificateAuthority": ca_pem,
                "signIn": {"type": "webIdentity"},
            }
        )
    if feature is Feature.REGISTRIES:
        registry = {"account": "111122223333", "region": REGION, "roleArn": PULL_ROLE}
        return json.dumps({"namespaces": ["bench-*"], "registries": ["public", registry]})
    return DOCUMENT


def authorization() -> str:
    """Return an ECR Public token of the usual length."""
    return base64.b64encode(b"AWS:" + b"p" * PASSWORD_LENGTH).decode()


def work(
    scenario: Scenario, endpoints: list[str], ca_pem: str, *, connections: int
) -> dict[str, Any]:
    """Return the input of the other ways.

    The bytes that the function sends, and its number of connections to each cluster.
    """
    expires = datetime.now(UTC) + timedelta(hours=12)
    (config,) = load(
        [Parameter(f"{ROOT}/clusters/{cluster(0)}", DOCUMENT)], root=ROOT, region=REGION
    ).clusters
    owner = IDENTITY.owner(config.id)
    manifest = SecretManifest.of(
        config,
        docker_config(dict.fromkeys(PUBLIC_HOSTS, authorization())),
        owner=owner,
        expires_at=expires,
        pushed_at=datetime.now(UTC),
    )
    return {
        "endpoints": endpoints,
        "ca_pem": ca_pem,
        "names": [namespace(number) for number in range(scenario.namespaces)],
        "connections": connections,
        "bearer": sts_token(
            AwsClients(REGION),
            Caller(Credentials(ACCESS_KEY, SECRET_KEY)),
            region=REGION,
            cluster=cluster(0),
        ),
        "body": manifest.bound(uid=UID, version=VERSION).decode(),
        "password_length": PASSWORD_LENGTH,
        "secret_name": config.secret_name,
        "user_agent": USER_AGENT,
        "query": urlencode({"fieldManager": IDENTITY.field_manager}),
    }


def environment(aws_url: str, home: Path, *, checkout: Path = HERE) -> dict[str, str]:
    """Return a measured process's environment.

    It has this AWS and no other; of the caller's environment it has only the paths of programs.
    """
    kept = {
        name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH"}
    }
    return kept | {
        "PYTHONPATH": f"{HERE}{os.pathsep}{checkout / 'lambda_src'}",
        "HOME": str(home),
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": aws_url,
        "CONFIG_PATH": ROOT,
        "STACK_NAME": STACK,
        "ALLOWED_ENDPOINTS": "127.0.0.1",
        "ALLOWED_ACCOUNTS": "*",
        "POWERTOOLS_SERVICE_NAME": STACK,
    }
