"""The base of every scenario: an AWS with the function's queues, and clusters in it.

It also gives the settings with which a person's own tools can look around.
"""

import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import boto3
import yaml

from .aws import DEFAULT_ACCOUNT, LocalAws, LocalDeployment
from .closable import Closable
from .google import LocalGoogle, Provider
from .identity import AccessEntry, Credential
from .kube import Cluster, ClusterError, start_cluster
from .kube.auth.jwts import TrustedIssuer

REGION = "us-east-1"
STACK_NAME = "ecr-public-pusher"
CONFIG_PATH = "/ecr-public-pusher"
RBAC_GROUP = "ecr-public-pushers"
SECRET_NAME = "ecr-public-token"
SECRET_TYPE = "kubernetes.io/dockerconfigjson"
FOREIGN_MANAGER = "kubectl-create"

EXECUTION_ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/{STACK_NAME}-PusherRole"
ADMIN_ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/administrator"

RBAC_FILE = Path("infra", "rbac", "cluster.yaml")

# The account in the function's ARN under the Runtime Interface Emulator, where it is constant
# (rapid/rie/handlers.go).
EMULATOR_ACCOUNT = "012345678912"


class LocalStack(Closable):
    """An AWS with the queues, and clusters by name, while the context lasts.

    `parameters` are the template parameters that differ from their defaults.
    """

    parameters: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        self._opened = contextlib.ExitStack()
        self.aws = self._opened.enter_context(LocalAws())
        self.queue = self.aws.put_queue(f"{STACK_NAME}-retry")
        self.dead_letters = self.aws.put_queue(f"{STACK_NAME}-dead-letters", delay_seconds=0)
        self.clusters: dict[str, Cluster] = {}
        self._arns: dict[str, str] = {}
        self._google: LocalGoogle | None = None

    @property
    def google(self) -> LocalGoogle:
        """Google's token services, which start with the first use."""
        if self._google is None:
            self._google = LocalGoogle()
            self._opened.callback(self._google.close)
            folder = Path(self._opened.enter_context(tempfile.TemporaryDirectory()))
            self._authorities = folder / "authorities.pem"
            self._authorities.write_text(self._google.ca_pem)
        return self._google

    def function_settings(self) -> dict[str, str]:
        """Return the environment in which the function finds Google's token services here.

        Nothing, unless a cluster needs them. OpenSSL reads the public authorities from the file of
        SSL_CERT_FILE.
        """
        if self._google is None:
            return {}
        overrides = "CLOUDSDK_API_ENDPOINT_OVERRIDES"
        return {
            f"{overrides}_STS": self._google.url,
            f"{overrides}_IAMCREDENTIALS": self._google.url,
            "SSL_CERT_FILE": str(self._authorities),
        }

    def add_cluster(
        self,
        name: str,
        *,
        region: str,
        account: str,
        role: str,
        ca: Literal["modern", "legacy"] = "modern",
        tags: Mapping[str, str] | None = None,
        context: str | None = None,
    ) -> Cluster:
        """Add an EKS cluster that admits `role` to the function's group.

        `context`: its name in the local kubeconfig, by default `name`.
        """
        cluster = self._start(
            context or name, name, AccessEntry(role, (RBAC_GROUP,)), region=region, ca=ca
        )
        self.aws.put_cluster(account, region, cluster, tags=tags)
        self._arns[context or name] = f"arn:aws:eks:{region}:{account}:cluster/{name}"
        return cluster

    def add_cluster_elsewhere(
        self,
        name: str,
        *,
        authenticator_id: str | None = None,
        role: str = EXECUTION_ROLE,
        by_google: bool = False,
    ) -> Cluster:
        """Add a cluster that EKS does not know.

        `authenticator_id`: it runs aws-iam-authenticator with that clusterID, which maps `role`.
        `by_google`: it accepts Google's access tokens, as GKE does.
        """
        entries = (AccessEntry(role, (RBAC_GROUP,)),) if authenticator_id else ()
        more = {"google": self.google} if by_google else {}
        return self._start(name, authenticator_id or name, *entries, **more)

    def _start(
        self, name: str, authenticator_id: str, *entries: AccessEntry, **options: Any
    ) -> Cluster:
        cluster: Cluster = self._opened.enter_context(
            start_cluster(
                authenticator_id,
                credentials=self.aws.find_credential,
                access_entries=entries,
                **options,
            )
        )
        self.clusters[name] = cluster
        return cluster

    def deploy(
        self, *, parameters: Mapping[str, str] | None = None, name: str = STACK_NAME
    ) -> LocalDeployment:
        """Add the stack `name` with these `parameters` to CloudFormation and Lambda.

        The function is started separately.
        """
        return self.aws.deployments.put(
            LocalDeployment(
                name,
                REGION,
                DEFAULT_ACCOUNT,
                self.queue,
                self.dead_letters,
                config_path=CONFIG_PATH,
                role_arn=EXECUTION_ROLE,
                parameters={**self.parameters, **(parameters or {})},
            )
        )

    def call_aws(self, service: str, operation: str, **parameters: Any) -> Any:
        """Call AWS as an administrator, for example `call_aws("iam", "list_roles")`."""
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
        """Return a session of the execution role, as Lambda gives it to the function."""
        return self.aws.credentials_for(EXECUTION_ROLE, STACK_NAME)

    def aws_settings(self) -> dict[str, str]:
        """Return the environment in which AWS tools use this AWS as the execution role."""
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
        """Return a kubeconfig with a context for each cluster, as administrator.

        The first context is the current one. EKS clusters also have contexts named by their ARN, as
        `aws eks update-kubeconfig` names them, since the function's remedies use those names. In
        the function's own account there is one more, with the emulator's account, which the
        function takes for its own.
        """
        merged: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [],
            "users": [],
            "contexts": [],
        }
        for name, cluster in self.clusters.items():
            own = cluster.kubeconfig()
            merged["clusters"].append({"name": name, "cluster": own["clusters"][0]["cluster"]})
            merged["users"].append({"name": name, "user": own["users"][0]["user"]})
            merged["contexts"] += [
                {"name": it, "context": {"cluster": name, "user": name}}
                for it in (name, *self._context_names(name))
            ]
        return merged | {"current-context": next(iter(self.clusters), "")}

    def _context_names(self, cluster: str) -> list[str]:
        arn = self._arns.get(cluster)
        return (
            sorted({arn, arn.replace(f":{DEFAULT_ACCOUNT}:", f":{EMULATOR_ACCOUNT}:")})
            if arn
            else []
        )

    def close(self) -> None:
        """Stop everything."""
        self._opened.close()

    def write(self, name: str, document: Mapping[str, Any] | str, *, secure: bool = False) -> None:
        """Write a document, by its name below the configuration path."""
        text = (
            document
            if isinstance(document, str)
            else yaml.safe_dump(dict(document), sort_keys=False)
        )
        self.aws.put_parameter(f"{CONFIG_PATH}/{name}", text, secure=secure)


def trusted_issuer(aws: LocalAws, *, audience: str, subject: str) -> TrustedIssuer:
    """Return an entry that trusts the issuer of `subject`'s account.

    It accepts only tokens of that role (`subject`, an ARN) and audience.
    """
    account = subject.split(":")[4]
    issuer = aws.web_identity_of(account)
    site = aws.issuer_site(account)
    return TrustedIssuer(
        issuer.url,
        issuer.keys,
        audience,
        subject,
        account,
        discovery_url=site.discovery_url,
        ca_pem=site.ca_pem,
    )


def provider_trusting(
    aws: LocalAws, name: str, *, audiences: Sequence[str], subject: str
) -> Provider:
    """Return a workload identity provider that trusts the issuer of `subject`'s account."""
    issuer = aws.web_identity_of(subject.split(":")[4])
    return Provider(name, issuer.url, issuer.keys, tuple(audiences), subject)


def user_binding(name: str, role: str, user: str) -> dict[str, Any]:
    """Return a ClusterRoleBinding of one of infra/rbac's roles to a user."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }


def ask(
    cluster: Cluster,
    method: str,
    path: str,
    body: Any = None,
    *,
    content_type: str = "application/json",
) -> None:
    """Send a request as administrator. Raise ClusterError when it is refused."""
    status, answer = cluster.admin(method, path, body, content_type=content_type)
    if status >= 300:
        raise ClusterError(f"{cluster.name}: {method} {path}: {status} {answer.get('message')}")
