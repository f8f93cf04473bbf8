"""A cluster's contents for a document: RBAC, namespaces that it selects, its ServiceAccounts."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from ecr_public_pusher.configuration.cluster_config import ClusterConfig

from ...kube import Cluster
from ...stack import SECRET_NAME
from .examples import Example, namespaces, service_accounts


def furnish(
    cluster: Cluster, config: ClusterConfig, *, rbac: Path, secret_names: Sequence[str]
) -> tuple[list[Example], str]:
    """Apply the contents to the cluster; return the namespaces, and a description for the person.

    `secret_names`: those of all documents, since they may share the cluster.
    """
    files = [
        "cluster.yaml",
        *(["service-accounts.yaml"] if config.service_accounts else []),
        *(["prune.yaml"] if config.prune else []),
    ]
    for file in files:
        text = (
            (rbac / file)
            .read_text()
            .replace(
                f"resourceNames: [{SECRET_NAME}]", f"resourceNames: [{', '.join(secret_names)}]"
            )
        )
        cluster.apply(*yaml.safe_load_all(text))
    if config.repositories:
        files.append("argocd.yaml")
        _furnish_argo_cd(cluster, config, (rbac / "argocd.yaml").read_text())
    made = namespaces(config.selection)
    accounts = service_accounts(config.service_accounts)
    for example in made:
        cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": example.name, "labels": dict(example.labels)},
            }
        )
        for account in accounts:
            cluster.apply(
                {
                    "apiVersion": "v1",
                    "kind": "ServiceAccount",
                    "metadata": {
                        "name": account.name,
                        "namespace": example.name,
                        "labels": dict(account.labels),
                    },
                }
            )
    return (
        made,
        (
            f"infra/rbac: {', '.join(files)}; namespaces"
            f" {', '.join(map(_shown, made)) or 'none: no example matches the selection'}"
        ),
    )


def _furnish_argo_cd(cluster: Cluster, config: ClusterConfig, text: str) -> None:
    """Make Argo CD's namespace, and grant the rights on the document's repositories there.

    Each document gets a Role of its own, since several may share the cluster.
    """
    namespace = config.repositories[0].namespace
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for one in yaml.safe_load_all(text):
        metadata = {
            **one["metadata"],
            "namespace": namespace,
            "name": f"{one['metadata']['name']}-{config.id.replace('/', '-')}",
        }
        if "roleRef" in one:
            one["roleRef"]["name"] = metadata["name"]
        for rule in one.get("rules", ()):
            if rule["resources"] == ["secrets"]:
                rule["resourceNames"] = [repository.name for repository in config.repositories]
        cluster.apply({**one, "metadata": metadata})


def _shown(example: Example) -> str:
    labels = (
        f" [{', '.join(f'{key}={value}' for key, value in example.labels.items())}]"
        if example.labels
        else ""
    )
    return (
        example.name + labels
        if example.why == "named"
        else f"{example.name}{labels} ({example.why})"
    )
