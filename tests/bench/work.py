"""What is measured, as plain values: nothing of the function is imported here, so that any checkout of it can be measured."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REGION = "us-east-1"
ROOT = "/ecr-public-pusher"
STACK = "ecr-public-pusher"
# Names alone would not fit a parameter's 4 KB, so a large cluster has a glob; it costs the function a namespace list.
DOCUMENT = "namespaces: [bench-*]\n"
ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7BENCH01", "bench-secret-access-key"
PASSWORD_LENGTH = 2050  # ECR's are of about this length
HERE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, order=True)
class Scenario:
    """So many clusters, each with so many namespaces, whose answers come so many milliseconds late."""

    clusters: int
    namespaces: int
    delay_ms: int = 0

    @property
    def secrets(self) -> int:
        return self.clusters * self.namespaces

    def __str__(self) -> str:
        return f"{self.clusters} x {self.namespaces}" + (f", {self.delay_ms} ms" if self.delay_ms else "")

    @classmethod
    def parse(cls, text: str) -> "Scenario":
        """`CLUSTERSxNAMESPACES` or, with answers that come late, `CLUSTERSxNAMESPACES@MILLISECONDS`. Raises ValueError."""
        size, _, delay = text.partition("@")
        clusters, _, namespaces = size.partition("x")
        made = cls(int(clusters), int(namespaces), int(delay or 0))
        if made.secrets < 1 or made.delay_ms < 0:
            raise ValueError(text)
        return made


@dataclass(frozen=True)
class Applied:
    """The request by which the function applied one Secret, as the server read it: the other ways send the same."""

    path: str
    headers: dict[str, str] = field(repr=False)
    body: str = field(repr=False)


def namespace(number: int) -> str:
    return f"bench-{number:04d}"


def cluster(number: int) -> str:
    return f"cluster-{number:03d}"


def authorization() -> str:
    """An ECR Public token of the usual length."""
    return base64.b64encode(b"AWS:" + b"p" * PASSWORD_LENGTH).decode()


def work(scenario: Scenario, endpoints: Sequence[str], ca_pem: str, *, applied: Applied, connections: Sequence[int]) -> dict[str, Any]:
    """What the other ways need: `applied`, which they repeat for each namespace, over so many `connections` to each endpoint."""
    return {
        "endpoints": list(endpoints),
        "ca_pem": ca_pem,
        "connections": list(connections),
        "names": [namespace(number) for number in range(scenario.namespaces)],
        "paths": [applied.path.replace(namespace(0), namespace(number)) for number in range(scenario.namespaces)],
        "headers": applied.headers,
        "body": applied.body,
        "password_length": PASSWORD_LENGTH,
    }


def environment(aws_url: str, home: Path, *, checkout: Path = HERE) -> dict[str, str]:
    """A measured process's environment: this AWS and no other, and of the caller's only where programs are."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH"}}
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
        "POWERTOOLS_SERVICE_NAME": STACK,
    }
