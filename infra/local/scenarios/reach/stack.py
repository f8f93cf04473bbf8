"""Six clusters: two of EKS, one of them found by its tag, and one for each other sign-in."""

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ...aws import DEFAULT_ACCOUNT
from ...google import Provider
from ...kube import Cluster
from ...kube.auth.jwts import TrustedIssuer
from ...stack import (
    CONFIG_PATH,
    EXECUTION_ROLE,
    RBAC_FILE,
    RBAC_GROUP,
    REGION,
    SECRET_NAME,
    LocalStack,
    user_binding,
)

REGISTRY_ACCOUNT = "444455556666"
REGISTRY_REGION = "eu-central-1"
PULL_ROLE = f"arn:aws:iam::{REGISTRY_ACCOUNT}:role/ecr-public-pusher-pull"
PUBLIC_HOST = "public.ecr.aws"
PRIVATE_HOST = f"{REGISTRY_ACCOUNT}.dkr.ecr.{REGISTRY_REGION}.amazonaws.com"
HOSTS = frozenset(
    {
        PUBLIC_HOST,
        "ecr-public.aws.com",
        PRIVATE_HOST,
        f"{REGISTRY_ACCOUNT}.dkr-ecr.{REGISTRY_REGION}.on.aws",
    }
)
CLUSTER_ID = "kops.example.internal"
TAG = {"ecr-public-pusher": "yes"}
NAMESPACES = ("payments", "team-web")
DEFAULTS: Mapping[str, Any] = {
    "namespaces": ["payments", "team-*"],
    "registries": [
        "public",
        {"account": REGISTRY_ACCOUNT, "region": REGISTRY_REGION, "roleArn": PULL_ROLE},
    ],
}


@dataclass(frozen=True)
class Member:
    """One of the clusters: its id in reports, its local name, its kind of sign-in, and the user."""

    id: str
    name: str
    sign_in: str
    user: str


_SESSION = f"arn:aws:sts::{DEFAULT_ACCOUNT}:assumed-role/{EXECUTION_ROLE.rpartition('/')[2]}/"
PROD = Member("prod", "prod", "eks", _SESSION)
FOUND = Member("fleet/eu-west-1/blue", "blue", "eks", _SESSION)
KOPS = Member("kops", "kops", "iamAuthenticator", _SESSION)
EDGE = Member("edge", "edge", "webIdentity", f"aws:{EXECUTION_ROLE}")
LEGACY = Member("legacy", "legacy", "kubeconfig", "ecr-public-pusher")
POOL = (
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/aws-pusher"
)
PROVIDER = f"{POOL}/providers/aws-issuer"
GKE = Member("gke", "gke", "google", f"principal:{POOL}/subject/{EXECUTION_ROLE}")
MEMBERS = (PROD, FOUND, KOPS, EDGE, GKE, LEGACY)


@dataclass(frozen=True)
class Written:
    """A Secret as the cluster holds it: each host's credential, and the expiry."""

    uid: str
    auths: Mapping[str, str]
    expires_at: datetime


class ReachStack(LocalStack):
    """The clusters and their documents; `root` is the project's folder, for the RBAC file."""

    parameters: ClassVar[Mapping[str, str]] = {
        "AllowedEndpoints": "127.0.0.1",
        "AllowedAccounts": REGISTRY_ACCOUNT,
    }

    def __init__(self, root: Path) -> None:
        super().__init__()
        try:
            self._fill(yaml.safe_load_all((root / RBAC_FILE).read_text()))
        except BaseException:
            self.close()
            raise

    def _fill(self, rbac: Any) -> None:
        self.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
        self.add_cluster(PROD.name, region=REGION, account=DEFAULT_ACCOUNT, role=EXECUTION_ROLE)
        self.add_cluster(
            FOUND.name, region="eu-west-1", account=DEFAULT_ACCOUNT, role=EXECUTION_ROLE, tags=TAG
        )
        kops = self.add_cluster_elsewhere(KOPS.name, authenticator_id=CLUSTER_ID)
        edge = self.add_cluster_elsewhere(EDGE.name)
        gke = self.add_cluster_elsewhere(GKE.name, by_google=True)
        legacy = self.add_cluster_elsewhere(LEGACY.name)
        documents = list(rbac)
        for cluster in self.clusters.values():
            cluster.apply(*documents)
            for name in NAMESPACES:
                cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        gke.apply(user_binding("ecr-public-pusher-google", "ecr-public-pusher", GKE.user))
        secret = self.aws.put_secret(
            f"{CONFIG_PATH}/{LEGACY.id}",
            json.dumps(legacy.client_kubeconfig(LEGACY.user, [RBAC_GROUP])),
        )
        self.write("defaults", DEFAULTS)
        self.write("clusters/prod", {"cluster": "prod"})
        self.write("discover/fleet", {"regions": ["eu-west-1"], "tags": TAG})
        self.write(
            "clusters/kops",
            _elsewhere(kops) | {"signIn": {"type": "iamAuthenticator", "clusterId": CLUSTER_ID}},
        )
        self.write("clusters/edge", _elsewhere(edge) | {"signIn": {"type": "webIdentity"}})
        self.write(
            "clusters/gke",
            _elsewhere(gke) | {"signIn": {"type": "google", "provider": PROVIDER}},
        )
        self.write("clusters/legacy", {"signIn": {"type": "kubeconfig", "secretArn": secret}})

    def write_document_of_a_stranger(self) -> None:
        """Write a document whose endpoint is on a host that the stack's owner does not allow."""
        endpoint = self.clusters[EDGE.name].endpoint.replace("127.0.0.1", "localhost")
        self.write("clusters/stranger", {"endpoint": endpoint, "signIn": {"type": "webIdentity"}})

    def turn_web_identity_on(self) -> None:
        """Enable web identity, as by `aws iam enable-outbound-web-identity-federation`."""
        self.call_aws("iam", "enable_outbound_web_identity_federation")

    def paste(self, printed: str) -> None:
        """Give edge's API server the printed AuthenticationConfiguration.

        Only the discovery URL is added, since AWS's issuer has no address here.
        """
        site = self.aws.issuer_site()
        configuration = yaml.safe_load(printed)
        keys = self.aws.web_identity.keys
        self.clusters[EDGE.name].trust(
            TrustedIssuer.read(
                configuration, keys=keys, discovery_url=site.discovery_url, ca_pem=site.ca_pem
            )
        )

    def run_gcloud(self, printed: str) -> None:
        """Create the workload identity provider as by the printed command of gcloud."""
        words = shlex.split(printed)
        given = dict(word.removeprefix("--").split("=", 1) for word in words if "=" in word)
        issuer = self.aws.web_identity
        name = f"{POOL}/providers/{words[words.index('create-oidc') + 1]}"
        subject = given["attribute-condition"].removeprefix("assertion.sub == ").strip("'")
        self.google.trust(
            Provider(name, given["issuer-uri"], issuer.keys, (given["allowed-audiences"],), subject)
        )

    def forbid_pull_role(self) -> None:
        """Remove the pull role's trust, as the registry's owner can."""
        self.aws.put_role(PULL_ROLE, trusted=None)

    def put_right(self) -> None:
        """Restore the pull role's trust, and delete the document that is not allowed."""
        self.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
        self.aws.delete_parameter(f"{CONFIG_PATH}/clusters/stranger")

    def users(self, member: Member) -> frozenset[str]:
        """Return the users as whom the function wrote Secrets to a cluster."""
        return frozenset(
            one.user
            for one in self.clusters[member.name].requests
            if one.method == "PATCH" and SECRET_NAME in one.path
        )

    def written(self, member: Member) -> dict[str, Written]:
        """Return the Secrets of a cluster, by namespace."""
        asked = {
            name: (
                self.clusters[member.name].admin(
                    "GET", f"/api/v1/namespaces/{name}/secrets/{SECRET_NAME}"
                )
            )
            for name in NAMESPACES
        }
        return {name: _written(secret) for name, (status, secret) in asked.items() if status == 200}


def _elsewhere(cluster: Cluster) -> dict[str, Any]:
    return {"endpoint": cluster.endpoint, "certificateAuthority": cluster.ca_pem}


def _written(secret: Mapping[str, Any]) -> Written:
    config = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    expires = datetime.fromisoformat(
        secret["metadata"]["annotations"]["ecr-public-pusher/expires-at"]
    ).astimezone(UTC)
    return Written(
        secret["metadata"]["uid"],
        {host: entry["auth"] for host, entry in config["auths"].items()},
        expires,
    )
