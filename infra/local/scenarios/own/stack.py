"""The stack for a person's own documents: a local cluster for each one that they name.

Matching namespaces are invented, and the invented ones are printed.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.endpoint_form import normal_endpoint
from ecr_public_pusher.configuration.endpoints import allowing
from ecr_public_pusher.configuration.loader import Configuration, Discovery, Parameter, load
from ecr_public_pusher.errors import ConfigurationError
from infra.cli.documents.folder import DocumentFile, read_folder, unknown_file_notes
from infra.cli.documents.limits import refusal

from ...aws import DEFAULT_ACCOUNT
from ...identity import AccessEntry
from ...kube import Cluster
from ...stack import CONFIG_PATH, EXECUTION_ROLE, RBAC_GROUP, REGION, SECRET_NAME, LocalStack
from .document import AUTHENTICATOR, EKS, GOOGLE, OwnDocument, fields_of
from .elsewhere import Elsewhere
from .examples import example_of
from .furnishing import furnish

RBAC = Path("infra", "rbac")


class OwnStack(LocalStack):
    """Clusters for the documents in `folder`; `root` is the project's folder.

    `said`: what was made up, by document. `problems`: documents that are not pushed, with the
    reasons. `unknown_files`: files that are no documents. `seen`: by the id in reports, the
    cluster, the Secret's name and the namespaces.
    """

    parameters: ClassVar[Mapping[str, str]] = {
        "AllowedEndpoints": "127.0.0.1",
        "AllowedAccounts": "*",
    }

    def __init__(self, root: Path, folder: Path) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.unknown_files: list[str] = []
        self.seen: dict[str, tuple[Cluster, str, list[str]]] = {}
        self._rbac = root / RBAC
        self._by_target = dict[Any, Cluster]()
        self._elsewhere = Elsewhere(self)
        try:
            self._fill(folder)
        except BaseException:
            self.close()
            raise

    def _fill(self, folder: Path) -> None:
        found = read_folder(folder)
        self.problems += [f"{problem}. {problem.remedy}" for problem in found.problems]
        self.unknown_files += [
            f"{note}. {note.remedy}" for note in unknown_file_notes(found.unknown_files)
        ]
        texts = {str(file.name): file.text for file in found.documents if self._fits(file)}
        if not texts:
            self.problems.append(
                f"{folder} holds no document: DIR/defaults.yaml, DIR/clusters/ID.yaml,"
                " DIR/discover/ID.yaml"
            )
        defaults = fields_of("defaults", texts.get("defaults", ""))
        documents = {name: OwnDocument.read(name, text, defaults) for name, text in texts.items()}
        configuration = _configuration(documents)
        self._make(configuration, documents)
        for name, text in {**texts, **self._changed}.items():
            self.write(name, text)

    def _fits(self, file: DocumentFile) -> bool:
        refused = refusal(file.text)
        if refused:
            self.problems.append(f"{file.path}: {refused[0]}. {refused[1]}")
        return refused is None

    def _make(self, configuration: Configuration, documents: Mapping[str, OwnDocument]) -> None:
        self._changed: dict[str, str] = {}
        self._secret_names = sorted(
            {
                one.secret_name
                for one in (
                    *configuration.clusters,
                    *(found.settings for found in configuration.discoveries),
                )
            }
        )
        for config in configuration.clusters:
            if config.enabled:
                self._make_cluster(config, documents[f"clusters/{config.id}"])
        for discovery in configuration.discoveries:
            self._make_found(discovery)
        if self._secret_names not in ([], [SECRET_NAME]):
            names = ", ".join(self._secret_names)
            said = (
                f"infra/rbac names only {SECRET_NAME}; here, and in the real clusters, it must name"
                f" {names}"
            )
            self.said.append(("secretName", said))
        if entries := _allowing(documents):
            self.said.append(
                (
                    "AllowedEndpoints",
                    f"is 127.0.0.1 here; the real stack's must name {', '.join(entries)}",
                )
            )
        settings = (*configuration.clusters, *(one.settings for one in configuration.discoveries))
        if accounts := sorted(
            {arn.split(":")[4] for config in settings for arn in _roles_of(config)}
        ):
            said = f"is * here; the real stack's must name {', '.join(accounts)}"
            self.said.append(("AllowedAccounts", said))

    def _make_cluster(self, config: ClusterConfig, document: OwnDocument) -> None:
        self._make_roles(config)
        role = config.role_arn or EXECUTION_ROLE
        cluster = (
            self._eks_cluster(config, role)
            if document.kind == EKS
            else self._cluster_elsewhere(config, document, role)
        )
        self._furnish(cluster, config)

    def _make_found(self, discovery: Discovery) -> None:
        """Make one cluster with the tags, in the first of the regions."""
        self._make_roles(discovery.settings)
        tags = {key: example_of(pattern) for key, pattern in discovery.tags.items()}
        config = discovery.cluster(discovery.regions[0], f"{discovery.id}-example")
        self._furnish(self._eks_cluster(config, config.role_arn or EXECUTION_ROLE, tags), config)

    def _make_roles(self, config: ClusterConfig) -> None:
        if config.role_arn:
            self.aws.put_role(
                config.role_arn, external_id=config.external_id, trusted=EXECUTION_ROLE
            )
        for registry in config.private_registries:
            self.aws.put_role(
                registry.role_arn, external_id=registry.external_id, trusted=EXECUTION_ROLE
            )

    def _eks_cluster(
        self, config: ClusterConfig, role: str, tags: Mapping[str, str] | None = None
    ) -> Cluster:
        account, region, name = config.target
        if config.target not in self._by_target:
            self._by_target[config.target] = self.add_cluster(
                name, region=region, account=account, role=role, tags=tags, context=config.id
            )
        cluster = self._by_target[config.target]
        cluster.access_entries.put(AccessEntry(role, (RBAC_GROUP,)))
        bearing = (
            f", tagged {', '.join(f'{key}={value}' for key, value in tags.items())}" if tags else ""
        )
        self.said.append(
            (
                config.id,
                (
                    f"EKS cluster {name} in {region}, account {account}, which admits"
                    f" {role.rpartition('/')[2]}{bearing}"
                ),
            )
        )
        return cluster

    def _cluster_elsewhere(
        self, config: ClusterConfig, document: OwnDocument, role: str
    ) -> Cluster:
        if config.target not in self._by_target:
            authenticator_id = (
                str(document.sign_in["clusterId"]) if document.kind == AUTHENTICATOR else None
            )
            self._by_target[config.target] = self.add_cluster_elsewhere(
                config.id,
                authenticator_id=authenticator_id,
                role=role,
                by_google=document.kind == GOOGLE,
            )
        cluster = self._by_target[config.target]
        admitted = self._elsewhere.admit(cluster, config, document, role)
        self._changed[document.name] = document.changed(**admitted.fields)
        instead = (
            f"instead of {document.fields['endpoint']}: " if document.fields.get("endpoint") else ""
        )
        self.said.append((config.id, f"{instead}{cluster.endpoint}; {admitted.said}"))
        return cluster

    def _furnish(self, cluster: Cluster, config: ClusterConfig) -> None:
        made, said = furnish(cluster, config, rbac=self._rbac, secret_names=self._secret_names)
        self.seen[config.id] = (cluster, config.secret_name, [example.name for example in made])
        self.said.append(("", said))


def _roles_of(config: ClusterConfig) -> list[str]:
    """Return the ARNs of all roles that a document names."""
    registries = [registry.role_arn for registry in config.private_registries]
    return [*([config.role_arn] if config.role_arn else []), *registries]


def _configuration(documents: Mapping[str, OwnDocument]) -> Configuration:
    """Return the configuration as the function reads it, with every host allowed.

    It is empty when the defaults are invalid, which the function then reports itself.
    """
    parameters = [
        Parameter(f"{CONFIG_PATH}/{name}", document.text) for name, document in documents.items()
    ]
    try:
        return load(
            parameters,
            root=CONFIG_PATH,
            region=REGION,
            account=DEFAULT_ACCOUNT,
            allowed_endpoints=_allowing(documents),
        )
    except ConfigurationError:
        return Configuration()


def _allowing(documents: Mapping[str, OwnDocument]) -> list[str]:
    """Return the entries of AllowedEndpoints that valid endpoints of the documents need."""
    entries = set()
    for document in documents.values():
        with contextlib.suppress(ValueError):
            entries.add(allowing(normal_endpoint(str(document.fields.get("endpoint", "")))))
    return sorted(entries)
