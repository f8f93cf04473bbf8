"""The local stack's embedded Kubernetes as the other server: it checks, evaluates and stores, so it is the slower side."""

import contextlib
import json
from collections.abc import Iterator

import yaml

from infra.local.identity import AccessEntry, Credential
from infra.local.kube import EmbeddedCluster
from tests.bench.work import ACCESS_KEY, CLUSTER, REGION, SECRET_KEY, Target, namespace

_ROLE = "arn:aws:iam::123456789012:role/ecr-public-pusher"
_CALLER = Credential(ACCESS_KEY, SECRET_KEY, None, "arn:aws:sts::123456789012:assumed-role/ecr-public-pusher/bench")


@contextlib.contextmanager
def running(count: int, rbac: str) -> Iterator[tuple[Target, EmbeddedCluster]]:
    """A cluster with `count` namespaces and the RBAC of the file's text `rbac`."""
    entries = [AccessEntry(_ROLE, ("ecr-public-pushers",))]
    with EmbeddedCluster(CLUSTER, credentials={ACCESS_KEY: _CALLER}.get, access_entries=entries, region=REGION) as cluster:
        cluster.apply(*yaml.safe_load_all(rbac))
        names = [namespace(number) for number in range(count)]
        cluster.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names))
        yield Target(cluster.endpoint, cluster.ca_pem, count, json.dumps(cluster.kubeconfig())), cluster
