"""EKS: where a cluster's endpoint is, whom it trusts, and the presigned STS token that signs in to it.

The token's rules are aws-iam-authenticator's (pkg/token/token.go): `k8s-aws-v1.` and the unpadded base64url of a presigned
GetCallerIdentity GET with the cluster's name among the signed headers.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ecr_public_pusher.aws import AWS_ERRORS, called, reason
from ecr_public_pusher.errors import EksError, SignInError

TOKEN_PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
# aws-iam-authenticator refuses longer ones (maxTokenLenBytes).
MAX_TOKEN_BYTES = 4096
# As `aws eks get-token`; the verifier itself goes by X-Amz-Date and allows 15 minutes.
PRESIGNED_SECONDS = 60


@dataclass(frozen=True)
class Endpoint:
    """Where a cluster is, and the PEM certificate authority it must prove itself with.

    What EKS says beside that, for hints only: whether the endpoint is public, and to whom; how the cluster authenticates; its security group.
    """

    url: str
    ca_pem: str = field(repr=False)
    public: bool = True
    public_cidrs: tuple[str, ...] = ()
    authentication_mode: str = ""
    security_group: str = ""


def describe(client: Any, cluster: str) -> Endpoint:
    """The cluster's endpoint, by one DescribeCluster call. Raises EksError."""
    where = f"cluster {cluster} in {client.meta.region_name}"
    try:
        found = called(lambda: client.describe_cluster(name=cluster)["cluster"])
    except AWS_ERRORS as error:
        code = reason(error)
        remedy = _REMEDIES.get(code, _REMEDY).replace("REGION", client.meta.region_name)
        raise EksError(f"EKS does not describe {where}: {code}", remedy=remedy) from None
    try:
        url = found["endpoint"]
        ca_pem = base64.b64decode(found["certificateAuthority"]["data"], validate=True).decode("ascii")
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.port == 0 or "BEGIN CERTIFICATE" not in ca_pem:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        status = str(found.get("status", "unknown"))[:40] if isinstance(found, dict) else "unknown"
        raise EksError(
            f"EKS names no usable endpoint and certificate authority for {where} (status {status})",
            remedy=f"Wait until the cluster is ACTIVE: aws eks wait cluster-active --region {client.meta.region_name} --name {cluster}",
        ) from None
    return Endpoint(url.rstrip("/"), ca_pem, **_hints(found))


def _hints(found: dict[str, Any]) -> dict[str, Any]:
    network, access = found.get("resourcesVpcConfig"), found.get("accessConfig")
    network, access = (network if isinstance(network, dict) else {}), (access if isinstance(access, dict) else {})
    cidrs = network.get("publicAccessCidrs")
    return {
        "public_cidrs": tuple(str(cidr)[:50] for cidr in cidrs[:50]) if isinstance(cidrs, list) else (),
        "public": network.get("endpointPublicAccess") is not False,
        "authentication_mode": str(access.get("authenticationMode") or "")[:40],
        "security_group": str(network.get("clusterSecurityGroupId") or "")[:40],
    }


_REMEDY = "The execution role (or roleArn) needs eks:DescribeCluster on this cluster; check `cluster` and `region`."
_REMEDIES = {
    "ResourceNotFoundException": "Check `cluster`, `region` and `roleArn`: `aws eks list-clusters --region REGION` shows the names there.",
    "EndpointConnectionError": "Check `region`: no EKS answers there (or the VPC has no way to it).",
    "UnrecognizedClientException": "Check `region`: it may not be enabled for the account.",
}


def presign(sts: Any, cluster: str) -> str:
    """A bearer token for `cluster`, signed by the credentials of `sts` (aws.Aws.signing_client). Makes no call.

    Raises SignInError when it cannot be signed, or would be longer than the verifier takes.
    """
    _teach_cluster_header(sts)
    try:
        url = sts.generate_presigned_url("get_caller_identity", Params={_PSEUDO_PARAMETER: cluster}, ExpiresIn=PRESIGNED_SECONDS, HttpMethod="GET")
    except AWS_ERRORS as error:
        raise SignInError(f"cannot sign in to cluster {cluster}: {reason(error)}", remedy="The function has no usable credentials.") from None
    token = TOKEN_PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    if len(token) > MAX_TOKEN_BYTES:
        raise SignInError(
            f"the sign-in token for cluster {cluster} is {len(token)} bytes long, and EKS takes {MAX_TOKEN_BYTES} at most",
            remedy="Its role's session token is too long: shorten the session (fewer or no session tags, no session policies).",
        )
    return token


_PSEUDO_PARAMETER = "ClusterName"
_HANDLER_ID = "ecr-public-pusher-cluster-header"


def _teach_cluster_header(sts: Any) -> None:
    """The AWS CLI's way (customizations/eks/get_token.py): a pseudo-parameter travels in the context to the header."""

    def take(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if _PSEUDO_PARAMETER in params:
            context[CLUSTER_HEADER] = params.pop(_PSEUDO_PARAMETER)

    def add(request: Any, **_: Any) -> None:
        if CLUSTER_HEADER in request.context:
            request.headers[CLUSTER_HEADER] = request.context[CLUSTER_HEADER]

    events = sts.meta.events
    events.register("provide-client-params.sts.GetCallerIdentity", take, unique_id=f"{_HANDLER_ID}-take")
    events.register("before-sign.sts.GetCallerIdentity", add, unique_id=f"{_HANDLER_ID}-add")
