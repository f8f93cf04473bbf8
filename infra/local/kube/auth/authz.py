"""RBAC, evaluated from the roles and bindings in the store.

The tests judge the manifests that users apply, so only stored roles grant anything;
`system:masters` is the one exception.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..kinds import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, RBAC, ROLE_BINDINGS, ROLES, Kind, Object
from ..status import ApiError
from ..storage.store import Store

MASTERS = "system:masters"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
"""The key in a user's extras that names the credential, since Kubernetes 1.32."""
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"


@dataclass(frozen=True)
class UserInfo:
    """An authenticated user.

    `groups` are those of the sign-in; `system:authenticated` is added to them.
    """

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, list[str]] = field(default_factory=dict, hash=False)

    def as_json(self) -> Object:
        """Return the user as reviews show it, empty fields left out."""
        full = {
            "username": self.username,
            "uid": self.uid,
            "groups": list(self.groups),
            "extra": self.extra,
        }
        return {key: value for key, value in full.items() if value}


ANONYMOUS = UserInfo("system:anonymous", groups=(UNAUTHENTICATED,))


@dataclass(frozen=True)
class Attributes:
    """A request to authorise: a verb on a resource, or on a path that is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True)
class Decision:
    """A verdict, with the server's reason."""

    allowed: bool
    reason: str = ""


def decide(store: Store, user: UserInfo, asked: Attributes) -> Decision:
    """Return RBAC's decision."""
    if MASTERS in user.groups:
        return Decision(True)
    missing = []
    for binding, subject, where in _bindings(store, user, asked.namespace):
        ref = binding["roleRef"]
        role = _role(store, ref, binding["metadata"].get("namespace", ""))
        if role is None:
            missing.append(f'{ref["kind"].lower()}.{RBAC} "{ref["name"]}" not found')
        elif any(_allows(rule, asked) for rule in role.get("rules") or []):
            return Decision(
                True, f'RBAC: allowed by {where} of {ref["kind"]} "{ref["name"]}" to {subject}'
            )
    if len(missing) > 1:
        return Decision(False, f"RBAC: [{', '.join(missing)}]")
    return Decision(False, f"RBAC: {missing[0]}" if missing else "")


def demand(store: Store, user: UserInfo, asked: Attributes) -> None:
    """Raise the 403 that names the missing permission."""
    decision = decide(store, user, asked)
    if decision.allowed:
        return
    detail = f'User "{user.username}" cannot {asked.verb}'
    if asked.path:
        raise ApiError(403, _with_reason(f'forbidden: {detail} path "{asked.path}"', decision), {})
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    part = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    about = {
        key: value
        for key, value in (("name", asked.name), ("group", asked.group), ("kind", asked.resource))
        if value
    }
    head = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    head = f'{head} "{asked.name}"' if asked.name else head
    text = f'{head} is forbidden: {detail} resource "{part}" in API group "{asked.group}" {where}'
    raise ApiError(403, _with_reason(text, decision), about)


def _with_reason(text: str, decision: Decision) -> str:
    return f"{text}: {decision.reason}" if decision.reason else text


def _bindings(store: Store, user: UserInfo, namespace: str) -> Iterator[tuple[Object, str, str]]:
    for _, binding in store.all(CLUSTER_ROLE_BINDINGS):
        if subject := _subject(binding, user, ""):
            yield binding, subject, f'ClusterRoleBinding "{binding["metadata"]["name"]}"'
    for _, binding in store.all(ROLE_BINDINGS, namespace) if namespace else ():
        if subject := _subject(binding, user, namespace):
            yield binding, subject, f'RoleBinding "{binding["metadata"]["name"]}/{namespace}"'


def _subject(binding: Object, user: UserInfo, namespace: str) -> str:
    for subject in binding.get("subjects") or []:
        kind = subject["kind"]
        name = subject["name"]
        home = subject.get("namespace") or namespace
        if (kind == "User" and name == user.username) or (kind == "Group" and name in user.groups):
            return f'{kind} "{name}"'
        if kind == "ServiceAccount" and user.username == f"system:serviceaccount:{home}:{name}":
            return f'ServiceAccount "{name}/{home}"'
    return ""


def _role(store: Store, ref: Object, namespace: str) -> Object | None:
    kind: Kind = CLUSTER_ROLES if ref["kind"] == "ClusterRole" else ROLES
    return store.get(kind, "" if kind is CLUSTER_ROLES else namespace, ref["name"])


def _allows(rule: Object, asked: Attributes) -> bool:
    verbs = rule.get("verbs") or []
    if "*" not in verbs and asked.verb not in verbs:
        return False
    if asked.path:
        return any(_covers(pattern, asked.path) for pattern in rule.get("nonResourceURLs") or [])
    groups, resources, names = (
        rule.get(part) or [] for part in ("apiGroups", "resources", "resourceNames")
    )
    wanted = {"*", f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource}
    wanted |= {f"*/{asked.subresource}"} if asked.subresource else set()
    return bool(
        {"*", asked.group} & set(groups)
        and wanted & set(resources)
        and (not names or asked.name in names)
    )


def _covers(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (
        pattern.endswith("*") and path.startswith(pattern.rstrip("*"))
    )
