"""The stack for a person's own documents: for each cluster that they name a local one, with namespaces that fit. What is made up is said."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.endpoints import host_of
from ecr_public_pusher.configuration.loader import Configuration, Discovery, Parameter, load
from ecr_public_pusher.configuration.names import is_glob
from ecr_public_pusher.errors import ConfigurationError
from infra.cli.documents.folder import DocumentFile, read_folder, stray_notes
from infra.cli.documents.limits import refusal

from ..aws import DEFAULT_ACCOUNT
from ..kube import Cluster
from ..stack import CONFIG_PATH, EXECUTION_ROLE, RBAC_GROUP, REGION, SECRET_NAME, LocalStack
from ..trust import trusted_issuer
from .document import AUTHENTICATOR, EKS, KUBECONFIG, WEB_IDENTITY, OwnDocument, fields_of
from .examples import Example, example_of, namespaces

RBAC = Path("infra", "rbac")


class OwnStack(LocalStack):
    """`root`: the project's folder; `folder`: the documents'. `said`: what was made up, of which document; `problems`: what is not pushed, and why.

    `strays`: what is no document.
    """

    parameters: ClassVar[Mapping[str, str]] = {"AllowedEndpoints": "127.0.0.1"}

    def __init__(self, root: Path, folder: Path) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.strays: list[str] = []
        self.seen: dict[str, tuple[Cluster, str, list[str]]] = {}
        """By the id that reports give it: the cluster, the Secret's name, and the namespaces."""
        self._rbac, self._by_target = root / RBAC, dict[Any, Cluster]()
        try:
            self._fill(folder)
        except BaseException:
            self.close()
            raise

    def _fill(self, folder: Path) -> None:
        found = read_folder(folder)
        self.problems += [f"{problem}. {problem.remedy}" for problem in found.problems]
        self.strays += [f"{note}. {note.remedy}" for note in stray_notes(found.strays)]
        texts = {str(file.name): file.text for file in found.documents if self._fits(file)}
        if not texts:
            self.problems.append(f"{folder} holds no document: DIR/defaults.yaml, DIR/clusters/ID.yaml, DIR/discover/ID.yaml")
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
        self._secret_names = sorted({one.secret_name for one in (*configuration.clusters, *(found.settings for found in configuration.discoveries))})
        for config in configuration.clusters:
            if config.enabled:
                self._make_cluster(config, documents[f"clusters/{config.id}"])
        for discovery in configuration.discoveries:
            self._make_found(discovery)
        if self._secret_names not in ([], [SECRET_NAME]):
            self.said.append(
                (
                    "secretName",
                    f"infra/rbac names {SECRET_NAME} alone; here, and in the real clusters, it has to name {', '.join(self._secret_names)}",
                )
            )
        if hosts := sorted({host_of(str(one.fields["endpoint"])) for one in documents.values() if one.fields.get("endpoint")}):
            self.said.append(("AllowedEndpoints", f"is 127.0.0.1 here; the real stack's has to name {', '.join(hosts)}"))

    def _make_cluster(self, config: ClusterConfig, document: OwnDocument) -> None:
        self._make_roles(config)
        role = config.role_arn or EXECUTION_ROLE
        if document.kind == EKS:
            cluster = self._eks_cluster(config.id, config.cluster, config.region, role)
        else:
            cluster = self._cluster_elsewhere(config, document, role)
        self._furnish(config.id, cluster, config)

    def _make_found(self, discovery: Discovery) -> None:
        """One cluster that bears the tags, in the first of the regions."""
        self._make_roles(discovery.settings)
        region, name = discovery.regions[0], f"{discovery.id}-example"
        tags = {key: example_of(pattern) for key, pattern in discovery.tags.items()}
        config = discovery.cluster(region, name)
        cluster = self._eks_cluster(config.id, name, region, config.role_arn or EXECUTION_ROLE, tags)
        self._furnish(config.id, cluster, config)

    def _make_roles(self, config: ClusterConfig) -> None:
        if config.role_arn:
            self.aws.put_role(config.role_arn, external_id=config.external_id, trusted=EXECUTION_ROLE)
        for registry in config.private_registries:
            self.aws.put_role(registry.role_arn, external_id=registry.external_id, trusted=EXECUTION_ROLE)

    def _eks_cluster(self, document_id: str, name: str, region: str, role: str, tags: Mapping[str, str] | None = None) -> Cluster:
        account = role.split(":")[4]
        if (target := (account, region, name)) not in self._by_target:
            self._by_target[target] = self.add_cluster(name, region=region, account=account, role=role, tags=tags, context=document_id)
            bearing = f", tagged {', '.join(f'{key}={value}' for key, value in tags.items())}" if tags else ""
            self.said.append((document_id, f"EKS cluster {name} in {region}, account {account}, which admits {role.rpartition('/')[2]}{bearing}"))
        return self._by_target[target]

    def _cluster_elsewhere(self, config: ClusterConfig, document: OwnDocument, role: str) -> Cluster:
        authenticator_id = str(document.sign_in.get("clusterId")) if document.kind == AUTHENTICATOR else None
        cluster = self.add_cluster_elsewhere(config.id, authenticator_id=authenticator_id, role=role)
        here: dict[str, Any] = {"endpoint": cluster.endpoint, "certificateAuthority": cluster.ca_pem}
        match document.kind:
            case _ if document.kind == WEB_IDENTITY:
                self.aws.web_identity_of(role.split(":")[4]).enabled = True
                cluster.trust(trusted_issuer(self.aws, audience=f"ecr-public-pusher:{config.id}", subject=role))
                made = "trusts AWS's issuer for this document, whose account's switch is on"
            case _ if document.kind == KUBECONFIG:
                kubeconfig = json.dumps(cluster.client_kubeconfig("ecr-public-pusher", [RBAC_GROUP]))
                arn = self.aws.put_secret(f"{CONFIG_PATH}/{config.id}", kubeconfig, account_id=role.split(":")[4])
                here = {"signIn": {"type": KUBECONFIG, "secretArn": arn}}
                made = "a secret with its kubeconfig; secretArn names that one here"
            case _:
                made = f"its aws-iam-authenticator maps {role.rpartition('/')[2]}, clusterID {authenticator_id}"
        self._changed[document.name] = document.changed(**here)
        instead = f"in the place of {document.fields['endpoint']}: " if document.fields.get("endpoint") else ""
        self.said.append((config.id, f"{instead}{cluster.endpoint}; {made}"))
        return cluster

    def _rbac_of(self, file: str) -> str:
        """As somebody applies it whose documents set other names for the Secret."""
        text = (self._rbac / file).read_text()
        return text.replace(f"resourceNames: [{SECRET_NAME}]", f"resourceNames: [{', '.join(self._secret_names)}]")

    def _furnish(self, document_id: str, cluster: Cluster, config: ClusterConfig) -> None:
        """The RBAC that the document needs, and its namespaces with their ServiceAccounts."""
        files = ["cluster.yaml", *(["service-accounts.yaml"] if config.service_accounts else []), *(["prune.yaml"] if config.prune else [])]
        for file in files:
            cluster.apply(*yaml.safe_load_all(self._rbac_of(file)))
        made = namespaces(config.selection)
        for example in made:
            cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": example.name, "labels": dict(example.labels)}})
            for account in {"default", *(name for name in config.service_accounts if not is_glob(name))} if config.service_accounts else ():
                cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": example.name}})
        self.seen[document_id] = (cluster, config.secret_name, [example.name for example in made])
        self.said.append(("", f"infra/rbac: {', '.join(files)}; namespaces {', '.join(map(_shown, made)) or 'none: no name was found that fits'}"))


def _configuration(documents: Mapping[str, OwnDocument]) -> Configuration:
    """What the function would make of them, were every host allowed; nothing where the defaults are invalid, as it then says itself."""
    parameters = [Parameter(f"{CONFIG_PATH}/{name}", document.text) for name, document in documents.items()]
    hosts = [host_of(str(document.fields["endpoint"])) for document in documents.values() if document.fields.get("endpoint")]
    try:
        return load(parameters, root=CONFIG_PATH, region=REGION, account=DEFAULT_ACCOUNT, allowed_endpoints=hosts)
    except ConfigurationError:
        return Configuration()


def _shown(example: Example) -> str:
    labels = f" [{', '.join(f'{key}={value}' for key, value in example.labels.items())}]" if example.labels else ""
    return example.name + labels if example.why == "named" else f"{example.name}{labels} ({example.why})"
