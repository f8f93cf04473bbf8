"""The AWS clients, made once per sandbox.

Making them for each invocation costs 60 to 80 ms and leaves cycles that pile up.

All belong to the function's own role. A call with an assumed role's credentials passes `signed_by`:
the client stays the same and only the signature differs, so no client is made for a role, and none
outlives its credentials. A call to another region likewise uses the service's one client, with the
endpoint and signature of that region: a client for each region would cost 0.22 MB and 6 ms.
"""

import threading
from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import boto3.session
import botocore.session
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.regions import EndpointResolverBuiltins

from ecr_public_pusher.ownership import PRODUCT, USER_AGENT

# Short enough for several attempts within one invocation; the responses are small.
_READING = Config(
    max_pool_connections=64,  # one for each blocking call that may be in flight
    connect_timeout=5,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_appid=PRODUCT,
    user_agent_extra=USER_AGENT,  # an application id cannot hold the slash
)
# A write ends within the time that is reserved for it, so that nothing is sent after Lambda has
# frozen and thawed the sandbox.
_WRITING = _READING.merge(
    Config(
        connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2}
    )
)
WRITING_SERVICES = frozenset({"sqs"})
# Standard mode has one retry budget per client: regions that hang would use up that of the others.
_REGIONAL = _READING.merge(Config(retries={"mode": "legacy", "total_max_attempts": 3}))
REGIONAL_SERVICES = frozenset({"ecr", "eks", "secretsmanager"})

_SIGNED_BY = "SignedBy"
_IN_REGION = "InRegion"


def signed_by(credentials: Credentials | None) -> dict[str, Any]:
    """Return the parameters that make an `AwsClients` call sign with these credentials.

    None: with the function's own.
    """
    return {_SIGNED_BY: credentials} if credentials is not None else {}


class InRegion:
    """A service's one client, for calls to one region, which is `meta.region_name`."""

    def __init__(self, client: Any, region: str) -> None:
        self._client = client
        self.meta = SimpleNamespace(region_name=region)

    def __getattr__(self, operation: str) -> Any:
        return partial(getattr(self._client, operation), **{_IN_REGION: self.meta.region_name})


class AwsClients:
    """The clients of one sandbox, by service.

    Thread-safe: sessions are not, so clients are made under a lock.

    `session`: botocore's session, on which boto3's is built. It resolves endpoints, for which
    boto3's has fewer methods.
    """

    def __init__(self, region: str, *, session: botocore.session.Session | None = None) -> None:
        self.region = region
        self._core = session or botocore.session.Session()
        self._session = boto3.session.Session(botocore_session=self._core)
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of `service`, for calls to `region` (default: the function's)."""
        with self._lock:
            if service not in self._clients:
                client = self._session.client(
                    service, region_name=self.region, config=_config(service)
                )
                events = client.meta.events
                name = client.meta.service_model.service_id.hyphenize()
                events.register(f"provide-client-params.{name}", _take_own_parameters)
                events.register(f"before-endpoint-resolution.{name}", _resolve_in_region)
                self._clients[service] = client
            client = self._clients[service]
        return client if region in (None, self.region) else InRegion(client, region)

    def partition(self, region: str) -> tuple[str, str]:
        """Return a region's partition and its host suffix; both empty for an unknown region."""
        with self._lock:
            found = self._core.get_component("endpoint_resolver").construct_endpoint("ecr", region)
        return (str(found["partition"]), str(found["dnsSuffix"])) if found else ("", "")

    def regions(self) -> frozenset[str]:
        """Return all regions of the function's partition; empty if botocore does not know them."""
        partition, _ = self.partition(self.region)
        return frozenset(
            self._session.get_available_regions("eks", partition_name=partition)
            if partition
            else ()
        )

    def own_credentials(self) -> Credentials:
        """Return the execution role's current credentials.

        May block. Raise NoCredentialsError when there are none.
        """
        found = self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return Credentials(*found.get_frozen_credentials()[:3])

    def presigned_url(
        self,
        service: str,
        region: str,
        parameters: Mapping[str, str],
        *,
        headers: Mapping[str, str],
        credentials: Credentials,
        seconds: int,
    ) -> str:
        """Return a presigned GET URL of the service's default endpoint in `region`.

        A configured endpoint (AWS_ENDPOINT_URL) is ignored: it would leak into the URL. No call is
        made and no client is needed. Raise EndpointConnectionError for a region in which botocore
        knows no endpoint.
        """
        with self._lock:
            endpoint = self._core.get_component("endpoint_resolver").construct_endpoint(
                service, region
            )
        if endpoint is None:
            raise EndpointConnectionError(endpoint_url=f"{service} in {region[:40]}")
        request = AWSRequest(
            method="GET",
            url=f"https://{endpoint['hostname']}/?{urlencode(parameters)}",
            headers=dict(headers),
        )
        SigV4QueryAuth(
            credentials.get_frozen_credentials(), service, region, expires=seconds
        ).add_auth(request)
        return str(request.url)


def _config(service: str) -> Config:
    if service in WRITING_SERVICES:
        return _WRITING
    return _REGIONAL if service in REGIONAL_SERVICES else _READING


def _take_own_parameters(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Move our parameters of a call to its signing context.

    botocore.signers.RequestSigner.sign reads `request_credentials` and `region`.
    """
    if credentials := params.pop(_SIGNED_BY, None):
        context.setdefault("signing", {})["request_credentials"] = credentials
    if region := params.pop(_IN_REGION, None):
        context.setdefault("signing", {})["region"] = region


def _resolve_in_region(builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Resolve the endpoint of the region that the call is signed for."""
    if region := context.get("signing", {}).get("region"):
        builtins[EndpointResolverBuiltins.AWS_REGION] = region
