"""One cluster, and the changes that people and other tools make to it."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from ...aws import DEFAULT_ACCOUNT
from ...stack import (
    CONFIG_PATH,
    EXECUTION_ROLE,
    FOREIGN_MANAGER,
    REGION,
    SECRET_NAME,
    SECRET_TYPE,
    LocalStack,
    ask,
)

CLUSTER = "prod"
# In the order in which a person would apply them.
RBAC_FILES = ("cluster.yaml", "service-accounts.yaml", "prune.yaml")
ARGO_CD = "argocd"  # the namespace in infra/rbac/argocd.yaml
CHARTS = "ecr-charts"  # the Secret's name there
THEIRS = "regcred"  # an entry of somebody else's in the accounts' imagePullSecrets
FOREIGN_DATA = {".dockerconfigjson": "eyJhdXRocyI6e319"}  # {"auths":{}}

DOCUMENT: Mapping[str, Any] = {
    "namespaces": ["payments", "team-*"],
    "serviceAccounts": ["default"],
    "prune": True,
}


class LifeStack(LocalStack):
    """One cluster, without RBAC and without a document yet.

    `root`: the project's folder, for the RBAC files.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root
        try:
            self.cluster = self.add_cluster(
                CLUSTER, region=REGION, account=DEFAULT_ACCOUNT, role=EXECUTION_ROLE
            )
            for name in ("payments", "team-a"):
                self.add_namespace(name)
        except BaseException:
            self.close()
            raise

    def grant(self, file: str) -> None:
        """Apply infra/rbac/`file`, as by `kubectl apply -f`."""
        self.cluster.apply(*yaml.safe_load_all((self._root / "infra" / "rbac" / file).read_text()))

    def configure(self, **changed: Any) -> dict[str, Any]:
        """Write the document; return the change event that EventBridge sends for it."""
        document = {**DOCUMENT, **changed}
        name = f"{CONFIG_PATH}/clusters/{CLUSTER}"
        self.write(f"clusters/{CLUSTER}", document)
        detail = {"operation": "Update", "name": name, "type": "String", "description": ""}
        return {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}

    def add_namespace(self, name: str) -> None:
        """Add a namespace with its default account, which has an imagePullSecret already."""
        ask(
            self.cluster,
            "POST",
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        )
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default"},
            "imagePullSecrets": [{"name": THEIRS}],
        }
        ask(self.cluster, "POST", f"/api/v1/namespaces/{name}/serviceaccounts", account)

    def write_foreign_secret(self, namespace: str) -> None:
        """Write another tool's credential into the Secret, new or over the old."""
        path = f"/api/v1/namespaces/{namespace}/secrets"
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET_NAME},
            "type": SECRET_TYPE,
            "data": FOREIGN_DATA,
        }
        status, _ = self.cluster.admin("GET", f"{path}/{SECRET_NAME}")
        if status == 200:
            ask(self.cluster, "PUT", f"{path}/{SECRET_NAME}?fieldManager={FOREIGN_MANAGER}", body)
        else:
            ask(self.cluster, "POST", f"{path}?fieldManager={FOREIGN_MANAGER}", body)

    def delete_secret(self, namespace: str) -> None:
        """Delete the Secret, as by `kubectl delete secret ecr-public-token`."""
        ask(self.cluster, "DELETE", _secret(namespace))

    def reset_account(self, namespace: str) -> None:
        """Replace the default account's imagePullSecrets, as a deployment tool does."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        _, account = self.cluster.admin("GET", path)
        ask(self.cluster, "PUT", path, {**account, "imagePullSecrets": [{"name": THEIRS}]})

    def pass_time(self, namespace: str, *, hours_left: int) -> None:
        """Rewrite the Secret's times as if its last push were hours ago.

        The apply is the function's own, so that its field manager stays.
        """
        _, secret = self.cluster.admin("GET", _secret(namespace))
        metadata = secret["metadata"]
        data = secret["data"]
        ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours_left)
        moments = {"expires-at": ends, "pushed-at": ends - timedelta(hours=12)}
        stamps = {f"ecr-public-pusher/{name}": at.isoformat() for name, at in moments.items()}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": SECRET_NAME,
                "labels": metadata["labels"],
                "annotations": metadata["annotations"] | stamps,
            },
            "type": secret["type"],
            "data": data,
            "stringData": {key: base64.b64decode(value).decode() for key, value in data.items()},
        }
        manager = next(
            entry["manager"] for entry in metadata["managedFields"] if "f:data" in entry["fieldsV1"]
        )
        asked = urlencode({"fieldManager": manager, "force": "true"})
        ask(
            self.cluster,
            "PATCH",
            f"{_secret(namespace)}?{asked}",
            body,
            content_type="application/apply-patch+yaml",
        )

    def namespaces(self) -> dict[str, str]:
        """Return each namespace's state: the owner of its Secret, and its imagePullSecrets."""
        _, listed = self.cluster.admin("GET", "/api/v1/namespaces")
        names = [item["metadata"]["name"] for item in listed["items"]]
        return {
            name: self._state(name)
            for name in names
            if name in ("payments", ARGO_CD) or name.startswith(("team-", "legacy"))
        }

    def _state(self, namespace: str) -> str:
        if namespace == ARGO_CD:
            return self._repository()
        status, secret = self.cluster.admin("GET", _secret(namespace))
        whose = (
            "none" if status == 404 else "theirs" if secret.get("data") == FOREIGN_DATA else "ours"
        )
        _, account = self.cluster.admin(
            "GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        )
        pulls = " ".join(entry["name"] for entry in account.get("imagePullSecrets", []))
        return f"{whose}, default pulls with {pulls or 'nothing'}"

    def _repository(self) -> str:
        """Return what Argo CD reads of its repository: type, URL, user."""
        status, secret = self.cluster.admin("GET", f"/api/v1/namespaces/{ARGO_CD}/secrets/{CHARTS}")
        if status == 404:
            return "no repository"
        read = (
            base64.b64decode(secret["data"][key]).decode() for key in ("type", "url", "username")
        )
        label = secret["metadata"]["labels"]["argocd.argoproj.io/secret-type"]
        return f"{label} {CHARTS}: {', '.join(read)}"


def _secret(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{SECRET_NAME}"
