"""The initial objects of a cluster: four namespaces, and kube-apiserver's roles for everybody.

The roles are real objects, so that RBAC allows discovery and self reviews as on a server, without
exceptions in the code.
"""

from ..kinds import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, RBAC, Kind, Object

NAMESPACE_NAMES = ("kube-system", "kube-public", "default", "kube-node-lease")
MANAGER = "kube-apiserver"
PUBLIC_PATHS = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
DISCOVERY_PATHS = [
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
]
REVIEWS = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
ROLES: dict[str, list[Object]] = {
    "cluster-admin": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "system:discovery": [{"nonResourceURLs": DISCOVERY_PATHS, "verbs": ["get"]}],
    "system:public-info-viewer": [{"nonResourceURLs": PUBLIC_PATHS, "verbs": ["get"]}],
    "system:basic-user": [
        {"apiGroups": ["authorization.k8s.io"], "resources": REVIEWS, "verbs": ["create"]},
        {
            "apiGroups": ["authentication.k8s.io"],
            "resources": ["selfsubjectreviews"],
            "verbs": ["create"],
        },
    ],
}
BOUND = {
    "cluster-admin": ["system:masters"],
    "system:discovery": ["system:authenticated"],
    "system:public-info-viewer": ["system:authenticated", "system:unauthenticated"],
    "system:basic-user": ["system:authenticated"],
}


def objects() -> list[tuple[Kind, Object]]:
    """Return the roles and their bindings."""
    label = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    head = {"apiVersion": f"{RBAC}/v1"}
    found: list[tuple[Kind, Object]] = []
    for name, rules in ROLES.items():
        metadata = {"name": name, "labels": label}
        groups = [{"kind": "Group", "apiGroup": RBAC, "name": group} for group in BOUND[name]]
        ref = {"kind": "ClusterRole", "apiGroup": RBAC, "name": name}
        found.append(
            (CLUSTER_ROLES, {**head, "kind": "ClusterRole", "metadata": metadata, "rules": rules})
        )
        found.append(
            (
                CLUSTER_ROLE_BINDINGS,
                {
                    **head,
                    "kind": "ClusterRoleBinding",
                    "metadata": metadata,
                    "roleRef": ref,
                    "subjects": groups,
                },
            )
        )
    return found
