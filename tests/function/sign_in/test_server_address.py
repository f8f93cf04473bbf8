"""The address of an API server that is not EKS's, over the wire.

However it is written, and behind a path, within what the owner allows.
"""

import base64
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from infra.local.kube import Cluster
from tests.support.path_proxy import PathProxy, proxied
from tests.support.reports import cluster_of, findings
from tests.support.resolver import Resolver
from tests.support.world import World, kubeconfig

HOST = "rancher.example.com"
ONE = "/k8s/clusters/c-m-1"
TWO = "/k8s/clusters/c-m-2"
WEB = {"type": "webIdentity"}
TOKEN = "stored-token-of-a-test"
ROOT = "/ecr-public-pusher/clusters"


@pytest.fixture(autouse=True)
def reachable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver({HOST: ["127.0.0.1"]}))
    world.environ["ALLOWED_ENDPOINTS"] = f"{HOST}/k8s/clusters/*"
    world.aws.web_identity.enabled = True


@pytest.fixture
def proxy(world: World) -> Iterator[PathProxy]:
    """Return two clusters behind one host.

    Each trusts AWS's issuer for the document of its name, and has none yet.
    """
    clusters: dict[str, Cluster] = {}
    for name, path in (("one", ONE), ("two", TWO)):
        clusters[path] = world.add_elsewhere(
            name, document="namespaces: [a]", namespaces=("a", "b")
        )
        world.apply(name, "prune.yaml")
        world.aws.delete_parameter(f"{ROOT}/{name}")
    with proxied(HOST, clusters) as made:
        yield made


def write(world: World, proxy: PathProxy, name: str, endpoint: str, **fields: Any) -> None:
    head = {
        "endpoint": endpoint,
        "certificateAuthority": proxy.ca_pem,
        "signIn": WEB,
        "namespaces": ["a"],
    }
    world.document(name, yaml.safe_dump(head | fields))


# Behind a path


def test_web_identity_pushes_to_each_cluster_behind_its_path(
    world: World, proxy: PathProxy
) -> None:
    write(world, proxy, "one", proxy.url(ONE))
    write(world, proxy, "two", proxy.url(f"{TWO}/"))
    report = world.run()
    assert (report["ok"], report["totals"]["created"]) == (True, 2)
    assert world.token("one", "a")
    assert world.token("two", "a")
    assert {line.split(" ")[1].partition("/api")[0] for line in proxy.asked} == {ONE, TWO}


@pytest.mark.parametrize("action", ["plan", "check", "sweep", "push"])
def test_every_action_is_sent_there(world: World, proxy: PathProxy, action: str) -> None:
    write(world, proxy, "one", proxy.url(ONE), namespaces=["*"])
    report = world.run({"action": action})
    assert report["ok"], report
    assert proxy.asked
    assert [line for line in proxy.asked if not line.split(" ")[1].startswith(f"{ONE}/")] == []
    assert "//" not in "".join(proxy.asked)


def test_a_removal_is_sent_there_too(world: World, proxy: PathProxy) -> None:
    write(world, proxy, "one", proxy.url(ONE))
    world.run()
    assert world.run({"action": "remove", "clusters": ["one"]})["totals"]["removed"] == 1


def test_a_kubeconfig_behind_a_path(world: World) -> None:
    cluster = world.add_stored("edge", token=TOKEN)
    with proxied(HOST, {ONE: cluster}) as proxy:
        world.store_kubeconfig("edge", stored(cluster, proxy, f"{proxy.url(ONE)}/"))
        report = world.run()
        assert (report["ok"], report["totals"]["created"]) == (True, 1)
        assert findings(world.run({"action": "check"}))["sign-in"]["ok"]
        assert [line for line in proxy.asked if not line.split(" ")[1].startswith(f"{ONE}/")] == []


def stored(cluster: Any, proxy: PathProxy, server: str) -> dict[str, Any]:
    authority = base64.b64encode(proxy.ca_pem.encode()).decode()
    return kubeconfig(cluster, token=TOKEN, server=server, certificate_authority_data=authority)


def test_check_names_the_server_without_the_path_where_tls_is_looked_at(
    world: World, proxy: PathProxy
) -> None:
    write(world, proxy, "one", proxy.url(ONE), certificateAuthority=world.clusters["one"].ca_pem)
    found = findings(world.run({"action": "check"}), "one")["tls"]
    assert not found["ok"]
    assert (
        f"`openssl s_client -showcerts -connect {HOST}:{proxy.port} </dev/null`" in found["remedy"]
    )


@pytest.mark.parametrize(
    "allowed",
    [
        HOST,
        "*.example.com",
        f"{HOST}/k8s",
        f"{HOST}/k8s/*",
        f"{HOST}/k8s/clusters/c-m-2",
        f"{HOST}/k8s/clusters/*/*",
        f"{HOST}/K8s/clusters/*",
        f"{HOST}/k8s/clusters/",
        f"{HOST}/*",
        f"other.example.com{ONE}",
    ],
)
def test_a_path_that_the_owner_does_not_allow_is_sent_nothing(
    world: World, proxy: PathProxy, allowed: str
) -> None:
    world.environ["ALLOWED_ENDPOINTS"] = allowed
    write(world, proxy, "one", proxy.url(ONE))
    error = cluster_of(world.run(), "one")["error"]
    assert (error["type"], proxy.asked) == ("InvalidDocument", [])
    assert f"{HOST}{ONE}" in error["remedy"]


def test_nor_with_a_kubeconfig_whose_path_is_not_repeated(world: World) -> None:
    world.environ["ALLOWED_ENDPOINTS"] = HOST
    cluster = world.add_stored("edge", token=TOKEN)
    with proxied(HOST, {ONE: cluster}) as proxy:
        world.store_kubeconfig("edge", stored(cluster, proxy, proxy.url(ONE)))
        error = cluster_of(world.run())["error"]
        assert (error["type"], proxy.asked) == ("KubeconfigError", [])
        assert f"{HOST}/PATH" in error["remedy"]
        assert "c-m-1" not in str(error)


def test_a_path_that_is_allowed_allows_no_server_without_one(world: World) -> None:
    """The proxy's own API, say."""
    cluster = world.add_elsewhere("edge", document="namespaces: [a]")
    with proxied(HOST, {"": cluster}) as proxy:
        write(world, proxy, "edge", proxy.url())
        assert cluster_of(world.run())["error"]["type"] == "InvalidDocument"
        assert proxy.asked == []


@pytest.mark.parametrize(
    "beyond",
    [
        "/../c-m-2",
        "/%2e%2e/c-m-2",
        "/..%2fc-m-2",
        "/./",
        "//",
        "/api?x=",
        "/api#",
        "\\..\\c-m-2",
        ";/../c-m-2",
        "/.",
        "/..",
        "/a b",
        "/\u2025",
    ],
)
def test_a_path_that_a_server_may_take_for_another_is_sent_nothing(
    world: World, proxy: PathProxy, beyond: str
) -> None:
    world.environ["ALLOWED_ENDPOINTS"] = (
        f"{HOST}/k8s/clusters/*,{HOST}/k8s/clusters/*/*,{HOST}/k8s/clusters/*/*/*"
    )
    write(world, proxy, "one", f"{proxy.url(ONE)}{beyond}")
    error = cluster_of(world.run(), "one")["error"]
    assert (error["type"], proxy.asked) == ("InvalidDocument", [])
    assert "c-m-1" not in error["message"]


def test_an_authenticator_is_not_behind_a_path(world: World, proxy: PathProxy) -> None:
    write(
        world,
        proxy,
        "one",
        proxy.url(ONE),
        signIn={"type": "iamAuthenticator", "clusterId": "one.example.com"},
    )
    error = cluster_of(world.run(), "one")["error"]
    assert (error["type"], proxy.asked) == ("InvalidDocument", [])
    assert "endpoint: only signIn webIdentity allows one with a path" in error["message"]


# However it is written


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("host", ["Rancher.Example.COM", HOST])
def test_a_host_in_upper_case_and_a_slash_at_the_end_are_as_kubectl_takes_them(
    world: World, host: str, slash: str
) -> None:
    world.environ["ALLOWED_ENDPOINTS"] = HOST
    cluster = world.add_stored("edge", token=TOKEN)
    other = world.add_elsewhere("web", document="namespaces: [a]")
    with proxied(HOST, {"": cluster}) as proxy, proxied(HOST, {"": other}) as second:
        world.store_kubeconfig("edge", stored(cluster, proxy, f"{proxy.url(host=host)}{slash}"))
        write(world, second, "web", f"{second.url(host=host)}{slash}")
        report = world.run()
        assert (report["ok"], report["totals"]["created"]) == (True, 2)
        assert "//" not in "".join(proxy.asked + second.asked)
