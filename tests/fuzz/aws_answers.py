"""Targets: AWS's answers, parsed by botocore from arbitrary bodies."""

import base64
import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from ecr_public_pusher.errors import ConfigurationError, DiscoveryError, EksError, TokenError
from ecr_public_pusher.registries.ecr_private import fetch_private_token
from ecr_public_pusher.registries.ecr_public import fetch_token
from ecr_public_pusher.registries.registry import docker_config
from ecr_public_pusher.results import RegistryToken
from ecr_public_pusher.sign_in.eks import describe
from ecr_public_pusher.sources.eks_clusters import list_clusters
from ecr_public_pusher.sources.parameter_store import read_parameters
from ecr_public_pusher.timestamps import rfc3339
from tests.fuzz.documents import CERTIFICATE, ROLE, ROOT
from tests.fuzz.target import Target, check

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOST_ANSWERS = 3


class Wire:
    """A client of botocore, with a body in place of each answer. Calls beyond those fail."""

    def __init__(self, service: str) -> None:
        session = botocore.session.Session()
        session.set_credentials("key", "secret")
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        self.client = session.create_client(service, region_name="us-east-1", config=config)
        self.client.meta.events.register("before-send", self._answer)
        self._bodies: Iterator[bytes] = iter(())

    def answering(self, data: bytes) -> Any:
        """Return the client, whose next answers are the input's parts."""
        self._bodies = iter(data.split(b"\0")[:MOST_ANSWERS])
        return self.client

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        body = next(self._bodies, None)
        status = 200 if body is not None and not body.startswith(b"!") else 400
        return AWSResponse(request.url, status, {}, Raw((body or b"").removeprefix(b"!")))


class Raw:
    """A body as urllib3 hands it out."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


wire = cache(Wire)


def parameters(data: bytes) -> None:
    try:
        found = read_parameters(wire("ssm").answering(data), ROOT)
    except ConfigurationError:
        return
    for one in found:
        check(one.error is not None or isinstance(one.text, str), "no text")


def eks(data: bytes) -> None:
    with contextlib.suppress(EksError):
        describe(wire("eks").answering(data), "main")
    with contextlib.suppress(DiscoveryError):
        list_clusters(wire("eks").answering(data))


def ecr(data: bytes) -> None:
    found: list[RegistryToken] = []
    with contextlib.suppress(TokenError):
        found.append(fetch_token([wire("ecr-public").answering(data)], NOW))
    private = wire("ecr").answering(data)
    with contextlib.suppress(TokenError):
        found.append(
            fetch_private_token(private, ROLE, NOW, signature={}, is_registry=lambda _: True)
        )
    for token in found:
        rfc3339(token.expires_at)
        json.loads(docker_config({"public.ecr.aws": token.authorization}))


_CLUSTER: dict[str, Any] = {
    "cluster": {
        "name": "main",
        "endpoint": "https://ABC.gr7.us-east-1.eks.amazonaws.com",
        "certificateAuthority": {"data": base64.b64encode(CERTIFICATE.encode()).decode()},
        "status": "ACTIVE",
        "tags": {"a": "b"},
        "resourcesVpcConfig": {"publicAccessCidrs": ["0.0.0.0/0"]},
        "accessConfig": {"authenticationMode": "API"},
        "outpostConfig": None,
        "id": "0a1b",
    }
}
_TOKEN = '"authorizationToken": "QVdTOngK", "expiresAt": 1767312000.25'
_ZONED_TOKEN = '"authorizationToken": "QVdTOngK", "expiresAt": "2026-01-02T00:00:00+01:00"'
TARGETS = (
    Target(
        "parameters",
        parameters,
        (
            json.dumps(
                {
                    "Parameters": [
                        {"Name": f"{ROOT}/clusters/a", "Type": "String", "Value": "x"},
                        {"Name": f"{ROOT}/clusters/b", "Type": "SecureString", "Value": "x"},
                    ],
                    "NextToken": "t",
                }
            ).encode()
            + b'\0{"Parameters": []}\0{"Parameters": [{"Name": "x", "Value": "y"}]}',
            b'!{"__type": "AccessDeniedException"}',
        ),
    ),
    Target(
        "eks",
        eks,
        (
            json.dumps(_CLUSTER).encode(),
            b'{"clusters": ["a", "b"], "nextToken": "t"}\0{"clusters": []}',
            b'!{"__type": "ResourceNotFoundException"}',
            b'{"cluster": {"status": "CREATING"}}',
        ),
    ),
    Target(
        "ecr",
        ecr,
        (
            f'{{"authorizationData": {{{_TOKEN}}}}}'.encode(),
            f'{{"authorizationData": {{{_ZONED_TOKEN}}}}}'.encode(),
            f'{{"authorizationData": [{{{_TOKEN}, "proxyEndpoint": "https://x"}}]}}'.encode(),
            b'!{"__type": "UnauthorizedException"}',
        ),
    ),
)
