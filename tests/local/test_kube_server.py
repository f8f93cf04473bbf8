"""The edge of a cluster: TLS of old and new EKS, misbehaving connections, intercepted requests."""

import json
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
import urllib3

from infra.local.kube import (
    ClusterError,
    ControlPlane,
    EmbeddedCluster,
    Response,
    SeenRequest,
    start_cluster,
)
from infra.local.kube.http.client import AdminClient, context

READY = "/readyz"


def port(cluster: EmbeddedCluster) -> int:
    return int(cluster.endpoint.rpartition(":")[2])


def connect(
    cluster: EmbeddedCluster, tls: ssl.SSLContext, host: str = "127.0.0.1"
) -> ssl.SSLSocket:
    return tls.wrap_socket(
        socket.create_connection(("127.0.0.1", port(cluster)), timeout=5), server_hostname=host
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_modern_ca_passes_strict_verification(host: str, cluster: EmbeddedCluster) -> None:
    tls = ssl.create_default_context(cadata=cluster.ca_pem)
    tls.verify_flags |= ssl.VERIFY_X509_STRICT
    connect(cluster, tls, host).close()


def test_a_legacy_ca_fails_strict_verification_and_passes_without() -> None:
    with EmbeddedCluster("old", credentials=lambda _: None, ca="legacy") as cluster:
        tls = ssl.create_default_context(cadata=cluster.ca_pem)
        tls.verify_flags |= ssl.VERIFY_X509_STRICT
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(cluster, tls)
        connect(cluster, context(cluster.ca_pem)).close()


def test_another_host_name_or_ca_is_refused(cluster: EmbeddedCluster) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname"):
        connect(cluster, context(cluster.ca_pem), "example.com")
    with (
        EmbeddedCluster("prod", credentials=lambda _: None) as other,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        connect(cluster, context(other.ca_pem))


def test_a_connection_stuck_before_its_handshake_holds_up_nobody(cluster: EmbeddedCluster) -> None:
    with (
        socket.create_connection(("127.0.0.1", port(cluster))),
        connect(cluster, context(cluster.ca_pem)) as connection,
    ):
        connection.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_one_connection_carries_many_requests(cluster: EmbeddedCluster) -> None:
    with connect(cluster, context(cluster.ca_pem)) as connection:
        for _ in range(3):
            connection.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_chunked_body_is_read(cluster: EmbeddedCluster) -> None:
    document = json.dumps({"metadata": {"name": "chunked"}}).encode()
    with urllib3.PoolManager(ssl_context=context(cluster.ca_pem), retries=False) as pool:
        headers = {"Authorization": f"Bearer {cluster.kubeconfig()['users'][0]['user']['token']}"}
        answer = pool.request(
            "POST",
            f"{cluster.endpoint}/api/v1/namespaces",
            headers=headers,
            body=iter([document[:9], document[9:]]),
            chunked=True,
        )
    assert answer.status == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", READY, None),
        ("GET", "/api/v1/namespaces/kube-system", None),
        ("HEAD", "/api/v1/namespaces/kube-system", None),
        ("GET", "/api/v1/namespaces/none", None),
        ("GET", "/nothing", None),
        ("POST", "/api/v1/namespaces", {"metadata": {"name": "Not A Name"}}),
        ("POST", "/api/v1/namespaces", b"{"),
    ],
    ids=["bytes", "object", "head", "missing", "no path", "invalid", "no JSON"],
)
def test_an_administrator_is_answered_as_over_https(
    method: str, path: str, body: object, cluster: EmbeddedCluster
) -> None:
    direct = cluster.admin(method, path, body)
    token = cluster.kubeconfig()["users"][0]["user"]["token"]
    client = AdminClient(cluster.endpoint, cluster.ca_pem, token)
    assert client.send(method, path, body) == direct
    client.close()
    seen = [(one.method, one.path, one.user, one.status, one.body) for one in cluster.requests]
    assert seen[: len(seen) // 2] == seen[len(seen) // 2 :]


def test_a_closed_cluster_answers_no_administrator() -> None:
    with EmbeddedCluster("closed", credentials=lambda _: None) as cluster:
        assert cluster.admin("GET", READY)[0] == 200
    with pytest.raises(urllib3.exceptions.HTTPError):
        cluster.admin("GET", READY)


def test_requests_are_noted_without_their_tokens(cluster: EmbeddedCluster) -> None:
    cluster.admin("GET", "/api/v1/secrets?limit=1")
    seen = cluster.requests[-1]
    assert (seen.method, seen.path, seen.status, seen.user) == (
        "GET",
        "/api/v1/secrets?limit=1",
        200,
        "local-admin",
    )
    assert seen.headers["authorization"] == "[redacted]"
    assert seen.headers["user-agent"] == "local-admin/1"


def test_an_intercepted_request_never_reaches_the_api(cluster: EmbeddedCluster) -> None:
    def refuse(seen: SeenRequest) -> Response | None:
        return (
            Response(429, {"message": "later"}, {"Retry-After": "1"})
            if seen.method == "POST"
            else None
        )

    cluster.intercept = refuse
    document = {"metadata": {"name": "team-a"}}
    assert cluster.admin("POST", "/api/v1/namespaces", document) == (429, {"message": "later"})
    cluster.intercept = None
    assert cluster.admin("GET", "/api/v1/namespaces/team-a")[0] == 404
    assert [seen.status for seen in cluster.requests] == [429, 404]


def test_an_intercepted_answer_may_be_raw_bytes(cluster: EmbeddedCluster) -> None:
    cluster.intercept = lambda _: Response(
        raw=[b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"half"]
    )
    with pytest.raises(urllib3.exceptions.HTTPError, match="4 bytes read"):
        cluster.admin("GET", READY)


def test_a_request_is_seen_while_it_hangs(cluster: EmbeddedCluster) -> None:
    release = threading.Event()

    def hang(_: SeenRequest) -> None:
        release.wait(5)

    cluster.intercept = hang
    waiting = threading.Thread(target=cluster.admin, args=("GET", READY))
    waiting.start()
    until = time.monotonic() + 5
    while not cluster.requests and time.monotonic() < until:
        time.sleep(0.01)
    assert [seen.status for seen in cluster.requests] == [0]
    release.set()
    waiting.join(5)
    assert [seen.status for seen in cluster.requests] == [200]


@pytest.mark.alone
def test_closing_ends_open_connections_quickly() -> None:
    cluster = EmbeddedCluster("prod", credentials=lambda _: None)
    with connect(cluster, context(cluster.ca_pem)) as connection:
        connection.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(65536)
        before = time.monotonic()
        cluster.close()
        connection.settimeout(2)
        assert connection.recv(1) == b""
    assert time.monotonic() - before < 1


def test_an_oversized_body_is_refused(cluster: EmbeddedCluster) -> None:
    with connect(cluster, context(cluster.ca_pem)) as connection:
        connection.sendall(
            b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_control_planes_missing_binaries_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="no executable etcd and no kube-apiserver"):
        ControlPlane("prod", credentials=lambda _: None, assets=tmp_path)


def test_a_control_plane_that_dies_prints_its_last_words(tmp_path: Path) -> None:
    for name, then in (("etcd", "exec sleep 60"), ("kube-apiserver", "exit 1")):
        binary = tmp_path / name
        binary.write_text(f"#!/bin/sh\necho {name} cannot go on >&2\n{then}\n")
        binary.chmod(0o755)
    with pytest.raises(ClusterError, match="kube-apiserver cannot go on"):
        ControlPlane("prod", credentials=lambda _: None, assets=tmp_path)


def test_another_port_is_tried_when_a_process_took_the_first(tmp_path: Path) -> None:
    count = tmp_path / "count"
    (tmp_path / "etcd").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "kube-apiserver").write_text(
        f"#!/bin/sh\necho x >> {count}\n[ $(wc -l < {count}) = 3 ] && {{ echo something else >&2;"
        ' exit 1; }\necho "listen tcp 127.0.0.1:6443: bind: address already in use" >&2\nexit 1\n'
    )
    for name in ("etcd", "kube-apiserver"):
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ClusterError, match="something else"):
        ControlPlane("prod", credentials=lambda _: None, assets=tmp_path)
    assert len(count.read_text().splitlines()) == 3


def test_assets_in_the_environment_choose_the_control_plane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(ClusterError, match="KUBEBUILDER_ASSETS must name a folder"):
        start_cluster("prod", credentials=lambda _: None)
