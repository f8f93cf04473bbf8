"""Rights that a configuration needs in its cluster, and dangerous rights beyond them. Pure.

With the commands that correct either.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.kubectl_commands import RBAC_LABEL, bind_cluster_role, kubectl
from ecr_public_pusher.configuration.rbac_subject import OUR_GROUP, Subject, rbac_subject
from ecr_public_pusher.configuration.schema import DEFAULT_SECRET_NAME
from ecr_public_pusher.jobs.look_by_name import looks_by_name
from ecr_public_pusher.kubernetes_api.access_reviews import Right
from ecr_public_pusher.ownership import PRODUCT

_RBAC_API = "rbac.authorization.k8s.io"


# The ClusterRole in each file of infra/rbac that grants for the whole cluster.
_CLUSTER_ROLES = {
    "cluster.yaml": PRODUCT,
    "prune.yaml": f"{PRODUCT}-prune",
    "service-accounts.yaml": f"{PRODUCT}-service-accounts",
}


@dataclass(frozen=True)
class Need:
    """Rights that are needed, and granted, together.

    `file`: the file below infra/rbac that grants them. `namespaced`: they may be granted namespace
    by namespace. `within`: the only namespace where they are needed; "": the selected ones.

    `kubectl`: the beginning of a command for the cluster. `without`: what is lost without them, if
    a push works all the same. `elsewhere`: what is lost if they are granted in the selected
    namespaces only. `subject`: that a binding is for.
    """

    rights: tuple[Right, ...]
    file: str
    kubectl: str
    namespaced: bool = True
    without: str = ""
    elsewhere: str = ""
    subject: Subject = OUR_GROUP
    within: str = ""

    def remedy(self, namespaces: Sequence[str] = ()) -> str:
        """Return the command that grants them in `namespaces`, or everywhere if there are none.

        What is needed in one namespace only is granted there.
        """
        if self.within:
            namespaces = (self.within,)
        secret = next(
            (right.name for right in self.rights if right.resource == "secrets"),
            DEFAULT_SECRET_NAME,
        )
        if not namespaces and secret == DEFAULT_SECRET_NAME:
            apply = f"{self.kubectl} apply -f infra/rbac/{self.file}"
            if self.subject == OUR_GROUP:
                return apply
            bind = bind_cluster_role(self.kubectl, _CLUSTER_ROLES[self.file], self.subject)
            return f"{apply} && {bind}"
        verbs = ",".join(dict.fromkeys(right.verb for right in self.rights))
        resource = self.rights[0].resource
        names = "".join(
            f" --resource-name={name}"
            for name in dict.fromkeys(right.name for right in self.rights)
            if name
        )
        role = "-".join(
            ["ecr-public-pusher", secret, resource]
            if secret != DEFAULT_SECRET_NAME
            else ["ecr-public-pusher", resource]
        )
        role = f"{role}-{verbs.replace(',', '-')}"
        rule = f"--verb={verbs} --resource={resource}{names}"
        if not namespaces:
            return (
                f"{self.kubectl} create clusterrole {role} {rule} && {self.kubectl} create"
                f" clusterrolebinding {role} --clusterrole={role} {self.subject.option} &&"
                f" {self.kubectl} label clusterrole/{role} clusterrolebinding/{role} {RBAC_LABEL}"
            )
        return (
            f"for namespace in {' '.join(namespaces)}; do {self.kubectl} create role {role}"
            f" --namespace=$namespace {rule} && {self.kubectl} create rolebinding {role}"
            f" --namespace=$namespace --role={role} {self.subject.option} && {self.kubectl} label"
            f" --namespace=$namespace role/{role} rolebinding/{role} {RBAC_LABEL}; done"
        )


def required_permissions(
    config: ClusterConfig, own_role: str = "", *, needs_list: bool
) -> list[Need]:
    """Return all that a push of this document needs to be allowed in the cluster.

    `own_role`: the ARN of the function's role.
    """
    found = []
    command = kubectl(config)
    if needs_list or config.prune:
        found.append(
            Need((Right("list", "namespaces"),), "cluster.yaml", command, namespaced=False)
        )
    found.append(
        Need(_rights(("create", "patch"), "secrets", config.secret_name), "cluster.yaml", command)
    )
    if config.prune:
        found.append(
            Need(_rights(("get", "delete"), "secrets", config.secret_name), "prune.yaml", command)
        )
    accounts = config.service_accounts
    if accounts and not accounts.by_name:
        found.append(
            Need(
                _rights(("get", "list", "patch"), "serviceaccounts"),
                "service-accounts.yaml",
                command,
            )
        )
    elif accounts:
        names = accounts.names
        found.append(
            Need(
                _rights(("get", "patch"), "serviceaccounts", *names),
                "service-accounts.yaml",
                command,
            )
        )
        listed = _rights(("list",), "serviceaccounts", *(names if len(names) == 1 else ()))
        found.append(
            Need(
                listed,
                "service-accounts.yaml",
                command,
                namespaced=False,
                without=_BLIND_TO_ACCOUNTS,
            )
        )
    look = _rights(("list",), "secrets", config.secret_name)
    by_name = not (needs_list or config.prune) and looks_by_name(config.selection)
    found += [
        Need(
            look,
            "cluster.yaml",
            command,
            namespaced=by_name,
            without=_BLIND,
            elsewhere=_BLIND_ELSEWHERE,
        ),
        *_for_repositories(config, command),
    ]
    subject = rbac_subject(config, own_role)
    return [replace(need, subject=subject) for need in found]


def _for_repositories(config: ClusterConfig, command: str) -> Iterator[Need]:
    """Yield what the Secrets of Argo CD's repositories need, in their one namespace."""
    if not config.repositories:
        return
    names = [one.name for one in config.repositories]
    file, within = "argocd.yaml", config.repositories[0].namespace
    yield Need(_rights(("create", "patch"), "secrets", *names), file, command, within=within)
    look = _rights(("list",), "secrets", *names)
    yield Need(look, file, command, without=_BLIND_TO_REPOSITORIES, within=within)
    if config.prune:
        yield Need(_rights(("delete",), "secrets", *names), file, command, within=within)


_BLIND = (
    "pushes write without looking first, a sweep serves new namespaces only (none that is"
    " labelled later, or whose Secret was deleted or is about to expire), and Secrets that are"
    " left behind or about to expire go unnoticed"
)
_BLIND_TO_REPOSITORIES = (
    "pushes write these Secrets without looking first, a sweep does not correct them, and a"
    " removal cannot find them"
)
_BLIND_ELSEWHERE = "Secrets that are left behind in others go unnoticed"
_BLIND_TO_ACCOUNTS = (
    "a push reads the accounts of each namespace one by one, and a sweep corrects no accounts"
    " in namespaces that have the Secret"
)


def _rights(verbs: Iterable[str], resource: str, *names: str) -> tuple[Right, ...]:
    return tuple(Right(verb, resource, name) for name in names or ("",) for verb in verbs)


# Each of these, granted in all namespaces, lets the function read, destroy or become what is not
# its own.
DANGEROUS = (
    *_rights(("get", "list", "watch", "patch", "delete"), "secrets"),
    Right("create", "pods"),
    Right("create", "pods/exec"),
    Right("create", "serviceaccounts/token"),
    Right("impersonate", "users"),
    Right("impersonate", "groups"),
    Right("bind", "clusterroles", group=_RBAC_API),
    Right("escalate", "clusterroles", group=_RBAC_API),
)
# Either of these, even in one namespace, reveals a role that was not made for the function.
REVEALING = _rights(("get", "list"), "secrets")


def describe(rights: Iterable[Right]) -> str:
    """Return rights as a phrase, grouped by resource: `create and patch secrets named x`."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        verbs.setdefault((right.resource, right.name), []).append(right.verb)
    return "; ".join(
        f"{_listed(their)} {resource}{f' named {name}' if name else ''}"
        for (resource, name), their in verbs.items()
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
