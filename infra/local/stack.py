"""The demonstration: two clusters in two regions and accounts, a dozen namespaces, and what ought to become of each.

It holds one of everything a first look should show: names, globs, an exclusion, a label selector, an assumed role with an external id, an
encrypted parameter, an old and a new certificate authority, a Secret of somebody else's, and a namespace on its way out.
"""

import base64
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import boto3
import yaml

from .aws import DEFAULT_ACCOUNT, LocalAws, LocalDeployment
from .identity import AccessEntry, Credential
from .kube import Cluster, start_cluster

REGION = "us-east-1"
STACK_NAME = "ecr-public-pusher"
CONFIG_PATH = "/ecr-public-pusher"
RBAC_GROUP = "ecr-public-pushers"
SECRET_NAME = "ecr-public-token"
SECRET_TYPE = "kubernetes.io/dockerconfigjson"
FOREIGN_MANAGER = "kubectl-create"

EDGE_ACCOUNT = "444455556666"
EXECUTION_ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/{STACK_NAME}-PusherRole"
ADMIN_ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/administrator"
SPOKE_ROLE = f"arn:aws:iam::{EDGE_ACCOUNT}:role/ecr-public-pusher-spoke"
EXTERNAL_ID = "edge-4f1c"

RBAC_FILE = Path("infra", "rbac", "cluster.yaml")


@dataclass(frozen=True)
class DemoNamespace:
    """A namespace, and the outcome of a first push to it (None: it is not selected), with the reason in a few words."""

    name: str
    expected: str | None
    because: str
    labels: Mapping[str, str] = field(default_factory=dict)
    foreign_secret: bool = False
    terminating: bool = False

    @property
    def expected_again(self) -> str | None:
        """The outcome of the second push."""
        return "updated" if self.expected == "created" else self.expected


@dataclass(frozen=True)
class DemoCluster:
    """A cluster of the demonstration. Its name is its document's `<id>` too. `role`: who signs in to it."""

    name: str
    region: str
    account: str
    role: str
    ca: Literal["modern", "legacy"]
    document: Mapping[str, Any]
    namespaces: tuple[DemoNamespace, ...]
    secure: bool = False


DEFAULTS: Mapping[str, Any] = {"labels": {"owner": "platform"}, "namespaces": ["payments"]}

PROD = DemoCluster(
    name="prod",
    region=REGION,
    account=DEFAULT_ACCOUNT,
    role=EXECUTION_ROLE,
    ca="modern",
    document={"namespaces": {"include": ["payments", "legacy", "team-*"], "exclude": ["team-sandbox"]}},
    namespaces=(
        DemoNamespace("payments", "created", "named"),
        DemoNamespace("team-a", "created", "team-*"),
        DemoNamespace("team-b", "created", "team-*"),
        DemoNamespace("team-old", "skipped", "team-*, but it is terminating", terminating=True),
        DemoNamespace("team-sandbox", None, "excluded"),
        DemoNamespace("legacy", "conflict", "named; its Secret is somebody else's", foreign_secret=True),
        DemoNamespace("monitoring", None, "not selected"),
    ),
)

EDGE = DemoCluster(
    name="edge",
    region="eu-central-1",
    account=EDGE_ACCOUNT,
    role=SPOKE_ROLE,
    ca="legacy",
    document={
        "region": "eu-central-1",
        "roleArn": SPOKE_ROLE,
        "externalId": EXTERNAL_ID,
        "namespaces": {"selector": "ecr-public=enabled,stage!=lab"},
    },
    namespaces=(
        DemoNamespace("store-berlin", "created", "by its labels", {"ecr-public": "enabled", "stage": "live"}),
        DemoNamespace("store-paris", "created", "by its labels", {"ecr-public": "enabled", "stage": "live"}),
        DemoNamespace("store-lab", None, "stage=lab", {"ecr-public": "enabled", "stage": "lab"}),
        DemoNamespace("ingest", "created", "by its labels", {"ecr-public": "enabled"}),
        DemoNamespace("batch", None, "no such label"),
    ),
    secure=True,
)

CLUSTERS = (PROD, EDGE)


class LocalStack:
    """AWS with the queues, and the clusters by name, while the context lasts."""

    def __init__(self) -> None:
        self._opened = contextlib.ExitStack()
        self.aws = self._opened.enter_context(LocalAws())
        self.queue = self.aws.put_queue(f"{STACK_NAME}-retry")
        self.dead_letters = self.aws.put_queue(f"{STACK_NAME}-dead-letters", delay_seconds=0)
        self.clusters: dict[str, Cluster] = {}

    def add_cluster(
        self,
        name: str,
        *,
        region: str,
        account: str,
        role: str,
        ca: Literal["modern", "legacy"] = "modern",
        tags: Mapping[str, str] | None = None,
    ) -> Cluster:
        """A cluster that EKS describes, and that admits `role` as the function's group."""
        cluster = self._start(name, name, AccessEntry(role, (RBAC_GROUP,)), region=region, ca=ca)
        self.aws.put_cluster(account, region, cluster, tags=tags)
        return cluster

    def add_cluster_elsewhere(self, name: str, *, authenticator_id: str | None = None, role: str = EXECUTION_ROLE) -> Cluster:
        """A cluster that EKS knows nothing of. `authenticator_id`: it runs aws-iam-authenticator with that clusterID, which maps `role`."""
        entries = (AccessEntry(role, (RBAC_GROUP,)),) if authenticator_id else ()
        return self._start(name, authenticator_id or name, *entries)

    def _start(self, name: str, authenticator_id: str, *entries: AccessEntry, **options: Any) -> Cluster:
        cluster: Cluster = self._opened.enter_context(
            start_cluster(authenticator_id, credentials=self.aws.find_credential, access_entries=entries, **options)
        )
        self.clusters[name] = cluster
        return cluster

    def deploy(self, *, parameters: Mapping[str, str] | None = None, name: str = STACK_NAME) -> LocalDeployment:
        """Lets CloudFormation and Lambda know the function, as the stack `name`, which `parameters` were given to. It is started apart."""
        return self.aws.deployments.put(
            LocalDeployment(
                name,
                REGION,
                DEFAULT_ACCOUNT,
                self.queue,
                self.dead_letters,
                config_path=CONFIG_PATH,
                role_arn=EXECUTION_ROLE,
                parameters=dict(parameters or {}),
            )
        )

    def call_aws(self, service: str, operation: str, **parameters: Any) -> Any:
        """As an administrator's own tools would, by the same API: `call_aws("iam", "enable_outbound_web_identity_federation")`."""
        credential = self.aws.credentials_for(ADMIN_ROLE, "somebody")
        client = boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.aws.endpoint_url,
            aws_access_key_id=credential.access_key_id,
            aws_secret_access_key=credential.secret_access_key,
            aws_session_token=credential.session_token,
        )
        return getattr(client, operation)(**parameters)

    def execution_credential(self) -> Credential:
        """What Lambda gives the function: a session of its execution role."""
        return self.aws.credentials_for(EXECUTION_ROLE, STACK_NAME)

    def aws_settings(self) -> dict[str, str]:
        """The environment with which a person's own AWS tools speak to this AWS, as the execution role."""
        credential = self.execution_credential()
        return {
            "AWS_ENDPOINT_URL": self.aws.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credential.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credential.secret_access_key,
            "AWS_SESSION_TOKEN": credential.session_token or "",
        }

    def kubeconfig(self) -> dict[str, Any]:
        """One kubeconfig, as administrator, with a context for each cluster; the first is the current one."""
        merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
        for name, cluster in self.clusters.items():
            own = cluster.kubeconfig()
            merged["clusters"].append({"name": name, "cluster": own["clusters"][0]["cluster"]})
            merged["users"].append({"name": name, "user": own["users"][0]["user"]})
            merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
        return merged | {"current-context": next(iter(self.clusters))}

    def close(self) -> None:
        """Stops everything."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class DemoStack(LocalStack):
    """Both clusters of the demonstration, filled. `root`: the project's folder, for the RBAC files."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        try:
            self._fill(root)
        except BaseException:
            self.close()
            raise

    def _fill(self, root: Path) -> None:
        self.aws.put_role(SPOKE_ROLE, external_id=EXTERNAL_ID, trusted=EXECUTION_ROLE)
        self.aws.put_parameter(f"{CONFIG_PATH}/defaults", _document(DEFAULTS))
        rbac = list(yaml.safe_load_all((root / RBAC_FILE).read_text()))
        for demo in CLUSTERS:
            cluster = self.add_cluster(demo.name, region=demo.region, account=demo.account, role=demo.role, ca=demo.ca)
            cluster.apply(*rbac)
            _fill(cluster, demo.namespaces)
            self.aws.put_parameter(f"{CONFIG_PATH}/clusters/{demo.name}", _document(demo.document), secure=demo.secure)


def _document(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False)


def _fill(cluster: Cluster, namespaces: tuple[DemoNamespace, ...]) -> None:
    for namespace in namespaces:
        head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace.name, "labels": dict(namespace.labels)}}
        # A finalizer that nobody serves keeps the namespace terminating.
        held = {"spec": {"finalizers": ["example.com/held"]}} if namespace.terminating else {}
        _asked(cluster, "POST", "/api/v1/namespaces", head | held)
        if namespace.foreign_secret:
            _asked(cluster, "POST", f"/api/v1/namespaces/{namespace.name}/secrets?fieldManager={FOREIGN_MANAGER}", _foreign_secret())
        if namespace.terminating:
            _asked(cluster, "DELETE", f"/api/v1/namespaces/{namespace.name}")


def _foreign_secret() -> dict[str, Any]:
    """As `kubectl create secret docker-registry` leaves it."""
    auth = base64.b64encode(b"AWS:somebody-elses").decode()
    config = base64.b64encode(json.dumps({"auths": {"public.ecr.aws": {"auth": auth}}}).encode()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET_NAME}, "type": SECRET_TYPE, "data": {".dockerconfigjson": config}}


def _asked(cluster: Cluster, method: str, path: str, body: Any = None) -> None:
    status, answer = cluster.admin(method, path, body)
    if status >= 300:
        raise RuntimeError(f"{cluster.name}: {method} {path}: {status} {answer.get('message')}")
