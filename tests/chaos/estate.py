"""The clusters that all rounds use, and what each round finds in them."""

import base64
import contextlib
import json
import random
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ecr_public_pusher.invocation.settings import GOOGLE_ENDPOINTS
from infra.local.google import LocalGoogle, Provider
from infra.local.identity import AccessEntry
from infra.local.kube import Cluster, EmbeddedCluster, UserInfo, start_cluster
from infra.local.kube.certificates import Certificate, issue
from infra.local.stack import trusted_issuer
from tests.chaos.cluster_faults import RENEWED, Place
from tests.chaos.observed import (
    ACCOUNT_NAME,
    Seen,
    State,
    listed,
)
from tests.support.described import Described
from tests.support.google import PRINCIPAL, PROVIDER, user_subject
from tests.support.secrets import put_ours
from tests.support.world import (
    ACCOUNT,
    EXECUTION_ROLE,
    GROUP,
    ROOT,
    SECRET,
    SPOKE_ACCOUNT,
    SPOKE_ROLE,
    World,
    manifests,
    world,
)

SELECTED = tuple(f"team-{number}" for number in range(5))
DROPPED = "other-0"  # no document selects it
REGION = "us-east-1"
REGISTRY_ACCOUNT = "777788889999"
PULL_ROLE = f"arn:aws:iam::{REGISTRY_ACCOUNT}:role/ecr-public-pusher-pull"
RULES = ("cluster.yaml", "prune.yaml", "service-accounts.yaml")
# A quarter of a token's life: a sweep renews it.
ENDING_HOURS = 3.0
CLUSTERS = tuple(f"cluster-{number}" for number in range(5))
# Parameter Store hands out ten at a time, so with so many more there is a second page.
IDLE = tuple(f"idle-{number}" for number in range(10))
# How a cluster is known and signed in to. Each round draws one for each cluster.
KINDS = ("plain", "spoke", "private", "found", "edge", "stored", "authenticator", "google")
BY_EKS = ("plain", "spoke", "private", "found")
# The calls that a push to a cluster of that kind makes, beside those that all make.
USES: dict[str, tuple[tuple[str, str], ...]] = {
    "plain": (("eks", "DescribeCluster"),),
    "spoke": (("sts", "AssumeRole"), ("eks", "DescribeCluster")),
    "private": (
        ("sts", "AssumeRole"),
        ("ecr", "GetAuthorizationToken"),
        ("eks", "DescribeCluster"),
    ),
    "found": (("eks", "ListClusters"), ("eks", "DescribeCluster")),
    "edge": (("sts", "GetWebIdentityToken"),),
    "stored": (("secretsmanager", "GetSecretValue"),),
    # Its clusterId must not be the name of a cluster that a discovery finds.
    "authenticator": (("eks", "ListClusters"), ("eks", "DescribeCluster")),
    "google": (("sts", "GetWebIdentityToken"),),
}

type Content = Literal["nothing", "fresh", "ending", "foreign"]


def id_of(cluster: str, kind: str) -> str:
    """Return the id of a cluster's document, or that which a discovery gives it."""
    return f"fleet-{cluster}/{REGION}/{cluster}" if kind == "found" else cluster


def name_of(document_id: str) -> str:
    """Return the name of the cluster with that id."""
    return document_id.rpartition("/")[2]


def stand_ins(document_id: str) -> tuple[str, ...]:
    """Return the ids under which a failed discovery reports that cluster."""
    discovery, slash, _ = document_id.partition("/")
    return (f"{discovery}/*", f"{discovery}/{REGION}/*") if slash else ()


@dataclass(frozen=True)
class Furnished:
    """A cluster as a round begins: its document's options, and what is in each namespace.

    `cluster`: its document's id. `takes`: it takes over Secrets of others. `page`: the most objects
    that its API server puts in a page. `secure`: its document is a SecureString.
    """

    cluster: str
    prune: bool
    accounts: bool
    names: bool
    contents: dict[str, Content]
    kind: str = "plain"
    takes: bool = False
    page: int | None = None
    secure: bool = False

    @classmethod
    def draw(cls, cluster: str, kind: str, rng: random.Random) -> "Furnished":
        likely: list[Content] = ["nothing", "fresh", "fresh", "ending", "foreign"]
        contents: dict[str, Content] = {name: rng.choice(likely) for name in SELECTED}
        contents[DROPPED] = rng.choice(("nothing", "nothing", "fresh", "foreign"))
        return cls(
            id_of(cluster, kind),
            rng.random() < 0.3,
            rng.random() < 0.3,
            rng.random() < 0.3,
            contents,
            kind,
            takes=rng.random() < 0.25,
            page=rng.choice((None, None, 2, 3)),
            secure=rng.random() < 0.2,
        )

    @property
    def parameter(self) -> str:
        """The name of its parameter."""
        discovery, slash, _ = self.cluster.partition("/")
        return f"{ROOT}/discover/{discovery}" if slash else f"{ROOT}/clusters/{self.cluster}"

    def document(self, place: Place, *, secret: str) -> dict[str, Any]:
        """Return its document. `secret`: the ARN of its kubeconfig."""
        fields: dict[str, Any] = {
            "namespaces": list(SELECTED) if self.names else ["team-*"],
            "prune": self.prune,
            "takeOwnership": self.takes,
            "serviceAccounts": [ACCOUNT_NAME] if self.accounts else [],
        }
        at = {
            "endpoint": place.described.endpoint,
            "certificateAuthority": place.described.ca_pem,
        }
        match self.kind:
            case "spoke":
                fields |= {"roleArn": SPOKE_ROLE, "externalId": "an-external-id"}
            case "private":
                private = {"account": REGISTRY_ACCOUNT, "region": "eu-west-1"}
                fields["registries"] = ["public", {**private, "roleArn": PULL_ROLE}]
            case "found":
                fields |= {"regions": [REGION], "tags": {"chaos": name_of(self.cluster)}}
            case "edge":
                fields |= {**at, "signIn": {"type": "webIdentity"}}
            case "stored":
                fields["signIn"] = {"type": "kubeconfig", "secretArn": secret}
            case "authenticator":
                sign_in = {"type": "iamAuthenticator", "clusterId": self.cluster}
                fields |= {**at, "signIn": sign_in}
            case "google":
                fields |= {**at, "signIn": {"type": "google", "provider": PROVIDER}}
        return fields


@dataclass
class Estate:
    """A world whose clusters stay, while their content is made anew for each round.

    `google`: Google's token services; `google_certificate`: of the address that the function knows
    them by. `stored`: the token in each cluster's kubeconfig.
    """

    world: World
    google: LocalGoogle
    google_certificate: Certificate
    clusters: dict[str, Cluster] = field(default_factory=dict)
    seeded: list[str] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)

    def start(self, names: tuple[str, ...], *, embedded: bool) -> None:
        """Start clusters, each of which can be of every kind."""
        issuer = self.world.aws.web_identity
        audiences = tuple(f"ecr-public-pusher:{name}" for name in names)
        self.google.trust(Provider(PROVIDER, issuer.url, issuer.keys, audiences, EXECUTION_ROLE))
        for name in names:
            self.stored[name] = secrets.token_urlsafe(48)
            start = EmbeddedCluster if embedded else start_cluster
            made: Cluster = start(
                name,
                credentials=self.world.aws.find_credential,
                access_entries=[
                    AccessEntry(role, (GROUP,)) for role in (EXECUTION_ROLE, SPOKE_ROLE)
                ],
                issuers=[
                    trusted_issuer(
                        self.world.aws,
                        audience=f"ecr-public-pusher:{name}",
                        subject=EXECUTION_ROLE,
                    )
                ],
                static_tokens={self.stored[name]: UserInfo("pusher", groups=(GROUP,))},
                google=self.google,
            )
            self.clusters[name] = self.world.clusters[name] = made
            for rules in RULES:
                made.apply(*(_with_google(one) for one in manifests(rules)))
            for namespace in (*SELECTED, DROPPED):
                self.world.add_namespace(name, namespace)
                self._put(
                    name,
                    "serviceaccounts",
                    namespace,
                    {"metadata": {"name": ACCOUNT_NAME}, "imagePullSecrets": [{"name": "others"}]},
                )
            self._put(
                name, "secrets", SELECTED[0], {"metadata": {"name": "others"}, "type": "Opaque"}
            )

    def cluster(self, document_id: str) -> Cluster:
        """Return the cluster with that id."""
        return self.clusters[name_of(document_id)]

    def begin(self, furnished: Iterable[Furnished], *, idle: bool) -> None:
        """Remove an earlier round's documents and descriptions. `idle`: have disabled ones."""
        aws = self.world.aws
        for account in (ACCOUNT, SPOKE_ACCOUNT):
            for name in self.clusters:
                with contextlib.suppress(KeyError):
                    aws.remove_cluster(name, region=REGION, account_id=account)
        kept = {one.parameter for one in furnished}
        for name in self.clusters:
            for kind in ("plain", "found"):
                one = Furnished(id_of(name, kind), False, False, False, {}, kind)
                if one.parameter not in kept:
                    aws.delete_parameter(one.parameter)
        for name in IDLE:
            if idle:
                self.world.document(name, '{"enabled": false, "namespaces": ["team-0"]}')
            else:
                aws.delete_parameter(f"{ROOT}/clusters/{name}")

    def furnish(self, furnished: Furnished) -> None:
        """Make a cluster's content anew."""
        cluster = self.cluster(furnished.cluster)
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
                self.world.foreign_secret(name_of(furnished.cluster), namespace)
            elif content != "nothing":
                hours = 10.0 if content == "fresh" else ENDING_HOURS
                self._ours(furnished.cluster, namespace, hours)

    def meddle(self, document_id: str, namespace: str, what: str) -> Seen | None:
        """Write a Secret that another run would, or somebody else's in its place; return it.

        Return None where there is somebody else's already.
        """
        cluster = self.cluster(document_id)
        seen = State.of(cluster).ours_in(namespace)
        if seen is not None and not seen.ours:
            return None
        if what == RENEWED:
            self._ours(document_id, namespace, 12.0)
        else:
            if seen is not None:
                cluster.admin("DELETE", f"/api/v1/namespaces/{namespace}/secrets/{SECRET}")
            self.world.foreign_secret(cluster.name, namespace)
        return State.of(cluster).ours_in(namespace)

    def describe(self, furnished: Furnished, place: Place) -> None:
        """Have EKS, Secrets Manager and the document say where the cluster is."""
        name = name_of(furnished.cluster)
        if furnished.kind in BY_EKS:
            account = SPOKE_ACCOUNT if furnished.kind == "spoke" else ACCOUNT
            tags = {"chaos": name} if furnished.kind == "found" else {}
            self.world.aws.put_cluster(account, REGION, place.described, tags=tags)
        secret = ""
        if furnished.kind == "stored":
            secret = self.world.store_kubeconfig(name, self._kubeconfig(name, place.described))
        text = json.dumps(furnished.document(place, secret=secret))
        self.world.aws.put_parameter(furnished.parameter, text, secure=furnished.secure)

    def _kubeconfig(self, name: str, described: Described) -> dict[str, Any]:
        authority = base64.b64encode(described.ca_pem.encode()).decode()
        at = {"server": described.endpoint, "certificate-authority-data": authority}
        made = self.clusters[name].kubeconfig()
        made["clusters"][0]["cluster"] = at
        made["users"][0]["user"] = {"token": self.stored[name]}
        return made

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
        put_ours(self.cluster(cluster), namespace, cluster, hours_left=hours_left, config=config)

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


def _with_google(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest of infra/rbac whose binding is for Google's identity, too."""
    if "subjects" not in manifest:
        return manifest
    return {**manifest, "subjects": [*manifest["subjects"], user_subject(PRINCIPAL)]}


@contextlib.contextmanager
def estate(names: tuple[str, ...] = CLUSTERS, *, embedded: bool = False) -> Iterator[Estate]:
    """Yield an estate of these clusters. `embedded`: whatever KUBEBUILDER_ASSETS says."""
    environ: dict[str, str] = {}
    with (
        world(environ) as made,
        contextlib.closing(LocalGoogle()) as google,
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
    ):
        certificate = issue("googleapis")
        authorities = Path(folder) / "authorities.pem"
        authorities.write_text(google.ca_pem + certificate.ca_pem)
        environ |= {
            "ALLOWED_ENDPOINTS": "127.0.0.1",
            "ALLOWED_ACCOUNTS": f"{environ['ALLOWED_ACCOUNTS']},{REGISTRY_ACCOUNT}",
            "RETRY_QUEUE_URL": made.queue.url,
            # OpenSSL reads the public authorities there.
            "SSL_CERT_FILE": str(authorities),
            **dict.fromkeys(GOOGLE_ENDPOINTS.values(), google.url),
        }
        made.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
        made.aws.web_identity.enabled = True
        started = Estate(made, google, certificate)
        started.start(names, embedded=embedded)
        yield started
