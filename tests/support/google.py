"""A Google on loopback beside a world, and clusters that accept its access tokens."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from ecr_public_pusher.kubernetes_api.tls import verifying_context
from infra.local.google import LocalGoogle, Provider
from infra.local.kube import Cluster, EmbeddedCluster, start_cluster
from tests.support.world import EXECUTION_ROLE, World, manifests

POOL = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/a-pool"
PROVIDER = f"{POOL}/providers/a-provider"
ACCOUNT = "pusher@my-project.iam.gserviceaccount.com"
PRINCIPAL = f"principal:{POOL}/subject/{EXECUTION_ROLE}"


@dataclass(frozen=True)
class Gke:
    """The Google, and the world whose function signs in by it."""

    google: LocalGoogle
    world: World

    def provider(self, *document_ids: str, condition: str = EXECUTION_ROLE) -> Provider:
        """Return a provider that trusts the account's issuer for these documents."""
        issuer = self.world.aws.web_identity
        audiences = tuple(f"ecr-public-pusher:{one}" for one in document_ids)
        return Provider(PROVIDER, issuer.url, issuer.keys, audiences, condition)

    def add(
        self,
        name: str,
        *,
        account: str | None = None,
        user: str | None = None,
        namespaces: tuple[str, ...] = ("a",),
        document: str = "{namespaces: [a]}",
        embedded: bool = False,
    ) -> Cluster:
        """Add a cluster that accepts Google's tokens, and its document; Google trusts that.

        infra/rbac is applied, and its role bound to `user` (by default the identity that signs in;
        empty: to nobody).
        """
        start = EmbeddedCluster if embedded else start_cluster
        cluster: Cluster = start(
            name, credentials=self.world.aws.find_credential, google=self.google
        )
        self.world.clusters[name] = cluster
        for namespace in namespaces:
            self.world.add_namespace(name, namespace)
        user = (account or PRINCIPAL) if user is None else user
        cluster.apply(*(bound(one, user) for one in manifests("cluster.yaml")))
        known = self.google.providers.get(PROVIDER)
        provider = self.provider(name)
        if known:
            provider = replace(known, audiences=(*known.audiences, *provider.audiences))
        self.google.trust(provider)
        if account:
            self.google.let_become(account, [PRINCIPAL])
        self.add_document(name, cluster, document, account=account)
        return cluster

    def add_document(
        self, name: str, cluster: Cluster, document: str, *, account: str | None = None
    ) -> None:
        """Write the cluster's document, with `endpoint`, `certificateAuthority` and `signIn`."""
        fields = {
            "endpoint": cluster.endpoint,
            "certificateAuthority": cluster.ca_pem,
            "signIn": {"type": "google", "provider": PROVIDER, "serviceAccount": account},
        }
        self.world.document(name, yaml.safe_dump(fields | yaml.safe_load(document)))


def bound(one: dict[str, object], user: str = PRINCIPAL) -> dict[str, object]:
    """Return a manifest of infra/rbac with the user as the subject of its binding."""
    if "subjects" not in one:
        return one
    return {**one, "subjects": [user_subject(user or "nobody")]}


def user_subject(name: str) -> dict[str, str]:
    """Return the subject of a binding that is this user."""
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}


@contextlib.contextmanager
def google_beside(world: World, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Gke]:
    """Yield a Google whose certificate is a public one, for the function.

    OpenSSL reads the public authorities from the file of SSL_CERT_FILE; the function keeps what it
    has read.
    """
    google = LocalGoogle()
    authorities = folder / "authorities.pem"
    authorities.write_text(google.ca_pem)
    overrides = "CLOUDSDK_API_ENDPOINT_OVERRIDES"
    for name, value in {
        "SSL_CERT_FILE": str(authorities),
        f"{overrides}_STS": google.url,
        f"{overrides}_IAMCREDENTIALS": google.url,
        "ALLOWED_ENDPOINTS": "127.0.0.1",
    }.items():
        world.environ[name] = value
        monkeypatch.setenv(name, value)
    verifying_context.cache_clear()
    world.aws.web_identity.enabled = True
    try:
        yield Gke(google, world)
    finally:
        google.close()
        verifying_context.cache_clear()
