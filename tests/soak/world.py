"""A local AWS with clusters that work and clusters that fail, and the built function in it.

It is warm, under the Runtime Interface Emulator.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.local.aws import DEFAULT_ACCOUNT, LocalAws
from infra.local.aws.sam import build, emulator, sam_command
from infra.local.aws.template import read_function
from infra.local.identity import AccessEntry
from infra.local.kube import EmbeddedCluster
from infra.local.kube.auth.authz import UserInfo
from infra.local.kube.certificates import issue
from infra.local.runtime import BuiltFunction
from infra.local.stack import trusted_issuer
from tests.support.described import Described
from tests.support.world import GROUP, kubeconfig

ROOT = Path(__file__).resolve().parents[2]
SPOKE_ACCOUNT = "444455556666"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/ecr-public-pusher-PusherRole"
SPOKE_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-spoke"
GOOD = 4
NAMESPACES = 12
# What each cluster that fails does: nobody listens; another authority; no rights; EKS does not know
# it; its role may not be assumed.
FAILING = ("refuses", "impostor", "forbidden", "gone", "unassumable")

# Each other kind of sign-in, with a private registry beside; and a discovery.
BEYOND = ("edge", "kops", "token", "certificate")
REGISTRY_ACCOUNT = "777788889999"
PULL_ROLE = f"arn:aws:iam::{REGISTRY_ACCOUNT}:role/ecr-public-pusher-pull"
SETTINGS = {
    "namespaces": ["team-*"],
    "registries": [
        "public",
        {"account": REGISTRY_ACCOUNT, "region": "eu-west-1", "roleArn": PULL_ROLE},
    ],
}
TAG = {"ecr-public-pusher": "yes"}
CLUSTER_ID = "kops.example.internal"
STORED_TOKEN = "stored-token-of-a-test"

# In turn. Sweeps look at every cluster, the failing ones too, so they are not ok.
EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("push", {"clusters": ["good-*", "spoke"]}),
    ("sweep", {"action": "sweep"}),
    ("push of all", {}),
    ("sweep", {"action": "sweep"}),
    ("check", {"action": "check", "clusters": ["good-0"]}),
    ("sweep", {"action": "sweep", "windowMinutes": 1}),
    ("plan", {"action": "plan", "clusters": ["good-*"]}),
    ("push beyond EKS", {"clusters": [*BEYOND, "fleet/*"]}),
    ("failing push", {"clusters": [name for name in FAILING if name != "refuses"]}),
    ("wrong event", {"action": "dance"}),
)
NOT_OK = ("push of all", "sweep", "failing push", "wrong event")


@contextlib.contextmanager
def soaking() -> Iterator[tuple[BuiltFunction, list[EmbeddedCluster]]]:
    """Return the function and the clusters that work.

    The caller clears their records of requests.
    """
    sam = sam_command(ROOT, {})
    built = build(ROOT, sam)
    allowed = {"AllowedEndpoints": "127.0.0.1", "AllowedAccounts": "*"}
    parameters = {**built.parameters, **allowed}
    spec = read_function(
        built.template,
        stack_name="soak",
        region=REGION,
        account_id=DEFAULT_ACCOUNT,
        parameters=parameters,
    )
    with LocalAws() as aws, contextlib.ExitStack() as stack:
        estate = _Estate(aws, stack)
        estate.fill()
        credential = aws.credentials_for(ROLE, "soak")
        function = BuiltFunction(
            spec,
            emulator(sam),
            credential=credential,
            region=REGION,
            aws_endpoint_url=aws.endpoint_url,
        )
        yield stack.enter_context(function), estate.good


class _Estate:
    """The clusters and their documents. `good`: the clusters that work."""

    def __init__(self, aws: LocalAws, stack: contextlib.ExitStack) -> None:
        self._aws = aws
        self._stack = stack
        self._rbac = list(
            yaml.safe_load_all((ROOT / "infra" / "rbac" / "cluster.yaml").read_text())
        )
        self.good: list[EmbeddedCluster] = []

    def fill(self) -> None:
        self._aws.put_role(ROLE)
        self._aws.put_role(SPOKE_ROLE, external_id="an-external-id", trusted=ROLE)
        self._aws.put_role(PULL_ROLE, trusted=ROLE)
        self._aws.web_identity.enabled = True
        self._fill_eks()
        self._fill_beyond()
        self._fill_failing()

    def _fill_eks(self) -> None:
        for number in range(GOOD):
            self._of_eks(f"good-{number}")
            self._document(f"good-{number}", {"namespaces": ["team-*"]})
        self._of_eks("spoke", account=SPOKE_ACCOUNT, principal=SPOKE_ROLE)
        self._document(
            "spoke",
            {"namespaces": ["team-*"], "roleArn": SPOKE_ROLE, "externalId": "an-external-id"},
        )
        self._of_eks("found", tags=TAG)
        self._aws.put_parameter(
            "/ecr-public-pusher/discover/fleet",
            json.dumps({**SETTINGS, "regions": [REGION], "tags": TAG}),
        )

    def _fill_beyond(self) -> None:
        edge = self._started(
            "edge",
            issuers=[trusted_issuer(self._aws, audience="ecr-public-pusher:edge", subject=ROLE)],
        )
        self._document("edge", {**SETTINGS, **_where(edge), "signIn": {"type": "webIdentity"}})
        kops = self._started(CLUSTER_ID, access_entries=[AccessEntry(ROLE, (GROUP,))])
        self._document(
            "kops",
            {
                **SETTINGS,
                **_where(kops),
                "signIn": {"type": "iamAuthenticator", "clusterId": CLUSTER_ID},
            },
        )
        token = self._started(
            "token", static_tokens={STORED_TOKEN: UserInfo("pusher", groups=(GROUP,))}
        )
        self._stored("token", kubeconfig(token, token=STORED_TOKEN))
        self._stored("certificate", kubeconfig(self._started("certificate"), by="certificate"))

    def _fill_failing(self) -> None:
        self._of_eks("forbidden", admitted=False)
        self._aws.put_cluster(
            DEFAULT_ACCOUNT, REGION, Described("refuses", "https://127.0.0.1:1", issue("x").ca_pem)
        )
        self._aws.put_cluster(
            DEFAULT_ACCOUNT,
            REGION,
            Described("impostor", self.good[0].endpoint, issue("another").ca_pem),
        )
        for name in FAILING:
            self._document(name, {"namespaces": ["team-0", "team-1"]})
        self._document(
            "unassumable",
            {"namespaces": ["team-0"], "roleArn": "arn:aws:iam::444455556666:role/nobody"},
        )

    def _of_eks(
        self,
        name: str,
        *,
        account: str = DEFAULT_ACCOUNT,
        principal: str = ROLE,
        admitted: bool = True,
        tags: dict[str, str] | None = None,
    ) -> None:
        made = self._started(
            name,
            admitted=admitted,
            access_entries=[AccessEntry(principal, (GROUP,))],
            region=REGION,
        )
        self._aws.put_cluster(account, REGION, made, tags=tags)

    def _started(self, name: str, *, admitted: bool = True, **options: Any) -> EmbeddedCluster:
        made = self._stack.enter_context(
            EmbeddedCluster(name, credentials=self._aws.find_credential, **options)
        )
        for number in range(NAMESPACES):
            made.admin(
                "POST",
                "/api/v1/namespaces",
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}},
            )
        if admitted:
            made.apply(*self._rbac)
            self.good.append(made)
        return made

    def _stored(self, name: str, config: dict[str, Any]) -> None:
        arn = self._aws.put_secret(f"/ecr-public-pusher/{name}", json.dumps(config))
        self._document(name, {**SETTINGS, "signIn": {"type": "kubeconfig", "secretArn": arn}})

    def _document(self, name: str, fields: dict[str, Any]) -> None:
        self._aws.put_parameter(f"/ecr-public-pusher/clusters/{name}", json.dumps(fields))


def _where(cluster: EmbeddedCluster) -> dict[str, str]:
    return {"endpoint": cluster.endpoint, "certificateAuthority": cluster.ca_pem}
