"""The state of a cluster, read by its administrator past every proxy."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from infra.local.kube import Cluster
from tests.support.world import SECRET, STACK

ACCOUNT_NAME = "builder"
MANAGED = {"app.kubernetes.io/managed-by": "ecr-public-pusher"}
EXPIRES_AT = "ecr-public-pusher/expires-at"
OWNER = "ecr-public-pusher/owner"


@dataclass(frozen=True)
class Seen:
    """A Secret. `version`: uid and resourceVersion, which differ after any change."""

    version: tuple[str, str]
    kind: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ours(self) -> bool:
        return self.labels.items() >= MANAGED.items()

    @property
    def expires_at(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.annotations[EXPIRES_AT])
        except (KeyError, ValueError):
            return None

    @property
    def credentials(self) -> dict[str, str]:
        """Return the credential by host. Raise ValueError or KeyError for a broken Secret."""
        (key,) = self.data
        auths = json.loads(base64.b64decode(self.data[key], validate=True))["auths"]
        if key != ".dockerconfigjson" or not auths:
            raise ValueError
        return {host: str(entry["auth"]) for host, entry in auths.items()}

    def flaw(self, document: str, tokens: frozenset[str]) -> str | None:
        """Return what is wrong with it as our Secret of that document; `tokens`: real ones."""
        try:
            unknown = set(self.credentials.values()) - tokens
        except (ValueError, KeyError, TypeError, AttributeError):
            return "holds no docker config"
        if unknown:
            return "holds a token that no registry gave"
        if self.kind != "kubernetes.io/dockerconfigjson":
            return f"has the type {self.kind}"
        if self.annotations.get(OWNER) != STACK.owner(document):
            return f"has the owner {self.annotations.get(OWNER)}"
        return None if self.expires_at else "does not say when it expires"


@dataclass(frozen=True)
class State:
    """All Secrets of a cluster but those of the system, and the accounts' imagePullSecrets."""

    secrets: Mapping[tuple[str, str], Seen]
    accounts: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, cluster: Cluster) -> Self:
        return cls(
            {
                key: Seen(
                    (one["metadata"]["uid"], one["metadata"]["resourceVersion"]),
                    one.get("type", ""),
                    one["metadata"].get("labels") or {},
                    one["metadata"].get("annotations") or {},
                    one.get("data") or {},
                )
                for key, one in listed(cluster, "secrets").items()
            },
            {
                key: tuple(entry["name"] for entry in one.get("imagePullSecrets") or ())
                for key, one in listed(cluster, "serviceaccounts").items()
                if key[1] == ACCOUNT_NAME
            },
        )

    def ours_in(self, namespace: str) -> Seen | None:
        """Return what bears our Secret's name there, whoever wrote it."""
        return self.secrets.get((namespace, SECRET))


def listed(cluster: Cluster, kind: str) -> dict[tuple[str, str], dict[str, Any]]:
    status, found = cluster.admin("GET", f"/api/v1/{kind}")
    assert status == 200, (cluster.name, status)
    return {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in found["items"]}
