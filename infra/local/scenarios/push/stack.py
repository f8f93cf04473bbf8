"""Two clusters in two regions and accounts, a dozen namespaces, and the outcome expected in each.

They hold one of everything that a first look should show: names, globs, an exclusion, a label
selector, an assumed role with an external id, an encrypted parameter, an old and a new certificate
authority, another tool's Secret, and a terminating namespace.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml

from ...aws import DEFAULT_ACCOUNT
from ...kube import Cluster
from ...stack import (
    EXECUTION_ROLE,
    FOREIGN_MANAGER,
    RBAC_FILE,
    REGION,
    SECRET_NAME,
    SECRET_TYPE,
    LocalStack,
    ask,
)

EDGE_ACCOUNT = "444455556666"
SPOKE_ROLE = f"arn:aws:iam::{EDGE_ACCOUNT}:role/ecr-public-pusher-spoke"
EXTERNAL_ID = "edge-4f1c"


@dataclass(frozen=True)
class ExpectedNamespace:
    """A namespace, with the expected outcome of a first push and the reason for it.

    The outcome is None when the namespace is not selected.
    """

    name: str
    expected: str | None
    because: str
    labels: Mapping[str, str] = field(default_factory=dict)
    foreign_secret: bool = False
    terminating: bool = False

    @property
    def expected_again(self) -> str | None:
        """The expected outcome of the second push."""
        return "updated" if self.expected == "created" else self.expected


@dataclass(frozen=True)
class ExpectedCluster:
    """A cluster, with its document and namespaces.

    `name` is the document's id too; `role` is the role that signs in to it.
    """

    name: str
    region: str
    account: str
    role: str
    ca: Literal["modern", "legacy"]
    document: Mapping[str, Any]
    namespaces: tuple[ExpectedNamespace, ...]
    secure: bool = False


DEFAULTS: Mapping[str, Any] = {"labels": {"owner": "platform"}, "namespaces": ["payments"]}

PROD = ExpectedCluster(
    name="prod",
    region=REGION,
    account=DEFAULT_ACCOUNT,
    role=EXECUTION_ROLE,
    ca="modern",
    document={
        "namespaces": {"include": ["payments", "legacy", "team-*"], "exclude": ["team-sandbox"]}
    },
    namespaces=(
        ExpectedNamespace("payments", "created", "named"),
        ExpectedNamespace("team-a", "created", "team-*"),
        ExpectedNamespace("team-b", "created", "team-*"),
        ExpectedNamespace("team-old", "skipped", "team-*, but it is terminating", terminating=True),
        ExpectedNamespace("team-sandbox", None, "excluded"),
        ExpectedNamespace(
            "legacy", "conflict", "named; its Secret is somebody else's", foreign_secret=True
        ),
        ExpectedNamespace("monitoring", None, "not selected"),
    ),
)

EDGE = ExpectedCluster(
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
        ExpectedNamespace(
            "store-berlin", "created", "by its labels", {"ecr-public": "enabled", "stage": "live"}
        ),
        ExpectedNamespace(
            "store-paris", "created", "by its labels", {"ecr-public": "enabled", "stage": "live"}
        ),
        ExpectedNamespace(
            "store-lab", None, "stage=lab", {"ecr-public": "enabled", "stage": "lab"}
        ),
        ExpectedNamespace("ingest", "created", "by its labels", {"ecr-public": "enabled"}),
        ExpectedNamespace("batch", None, "no such label"),
    ),
    secure=True,
)

CLUSTERS = (PROD, EDGE)


class PushStack(LocalStack):
    """Both clusters with their contents.

    `root`: the project's folder, for the RBAC files.
    """

    parameters: ClassVar[Mapping[str, str]] = {"AllowedAccounts": EDGE_ACCOUNT}

    def __init__(self, root: Path) -> None:
        super().__init__()
        try:
            self._fill(root)
        except BaseException:
            self.close()
            raise

    def _fill(self, root: Path) -> None:
        self.aws.put_role(SPOKE_ROLE, external_id=EXTERNAL_ID, trusted=EXECUTION_ROLE)
        self.write("defaults", DEFAULTS)
        rbac = list(yaml.safe_load_all((root / RBAC_FILE).read_text()))
        for expected in CLUSTERS:
            cluster = self.add_cluster(
                expected.name,
                region=expected.region,
                account=expected.account,
                role=expected.role,
                ca=expected.ca,
            )
            cluster.apply(*rbac)
            _fill(cluster, expected.namespaces)
            self.write(f"clusters/{expected.name}", expected.document, secure=expected.secure)


def _fill(cluster: Cluster, namespaces: tuple[ExpectedNamespace, ...]) -> None:
    for namespace in namespaces:
        head = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace.name, "labels": dict(namespace.labels)},
        }
        # A finalizer that no controller removes keeps the namespace terminating.
        held = {"spec": {"finalizers": ["example.com/held"]}} if namespace.terminating else {}
        ask(cluster, "POST", "/api/v1/namespaces", head | held)
        if namespace.foreign_secret:
            ask(
                cluster,
                "POST",
                f"/api/v1/namespaces/{namespace.name}/secrets?fieldManager={FOREIGN_MANAGER}",
                _foreign_secret(),
            )
        if namespace.terminating:
            ask(cluster, "DELETE", f"/api/v1/namespaces/{namespace.name}")


def _foreign_secret() -> dict[str, Any]:
    """Return a Secret as `kubectl create secret docker-registry` makes it."""
    auth = base64.b64encode(b"AWS:somebody-elses").decode()
    config = base64.b64encode(
        json.dumps({"auths": {"public.ecr.aws": {"auth": auth}}}).encode()
    ).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET_NAME},
        "type": SECRET_TYPE,
        "data": {".dockerconfigjson": config},
    }
