"""What a cluster's configuration needs to be allowed there, what nobody should allow beyond it, and the commands that mend either. Pure."""

from dataclasses import dataclass

from ecr_public_pusher.config import DEFAULT_SECRET_NAME, ClusterConfig
from ecr_public_pusher.model import RBAC_GROUP
from ecr_public_pusher.patterns import is_glob


@dataclass(frozen=True)
class Permission:
    """A right as RBAC grants it. `name`: of the one object meant, or of any. `remedy`: the command that grants it."""

    verb: str
    resource: str
    name: str = ""
    namespaced: bool = True
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f"/{self.name}" if self.name else "")


def needed(config: ClusterConfig, *, needs_list: bool) -> list[Permission]:
    """All that a push of this document asks of the cluster."""
    secret = config.secret_name
    found = [Permission("list", "namespaces", namespaced=False, remedy=_apply("cluster.yaml"))] if needs_list or config.prune else []
    found += [Permission(verb, "secrets", secret, remedy=_on_secret(secret, "create,patch", "cluster.yaml")) for verb in ("create", "patch")]
    if config.prune:
        found += [Permission(verb, "secrets", secret, remedy=_on_secret(secret, "get,delete", "prune.yaml")) for verb in ("get", "delete")]
    if config.service_accounts:
        verbs = ("get", "list", "patch") if any(is_glob(pattern) for pattern in config.service_accounts) else ("get", "patch")
        found += [Permission(verb, "serviceaccounts", remedy=_apply("service-accounts.yaml")) for verb in verbs]
    return found


# Each of these lets whoever signs in as the function read or destroy what is none of its business.
DANGEROUS = tuple(
    Permission(verb, resource)
    for verb, resource in (
        ("get", "secrets"),
        ("list", "secrets"),
        ("watch", "secrets"),
        ("delete", "secrets"),
        ("create", "pods"),
        ("bind", "clusterroles"),
        ("impersonate", "users"),
    )
)
LOOK = f"Bind the group {RBAC_GROUP} to infra/rbac only; what binds it: kubectl get rolebindings,clusterrolebindings -A -o wide | grep {RBAC_GROUP}"


def _apply(file: str) -> str:
    return f"kubectl apply -f infra/rbac/{file}"


def _on_secret(name: str, verbs: str, file: str) -> str:
    if name == DEFAULT_SECRET_NAME:
        return _apply(file)
    role = f"ecr-public-pusher-{name}-{verbs.replace(',', '-')}"
    return (
        f"kubectl create clusterrole {role} --verb={verbs} --resource=secrets --resource-name={name} && "
        f"kubectl create clusterrolebinding {role} --clusterrole={role} --group={RBAC_GROUP}"
    )
