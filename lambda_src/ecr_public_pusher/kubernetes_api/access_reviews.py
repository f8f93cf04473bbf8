"""The signed-in identity as the cluster sees it: its name, groups and rights.

Reading them needs no permission.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecr_public_pusher.kubernetes_api.client import Client

# Kubernetes, plugin/pkg/auth/authorizer/rbac: RBACAuthorizer.Authorize's reason.
_GRANTED_BY = re.compile(
    r"RBAC: allowed by (ClusterRoleBinding|RoleBinding)"
    r' "([a-z0-9][a-z0-9:.-]{0,252})(?:/[a-z0-9-]{1,63})?" of '
)


@dataclass(frozen=True)
class Right:
    """A right as RBAC grants it.

    `resource`: with its subresource, if any (`pods/exec`). `name`: of the one object; empty for
    any.
    """

    verb: str
    resource: str
    name: str = ""
    group: str = ""


@dataclass(frozen=True)
class Identity:
    """A user as the cluster knows it."""

    user: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class AccessReviewResult:
    """The cluster's answer to an access review.

    `binding`: kind and name of the binding that grants the right, if RBAC names it.
    """

    allowed: bool
    binding: tuple[str, str] | None = None


async def who_am_i(client: Client) -> Identity:
    """Return the identity that the cluster knows us by. Raise as Client.send does."""
    user = (await _review(client, "authentication.k8s.io", "SelfSubjectReview", None)).get(
        "userInfo"
    )
    groups = user.get("groups") if isinstance(user, dict) else None
    if not isinstance(user, dict) or not isinstance(groups, list | None):
        raise client.nonsense()
    return Identity(
        client.names.shown(user.get("username")),
        tuple(client.names.shown(group) for group in (groups or [])[:20]),
    )


async def can_i(client: Client, right: Right, *, namespace: str = "") -> AccessReviewResult:
    """Return whether the cluster grants us the right in a namespace, or, without one, in all.

    Raise as Client.send does.
    """
    resource, _, subresource = right.resource.partition("/")
    asked = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": namespace,
        "name": right.name,
    }
    spec = {"resourceAttributes": {key: value for key, value in asked.items() if value}}
    status = await _review(client, "authorization.k8s.io", "SelfSubjectAccessReview", spec)
    found = _GRANTED_BY.match(str(status.get("reason", "")))
    binding = (found[1], found[2]) if found and client.names.shown(found[2]) == found[2] else None
    return AccessReviewResult(status.get("allowed") is True, binding)


async def _review(
    client: Client, group: str, kind: str, spec: Mapping[str, Any] | None
) -> dict[str, Any]:
    body = {"apiVersion": f"{group}/v1", "kind": kind} | (
        {"spec": spec} if spec is not None else {}
    )
    data = json.dumps(body, separators=(",", ":")).encode()
    _, answer = await client.send("POST", f"/apis/{group}/v1/{kind.lower()}s", kind=kind, body=data)
    status = answer.get("status")
    if not isinstance(status, dict):
        raise client.nonsense()
    return status
