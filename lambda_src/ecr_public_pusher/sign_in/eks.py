"""EKS: a cluster's endpoint and authority, and the sign-in with a presigned STS token."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.aws_api.errors import (
    AWS_ERRORS,
    AwsError,
    error_code,
    unless_refused,
)
from ecr_public_pusher.aws_api.throttling import patiently
from ecr_public_pusher.configuration.access_entries import AccessEntryCommands
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.field_types import CLUSTER_NAME
from ecr_public_pusher.configuration.kubectl_commands import kube_context
from ecr_public_pusher.deadline import Clock
from ecr_public_pusher.errors import EksError, NotReadyError, NotThereError
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.sign_in.kind import DELETING, NOT_READY, Endpoint, Remedies, RoleCaller
from ecr_public_pusher.sign_in.sts_token import (
    MAX_TOKEN_BYTES,
    not_admitted_by_authenticator,
    sts_token,
)

# An endpoint and its authority change when a cluster is recreated or its authority renewed.
# Then the connection fails, and EKS is asked at once.
ENDPOINT_LIFE_SECONDS = 3600.0
# Forms of the values that EKS returns: a host and perhaps a port, words, addresses, an id.
_ENDPOINT = re.compile(
    r"https://(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,39}\])(?::[0-9]{1,5})?/?"
).fullmatch
_STATUS = re.compile(r"[A-Z_]{1,40}").fullmatch
_CIDR = re.compile(r"[0-9a-f.:]{2,39}/[0-9]{1,3}").fullmatch
_SECURITY_GROUP = re.compile(r"sg-[0-9a-f]{8,32}").fullmatch


# Role, external id, region, cluster: what one role may see is not shown to another.
type EndpointKey = tuple[str | None, str | None, str, str]


class EndpointCache:
    """Endpoints that EKS named, kept as long as the sandbox lives, but at most an hour.

    Only those of clusters that are ready.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._known: dict[EndpointKey, tuple[float, Endpoint]] = {}

    def get(self, key: EndpointKey) -> Endpoint | None:
        asked_at, endpoint = self._known.get(key, (0.0, None))
        return endpoint if self._clock.wall() - asked_at < ENDPOINT_LIFE_SECONDS else None

    def put(self, key: EndpointKey, endpoint: Endpoint) -> None:
        now = self._clock.wall()
        self._known.pop(key, None)
        self._known[key] = now, endpoint  # at the end, so that the oldest come first
        while now - next(iter(self._known.values()))[0] >= ENDPOINT_LIFE_SECONDS:
            del self._known[next(iter(self._known))]

    def forget(self, key: EndpointKey) -> None:
        self._known.pop(key, None)


class EksSignIn(RoleCaller):
    """SignIn by EKS's token, sent only to the endpoint that EKS names."""

    asks_eks = True

    def __init__(self, config: ClusterConfig, callers: Callers, endpoints: EndpointCache) -> None:
        super().__init__(config, callers)
        self._endpoints = endpoints
        self._key = config.role_arn, config.external_id, config.region, config.cluster

    def remembered(self) -> Endpoint | None:
        """Return the endpoint that EKS named within the hour; None if there is none."""
        return self._endpoints.get(self._key)

    def forget(self) -> None:
        """Forget the endpoint, where the cluster does not answer, so that EKS is asked again."""
        self._endpoints.forget(self._key)

    async def described(self) -> Endpoint:
        """Return the endpoint that EKS names now.

        Raise RoleError, SignInError, EksError; NotThereError for a cluster that is being deleted.
        """
        found = await self.ask(
            partial(self._callers.blocking.run, service=f"eks {self.config.region}")
        )
        if found.status == DELETING:
            raise _being_deleted(f"cluster {self.config.cluster} in {self.config.region}")
        return found

    async def ask(self, run: Callable[[Callable[[], Endpoint]], Awaitable[Endpoint]]) -> Endpoint:
        """Return the endpoint that EKS names now, whatever it is doing with the cluster.

        `run` executes the call to EKS. Only a ready cluster is remembered.
        """
        caller = await self.caller()
        clients = self._callers.clients
        config = self.config
        found = await run(
            lambda: describe(
                clients.client("eks", config.region), config.cluster, **caller.signature
            )
        )
        if found.is_ready:
            self._endpoints.put(self._key, found)
        else:
            self._endpoints.forget(self._key)
        return found

    async def credential(self) -> Credential:
        """Return a new token for the cluster. Raise RoleError, SignInError."""
        return await self._credential(self.remembered())

    async def _credential(self, endpoint: Endpoint | None) -> Credential:
        """Return a token as `aws eks get-token --cluster-name` makes it.

        For a local cluster on an Outpost, as with `--cluster-id`.
        """
        caller = await self.caller()
        config = self.config
        cluster = endpoint.local_id if endpoint and endpoint.local_id else config.cluster
        return Credential(
            sts_token(self._callers.clients, caller, region=config.region, cluster=cluster)
        )

    def access(self, endpoint: Endpoint) -> ClusterAccess:
        """Return the access to the cluster at that endpoint."""
        return ClusterAccess(
            endpoint.url,
            endpoint.ca_pem,
            lambda: self._credential(endpoint),
            self._not_admitted(endpoint),
            not_admitted_by_authenticator(self.principal()),
        )

    def describe_credential(self, credential: Credential) -> str:
        return f"{len(credential.token or '')} of at most {MAX_TOKEN_BYTES} bytes"

    def remedies(self, endpoint: Endpoint) -> Remedies:
        from ecr_public_pusher.sign_in.eks_remedies import (
            EksRemedies,
        )  # rarely needed

        config = self.config
        return EksRemedies(endpoint, config.cluster, config.region, kube_context(config))

    def _not_admitted(self, endpoint: Endpoint) -> str:
        config = self.config
        if not endpoint.has_access_entries:
            return self.remedies(endpoint).not_admitted(self.principal(), (), None)
        commands = AccessEntryCommands(config.region, config.cluster, self.principal())
        return (
            f"Create an access entry for the role that signs: `{commands.create}` (a role that"
            " was deleted and created again needs a new entry)."
        )


def describe(client: Any, cluster: str, **signature: Any) -> Endpoint:
    """Return the cluster's endpoint, by one DescribeCluster call.

    Raise EksError; NotThereError if the cluster does not exist, or is being created or deleted.
    """
    where = f"cluster {cluster} in {client.meta.region_name}"
    try:
        found = patiently(lambda: client.describe_cluster(name=cluster, **signature)["cluster"])
    except AWS_ERRORS as error:
        code = error_code(error)
        remedy = (_REMEDIES.get(code) or unless_eks_refused(error, client) or _REMEDY).replace(
            "REGION", client.meta.region_name
        )
        kind = NotThereError if code == "ResourceNotFoundException" else EksError
        raise kind(f"EKS did not describe {where}: {code}", remedy=remedy) from None
    try:
        url = found["endpoint"]
        ca_pem = base64.b64decode(found["certificateAuthority"]["data"], validate=True).decode(
            "ascii"
        )
        if not _ENDPOINT(url) or urlsplit(url).port == 0 or "BEGIN CERTIFICATE" not in ca_pem:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        status = (
            (_word(found.get("status"), _STATUS) or "unknown")
            if isinstance(found, dict)
            else "unknown"
        )
        if status == DELETING:
            raise _being_deleted(where) from None
        kind = NotReadyError if status in NOT_READY else EksError
        remedy = _REMEDY_OF_FAILED if status == "FAILED" else _REMEDY_OF_OTHERS
        raise kind(
            f"EKS returned no usable endpoint and certificate authority for {where} (status"
            f" {status})",
            remedy=f"{remedy} --region {client.meta.region_name} --name {cluster}`",
        ) from None
    return Endpoint(
        url.rstrip("/"),
        ca_pem,
        _local_id(found, where, client.meta.region_name, cluster),
        **_hints(found),
    )


def _local_id(found: dict[str, Any], where: str, region: str, cluster: str) -> str:
    """Return the id of a local cluster on an Outpost; empty for all others.

    Raise EksError if a local cluster has no usable id.
    """
    if found.get("outpostConfig") is None:
        return ""
    try:
        return CLUSTER_NAME.check(found.get("id"))
    except ValueError:
        raise EksError(
            f"EKS returned no usable id for the local {where}",
            remedy=(
                "Contact AWS Support with the output of: `aws eks describe-cluster --region"
                f" {region} --name {cluster} --query cluster.id`"
            ),
        ) from None


def unless_eks_refused(error: AwsError, client: Any) -> str | None:
    """Return the remedy where EKS did not refuse, so that no permission is to blame; else None."""
    region = client.meta.region_name
    return unless_refused(error, f"EKS in {region}", endpoint=f"com.amazonaws.{region}.eks")


def _being_deleted(where: str) -> NotReadyError:
    return NotReadyError(
        f"EKS is deleting {where} (status {DELETING})",
        remedy=(
            "Delete its document, or set enabled: false in it: its Secrets are deleted with"
            " the cluster."
        ),
    )


def _hints(found: dict[str, Any]) -> dict[str, Any]:
    network = found.get("resourcesVpcConfig")
    access = found.get("accessConfig")
    network = network if isinstance(network, dict) else {}
    access = access if isinstance(access, dict) else {}
    tags = found.get("tags")
    return {
        "tags": (
            {str(key): str(value) for key, value in tags.items()} if isinstance(tags, dict) else {}
        ),
        "public_cidrs": _cidrs(network.get("publicAccessCidrs")),
        "public": network.get("endpointPublicAccess") is not False,
        "authentication_mode": _word(access.get("authenticationMode"), _STATUS),
        "security_group": _word(network.get("clusterSecurityGroupId"), _SECURITY_GROUP),
        "status": _word(found.get("status"), _STATUS),
    }


def _cidrs(value: Any) -> tuple[str, ...]:
    """Return all CIDRs, or none if one is invalid.

    A command that names them replaces the whole list.
    """
    cidrs = [_word(cidr, _CIDR) for cidr in value[:50]] if isinstance(value, list) else []
    return tuple(cidrs) if all(cidrs) else ()


def _word(value: Any, form: Callable[[str], object]) -> str:
    """Return a word of EKS's that may stand in a message or a command to paste.

    Empty if its form is wrong.
    """
    return value if isinstance(value, str) and form(value) else ""


_REMEDY_OF_OTHERS = "Wait until the cluster is ACTIVE: `aws eks wait cluster-active"
_REMEDY_OF_FAILED = (
    "Its creation failed: find out why, delete it, and create it again: `aws eks"
    " describe-cluster --query cluster.health"
)
_REMEDY = (
    "The execution role (or roleArn) needs eks:DescribeCluster on this cluster; check `cluster` and"
    " `region`."
)
_REMEDIES = {
    "ResourceNotFoundException": (
        "Check `cluster`, `region` and `roleArn`: `aws eks list-clusters --region REGION` shows the"
        " names there."
    ),
    "EndpointConnectionError": (
        "Check `region`: EKS has no endpoint there, or the VPC no route to it."
    ),
    "UnrecognizedClientException": "Check `region`: it may not be enabled for the account.",
}
