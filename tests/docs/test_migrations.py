"""docs/migration-from-other-tools.md: its documents and commands, in its order.

The Secrets are as each tool writes them, read from its source: field manager, operation, marks and
content. What a tool does on its own (renew, delete what is no longer wanted) is restated here from
the same source.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from infra.local.kube.kinds import Object
from tests.docs.conftest import Shell
from tests.docs.documents import ROOT, Block, blocks
from tests.support.world import EXECUTION_ROLE, SPOKE_ACCOUNT, World, manifests

PAGE = ROOT / "docs/migration-from-other-tools.md"
CLUSTER = "my-cluster"
PULL_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-pull"
# The content of every tool's Secret: ECR's entry, and another that a takeover loses.
LOST = "registry.example.com"
JSON_PATCH = "application/json-patch+json"
SOURCE = ("infra", "ecr-pull")


def config(token: str) -> str:
    """Return a tool's docker config with this token, as a Secret's data have it."""
    host = f"{SPOKE_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
    text = json.dumps({"auths": {host: {"auth": token}, LOST: {"auth": "other"}}})
    return base64.b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Cluster:
    """The cluster with the objects of one tool, whose Secrets have this name."""

    world: World
    name: str

    def send(
        self,
        method: str,
        namespace: str,
        body: Any = None,
        *,
        manager: str,
        content_type: str = "application/json",
    ) -> int:
        """Send a request on the Secret in a namespace; return the status."""
        path = f"/api/v1/namespaces/{namespace}/secrets"
        if method != "POST":
            path += f"/{self.name}"
        query = f"?fieldManager={quote(manager, safe='')}"
        status, answer = self.world.clusters[CLUSTER].admin(
            method, path + query, body, content_type=content_type
        )
        assert status < 300 or status in (409, 422), answer
        return status

    def create(
        self, namespace: str, *, manager: str, token: str = "first", **metadata: Any
    ) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self.name, **metadata},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": config(token)},
        }
        assert self.send("POST", namespace, body, manager=manager) == 201

    def get(self, namespace: str) -> Object:
        found = self.world.secret(CLUSTER, namespace, self.name)
        assert found is not None, f"{namespace} has no Secret"
        return found

    def annotations(self, namespace: str) -> dict[str, str]:
        return dict(self.get(namespace)["metadata"].get("annotations") or {})

    def put(
        self, namespace: str, change: Callable[[Object], None] = lambda _: None, *, manager: str
    ) -> None:
        """Write the Secret as it was read, with other data and a change."""
        found = self.get(namespace)
        found["data"] = {".dockerconfigjson": config("renewed")}
        change(found)
        assert self.send("PUT", namespace, found, manager=manager) == 200

    def delete(self, namespace: str) -> None:
        self.send("DELETE", namespace, manager="tool")

    def holder(self, namespace: str) -> str:
        """Return who has written the live token in the Secret: `tool` or `function`."""
        secret = self.get(namespace)
        auths = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
        if LOST in auths:
            return "tool"
        ends = secret["metadata"]["annotations"]["ecr-public-pusher/expires-at"]
        assert datetime.fromisoformat(ends) > datetime.now(UTC)
        issued = {
            *self.world.aws.ecr_public.issued,
            *(one for tokens in self.world.aws.ecr_private.issued.values() for one in tokens),
        }
        assert {entry["auth"] for entry in auths.values()} <= issued
        return "function"


class ExternalSecrets:
    """external_secrets_controller.go: createSecret, updateSecret, cleanupManagedSecrets."""

    title = "External Secrets"
    namespaces = ("shop", "web")
    manager = "externalsecrets.external-secrets.io/ecr-secret"
    deletes = True
    _label = "reconcile.external-secrets.io/created-by"

    def _marks(self, namespace: str) -> dict[str, Any]:
        return {
            "labels": {
                self._label: f"hash-of-{namespace}",
                "reconcile.external-secrets.io/managed": "true",
            },
            "annotations": {"reconcile.external-secrets.io/data-hash": "hash"},
            "ownerReferences": [
                {
                    "apiVersion": "external-secrets.io/v1",
                    "kind": "ExternalSecret",
                    "name": "ecr-secret",
                    "uid": "8d2bcb1f-5f0c-4a4d-9b75-0d6a4d1c6f55",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        }

    def write(self, cluster: Cluster) -> None:
        for namespace in self.namespaces:
            cluster.create(namespace, manager=self.manager, **self._marks(namespace))

    def renew(self, cluster: Cluster, namespace: str) -> None:
        def mark(secret: Object) -> None:
            for name, value in self._marks(namespace).items():
                its = secret["metadata"]
                its[name] = its.get(name, {}) | value if isinstance(value, dict) else value

        cluster.put(namespace, mark, manager=self.manager)

    def is_removed(self, cluster: Cluster) -> None:
        """Delete what it owns, and what its label says it once created under another name."""
        for namespace in self.namespaces:
            metadata = cluster.get(namespace)["metadata"]
            if "ownerReferences" in metadata or self._label in metadata["labels"]:
                cluster.delete(namespace)


class Reflector:
    """ResourceMirror.cs: ResourceReflect and HandleUpsert.

    Its client sends no User-Agent, so the API server calls it `unknown`.
    """

    title = "reflector"
    namespaces = ("infra", "shop", "web")
    manager = "unknown"
    deletes = True
    _prefix = "reflector.v1.k8s.emberstack.com"

    def _marks(self, cluster: Cluster) -> dict[str, str]:
        return {
            f"{self._prefix}/auto-reflects": "True",
            f"{self._prefix}/reflects": "/".join(SOURCE),
            f"{self._prefix}/reflected-version": cluster.get("infra")["metadata"][
                "resourceVersion"
            ],
            f"{self._prefix}/reflected-at": "2026-11-30T10:00:00.0000000+00:00",
        }

    def write(self, cluster: Cluster) -> None:
        allowed = {
            f"{self._prefix}/reflection-allowed": "true",
            f"{self._prefix}/reflection-auto-enabled": "true",
            f"{self._prefix}/reflection-auto-namespaces": "shop,web",
        }
        cluster.create("infra", manager="kubectl-create", annotations=allowed)
        for namespace in ("shop", "web"):
            cluster.create(namespace, manager=self.manager, annotations=self._marks(cluster))

    def renew(self, cluster: Cluster, namespace: str) -> None:
        if namespace == "infra":
            cluster.put(namespace, manager="kubectl-create")
            return
        operations = [
            {
                "op": "replace",
                "path": "/metadata/annotations",
                "value": cluster.annotations(namespace) | self._marks(cluster),
            },
            {"op": "replace", "path": "/data", "value": {".dockerconfigjson": config("renewed")}},
        ]
        status = cluster.send(
            "PATCH", namespace, operations, manager=self.manager, content_type=JSON_PATCH
        )
        assert status == 200

    def is_removed(self, cluster: Cluster) -> None:
        """Start again: delete copies whose source does not allow them, copy what is allowed."""
        allowed = f"{self._prefix}/reflection-allowed" in cluster.annotations("infra")
        for namespace in ("shop", "web"):
            its = cluster.annotations(namespace)
            copy = its.get(f"{self._prefix}/reflects") == "/".join(SOURCE)
            if copy and not allowed and its.get(f"{self._prefix}/auto-reflects") == "True":
                cluster.delete(namespace)
            elif allowed:
                self.renew(cluster, namespace)


class Replicator:
    """secrets.go: ReplicateObjectTo, ReplicateDataFrom and DeleteReplicatedResource."""

    title = "kubernetes-replicator"
    namespaces = ("infra", "shop", "web")
    manager = "replicator"
    deletes = True
    _prefix = "replicator.v1.mittwald.de"

    def _marks(self, cluster: Cluster) -> dict[str, str]:
        return {
            f"{self._prefix}/replicated-at": "2026-11-30T10:00:00Z",
            f"{self._prefix}/replicated-from-version": cluster.get("infra")["metadata"][
                "resourceVersion"
            ],
            f"{self._prefix}/replicated-keys": ".dockerconfigjson",
        }

    def write(self, cluster: Cluster) -> None:
        to = {
            f"{self._prefix}/replicate-to": "shop",
            f"{self._prefix}/replication-allowed": "true",
            f"{self._prefix}/replication-allowed-namespaces": "web",
        }
        cluster.create("infra", manager="kubectl-create", annotations=to)
        cluster.create("shop", manager=self.manager, annotations=self._marks(cluster))
        asks = {f"{self._prefix}/replicate-from": "/".join(SOURCE)}
        cluster.create("web", manager="kubectl-create", annotations=asks)
        self.renew(cluster, "web")

    def renew(self, cluster: Cluster, namespace: str) -> None:
        if namespace == "infra":
            cluster.put(namespace, manager="kubectl-create")
            return

        def mark(secret: Object) -> None:
            secret["metadata"]["annotations"] |= self._marks(cluster)

        cluster.put(namespace, mark, manager=self.manager)

    def is_removed(self, cluster: Cluster) -> None:
        """Start again with `--allow-all`, and see the source of copies deleted."""
        if f"{self._prefix}/replicate-from" in cluster.annotations("web"):
            self.renew(cluster, "web")
        for namespace in ("shop", "web"):
            secret = cluster.get(namespace)
            keys = cluster.annotations(namespace).get(f"{self._prefix}/replicated-keys", "")
            if ",".join(secret["data"]) == keys:
                cluster.delete(namespace)


class LoginRenew:
    """kubernetes.go: UpdatePassword, with the right to update and (deploy.yaml) without it."""

    title = "k8s-ecr-login-renew"
    namespaces = ("default", "team-a")
    manager = "k8s-ecr-login-renew"
    deletes = False

    def write(self, cluster: Cluster) -> None:
        for namespace in self.namespaces:
            cluster.create(namespace, manager=self.manager)

    def renew(self, cluster: Cluster, namespace: str) -> None:
        if namespace == "default":
            cluster.put(namespace, manager=self.manager)
        else:
            cluster.delete(namespace)
            cluster.create(namespace, manager=self.manager, token="renewed")

    def is_removed(self, cluster: Cluster) -> None:
        """Leave everything: nothing deletes its Secrets."""


class RegistryCreds:
    """main.go: processNamespace and generateSecretObj."""

    title = "registry-creds"
    namespaces = ("default", "shop")
    manager = "registry-creds"
    deletes = False

    def write(self, cluster: Cluster) -> None:
        for namespace in self.namespaces:
            cluster.create(namespace, manager=self.manager)
            account = {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "default"},
                "imagePullSecrets": [{"name": cluster.name}],
            }
            path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
            status, answer = cluster.world.clusters[CLUSTER].admin(
                "POST", f"{path}?fieldManager={self.manager}", account
            )
            if status == 409:
                status, answer = cluster.world.clusters[CLUSTER].admin(
                    "PUT", f"{path}/default?fieldManager={self.manager}", account
                )
            assert status in (200, 201), answer

    def renew(self, cluster: Cluster, namespace: str) -> None:
        """Replace the whole, whatever version is there."""

        def bare(secret: Object) -> None:
            secret["metadata"] = {"name": cluster.name}

        cluster.put(namespace, bare, manager=self.manager)

    def is_removed(self, cluster: Cluster) -> None:
        """Leave everything: nothing deletes its Secrets."""


type Tool = ExternalSecrets | Reflector | Replicator | LoginRenew | RegistryCreds
TOOLS: tuple[Tool, ...] = (
    ExternalSecrets(),
    Reflector(),
    Replicator(),
    LoginRenew(),
    RegistryCreds(),
)
OF_EACH = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.title)


def section(title: str) -> list[Block]:
    """Return the blocks of one section of the page."""
    lines = PAGE.read_text().splitlines()
    headings = [number for number, line in enumerate(lines, 1) if line.startswith("## ")]
    begin = lines.index(f"## {title}") + 1
    end = next((number for number in headings if number > begin), len(lines))
    found = [block for block in blocks() if block.document == PAGE]
    return [block for block in found if begin < block.line <= end]


def document(tool: Tool, *, takes: bool) -> str:
    """Return the tool's document, with the line that step 4 adds or without."""
    (own,) = [block for block in section(tool.title) if block.language == "yaml"]
    (line,) = [block for block in section("The order") if block.language == "yaml"]
    return own.text + (line.text if takes else "")


@pytest.fixture
def moving(shell: Shell, tool: Tool) -> tuple[Shell, Cluster]:
    """Return a cluster in which the tool keeps its Secrets, and the function has its rights."""
    world = shell.world
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    name = str(yaml.safe_load(document(tool, takes=False))["secretName"])
    made = world.add_cluster(CLUSTER, region="eu-west-1", rbac=None, embedded=True)
    for namespace in tool.namespaces:
        if namespace != "default":
            world.add_namespace(CLUSTER, namespace)
    for file in ("cluster.yaml", "service-accounts.yaml"):
        text = json.dumps(manifests(file)).replace("ecr-public-token", name)
        made.apply(*json.loads(text))
    cluster = Cluster(world, name)
    tool.write(cluster)
    shell.knows(CLUSTER)
    return shell, cluster


def push(world: World, event: dict[str, Any] | None = None) -> dict[str, Any]:
    return dict(world.invoke(event)["clusters"][0])


def managers(tool: Tool) -> dict[str, str]:
    """Return the manager of the Secret in each namespace."""
    return {
        namespace: "kubectl-create" if namespace == "infra" else tool.manager
        for namespace in tool.namespaces
    }


def stop(shell: Shell, tool: Tool) -> None:
    """Run the section's commands on Secrets; a local cluster has no workloads."""
    for block in section(tool.title):
        if re.match(r"kubectl --context my-cluster annotate secret", block.text):
            shell.run(block)


@OF_EACH
def test_before_the_takeover_each_secret_is_a_conflict_that_names_its_manager(
    tool: Tool, moving: tuple[Shell, Cluster]
) -> None:
    shell, cluster = moving
    before = {name: cluster.get(name) for name in tool.namespaces}
    shell.world.document(CLUSTER, document(tool, takes=False))
    problems = {one["namespace"]: one for one in push(shell.world)["problems"]}
    assert {
        name: (problems[name]["outcome"], problems[name]["message"].split(" by ")[1])
        for name in tool.namespaces
    } == {name: ("conflict", manager) for name, manager in managers(tool).items()}
    assert {name: cluster.get(name) for name in tool.namespaces} == before


@OF_EACH
def test_a_plan_says_what_is_taken_and_that_its_content_is_replaced(
    tool: Tool, moving: tuple[Shell, Cluster]
) -> None:
    shell, cluster = moving
    shell.world.document(CLUSTER, document(tool, takes=True))
    plan = push(shell.world, {"action": "plan"})
    assert {one["namespace"]: one["from"] for one in plan["adopted"]} == {
        name: [manager] for name, manager in managers(tool).items()
    }
    assert plan["replaced"] == len(tool.namespaces)
    assert {cluster.holder(name) for name in tool.namespaces} == {"tool"}


@OF_EACH
def test_in_the_pages_order_every_namespace_has_a_live_token_at_each_step(
    tool: Tool, moving: tuple[Shell, Cluster]
) -> None:
    shell, cluster = moving
    uids = {name: cluster.get(name)["metadata"]["uid"] for name in tool.namespaces}

    def holders() -> set[str]:
        assert {name: cluster.get(name)["metadata"]["uid"] for name in tool.namespaces} == uids
        return {cluster.holder(name) for name in tool.namespaces}

    shell.world.document(CLUSTER, document(tool, takes=False))
    push(shell.world)
    assert holders() == {"tool"}
    stop(shell, tool)
    assert holders() == {"tool"}
    shell.world.document(CLUSTER, document(tool, takes=True))
    taken = push(shell.world)
    assert (taken["ok"], taken["counts"]["adopted"]) == (True, len(tool.namespaces))
    assert holders() == {"function"}
    assert push(shell.world)["counts"]["updated"] >= len(tool.namespaces)
    tool.is_removed(cluster)
    assert holders() == {"function"}
    shell.world.document(CLUSTER, document(tool, takes=False))
    last = push(shell.world)
    assert (last["ok"], "adopted" in last) == (True, False)
    assert holders() == {"function"}


@pytest.mark.parametrize(
    "tool", [tool for tool in TOOLS if tool.deletes], ids=lambda tool: tool.title
)
def test_removed_before_the_takeover_the_tool_would_delete_secrets(
    tool: Tool, moving: tuple[Shell, Cluster]
) -> None:
    """Show that the order matters, and that this file's tools act on their marks."""
    shell, cluster = moving
    stop(shell, tool)
    tool.is_removed(cluster)
    assert shell.world.secret(CLUSTER, "shop", cluster.name) is None


@OF_EACH
def test_a_tool_that_was_not_stopped_shows_at_each_push(
    tool: Tool, moving: tuple[Shell, Cluster]
) -> None:
    shell, cluster = moving
    shell.world.document(CLUSTER, document(tool, takes=True))
    push(shell.world)
    for _ in range(2):
        for name in tool.namespaces:
            tool.renew(cluster, name)
        report = push(shell.world)
        assert {one["namespace"]: one["from"] for one in report["adopted"]} == {
            name: [manager] for name, manager in managers(tool).items()
        }
        assert {cluster.holder(name) for name in tool.namespaces} == {"function"}
    shell.world.document(CLUSTER, document(tool, takes=False))
    for name in tool.namespaces:
        tool.renew(cluster, name)
    problems = push(shell.world)["problems"]
    assert {one["namespace"] for one in problems} == set(tool.namespaces)
    assert {one["outcome"] for one in problems} == {"conflict"}


@pytest.mark.parametrize("tool", [RegistryCreds()], ids=["registry-creds"])
def test_service_accounts_keep_the_entry_and_new_namespaces_get_it(
    tool: Tool, moving: tuple[Shell, Cluster]
) -> None:
    shell, cluster = moving
    shell.world.document(CLUSTER, document(tool, takes=True))
    shell.world.add_namespace(CLUSTER, "new")
    made = shell.world.clusters[CLUSTER]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    assert made.admin("POST", "/api/v1/namespaces/new/serviceaccounts", account)[0] in (201, 409)
    push(shell.world)
    for namespace in (*tool.namespaces, "new"):
        _, found = made.admin("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
        assert found["imagePullSecrets"] == [{"name": cluster.name}]
        ours = "ecr-public-pusher/added-image-pull-secrets" in (
            found["metadata"].get("annotations") or {}
        )
        assert ours is (namespace == "new")
