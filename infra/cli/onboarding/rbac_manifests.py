"""The manifests of infra/rbac that a cluster needs, for all of its documents together. Pure.

One role serves all of them, so that none overwrites another's.
"""

import copy
import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Google
from ecr_public_pusher.configuration.rbac_subject import rbac_group
from ecr_public_pusher.ownership import PRODUCT

from ..choices import Grant
from ..errors import CliError

type Manifest = dict[str, Any]

_RBAC_API = "rbac.authorization.k8s.io"
# The Role for Argo CD's repositories.
_ARGO_CD = f"{PRODUCT}-argocd"

_FILES = ("cluster.yaml", "namespaced.yaml", "prune.yaml", "service-accounts.yaml", "argocd.yaml")
_HERE = Path(__file__).parents
# In this package when installed; beside infra/cli in a clone.
_FOLDERS = (_HERE[1] / "rbac", _HERE[2] / "rbac")


def manifests(
    configs: Sequence[ClusterConfig], grant: Grant, *, removal: bool = False
) -> list[Manifest]:
    """Return the objects to apply, in order.

    `removal` includes what the event `remove` needs, even if no document prunes. Raise CliError
    when documents need more than rights namespace by namespace.
    """
    if grant is Grant.NONE:
        return []
    prunes = removal or any(config.prune for config in configs)
    if grant is Grant.CLUSTER:
        found = _read("cluster.yaml")
    else:
        _demand_names(configs)
        found = _namespaced(_names(configs))
    if prunes:
        found += _read("prune.yaml")
    found = [_named(one, sorted({config.secret_name for config in configs})) for one in found]
    accounts = [config.service_accounts for config in configs if config.service_accounts]
    if accounts:
        found += [_for_accounts(one, accounts) for one in _read("service-accounts.yaml")]
    if grant is Grant.NAMESPACED:
        found = _bound_by_namespace(found, _names(configs))
    found += _for_repositories(configs, removal=removal)
    groups = sorted({rbac_group(config) for config in configs})
    return [_bound_to(one, groups) for one in found]


def dropped_names(before: Manifest, after: Manifest) -> list[str]:
    """Return the repositories' Secrets that only `before` names, of two versions of their Role."""
    if described(after) != described(before) or after["metadata"]["name"] != _ARGO_CD:
        return []
    return sorted(_secret_names(before) - _secret_names(after))


def with_names(role: Manifest, names: Sequence[str]) -> Manifest:
    """Return the Role with the rights to look at Secrets of these names, too, and to delete them.

    The latter if it grants that for any.
    """
    made = copy.deepcopy(role)
    for rule in made.get("rules", ()) if names else ():
        if rule["resources"] == ["secrets"] and "create" not in rule["verbs"]:
            rule["resourceNames"] = sorted({*rule["resourceNames"], *names})
    return made


def with_stored_names(
    objects: Sequence[Manifest], stored: Sequence[ClusterConfig]
) -> list[Manifest]:
    """Return the objects, whose Role keeps the repositories that the stored documents name.

    For a cluster that cannot be asked which of their Secrets are still there.
    """
    before = {described(one): one for one in manifests(stored, Grant.CLUSTER)}
    return [with_names(one, dropped_names(before.get(described(one), one), one)) for one in objects]


def _secret_names(role: Manifest) -> set[str]:
    return {
        name
        for rule in role.get("rules") or ()
        if rule.get("resources") == ["secrets"]
        for name in rule.get("resourceNames") or ()
    }


@functools.cache
def role_names() -> frozenset[str]:
    """Return the names of the roles of infra/rbac."""
    return frozenset(
        one["metadata"]["name"]
        for file in _FILES
        for one in _read(file)
        if one["kind"] in ("ClusterRole", "Role")
    )


def removal_rights(configs: Sequence[ClusterConfig]) -> list[Manifest]:
    """Return the objects that grant what the event `remove` needs beside the rights of a push."""
    push = {described(one) for one in _read("cluster.yaml")}
    every = manifests(configs, Grant.CLUSTER, removal=True)
    return [one for one in every if described(one) not in push]


def bound_to_users(
    objects: Sequence[Manifest], configs: Sequence[ClusterConfig], own_role: str
) -> list[Manifest]:
    """Return the objects, bound to the users too whom the cluster gives no group.

    These are identities of Google's. `own_role`: the ARN of the function's role.
    """
    users = sorted(
        {
            config.sign_in.user(config.role_arn or own_role)
            for config in configs
            if isinstance(config.sign_in, Google)
        }
    )
    subjects = [{"apiGroup": _RBAC_API, "kind": "User", "name": user} for user in users]
    return [
        {**one, "subjects": [*one["subjects"], *subjects]} if "subjects" in one else one
        for one in objects
    ]


def as_yaml(objects: Iterable[Manifest]) -> str:
    """Return the objects as a file for kubectl."""
    return "---\n".join(yaml.safe_dump(one, sort_keys=False) for one in objects)


def described(one: Manifest) -> str:
    """Return `ClusterRole ecr-public-pusher`, or `RoleBinding team-a/ecr-public-pusher`."""
    metadata = one["metadata"]
    return (
        f"{one['kind']}"
        f" {metadata['namespace'] + '/' if metadata.get('namespace') else ''}{metadata['name']}"
    )


def _read(name: str) -> list[Manifest]:
    folder = next(folder for folder in _FOLDERS if (folder / name).is_file())
    return list(yaml.safe_load_all((folder / name).read_text()))


def _named(one: Manifest, secrets: list[str]) -> Manifest:
    """Return the object with its rules on Secrets narrowed to these names."""
    made = copy.deepcopy(one)
    for rule in made.get("rules", ()):
        if rule["resources"] == ["secrets"]:
            rule["resourceNames"] = secrets
    return made


def _for_accounts(one: Manifest, accounts: Sequence[AccountSelection]) -> Manifest:
    """Return the object with its rules on ServiceAccounts narrowed, if all accounts are names."""
    made = copy.deepcopy(one)
    if not all(selection.by_name for selection in accounts):
        return made
    names = sorted({name for selection in accounts for name in selection.names})
    for rule in made.get("rules", ()):
        if rule["resources"] == ["serviceaccounts"]:
            rule["resourceNames"] = names
    return made


def _bound_to(one: Manifest, groups: list[str]) -> Manifest:
    """Return the object, a binding for these groups instead of the file's one group."""
    if "subjects" not in one:
        return one
    (subject,) = one["subjects"]
    return {**one, "subjects": [{**subject, "name": group} for group in groups]}


def _for_repositories(configs: Sequence[ClusterConfig], *, removal: bool) -> Iterator[Manifest]:
    """Yield the rights on the Secrets of Argo CD's repositories, by name, in their namespaces."""
    repositories = [(one, config.prune) for config in configs for one in config.repositories]
    for namespace in sorted({one.namespace for one, _ in repositories}):
        its = [(one.name, prunes) for one, prunes in repositories if one.namespace == namespace]
        deletes = removal or any(prunes for _, prunes in its)
        for one in _read("argocd.yaml"):
            made = _named(one, sorted({name for name, _ in its}))
            made["metadata"]["namespace"] = namespace
            if not deletes and "rules" in made:
                made["rules"] = [rule for rule in made["rules"] if rule["verbs"] != ["delete"]]
            yield made


def _demand_names(configs: Sequence[ClusterConfig]) -> None:
    for config in configs:
        if config.selection.needs_list or config.prune:
            what = "prunes" if config.prune else "selects by glob or label"
            raise CliError(
                f"{config.id} {what}, so it must list namespaces, which no grant namespace by"
                " namespace allows.",
                remedy=(
                    "Name its namespaces outright (and set prune: false), or grant for the whole"
                    " cluster: --rbac cluster."
                ),
            )


def _names(configs: Sequence[ClusterConfig]) -> list[str]:
    return sorted({name for config in configs for name in config.selection.names})


def _namespaced(names: Sequence[str]) -> list[Manifest]:
    role, binding = _read("namespaced.yaml")
    return [role, *_in_each(binding, names)]


def _in_each(binding: Manifest, names: Sequence[str]) -> list[Manifest]:
    return [{**binding, "metadata": {**binding["metadata"], "namespace": name}} for name in names]


def _bound_by_namespace(objects: Sequence[Manifest], names: Sequence[str]) -> list[Manifest]:
    """Replace bindings for the whole cluster by one in each namespace."""
    made: list[Manifest] = []
    for one in objects:
        if one["kind"] == "ClusterRoleBinding":
            made += _in_each({**one, "kind": "RoleBinding"}, names)
        else:
            made.append(one)
    return made
