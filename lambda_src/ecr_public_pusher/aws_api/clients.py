"""AWS's clients, made once for each sandbox: making them anew for each invocation costs 60 to 80
ms, and leaves cycles that pile up.

All are of the function's own role. A call with an assumed role's credentials says so by
`signed_by`: its client stays the same, only the signature differs, so that no client is ever made
for a role, and none outlives its credentials. In the same way a call to another region has its
endpoint and its signature there, by the service's one client: a client for each region would cost
0.22 MB and 6 ms each.
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

# Short enough for several tries within one invocation; the answers are small.
_READING = Config(
    max_pool_connections=64,  # as many as blocking calls may be under way
    connect_timeout=5,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_appid=PRODUCT,
    user_agent_extra=USER_AGENT,  # an application id cannot hold the slash
)
# What writes ends within the time that is kept for it, so that nothing is left to be sent after
# Lambda has frozen and thawed the sandbox.
_WRITING = _READING.merge(
    Config(
        connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2}
    )
)
WRITING_SERVICES = frozenset({"sqs"})
# Standard mode has one budget of tries for each client: regions that hang would use up those of the
# others.
_REGIONAL = _READING.merge(Config(retries={"mode": "legacy", "total_max_attempts": 3}))
REGIONAL_SERVICES = frozenset({"ecr", "eks", "secretsmanager"})

_SIGNED_BY, _IN_REGION = "SignedBy", "InRegion"


def signed_by(credentials: Credentials | None) -> dict[str, Any]:
    """Parameters to add to a call of a client of `AwsClients`: sign it with these credentials
    (None: with the function's own).
    """
    return {_SIGNED_BY: credentials} if credentials is not None else {}


class InRegion:
    """The service's one client, for calls to one region. `meta.region_name` is that region's."""

    def __init__(self, client: Any, region: str) -> None:
        self._client = client
        self.meta = SimpleNamespace(region_name=region)

    def __getattr__(self, operation: str) -> Any:
        return partial(getattr(self._client, operation), **{_IN_REGION: self.meta.region_name})


class AwsClients:
    """The clients of one sandbox, by service.

    Thread-safe: sessions are not, so clients are made under a lock.

    `session`: botocore's, on which boto3's is built. It is asked for endpoints, of which boto3
    tells less.
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
                events, name = client.meta.events, client.meta.service_model.service_id.hyphenize()
                events.register(f"provide-client-params.{name}", _take_own_parameters)
                events.register(f"before-endpoint-resolution.{name}", _resolve_in_region)
                self._clients[service] = client
            client = self._clients[service]
        return client if region in (None, self.region) else InRegion(client, region)

    def partition(self, region: str) -> tuple[str, str]:
        """The partition of a region, and the suffix of its hosts; both empty for a name that is no
        region's.
        """
        with self._lock:
            found = self._core.get_component("endpoint_resolver").construct_endpoint("ecr", region)
        return (str(found["partition"]), str(found["dnsSuffix"])) if found else ("", "")

    def regions(self) -> frozenset[str]:
        """Return the names of all regions of the function's partition; none where botocore does not
        know that.
        """
        partition, _ = self.partition(self.region)
        return frozenset(
            self._session.get_available_regions("eks", partition_name=partition)
            if partition
            else ()
        )

    def own_credentials(self) -> Credentials:
        """The execution role's credentials as they are now.

        May block; raises NoCredentialsError.
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
        """A presigned GET of the service's own endpoint in `region`, whatever endpoint is
        configured: AWS_ENDPOINT_URL would leak into it.

        Makes no call, and needs no client. Raises EndpointConnectionError for a region that
        botocore knows no endpoint in.
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
    """From the call's parameters to its signature.

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
