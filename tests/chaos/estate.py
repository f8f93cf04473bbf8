"""The clusters that all rounds use, and what each round finds in them."""

import base64
import contextlib
import json
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from infra.local.kube import Cluster
from tests.chaos.cluster_faults import Place
from tests.chaos.observed import (
    ACCOUNT_NAME,
    EXPIRES_AT,
    MANAGED,
    OWNER,
    listed,
)
from tests.support.world import (
    ACCOUNT,
    EXECUTION_ROLE,
    SECRET,
    SPOKE_ACCOUNT,
    SPOKE_ROLE,
    STACK,
    World,
    world,
)

SELECTED = tuple(f"team-{number}" for number in range(5))
DROPPED = "other-0"  # no document selects it
REGISTRY_ACCOUNT = "777788889999"
PULL_ROLE = f"arn:aws:iam::{REGISTRY_ACCOUNT}:role/ecr-public-pusher-pull"
RULES = ("cluster.yaml", "prune.yaml", "service-accounts.yaml")
# A quarter of a token's life: a sweep renews it.
ENDING_HOURS = 3.0
KINDS = ("plain-0", "spoke", "edge", "private", "plain-1")
BY_EKS = ("plain-0", "spoke", "private", "plain-1")
USES: dict[str, tuple[tuple[str, str], ...]] = {
    "spoke": (("sts", "AssumeRole"),),
    "private": (("sts", "AssumeRole"), ("ecr", "GetAuthorizationToken")),
    "edge": (("sts", "GetWebIdentityToken"),),
}

type Content = Literal["nothing", "fresh", "ending", "foreign"]


@dataclass(frozen=True)
class Furnished:
    """A cluster as a round begins: its document's options, and what is in each namespace."""

    cluster: str
    prune: bool
    accounts: bool
    names: bool
    contents: dict[str, Content]

    @classmethod
    def draw(cls, cluster: str, rng: random.Random) -> "Furnished":
        likely: list[Content] = ["nothing", "fresh", "fresh", "ending", "foreign"]
        contents: dict[str, Content] = {name: rng.choice(likely) for name in SELECTED}
        contents[DROPPED] = rng.choice(("nothing", "nothing", "fresh", "foreign"))
        return cls(cluster, rng.random() < 0.3, rng.random() < 0.3, rng.random() < 0.3, contents)

    def document(self, place: Place) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "namespaces": list(SELECTED) if self.names else ["team-*"],
            "prune": self.prune,
            "serviceAccounts": [ACCOUNT_NAME] if self.accounts else [],
        }
        if self.cluster == "spoke":
            fields |= {"roleArn": SPOKE_ROLE, "externalId": "an-external-id"}
        if self.cluster == "private":
            fields["registries"] = [
                "public",
                {"account": REGISTRY_ACCOUNT, "region": "eu-west-1", "roleArn": PULL_ROLE},
            ]
        if self.cluster == "edge":
            fields |= {
                "endpoint": place.described.endpoint,
                "certificateAuthority": place.described.ca_pem,
                "signIn": {"type": "webIdentity"},
            }
        return fields


@dataclass
class Estate:
    """A world whose clusters stay, while their content is made anew for each round."""

    world: World
    clusters: dict[str, Cluster] = field(default_factory=dict)
    seeded: list[str] = field(default_factory=list)

    def start(self, kinds: tuple[str, ...], *, embedded: bool) -> None:
        for kind in kinds:
            if kind == "edge":
                made = self.world.add_elsewhere(
                    kind, document="namespaces: [x]", namespaces=(), embedded=embedded
                )
            else:
                made = self.world.add_cluster(
                    kind,
                    principal=SPOKE_ROLE if kind == "spoke" else EXECUTION_ROLE,
                    account=SPOKE_ACCOUNT if kind == "spoke" else ACCOUNT,
                    embedded=embedded,
                )
            self.clusters[kind] = made
            for rules in RULES:
                self.world.apply(kind, rules)
            for namespace in (*SELECTED, DROPPED):
                self.world.add_namespace(kind, namespace)
                self._put(
                    kind,
                    "serviceaccounts",
                    namespace,
                    {"metadata": {"name": ACCOUNT_NAME}, "imagePullSecrets": [{"name": "others"}]},
                )
            self._put(
                kind, "secrets", SELECTED[0], {"metadata": {"name": "others"}, "type": "Opaque"}
            )

    def furnish(self, furnished: Furnished) -> None:
        """Make a cluster's content anew."""
        cluster = self.clusters[furnished.cluster]
        for (namespace, name), _ in listed(cluster, "secrets").items():
            if name == SECRET:
                cluster.admin("DELETE", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        for (namespace, name), account in listed(cluster, "serviceaccounts").items():
            if name == ACCOUNT_NAME and account["imagePullSecrets"] != [{"name": "others"}]:
                account["imagePullSecrets"] = [{"name": "others"}]
                account["metadata"].pop("annotations", None)
                account["metadata"].pop("managedFields", None)
                path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
                assert cluster.admin("PUT", path, account)[0] == 200
        for namespace, content in furnished.contents.items():
            if content == "foreign":
                self.world.foreign_secret(furnished.cluster, namespace)
            elif content != "nothing":
                hours = 10.0 if content == "fresh" else ENDING_HOURS
                self._ours(furnished.cluster, namespace, hours)

    def describe(self, furnished: Furnished, place: Place) -> None:
        """Have EKS and the document say where the cluster is."""
        name = furnished.cluster
        if name in BY_EKS:
            account = SPOKE_ACCOUNT if name == "spoke" else ACCOUNT
            self.world.aws.put_cluster(account, "us-east-1", place.described)
        self.world.document(name, json.dumps(furnished.document(place)))

    def issued(self) -> list[str]:
        """Return every credential that a registry has handed out."""
        private = self.world.aws.ecr_private.issued.values()
        return [*self.world.aws.ecr_public.issued, *(one for some in private for one in some)]

    def _ours(self, cluster: str, namespace: str, hours_left: float) -> None:
        """Write our Secret as it was written by an earlier run."""
        token = base64.b64encode(f"AWS:{secrets.token_urlsafe(48)}".encode()).decode()
        self.seeded.append(token)
        auths = {host: {"auth": token} for host in ("public.ecr.aws", "ecr-public.aws.com")}
        config = json.dumps({"auths": auths})
        ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours_left)
        stamps = {EXPIRES_AT: ends, "ecr-public-pusher/pushed-at": ends - timedelta(hours=12)}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": SECRET,
                "labels": MANAGED,
                "annotations": {
                    **{name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in stamps.items()},
                    OWNER: STACK.owner(cluster),
                },
            },
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": base64.b64encode(config.encode()).decode()},
            "stringData": {".dockerconfigjson": config},
        }
        query = urlencode({"fieldManager": STACK.field_manager})
        status, answer = self.clusters[cluster].admin(
            "PATCH",
            f"/api/v1/namespaces/{namespace}/secrets/{SECRET}?{query}",
            body,
            content_type="application/apply-patch+yaml",
        )
        assert status == 201, answer

    def _put(self, cluster: str, kind: str, namespace: str, body: dict[str, Any]) -> None:
        status, answer = self.clusters[cluster].admin(
            "POST",
            f"/api/v1/namespaces/{namespace}/{kind}",
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount" if kind == "serviceaccounts" else "Secret",
                **body,
            },
        )
        assert status == 201, answer


@contextlib.contextmanager
def estate(kinds: tuple[str, ...] = KINDS, *, embedded: bool = False) -> Iterator[Estate]:
    """Yield an estate of these clusters. `embedded`: whatever KUBEBUILDER_ASSETS says."""
    environ: dict[str, str] = {}
    with world(environ) as made:
        environ |= {
            "ALLOWED_ENDPOINTS": "127.0.0.1",
            "ALLOWED_ACCOUNTS": f"{environ['ALLOWED_ACCOUNTS']},{REGISTRY_ACCOUNT}",
            "RETRY_QUEUE_URL": made.queue.url,
        }
        made.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
        made.aws.web_identity.enabled = True
        started = Estate(made)
        started.start(kinds, embedded=embedded)
        yield started
