"""A local AWS with clusters that work and clusters that fail, and the built function in it, warm under the Runtime Interface Emulator."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.local.aws import DEFAULT_ACCOUNT, LocalAws
from infra.local.aws.sam import build, emulator, sam_command
from infra.local.aws.template import read_function
from infra.local.identity import AccessEntry
from infra.local.kube import EmbeddedCluster
from infra.local.kube.certificates import issue
from infra.local.runtime import BuiltFunction

ROOT = Path(__file__).resolve().parents[2]
SPOKE_ACCOUNT = "444455556666"
ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/ecr-public-pusher-PusherRole"
SPOKE_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-spoke"
GOOD, NAMESPACES = 4, 12
# What each cluster that fails does: nobody listens; another authority; no rights; EKS does not know it; its role may not be assumed.
FAILING = ("refuses", "impostor", "forbidden", "gone", "unassumable")

# In turn. Failing clusters name their namespaces outright, so that sweeps leave them alone.
EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("push", {"clusters": ["good-*", "spoke"]}),
    ("sweep", {"action": "sweep"}),
    ("push of all", {}),
    ("sweep", {"action": "sweep"}),
    ("check", {"action": "check", "clusters": ["good-0"]}),
    ("sweep", {"action": "sweep", "windowMinutes": 1}),
    ("plan", {"action": "plan", "clusters": ["good-*"]}),
    ("push of one", {"clusters": ["spoke"]}),
    ("failing push", {"clusters": [name for name in FAILING if name != "refuses"]}),
    ("wrong event", {"action": "dance"}),
)


@dataclass(frozen=True)
class Described:
    """A cluster that EKS describes, whatever answers there."""

    name: str
    endpoint: str
    ca_pem: str


@contextlib.contextmanager
def soaking() -> Iterator[tuple[BuiltFunction, list[EmbeddedCluster]]]:
    """The function, and the clusters that work, whose records of requests are the caller's to clear."""
    sam = sam_command(ROOT, {})
    built = build(ROOT, sam)
    spec = read_function(built.template, stack_name="soak", region="us-east-1", account_id=DEFAULT_ACCOUNT, parameters=built.parameters)
    rbac = list(yaml.safe_load_all((ROOT / "infra" / "rbac" / "cluster.yaml").read_text()))
    with LocalAws() as aws, contextlib.ExitStack() as stack:
        aws.put_role(ROLE)
        aws.put_role(SPOKE_ROLE, external_id="an-external-id", trusted=ROLE)

        def cluster(name: str, *, account: str = DEFAULT_ACCOUNT, principal: str = ROLE, admitted: bool = True) -> EmbeddedCluster:
            entry = AccessEntry(principal, ("ecr-public-pushers",))
            made = stack.enter_context(EmbeddedCluster(name, credentials=aws.find_credential, access_entries=[entry], region="us-east-1"))
            if admitted:
                made.apply(*rbac)
            for number in range(NAMESPACES):
                made.admin("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}})
            aws.put_cluster(account, "us-east-1", made)
            return made

        def document(name: str, text: str) -> None:
            aws.put_parameter(f"/ecr-public-pusher/clusters/{name}", text)

        good = [cluster(f"good-{number}") for number in range(GOOD)]
        good.append(cluster("spoke", account=SPOKE_ACCOUNT, principal=SPOKE_ROLE))
        for one in good[:GOOD]:
            document(one.name, "namespaces: ['team-*']")
        document("spoke", f"{{namespaces: ['team-*'], roleArn: '{SPOKE_ROLE}', externalId: an-external-id}}")
        cluster("forbidden", admitted=False)
        aws.put_cluster(DEFAULT_ACCOUNT, "us-east-1", Described("refuses", "https://127.0.0.1:1", issue("x").ca_pem))
        aws.put_cluster(DEFAULT_ACCOUNT, "us-east-1", Described("impostor", good[0].endpoint, issue("another").ca_pem))
        for name in FAILING:
            document(name, "namespaces: [team-0, team-1]")
        document("unassumable", "{namespaces: [team-0], roleArn: 'arn:aws:iam::444455556666:role/nobody'}")
        credential = aws.credentials_for(ROLE, "soak")
        function = BuiltFunction(spec, emulator(sam), credential=credential, region="us-east-1", aws_endpoint_url=aws.endpoint_url)
        yield stack.enter_context(function), good
