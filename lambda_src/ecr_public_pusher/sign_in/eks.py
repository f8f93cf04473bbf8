"""EKS: where a cluster's endpoint is, whom it trusts, and the sign-in with a presigned STS token."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code
from ecr_public_pusher.aws_api.throttling import patiently
from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.field_types import CLUSTER_NAME
from ecr_public_pusher.deadline import Clock
from ecr_public_pusher.errors import DiscoveryError, EksError, NotThereError
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.ownership import RBAC_GROUP
from ecr_public_pusher.sign_in.endpoint import Endpoint
from ecr_public_pusher.sign_in.kind import Remedies
from ecr_public_pusher.sign_in.role_caller import RoleCaller
from ecr_public_pusher.sign_in.sts_token import MAX_TOKEN_BYTES, sts_token

if TYPE_CHECKING:
    from ecr_public_pusher.configuration.eks_discovery import Search, Sightings

# An endpoint and its authority change when a cluster is made anew or its authority renewed. Then the connection fails, and EKS is asked at once.
ENDPOINT_LIFE_SECONDS = 3600.0
# What EKS says, by the forms that it has: a host and perhaps a port, words, addresses, an id.
_ENDPOINT = re.compile(r"https://(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,39}\])(?::[0-9]{1,5})?/?").fullmatch
_STATUS = re.compile(r"[A-Z_]{1,40}").fullmatch
_CIDR = re.compile(r"[0-9a-f.:]{2,39}/[0-9]{1,3}").fullmatch
_SECURITY_GROUP = re.compile(r"sg-[0-9a-f]{8,32}").fullmatch
DESCRIPTIONS_AT_ONCE = 10  # of a discovery, in each region: EKS's own limits are low


# Who asks for which cluster: what one role may see is not shown to another.
type EndpointKey = tuple[str | None, str | None, str, str]


class EndpointCache:
    """What EKS said of each cluster's endpoint, for as long as the sandbox lives, but at most an hour."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._known: dict[EndpointKey, tuple[float, Endpoint]] = {}

    def get(self, key: EndpointKey) -> Endpoint | None:
        asked_at, endpoint = self._known.get(key, (0.0, None))
        return endpoint if self._clock.wall() - asked_at < ENDPOINT_LIFE_SECONDS else None

    def put(self, key: EndpointKey, endpoint: Endpoint) -> None:
        self._known[key] = self._clock.wall(), endpoint

    def forget(self, key: EndpointKey) -> None:
        self._known.pop(key, None)


class EksSignIn(RoleCaller):
    """A SignIn, to where EKS says that the cluster is, and to nowhere else."""

    asks_eks = True

    def __init__(self, config: ClusterConfig, callers: Callers, endpoints: EndpointCache) -> None:
        super().__init__(config, callers)
        self._endpoints = endpoints
        self._key = config.role_arn, config.external_id, config.region, config.cluster

    def remembered(self) -> Endpoint | None:
        """Where the cluster is, by what EKS said within the hour."""
        return self._endpoints.get(self._key)

    def forget(self) -> None:
        """Nothing answers there as the cluster would: EKS is to be asked anew."""
        self._endpoints.forget(self._key)

    async def described(self) -> Endpoint:
        """Where the cluster is, by EKS's word now. Raises RoleError, SignInError, EksError."""
        caller = await self.caller()
        clients, config = self._callers.clients, self.config
        found = await self._callers.blocking.run(
            lambda: describe(clients.client("eks", config.region), config.cluster, **caller.signature), service=f"eks {config.region}"
        )
        self._endpoints.put(self._key, found)
        return found

    async def credential(self) -> Credential:
        """A token for the cluster, made anew. Raises RoleError, SignInError."""
        caller = await self.caller()
        return Credential(sts_token(self._callers.clients, caller, region=self.config.region, cluster=self.config.cluster))

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        """The way to sign in at that endpoint."""
        return ClusterAccess(endpoint.url, endpoint.ca_pem, self.credential, _no_access_entry(self.config))

    def describe_credential(self, credential: Credential) -> str:
        return f"{len(credential.token or '')} of at most {MAX_TOKEN_BYTES} bytes"

    def remedies(self, endpoint: Endpoint) -> Remedies:
        from ecr_public_pusher.sign_in.eks_remedies import EksRemedies  # for a check alone

        return EksRemedies(endpoint, self.config.cluster, self.config.region)


def _no_access_entry(config: ClusterConfig) -> str:
    return (
        f"Give the role that signs an access entry: `aws eks create-access-entry --region {config.region} --cluster-name {config.cluster} "
        f"--principal-arn {config.role_arn or 'FUNCTION_ROLE_ARN'} --type STANDARD --kubernetes-groups {RBAC_GROUP}` "
        "(a role that was deleted and created again needs a new entry)."
    )


class EksDirectory:
    """Which clusters EKS has in a region, and their tags. `fresh`: by its word now, not by what it said within the hour of those known."""

    def __init__(self, callers: Callers, endpoints: EndpointCache, *, fresh: bool) -> None:
        self._callers, self._endpoints, self._fresh = callers, endpoints, fresh

    async def look_up(self, search: "Search", seen: "Sightings") -> None:
        """Fills `seen` with the clusters that the role sees there, and that can be pushed to: not those that are being made or deleted.

        Raises DiscoveryError, RoleError, SignInError.
        """
        settings = search.settings
        caller = await self._callers.caller(settings.role_arn, settings.external_id)
        names = search.names
        if names is None:
            client = self._callers.clients.client("eks", settings.region)
            listed = await self._callers.blocking.run(lambda: list_clusters(client, **caller.signature))
            names = frozenset(name for name in listed if search.wants(name))
        seen.on_progress()

        async def describe_one(name: str) -> None:
            sign_in = EksSignIn(replace(settings, cluster=name), self._callers, self._endpoints)
            try:
                endpoint = (None if self._fresh else sign_in.remembered()) or await sign_in.described()
                seen.tags[name] = endpoint.tags
            except NotThereError:
                pass
            except EksError as error:
                seen.failures[name] = error
            seen.on_progress()

        await run_concurrently(sorted(names), describe_one, width=DESCRIPTIONS_AT_ONCE)


def list_clusters(client: Any, **signature: Any) -> list[str]:
    """The names of all clusters in the client's region, page by page. Raises DiscoveryError."""
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        try:
            page = patiently(lambda: client.list_clusters(**token, **signature))  # noqa: B023 - called at once
            names += call_aws(lambda: [CLUSTER_NAME.check(name) for name in page["clusters"]])  # noqa: B023
        except AWS_ERRORS as error:
            raise DiscoveryError(
                f"EKS does not list the clusters in {client.meta.region_name}: {error_code(error)}",
                remedy="The execution role (or roleArn: infra/spoke-role.yaml with Discovery=true) needs eks:ListClusters; check `regions`.",
            ) from None
        if not page.get("nextToken"):
            return names
        token = {"nextToken": page["nextToken"]}


def describe(client: Any, cluster: str, **signature: Any) -> Endpoint:
    """The cluster's endpoint, by one DescribeCluster call. Raises EksError; NotThereError where there is none, or none yet, or soon none."""
    where = f"cluster {cluster} in {client.meta.region_name}"
    try:
        found = patiently(lambda: client.describe_cluster(name=cluster, **signature)["cluster"])
    except AWS_ERRORS as error:
        code = error_code(error)
        remedy = _REMEDIES.get(code, _REMEDY).replace("REGION", client.meta.region_name)
        kind = NotThereError if code == "ResourceNotFoundException" else EksError
        raise kind(f"EKS does not describe {where}: {code}", remedy=remedy) from None
    try:
        url = found["endpoint"]
        ca_pem = base64.b64decode(found["certificateAuthority"]["data"], validate=True).decode("ascii")
        if not _ENDPOINT(url) or urlsplit(url).port == 0 or "BEGIN CERTIFICATE" not in ca_pem:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        status = _word(found.get("status"), _STATUS) or "unknown" if isinstance(found, dict) else "unknown"
        kind = NotThereError if status in _COMING_OR_GOING else EksError
        raise kind(
            f"EKS names no usable endpoint and certificate authority for {where} (status {status})",
            remedy=f"Wait until the cluster is ACTIVE: `aws eks wait cluster-active --region {client.meta.region_name} --name {cluster}`",
        ) from None
    return Endpoint(url.rstrip("/"), ca_pem, **_hints(found))


def _hints(found: dict[str, Any]) -> dict[str, Any]:
    network, access = found.get("resourcesVpcConfig"), found.get("accessConfig")
    network, access = (network if isinstance(network, dict) else {}), (access if isinstance(access, dict) else {})
    tags = found.get("tags")
    return {
        "tags": {str(key): str(value) for key, value in tags.items()} if isinstance(tags, dict) else {},
        "public_cidrs": _cidrs(network.get("publicAccessCidrs")),
        "public": network.get("endpointPublicAccess") is not False,
        "authentication_mode": _word(access.get("authenticationMode"), _STATUS),
        "security_group": _word(network.get("clusterSecurityGroupId"), _SECURITY_GROUP),
    }


def _cidrs(value: Any) -> tuple[str, ...]:
    """Return all of them or none: a command that names them says which there will be."""
    cidrs = [_word(cidr, _CIDR) for cidr in value[:50]] if isinstance(value, list) else []
    return tuple(cidrs) if all(cidrs) else ()


def _word(value: Any, form: Callable[[str], object]) -> str:
    """A word of EKS's, which may stand in a message or in a command to paste; empty for what has another form."""
    return value if isinstance(value, str) and form(value) else ""


_COMING_OR_GOING = frozenset({"CREATING", "PENDING", "DELETING", "FAILED"})
_REMEDY = "The execution role (or roleArn) needs eks:DescribeCluster on this cluster; check `cluster` and `region`."
_REMEDIES = {
    "ResourceNotFoundException": "Check `cluster`, `region` and `roleArn`: `aws eks list-clusters --region REGION` shows the names there.",
    "EndpointConnectionError": "Check `region`: no EKS answers there (or the VPC has no way to it).",
    "UnrecognizedClientException": "Check `region`: it may not be enabled for the account.",
}
