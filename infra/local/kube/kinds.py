"""The kinds that the embedded cluster serves, and their differences.

One table, so that routes, discovery, field ownership and validation agree on each kind. `atomic`
holds the paths that server-side apply owns as a whole: every list here is one in the real schema or
is close enough to one (`ServiceAccount.secrets` is keyed by name there).
"""

from dataclasses import dataclass, field
from typing import Any

type Object = dict[str, Any]
"""A Kubernetes object as JSON. The store never changes one in place, so readers need no copy."""

type Path = tuple[str, ...]

RBAC = "rbac.authorization.k8s.io"
ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Kind:
    """A served kind; `fields` are its top-level fields beside apiVersion, kind and metadata."""

    kind: str
    plural: str
    singular: str
    namespaced: bool
    fields: tuple[str, ...]
    group: str = ""
    version: str = "v1"
    verbs: tuple[str, ...] = ALL_VERBS
    short_names: tuple[str, ...] = ()
    storage_hash: str = ""
    atomic: frozenset[Path] = field(default_factory=frozenset)
    fields_selectable: tuple[Path, ...] = ()
    returns_deleted: bool = False

    @property
    def api_version(self) -> str:
        """The version in manifests: `v1`, or `group/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The plural name with its group, as messages show it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """The kind with its group, as validation messages show it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def path(self, namespace: str | None) -> str:
        """Return the URL path of the collection."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        return (
            f"{root}/namespaces/{namespace}/{self.plural}"
            if self.namespaced and namespace
            else f"{root}/{self.plural}"
        )


NAMESPACES = Kind(
    "Namespace",
    "namespaces",
    "namespace",
    False,
    ("spec", "status"),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    short_names=("ns",),
    storage_hash="Q3oi5N2YM8M=",
    atomic=frozenset({("status",), ("spec", "finalizers")}),
    fields_selectable=(("status", "phase"),),
    returns_deleted=True,
)
SECRETS = Kind(
    "Secret",
    "secrets",
    "secret",
    True,
    ("data", "stringData", "type", "immutable"),
    storage_hash="S6u1pOWzb84=",
    fields_selectable=(("type",),),
)
SERVICE_ACCOUNTS = Kind(
    "ServiceAccount",
    "serviceaccounts",
    "serviceaccount",
    True,
    ("secrets", "imagePullSecrets", "automountServiceAccountToken"),
    short_names=("sa",),
    storage_hash="pbx9ZvyFpBE=",
    returns_deleted=True,
)
CLUSTER_ROLES = Kind(
    "ClusterRole", "clusterroles", "clusterrole", False, ("rules", "aggregationRule"), RBAC
)
ROLE_REF = frozenset({("roleRef",)})
CLUSTER_ROLE_BINDINGS = Kind(
    "ClusterRoleBinding",
    "clusterrolebindings",
    "clusterrolebinding",
    False,
    ("subjects", "roleRef"),
    RBAC,
    atomic=ROLE_REF,
)
ROLES = Kind("Role", "roles", "role", True, ("rules",), RBAC)
ROLE_BINDINGS = Kind(
    "RoleBinding",
    "rolebindings",
    "rolebinding",
    True,
    ("subjects", "roleRef"),
    RBAC,
    atomic=ROLE_REF,
)

KINDS = (
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    ROLES,
)
BY_RESOURCE = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
BY_KIND = {(kind.api_version, kind.kind): kind for kind in KINDS}
