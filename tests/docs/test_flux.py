"""docs/faq.md: Flux signs in with the Secret that its example names."""

import base64
import json
from urllib.parse import urlsplit

import pytest
import yaml

from infra.local.kube.kinds import Object
from tests.docs.documents import ROOT, blocks
from tests.support.world import World, world_of_process


def example() -> Object:
    """Return the OCIRepository of the page."""
    (found,) = [
        block.text
        for block in blocks({"yaml"})
        if block.document == ROOT / "docs/faq.md" and "OCIRepository" in block.text
    ]
    return dict(yaml.safe_load(found))


def credential(secret: Object, url: str) -> tuple[str, str]:
    """Return user and password as source-controller takes them from a Secret.

    OCIRepository: `k8schain.NewFromPullSecrets`. HelmRepository: `KeychainFromSecret` with docker's
    own configuration file. Both want the type, the exact host, and `auth` as base64 of
    `user:password`.
    """
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    auths = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    decoded = base64.b64decode(auths[urlsplit(url).netloc]["auth"], validate=True).decode()
    user, _, password = decoded.partition(":")
    return user, password


def test_the_secret_that_the_example_names_signs_in_to_its_registry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository = example()
    namespace = repository["metadata"]["namespace"]
    with world_of_process(monkeypatch) as world:
        assert pushed(world, namespace)
        secret = world.secret("prod", namespace, repository["spec"]["secretRef"]["name"])
        issued = base64.b64decode(world.aws.ecr_public.issued[-1]).decode()
    assert secret is not None
    assert credential(secret, repository["spec"]["url"]) == tuple(issued.split(":", 1))
    assert issued.startswith("AWS:")


def pushed(world: World, namespace: str) -> bool:
    world.add_cluster("prod", namespaces=(namespace,), document=f"namespaces: [{namespace}]")
    return bool(world.invoke()["ok"])
