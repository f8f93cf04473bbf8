"""A whole AWS with clusters on loopback.

The function is called in it as Lambda calls it, in this process.
"""

import asyncio
import base64
import contextlib
import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from ecr_public_pusher import handler as entry
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.events.parser import parse
from ecr_public_pusher.invocation.runner import Runner
from ecr_public_pusher.invocation.sandbox import Sandbox
from ecr_public_pusher.invocation.settings import Settings
from ecr_public_pusher.kubernetes_api.connection_budget import ConnectionBudget
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.ownership import USER_AGENT, Stack
from ecr_public_pusher.reporting.report import report
from infra.local.aws import LocalAws
from infra.local.aws.queues import LocalQueue
from infra.local.identity import AccessEntry
from infra.local.kube import Cluster, EmbeddedCluster, start_cluster
from infra.local.kube.auth.authz import UserInfo
from infra.local.kube.certificates import LIFETIME
from infra.local.kube.kinds import NAMESPACES
from infra.local.stack import trusted_issuer

ROOT = "/ecr-public-pusher"
ACCOUNT = "111122223333"
SPOKE_ACCOUNT = "444455556666"
EXECUTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecr-public-pusher"
SPOKE_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-spoke"
GROUP = "ecr-public-pushers"
SECRET = "ecr-public-token"
STACK = Stack(ACCOUNT, "us-east-1", "stack-of-a-test")
CLUSTER_FIELDS = {
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "insecure-skip-tls-verify",
    "proxy-url",
    "tls-server-name",
}
RBAC = Path(__file__).parents[2] / "infra" / "rbac"

IMPATIENT = RetryPolicy(
    connect_seconds=0.4,
    request_seconds=0.6,
    write_seconds=0.6,
    first_try_seconds=0.6,
    attempts=2,
    connect_attempts=2,
    backoff_seconds=0.01,
    backoff_limit_seconds=0.05,
    stalled_seconds=0.1,
    appearance_seconds=0.3,
    sign_in_seconds=0.02,
    lost_race_seconds=0.02,
)


@dataclass
class Context:
    """The part of Lambda's context that the handler uses."""

    seconds: float = 60
    aws_request_id: str = "request-of-a-test"
    function_name: str = "ecr-public-pusher"
    invoked_function_arn: str = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:ecr-public-pusher"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@functools.cache
def manifests(file: str) -> tuple[dict[str, Any], ...]:
    """Return the objects of a file of infra/rbac, read once.

    PyYAML takes as long for one as a push does.
    """
    return tuple(yaml.safe_load_all((RBAC / file).read_text()))


@dataclass
class World:
    """AWS, the clusters by id, and the environment the function sees."""

    aws: LocalAws
    environ: dict[str, str]
    queue: LocalQueue
    clusters: dict[str, Cluster] = field(default_factory=dict)
    sandbox: Sandbox = field(default_factory=Sandbox)

    def add_cluster(
        self,
        name: str,
        *,
        namespaces: dict[str, dict[str, str]] | tuple[str, ...] = (),
        region: str = "us-east-1",
        account: str = ACCOUNT,
        principal: str = EXECUTION_ROLE,
        rbac: str | None = "cluster.yaml",
        document: str | None = None,
        embedded: bool = False,
        tags: dict[str, str] | None = None,
        local_id: str | None = None,
    ) -> Cluster:
        """Add a cluster that EKS describes, and its document.

        It has an access entry, the project's own RBAC and namespaces (with labels).

        `embedded`: never the real one, for tests that need many or that let it fail.
        `local_id`: of a local cluster on an Outpost, which has no access entries: its aws-auth maps
        the principal.
        """
        entry = AccessEntry(principal, (GROUP,))
        start = EmbeddedCluster if embedded else start_cluster
        cluster: Cluster = start(
            local_id or name,
            credentials=self.aws.find_credential,
            access_entries=[entry],
            region=region,
        )
        self.clusters[name] = cluster
        local: dict[str, Any] = (
            {"local_as": name, "authentication_mode": "CONFIG_MAP"} if local_id else {}
        )
        self.aws.put_cluster(account, region, cluster, tags=tags, **local)
        labels = (
            namespaces
            if isinstance(namespaces, dict)
            else {namespace: {} for namespace in namespaces}
        )
        for namespace, its in labels.items():
            self.add_namespace(name, namespace, its)
        if rbac is not None:
            cluster.apply(*manifests(rbac))
        if document is not None:
            self.document(name, document)
        return cluster

    def add_elsewhere(
        self,
        name: str,
        *,
        document: str,
        namespaces: tuple[str, ...] = ("a",),
        cluster_id: str | None = None,
        audience: str | None = None,
        principal: str = EXECUTION_ROLE,
        trusts: bool = True,
        embedded: bool = False,
    ) -> Cluster:
        """Add a cluster that EKS does not know, with its document.

        The document has `endpoint` and `certificateAuthority`.

        It runs aws-iam-authenticator with `cluster_id`, or `trusts` AWS's issuer for `audience`
        (the document's own by default), and `principal`.
        """
        issuer = trusted_issuer(
            self.aws, audience=audience or f"ecr-public-pusher:{name}", subject=principal
        )
        start = EmbeddedCluster if embedded else start_cluster
        cluster: Cluster = start(
            cluster_id or name,
            credentials=self.aws.find_credential,
            access_entries=[AccessEntry(principal, (GROUP,))] if cluster_id else [],
            issuers=[issuer] if trusts and not cluster_id else [],
        )
        self.clusters[name] = cluster
        for namespace in namespaces:
            self.add_namespace(name, namespace)
        cluster.apply(*manifests("cluster.yaml"))
        head = {"endpoint": cluster.endpoint, "certificateAuthority": cluster.ca_pem}
        self.document(name, yaml.safe_dump(head | yaml.safe_load(document)))
        return cluster

    def add_stored(
        self,
        name: str,
        *,
        document: str = "namespaces: [a]",
        by: Literal["token", "certificate"] = "token",
        token: str = "stored-token-of-a-test",
        life: timedelta = LIFETIME,
        namespaces: tuple[str, ...] = ("a",),
        **changes: Any,
    ) -> EmbeddedCluster:
        """Add a cluster that EKS does not know, its document, and its kubeconfig as a secret.

        `changes`: of the kubeconfig's user (or, for its own fields, cluster), None to leave one
        out. `life`: of the client certificate.
        """
        cluster = EmbeddedCluster(
            name,
            credentials=self.aws.find_credential,
            static_tokens={token: UserInfo("pusher", groups=(GROUP,))},
        )
        self.clusters[name] = cluster
        for namespace in namespaces:
            self.add_namespace(name, namespace)
        cluster.apply(*manifests("cluster.yaml"))
        arn = self.store_kubeconfig(
            name, kubeconfig(cluster, by=by, token=token, life=life, **changes)
        )
        self.document(
            name,
            yaml.safe_dump(
                {"signIn": {"type": "kubeconfig", "secretArn": arn}} | yaml.safe_load(document)
            ),
        )
        return cluster

    def store_kubeconfig(self, name: str, content: dict[str, Any] | str | bytes) -> str:
        """Write the secret of a cluster's kubeconfig anew, and return its ARN."""
        return self.aws.put_secret(
            f"{ROOT}/{name}", yaml.safe_dump(content) if isinstance(content, dict) else content
        )

    def add_namespace(self, cluster: str, name: str, labels: dict[str, str] | None = None) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels or {}},
        }
        status, _ = self.clusters[cluster].admin("POST", "/api/v1/namespaces", body)
        assert status == 201, status

    def set_created(self, cluster: str, namespace: str, *, minutes_ago: float | None) -> None:
        """Have a namespace say that it was created then, or (None) not say when.

        Only the embedded server lets that be set.
        """
        embedded = self.clusters[cluster]
        assert isinstance(embedded, EmbeddedCluster)
        found = embedded.store.get(NAMESPACES, "", namespace)
        assert found is not None
        stamp = None
        if minutes_ago is not None:
            moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
            stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = {**found["metadata"], "creationTimestamp": stamp}
        embedded.store.put(NAMESPACES, {**found, "metadata": metadata})

    def apply(self, cluster: str, file: str) -> None:
        """Apply a file of infra/rbac, as an administrator."""
        self.clusters[cluster].apply(*manifests(file))

    def document(self, identity: str, text: str, *, secure: bool = False) -> None:
        self.aws.put_parameter(f"{ROOT}/clusters/{identity}", text, secure=secure)

    def discovery(self, identity: str, text: str) -> None:
        self.aws.put_parameter(f"{ROOT}/discover/{identity}", text)

    def defaults(self, text: str) -> None:
        self.aws.put_parameter(f"{ROOT}/defaults", text)

    def foreign_secret(
        self,
        cluster: str,
        namespace: str,
        *,
        manager: str = "kubectl-create",
        kind: str = "kubernetes.io/dockerconfigjson",
    ) -> None:
        """Create somebody else's Secret under our name."""
        data = {".dockerconfigjson": base64.b64encode(b'{"auths": {}}').decode()}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET},
            "type": kind,
            "data": data,
        }
        status, _ = self.clusters[cluster].admin(
            "POST", f"/api/v1/namespaces/{namespace}/secrets?fieldManager={manager}", body
        )
        assert status == 201, status

    def secret(self, cluster: str, namespace: str, name: str = SECRET) -> dict[str, Any] | None:
        """Return the Secret as an administrator sees it; None where there is none."""
        status, found = self.clusters[cluster].admin(
            "GET", f"/api/v1/namespaces/{namespace}/secrets/{name}"
        )
        assert status in (200, 404), status
        return found if status == 200 else None

    def token(self, cluster: str, namespace: str, name: str = SECRET) -> str:
        """Return the registry credential in a Secret, decoded."""
        found = self.secret(cluster, namespace, name)
        assert found is not None
        config = json.loads(base64.b64decode(found["data"][".dockerconfigjson"]))
        assert isinstance(config, dict)
        return str(config["auths"]["public.ecr.aws"]["auth"])

    def call(self, event: Any, *, seconds: float = 60) -> dict[str, Any]:
        """Return the handler's answer to that very event, in this world's one warm sandbox.

        Raise as the handler does.
        """
        return entry.invoke(event, Context(seconds), sandbox=self.sandbox, environ=os.environ)

    def invoke(self, event: Any = None, *, seconds: float = 60) -> dict[str, Any]:
        """Return the handler's answer to an event that says not to raise."""
        return self.call({"raise": False, **(event or {})}, seconds=seconds)

    def poll(self, *, seconds: float = 60) -> list[str]:
        """Have the function process a batch of the queue; return the message ids that it kept."""
        answer = self.queue.poll(lambda event: self.call(event, seconds=seconds))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def run(
        self,
        event: dict[str, Any] | None = None,
        *,
        seconds: float = 60,
        retry_policy: RetryPolicy = IMPATIENT,
        budget: ConnectionBudget | None = None,
    ) -> dict[str, Any]:
        """Invoke as `invoke`, but impatient, and without log and metrics."""
        with Sockets(budget) as sockets:
            return asyncio.run(
                self._run(event or {}, Deadline.of_invocation(seconds), retry_policy, sockets)
            )

    async def _run(
        self,
        event: dict[str, Any],
        deadline: Deadline,
        retry_policy: RetryPolicy,
        sockets: Sockets,
    ) -> dict[str, Any]:
        settings = Settings.from_env(self.environ, function_arn=Context().invoked_function_arn)
        async with BlockingCalls() as blocking:
            runner = Runner(settings, self.sandbox, deadline, blocking, sockets, "id", retry_policy)
            return report(await runner.run(parse(event, root=settings.root)))

    def asked(self, cluster: str) -> list[str]:
        """Return method and path of every request that the function sent to a cluster, in order."""
        seen = list(self.clusters[cluster].requests)
        return [
            f"{one.method} {one.path}"
            for one in seen
            if one.headers.get("user-agent") == USER_AGENT
        ]

    def applies(self, cluster: str) -> list[str]:
        """Return the paths of the applies among these requests."""
        return [
            line.removeprefix("PATCH ") for line in self.asked(cluster) if line.startswith("PATCH ")
        ]


def kubeconfig(
    cluster: EmbeddedCluster,
    *,
    by: Literal["token", "certificate"] = "token",
    token: str = "",
    life: timedelta = LIFETIME,
    **changes: Any,
) -> dict[str, Any]:
    """Return a kubeconfig as an administrator stores it. `changes`: as in `add_stored`."""
    config = cluster.client_kubeconfig("pusher", (GROUP,), life=life)
    its = config["clusters"][0]["cluster"]
    user = config["users"][0]["user"]
    if by == "token":
        user.clear()
        user["token"] = token
    for name, value in changes.items():
        key = name if name == "tokenFile" else name.replace("_", "-")
        (its if key in CLUSTER_FIELDS else user)[key] = value
    for part in (its, user):
        for key in [key for key, value in part.items() if value is None]:
            del part[key]
    return dict(config)


@contextlib.contextmanager
def world(environ: dict[str, str]) -> Iterator[World]:
    """Yield a world; `environ` receives the function's environment.

    It has no queue, until a test sets RETRY_QUEUE_URL to the one that exists.
    """
    with LocalAws(ACCOUNT) as aws, contextlib.ExitStack() as stack:
        aws.put_role(EXECUTION_ROLE)
        aws.put_role(
            SPOKE_ROLE,
            external_id="an-external-id",
            trusted=EXECUTION_ROLE,
            session_name="ecr-public-pusher-sign-in",
        )
        credential = aws.credentials_for(EXECUTION_ROLE, "function")
        queue = aws.put_queue("retries")
        environ |= {
            "AWS_ACCESS_KEY_ID": credential.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credential.secret_access_key,
            "AWS_SESSION_TOKEN": credential.session_token or "",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "CONFIG_PATH": ROOT,
            "STACK_NAME": STACK.name,
            "EXECUTION_ROLE_ARN": EXECUTION_ROLE,
            "ALLOWED_ACCOUNTS": f"{ACCOUNT},{SPOKE_ACCOUNT}",
        }
        made = World(aws, environ, queue)
        try:
            yield made
        finally:
            for cluster in made.clusters.values():
                stack.callback(cluster.close)


@contextlib.contextmanager
def world_of_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Return a world without parameters and clusters.

    The process's environment is the function's, and nothing of the person's.
    """
    environ: dict[str, str] = {}
    with world(environ) as made:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_STS", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        yield made
